"""What a message in Slack says about a digest or a suggestion, at this moment.

Reads rows, writes none. All text of people and of the platform goes through `escape`. A channel reads one
language, the installation's; times are the client's.
"""

from contextlib import contextmanager
from operator import itemgetter

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.connectors.providers.slack.blocks import (
    actions,
    button,
    confirm_dialog,
    context,
    escape,
    header,
    modal,
    section,
    text_input,
)
from apps.core.formats import chance, moment
from apps.core.formats import day as day_text
from apps.suggestions import links, wording
from apps.suggestions.models import Decision, ExecutionLog, Suggestion
from apps.suggestions.models.proposals import Kind
from apps.suggestions.services.deciding import VIA_NAMES

APPROVE, REFUSE, OPEN, REFUSE_FORM = "suggestion_approve", "suggestion_refuse", "suggestion_open", "suggestion_refusal"
REASON_BLOCK, REASON_INPUT = "reason", "text"
ICONS = {Kind.SCALE: ":arrow_up:", Kind.PAUSE: ":double_vertical_bar:", Kind.REFRESH: ":art:"}
QUOTE_LENGTH = 500
NAME_LENGTH = 200


def compose(message):
    """`(text, blocks)` for a `SlackMessage`: the text stands in notifications, the blocks in the channel."""
    with reading(message.client):
        return _suggestion(message) if message.suggestion_id else _head(message)


@contextmanager
def reading(client):
    """The language and the zone of a client's channels."""
    with translation.override(settings.LANGUAGE_CODE), timezone.override(client.zone):
        yield


def reason_modal(message):
    """The form that asks why. In the language of whoever pressed the button."""
    suggestion = message.suggestion
    about = _("*%(action)s*: %(object)s") % {
        "action": escape(wording.title(suggestion.kind)),
        "object": _name(suggestion.ad_object),
    }
    return modal(
        _("Refuse"),
        section(about),
        text_input(
            _("Why?"),
            block_id=REASON_BLOCK,
            action_id=REASON_INPUT,
            placeholder=_("What the next proposals should learn from."),
        ),
        callback_id=REFUSE_FORM,
        submit=_("Refuse"),
        close=_("Cancel"),
        private_metadata=str(message.key),
    )


def _head(message):
    cycle, client = message.cycle, message.client
    shown = cycle.slack_messages.filter(channel=message.channel, suggestion__isnull=False).count()
    proposed = cycle.suggestions.count()
    earlier = Suggestion.objects.filter(client=client).waiting().exclude(cycle=cycle).count()
    named = {"client": client.name, "day": day_text(cycle.day)}
    title = _("%(client)s · %(day)s") % named
    lines = [_counted(proposed)]
    if proposed > shown:
        lines.append(
            ngettext(
                "%(count)d more is on the page, not here.",
                "%(count)d more are on the page, not here.",
                proposed - shown,
            )
            % {"count": proposed - shown}
        )
    if earlier:
        lines.append(
            ngettext("%(count)d from earlier still waits.", "%(count)d from earlier still wait.", earlier)
            % {"count": earlier}
        )
    skipped = cycle.skipped.count()
    if skipped:
        lines.append(
            ngettext(
                "%(count)d candidate was looked at and not proposed.",
                "%(count)d candidates were looked at and not proposed.",
                skipped,
            )
            % {"count": skipped}
        )
    page = _("<%(url)s|All suggestions, and why the others were not proposed>") % {"url": links.of_board(client)}
    return escape(f"{title} · {lines[0]}"), [header(title), section("\n".join(lines)), context(page)]


def _counted(count):
    if not count:
        return _("Nothing to decide this morning.")
    return ngettext("%(count)d suggestion to decide.", "%(count)d suggestions to decide.", count) % {"count": count}


def _suggestion(message):
    suggestion = message.suggestion
    title = _("%(icon)s *%(action)s*: %(object)s") % {
        "icon": ICONS.get(suggestion.kind, ""),
        "action": escape(wording.title(suggestion.kind)),
        "object": _name(suggestion.ad_object),
    }
    blocks = [
        section(title, fields=[escape_field(label, words) for label, words in _facts(suggestion)]),
        section(escape(wording.reason(suggestion.kind, suggestion.evidence)) or title),
    ]
    fate = _fate(suggestion)
    if fate:
        blocks.append(context("\n".join(fate)))
    page = button(_("Open"), OPEN, url=links.of_suggestion(suggestion))
    if suggestion.status == Suggestion.Status.WAITING:
        blocks.append(actions(*_decisions(message), page))
    else:
        blocks.append(actions(page))
    return escape(f"{message.client} · {wording.summary(suggestion)}"), blocks


def escape_field(label, words):
    """A bold label over its words."""
    return f"*{escape(label)}*\n{escape(words)}"


def _facts(suggestion):
    step = wording.before_after(suggestion)
    parent = suggestion.ad_object.parent
    if step:
        name = _("Daily budget") if suggestion.field == "daily_budget" else _("State")
        yield name, step
    yield _("Confidence"), chance(suggestion.confidence)
    yield _("Expected"), wording.impact(suggestion)
    if parent is not None and parent.parent_id is not None:
        yield parent.get_level_display(), parent.name[:NAME_LENGTH]


def _decisions(message):
    suggestion, key = message.suggestion, str(message.key)
    step = wording.before_after(suggestion)
    question = None
    if step:
        named = {"object": suggestion.ad_object, "change": step}
        question = confirm_dialog(
            wording.title(suggestion.kind),
            _("%(change)s for %(object)s. Durum changes it at Meta.") % named,
            _("Approve"),
            _("Cancel"),
        )
    yield button(_("Approve"), APPROVE, value=key, style="primary", confirm=question)
    yield button(_("Refuse…"), REFUSE, value=key, style="danger")


def _fate(suggestion):
    """What became of it, line by line; what is left to do comes last."""
    if suggestion.status == Suggestion.Status.WAITING:
        return [_(":hourglass: To decide before %(when)s.") % {"when": moment(suggestion.expires_at)}]
    decisions = suggestion.decisions.select_related("user").order_by("decided_at", "pk")
    happened = [(decision.decided_at, _said(decision)) for decision in decisions]
    executions = list(suggestion.executions.order_by("created_at", "pk"))
    if suggestion.status != Suggestion.Status.REFUSED:
        happened += [(execution.done_at or execution.created_at, _done(execution)) for execution in executions]
    lines = [line for _moment, line in sorted(happened, key=itemgetter(0))]
    if suggestion.status == Suggestion.Status.EXPIRED:
        lines.append(_(":hourglass: Expired without a decision: nothing was done."))
    elif suggestion.status == Suggestion.Status.DONE and not executions:
        lines.append(_(":memo: Nothing is changed at the platform: this is work for the team."))
    return lines


def _said(decision):
    named = {
        "who": escape(decision.user),
        "when": moment(decision.decided_at),
        "where": VIA_NAMES.get(decision.via, decision.via),
        "why": escape(decision.reason[:QUOTE_LENGTH]),
    }
    if decision.verdict == Decision.Verdict.APPROVE:
        return _(":white_check_mark: Approved by %(who)s, %(when)s %(where)s.") % named
    if decision.verdict == Decision.Verdict.REFUSE:
        return _(":x: Refused by %(who)s, %(when)s %(where)s: “%(why)s”") % named
    return _(":leftwards_arrow_with_hook: Undo asked by %(who)s, %(when)s %(where)s.") % named


def _done(execution):
    states = ExecutionLog.State
    if execution.state == states.DONE:
        named = {"when": moment(execution.done_at)}
        if execution.undo_of_id:
            return _(":leftwards_arrow_with_hook: Put back and read back at Meta, %(when)s.") % named
        return _(":checkered_flag: Done and read back at Meta, %(when)s.") % named
    if execution.state in ExecutionLog.OPEN:
        return _(":gear: Durum is changing it at Meta.")
    if execution.state == states.HELD_OUT:
        return _(":scales: Left undone on purpose, to measure what the others bring.")
    if execution.state == states.DROPPED:
        return _(":no_entry_sign: Given up: nothing was changed.")
    return _(":warning: Stopped, somebody must look: %(why)s") % {
        "why": escape(execution.message[:QUOTE_LENGTH] or execution.get_state_display())
    }


def _name(ad_object):
    return escape(str(ad_object)[:NAME_LENGTH])
