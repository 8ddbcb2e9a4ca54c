"""A person's own API tokens."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.clients.forms import TokenForm
from apps.clients.models import ApiToken
from apps.clients.services.tokens import make_token, revoke_token
from apps.core.errors import Conflict, Invalid

from .frame import actor_of, add_refusal, page


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def tokens(request, client_key):
    """One's tokens; a new one is shown in the answer that made it and never again."""
    form, made, secret = TokenForm(request.POST or None), None, ""
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = make_token(actor=actor_of(request), **form.cleaned_data)
        except (Conflict, Invalid) as exc:
            add_refusal(form, exc)
        else:
            form = TokenForm()
    context = {
        "form": form,
        "made": made,
        "secret": secret,
        "tokens": ApiToken.objects.filter(user=request.user),
    }
    return page(request, "clients/tokens.html", context, status=422 if form.errors else 201 if made else 200)


@require_POST
@login_required
def revoke(request, client_key, number):
    """The token opens nothing from now on."""
    revoke_token(number=number, actor=actor_of(request))
    messages.success(request, _("The token is revoked."))
    return redirect("clients:tokens", client_key=client_key)
