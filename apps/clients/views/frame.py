"""What every page of Settings shows around itself."""

from django.shortcuts import render

from apps.clients import access, tabs
from apps.core.actors import Actor


def page(request, template, context=None, *, status=None):
    """A page of Settings with its tabs."""
    return render(request, template, (context or {}) | {"tabs": tabs.tabs_for(request)}, status=status)


def actor_of(request):
    """The person, on the web."""
    return Actor(request.user, "web")


def may(request, verb):
    """Whether the person may, for the client in the address."""
    return access.may(request.user, verb, request.client)


def add_refusal(form, exc):
    """Put a refusal of ours where it belongs: at its fields, else above the form."""
    fields = {name: said for name, said in getattr(exc, "fields", {}).items() if name in form.fields}
    for name, said in fields.items():
        form.add_error(name, [str(one) for one in said] if isinstance(said, (list, tuple)) else str(said))
    if not fields or len(fields) > 1:
        form.add_error(None, str(exc))
