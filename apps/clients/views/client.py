"""A client's own settings."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.clients import access
from apps.clients.forms import ClientForm
from apps.clients.models import Client
from apps.clients.services.clients import change_client
from apps.core.errors import Conflict, Invalid

from .frame import actor_of, add_refusal, may, page


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def settings(request, client_key):
    """Name, values, guard rails, daily cycle; to be read by those who may not change them."""
    if request.method != "POST" and not may(request, "edit_client"):
        return page(request, "clients/settings.html", {"sections": ClientForm.labels_and_values(request.client)})
    access.require(actor_of(request), "edit_client", request.client)
    # A row of its own: a form writes into its instance even when it is refused.
    form = ClientForm(request.POST or None, instance=Client.objects.get(pk=request.client.pk))
    if request.method == "POST" and form.is_valid():
        try:
            change_client(client_id=request.client.pk, actor=actor_of(request), **form.cleaned_data)
        except (Conflict, Invalid) as exc:
            add_refusal(form, exc)
        else:
            messages.success(request, _("The settings are saved."))
            return redirect("clients:settings", client_key=client_key)
    return page(request, "clients/settings.html", {"form": form}, status=422 if form.errors else 200)
