"""Connected accounts come in and change here: the one place where a token is taken, and none where it is shown."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.clients import access
from apps.clients.models import Client
from apps.connectors.models import Channel
from apps.core import audit
from apps.core.errors import Invalid

CHANGEABLE = ("name", "state", "expires_at")


@transaction.atomic
def connect(*, client_id, actor, platform, external_id, name, token=""):
    """Connect an outside account to the client. Raises `Invalid` for one that is connected already, anywhere."""
    client = Client.objects.get(pk=client_id)
    access.require(actor, "connect", client)
    channel = Channel(client=client, platform=platform, external_id=external_id.strip(), name=name.strip(), token=token)
    _check(channel)
    try:
        with transaction.atomic():
            channel.save(force_insert=True)
    except IntegrityError:
        # Unique over all clients, whose rows cannot be seen from here: only the database knows.
        raise Invalid(
            _("This account is already connected. An account belongs to one client at a time."),
            fields={"external_id": _("Already connected.")},
        ) from None
    audit.record(actor, "connectors.channel.connected", channel, platform=platform, external_id=channel.external_id)
    return channel


@transaction.atomic
def change(*, channel_id, actor, token="", **fields):
    """Rename, switch on or off, or give a new token. The audit trail tells that a token came, never which."""
    channel = Channel.objects.select_for_update(of=("self",)).select_related("client").get(pk=channel_id)
    access.require(actor, "connect", channel.client)
    changes = {
        name: [getattr(channel, name), value]
        for name, value in fields.items()
        if name in CHANGEABLE and getattr(channel, name) != value
    }
    for name, (_old, new) in changes.items():
        setattr(channel, name, new)
    written = list(changes)
    if token:
        channel.token, channel.last_error = token, ""
        if channel.state == Channel.State.NEEDS_RECONNECT:
            channel.state = Channel.State.CONNECTED
        written += ["token", "last_error", "state"]
        changes["token_replaced"] = True
    _check(channel)
    if written:
        channel.save(update_fields=sorted(set(written)))
        audit.record(actor, "connectors.channel.changed", channel, **changes)
    return channel


def mark_broken(channel_id, exc):
    """The platform does not take the token any more: nobody goes on knocking until a person connects it again."""
    Channel.objects.filter(pk=channel_id, state=Channel.State.CONNECTED).update(
        state=Channel.State.NEEDS_RECONNECT, last_error=str(exc)
    )


def _check(channel):
    try:
        channel.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as exc:
        raise Invalid(" ".join(exc.messages), fields=exc.message_dict) from exc
