"""Who a person in Slack is in Durum: linked by the person, signed in, saying yes on a page.

An address that matches is not enough: whoever runs a workspace can give a profile any address. And a link
that somebody else sends must not be enough either, so the page names the Slack account before the yes.
"""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.connectors.models import Channel, SlackIdentity
from apps.connectors.providers.slack.connector import SlackConnector
from apps.core import audit
from apps.core.errors import Conflict, ConnectorError, Invalid
from apps.core.tenancy import use_all_clients

SALT = "connectors.slack_link"
VALID_SECONDS = 15 * 60


@dataclass(frozen=True)
class Claim:
    """The Slack account that a link speaks of."""

    team_id: str
    slack_user_id: str


@dataclass(frozen=True)
class Profile:
    """What Slack says about the account; empty where Slack could not be asked."""

    workspace: str
    name: str
    email: str

    def is_surely(self, user):
        """Same address on both sides: nothing more needs to be asked."""
        return bool(self.email) and self.email.casefold() == user.email.casefold()


def user_of(*, team_id, slack_user_id):
    """The active Durum user behind a Slack account, or None."""
    identity = (
        SlackIdentity.objects.select_related("user")
        .filter(team_id=team_id, slack_user_id=slack_user_id, user__is_active=True)
        .first()
    )
    return identity.user if identity else None


def link_address(*, team_id, slack_user_id):
    """Where that Slack account can be linked; signed, for a quarter of an hour, good for nothing else."""
    token = signing.dumps([team_id, slack_user_id], salt=SALT)
    return f"{settings.SITE_URL}{reverse('slack:accounts')}?link={token}"


def read_link(token):
    """The claim in a link's token; `Invalid` when it is old or not ours."""
    try:
        team_id, slack_user_id = signing.loads(token, salt=SALT, max_age=VALID_SECONDS)
    except signing.SignatureExpired:
        raise Invalid(_("This link is too old. Press the button in Slack again for a new one.")) from None
    except (signing.BadSignature, ValueError, TypeError):
        raise Invalid(_("This link is not complete. Press the button in Slack again for a new one.")) from None
    return Claim(team_id, slack_user_id)


def profile_of(claim, *, timeout=5):
    """Ask Slack who the account is, so that the page can name it. What we call the channel is its client's affair."""
    channel = channel_of(claim.team_id)
    if channel is None:
        return Profile(claim.team_id, "", "")
    try:
        with use_all_clients("a workspace serves several clients"):
            slack = SlackConnector.of(channel, timeout=timeout)
            person = slack.users_info(claim.slack_user_id)
            return Profile(slack.auth_test().name or claim.team_id, person.name, person.email)
    except ConnectorError:
        return Profile(claim.team_id, "", "")


def channel_of(team_id, channel_id=""):
    """A connected Slack channel of the workspace (that very channel when named), whosever client it is.

    Only to speak back to Slack: nothing of the client is shown.
    """
    with use_all_clients("Slack asks before anybody knows for which client"):
        rows = Channel.objects.filter(platform=Channel.Platform.SLACK, state=Channel.State.CONNECTED)
        if channel_id:
            return rows.filter(external_id=f"{team_id}/{channel_id}").first()
        return rows.filter(external_id__startswith=f"{team_id}/").order_by("pk").first()


def disconnect_workspace(*, team_id):
    """The app was removed from the workspace or its token revoked: its channels need a person. Returns how many."""
    with use_all_clients("a workspace serves several clients"):
        return Channel.objects.filter(
            platform=Channel.Platform.SLACK,
            external_id__startswith=f"{team_id}/",
            state=Channel.State.CONNECTED,
        ).update(
            state=Channel.State.NEEDS_RECONNECT,
            last_error=_("Durum was removed from this Slack workspace. Install it again."),
        )


def link(*, claim, actor):
    """From now on what this Slack account presses is the actor's word. Again is fine; another's is refused."""
    try:
        with transaction.atomic():
            identity, is_new = SlackIdentity.objects.get_or_create(
                team_id=claim.team_id, slack_user_id=claim.slack_user_id, defaults={"user": actor.user}
            )
            if identity.user_id != actor.user.pk:
                raise Conflict(
                    _("This Slack account is linked to somebody else in Durum. That person must unlink it first.")
                )
            if is_new:
                audit.record(actor, "connectors.slackidentity.linked", identity)
    except IntegrityError:
        raise Conflict(_("This Slack account is being linked just now. Reload the page.")) from None
    return identity


@transaction.atomic
def unlink(*, identity_id, actor):
    """The Slack account decides nothing any more; only one's own."""
    identity = SlackIdentity.objects.select_for_update().filter(pk=identity_id, user=actor.user).first()
    if identity is None:
        raise Invalid(_("This link is already gone."))
    audit.record(actor, "connectors.slackidentity.unlinked", identity)
    identity.delete()
