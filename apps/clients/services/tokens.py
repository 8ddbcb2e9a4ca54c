"""API tokens are made and revoked here; the token itself is returned once and stored as a hash only."""

from django.db import transaction
from django.utils.translation import gettext as _

from apps.clients.models import ApiToken
from apps.clients.tokens import LIFETIMES
from apps.core import audit
from apps.core.errors import Invalid

MOST_TOKENS = 50


@transaction.atomic
def make_token(*, name, lifetime, actor):
    """A new token of the actor's own; returns its row and the token, which nobody can ever read again.

    `lifetime` is a key of `tokens.LIFETIMES`.
    """
    name = name.strip()
    if not name:
        raise Invalid(_("Give the token a name: where it will be used."), fields={"name": _("Required.")})
    if lifetime not in LIFETIMES:
        raise Invalid(_("Choose how long the token lives."), fields={"lifetime": _("Choose one of the list.")})
    if ApiToken.objects.filter(user=actor.user).count() >= MOST_TOKENS:
        raise Invalid(_("You have %(count)d tokens already. Revoke one first.") % {"count": MOST_TOKENS})
    row, token = ApiToken.objects.create(user=actor.user, expiry=LIFETIMES[lifetime][1], name=name[:80])
    audit.record(actor, "clients.apitoken.created", actor.user, name=row.name, lifetime=lifetime)
    return row, token


@transaction.atomic
def revoke_token(*, number, actor):
    """From now on the token opens nothing; only one's own."""
    row = ApiToken.objects.select_for_update(of=("self",)).filter(number=number, user=actor.user).first()
    if row is None:
        raise Invalid(_("This token is already revoked."))
    audit.record(actor, "clients.apitoken.revoked", actor.user, name=row.name)
    row.delete()
