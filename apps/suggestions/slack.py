"""The door of people in Slack: buttons and the refusal form, through the same services as everybody.

Slack requests come without a session: team and user number lead to a Durum user, whose clients are then the
only ones in scope. A button carries an opaque key; everything else is looked up and checked again.
"""

import logging
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from apps.clients import access
from apps.connectors.providers.slack.blocks import escape
from apps.connectors.providers.slack.connector import WHILE_SOMEBODY_WAITS, SlackConnector
from apps.connectors.services import slack_link
from apps.core.actors import Actor
from apps.core.errors import Conflict, ConnectorError, DurumError, Invalid
from apps.core.tenancy import use_client, use_scope
from apps.suggestions import slack_text, tasks
from apps.suggestions.models import SlackMessage, Suggestion
from apps.suggestions.services import deciding, digest

logger = logging.getLogger(__name__)


def register(app):
    """The listeners of this app, for Bolt."""
    app.action(slack_text.APPROVE)(approve)
    app.action(slack_text.REFUSE)(ask_reason)
    app.view(slack_text.REFUSE_FORM)(refuse)


@dataclass(frozen=True)
class Click:
    """Who pressed what, and where. `channel_id` is empty for a form, which belongs to no channel."""

    team_id: str
    slack_user_id: str
    channel_id: str
    key: str
    trigger_id: str

    @classmethod
    def on_button(cls, body):
        channel = (body.get("channel") or body.get("container") or {}).get
        key = body["actions"][0].get("value", "")
        return cls(*_who(body), channel("id") or channel("channel_id") or "", key, body.get("trigger_id", ""))

    @classmethod
    def on_form(cls, body):
        return cls(*_who(body), "", body["view"].get("private_metadata", ""), body.get("trigger_id", ""))


def approve(ack, body):
    """The button "Approve"."""
    ack()
    _tell_what_is_wrong(Click.on_button(body), _approve)


def ask_reason(ack, body):
    """The button "Refuse…": the form has to be asked for within three seconds, so nothing is locked first."""
    ack()
    _tell_what_is_wrong(Click.on_button(body), _open_form)


def refuse(ack, body):
    """The refusal form. What is wrong is shown inside it."""
    click = Click.on_form(body)
    values = body["view"]["state"]["values"]
    reason = values.get(slack_text.REASON_BLOCK, {}).get(slack_text.REASON_INPUT, {}).get("value")

    def say_no(actor, message, _click):
        tasks.nudge(deciding.refuse(suggestion_id=message.suggestion_id, actor=actor, reason=reason or ""))

    wrong = _do(click, say_no)
    if wrong:
        ack(response_action="errors", errors={slack_text.REASON_BLOCK: wrong})
    else:
        ack()


def _approve(actor, message, _click):
    tasks.nudge(deciding.approve(suggestion_id=message.suggestion_id, actor=actor))


def _open_form(actor, message, click):
    access.require(actor, "decide", message.client)
    if message.suggestion.status != Suggestion.Status.WAITING:
        raise Conflict(deciding.settled_text(message.suggestion) or _("This suggestion is closed."))
    slack = SlackConnector.of(message.channel, timeout=WHILE_SOMEBODY_WAITS)
    slack.views_open(click.trigger_id, slack_text.reason_modal(message))


def _tell_what_is_wrong(click, act):
    wrong = _do(click, act, is_markup=True)
    if wrong:
        _whisper(click, wrong)


def _do(click, act, *, is_markup=False):
    """Act as the person behind the click; returns what to tell that person, "" when all went well."""
    user = slack_link.user_of(team_id=click.team_id, slack_user_id=click.slack_user_id)
    if user is None:
        with translation.override(settings.LANGUAGE_CODE):
            return _how_to_link(click, is_markup=is_markup)
    with use_scope(access.scope_of(user)), translation.override(user.language or settings.LANGUAGE_CODE):
        try:
            message = _message(click, user)
            _act_on(act, Actor(user, "slack"), message, click)
        except DurumError as exc:
            return escape(exc) if is_markup else str(exc)
    return ""


def _act_on(act, actor, message, click):
    try:
        act(actor, message, click)
    except Conflict:
        # The buttons were still there: somebody else was faster, or an update of the message was lost.
        digest.ask_again(message=message)
        tasks.nudge_messages([message])
        raise


def _message(click, user):
    """The copy the click is about, if it stands where the click came from and the person may see its client."""
    try:
        key = uuid.UUID(click.key)
    except ValueError:
        key = None
    message = (
        SlackMessage.objects.visible_to(user)
        .filter(key=key, suggestion__isnull=False)
        .select_related("client", "channel", "suggestion__client", "suggestion__ad_object")
        .first()
    )
    if message is None or not _stands_where(click, message.channel.external_id):
        raise Invalid(
            _(
                "This suggestion does not exist any more, or it is for a client you do not work for in Durum. "
                "Ask an owner of the client for access."
            ),
            code="not_found",
        )
    return message


def _stands_where(click, external_id):
    """Whether the message stands where the click came from; a form tells its workspace only."""
    if click.channel_id:
        return external_id == f"{click.team_id}/{click.channel_id}"
    return external_id.startswith(f"{click.team_id}/")


def _how_to_link(click, *, is_markup):
    url = slack_link.link_address(team_id=click.team_id, slack_user_id=click.slack_user_id)
    named = {"url": url, "minutes": slack_link.VALID_SECONDS // 60}
    if is_markup:
        return (
            _(
                "Durum does not know yet who you are. <%(url)s|Link your Slack account>, signed in to Durum, then "
                "press the button again. The link works for %(minutes)d minutes and for you only."
            )
            % named
        )
    return _("Durum does not know yet who you are. Open %(url)s, signed in to Durum, then try again.") % named


def _whisper(click, text):
    """Tell one person, in the channel of the click, what nobody else sees. The deed does not depend on it."""
    channel = slack_link.channel_of(click.team_id, click.channel_id)
    if channel is None:
        logger.warning("a click came from a Slack channel that is not connected: %s", click.team_id)
        return
    try:
        with use_client(channel.client_id):
            SlackConnector.of(channel, timeout=WHILE_SOMEBODY_WAITS).post_ephemeral(click.slack_user_id, text)
    except ConnectorError as exc:
        logger.warning("Slack could not tell somebody: %s %s", exc, exc.detail)


def _who(body):
    user = body.get("user") or {}
    team = (body.get("team") or {}).get("id") or user.get("team_id") or ""
    return team, user.get("id", "")
