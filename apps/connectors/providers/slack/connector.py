"""Slack as Durum uses it: post, find again, change, ask, and know people.

Speaks of channels, messages and people; knows nothing of suggestions.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.connectors import registry
from apps.connectors.checks import Checked
from apps.connectors.models import Channel
from apps.connectors.providers.slack import blocks as limits
from apps.connectors.providers.slack.client import SlackWire
from apps.core.errors import OutcomeUnknown

# Slack gives a press of a button three seconds, the network included.
WHILE_SOMEBODY_WAITS = 2.0
HISTORY_PAGE = 100
HISTORY_PAGES = 10
# How far the two clocks may be apart when a lost message is looked for, in seconds.
CLOCK_SLACK = 3600


@dataclass(frozen=True)
class Workspace:
    team_id: str
    name: str
    bot_user_id: str
    url: str


@dataclass(frozen=True)
class Posted:
    """A message that stands in Slack: `ts` is its number inside the channel."""

    channel: str
    ts: str


@dataclass(frozen=True)
class Person:
    id: str
    name: str
    email: str
    is_deleted: bool


class SlackConnector:
    """One bot in one workspace. `channel_id` is where it posts unless a call says otherwise."""

    def __init__(self, token, *, team_id="", channel_id="", client_id=None, timeout=30):
        self.team_id = team_id
        self.channel_id = channel_id
        self.wire = SlackWire(token, workspace=team_id, client_id=client_id, timeout=timeout)

    @classmethod
    def of(cls, channel, *, timeout=30):
        """The connector of a `Channel` row, whose number is `T123/C456`."""
        team_id, _slash, channel_id = channel.external_id.partition("/")
        return cls(channel.token, team_id=team_id, channel_id=channel_id, client_id=channel.client_id, timeout=timeout)

    def check(self):
        """Test the connection; raises the same errors as every other call."""
        found = self.auth_test()
        if self.team_id and found.team_id != self.team_id:
            return Checked(found.name, (_("The token belongs to another workspace: %(name)s.") % {"name": found.name},))
        return Checked(found.name)

    def auth_test(self):
        """Whose token this is; `NeedsReconnect` when it is nobody's any more."""
        answer = self.wire.call("auth.test", writes=False, form={})
        return Workspace(
            answer.get("team_id", ""), answer.get("team", ""), answer.get("user_id", ""), answer.get("url", "")
        )

    def post_message(self, text, blocks, *, event_type, key, channel_id=None):
        """Post once. `key` travels with the message, so that `find_own` can tell whether a lost answer was a yes.

        Never repeated here: after `OutcomeUnknown` the caller looks first.
        """
        answer = self.wire.call(
            "chat.postMessage",
            writes=True,
            body={
                "channel": channel_id or self.channel_id,
                "text": limits.check_message(text, blocks),
                "blocks": blocks,
                "metadata": {"event_type": event_type, "event_payload": {"key": key}},
                "unfurl_links": False,
                "unfurl_media": False,
            },
        )
        if not answer.get("ts"):
            raise OutcomeUnknown(detail="chat.postMessage answered without a ts")
        return Posted(answer.get("channel") or channel_id or self.channel_id, answer["ts"])

    def find_own(self, *, event_type, key, since, channel_id=None):
        """The message posted with `key` since that moment, or None when the channel does not hold it."""
        form = {
            "channel": channel_id or self.channel_id,
            "include_all_metadata": "true",
            "limit": str(HISTORY_PAGE),
            "oldest": f"{since.timestamp() - CLOCK_SLACK:.6f}",
        }
        for _page in range(HISTORY_PAGES):
            answer = self.wire.call("conversations.history", writes=False, form=form)
            for message in answer.get("messages", []):
                metadata = message.get("metadata") or {}
                if metadata.get("event_type") != event_type:
                    continue
                if (metadata.get("event_payload") or {}).get("key") == key:
                    return Posted(form["channel"], message["ts"])
            form["cursor"] = (answer.get("response_metadata") or {}).get("next_cursor", "")
            if not form["cursor"]:
                return None
        raise OutcomeUnknown(detail=f"not among the last {HISTORY_PAGE * HISTORY_PAGES} messages of the channel")

    def update(self, ts, text, blocks, *, channel_id=None):
        """Make the message say this. Absolute, so a lost answer may simply be asked again."""
        self.wire.call(
            "chat.update",
            writes=True,
            body={
                "channel": channel_id or self.channel_id,
                "ts": ts,
                "text": limits.check_message(text, blocks),
                "blocks": blocks,
            },
        )

    def post_ephemeral(self, slack_user_id, text, *, channel_id=None):
        """Tell one person something in the channel that nobody else sees. `text` is mrkdwn, already escaped."""
        blocks = [limits.section(text)]
        self.wire.call(
            "chat.postEphemeral",
            writes=True,
            body={
                "channel": channel_id or self.channel_id,
                "user": slack_user_id,
                "text": limits.check_message(text, blocks),
                "blocks": blocks,
            },
        )

    def views_open(self, trigger_id, view):
        """Open a modal for whoever pressed the button; the trigger lives three seconds and works once."""
        limits.check_modal(view)
        answer = self.wire.call("views.open", writes=True, body={"trigger_id": trigger_id, "view": view})
        return (answer.get("view") or {}).get("id", "")

    def users_info(self, slack_user_id):
        """Name and e-mail address of a person of the workspace."""
        return _person(self.wire.call("users.info", writes=False, form={"user": slack_user_id}))

    def users_lookup_by_email(self, email):
        """The person of the workspace with that address, or `Rejected` (`users_not_found`)."""
        return _person(self.wire.call("users.lookupByEmail", writes=False, form={"email": email}))


def _person(answer):
    user = answer.get("user") or {}
    profile = user.get("profile") or {}
    name = profile.get("real_name") or user.get("real_name") or user.get("name") or ""
    return Person(user.get("id", ""), name, profile.get("email") or "", bool(user.get("deleted")))


registry.register(Channel.Platform.SLACK, SlackConnector.of)
