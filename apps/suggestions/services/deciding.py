"""The only door through which anything is decided: web, admin, API and Slack all come here."""

import random

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.clients import access
from apps.core import audit, clock
from apps.core.errors import Conflict, Invalid
from apps.core.formats import moment
from apps.suggestions.models import Decision, ExecutionLog, SlackMessage, Suggestion, ValidationItem

VIA_NAMES = {
    "web": gettext_lazy("on the web"),
    "admin": gettext_lazy("in the admin"),
    "api": gettext_lazy("through the API"),
    "slack": gettext_lazy("in Slack"),
    "command": gettext_lazy("from the command line"),
    "system": gettext_lazy("by itself"),
}
REASON_MAX = 2000


@transaction.atomic
def approve(*, suggestion_id, actor, reason=""):
    """Record the yes and queue its execution; returns the `Decision`.

    Two people may press the button in the same second: the row lock lets one through and the other is
    told who was faster (`Conflict`). A refresh is work for people: nothing is executed for it.
    """
    suggestion = _lock_for_decision(suggestion_id, actor)
    decision = _decide(suggestion, Decision.Verdict.APPROVE, actor, reason)
    if not suggestion.field:
        close(suggestion, Suggestion.Status.DONE)
        return decision
    is_held_out = _is_held_out(suggestion)
    ExecutionLog.objects.create(
        client_id=suggestion.client_id,
        suggestion=suggestion,
        decision=decision,
        ad_object_id=suggestion.ad_object_id,
        field=suggestion.field,
        expected=suggestion.before,
        target=suggestion.target,
        state=ExecutionLog.State.HELD_OUT if is_held_out else ExecutionLog.State.PENDING,
    )
    if is_held_out:
        close(suggestion, Suggestion.Status.CANCELLED)
    else:
        _set_going(suggestion)
    return decision


@transaction.atomic
def refuse(*, suggestion_id, actor, reason):
    """Record the no with its reason (required: it is what the next proposals learn from)."""
    reason = _checked_reason(reason)
    if not reason:
        raise Invalid(
            _("Say why: the reason is what the next proposals learn from."), fields={"reason": _("Required.")}
        )
    suggestion = _lock_for_decision(suggestion_id, actor)
    decision = _decide(suggestion, Decision.Verdict.REFUSE, actor, reason)
    close(suggestion, Suggestion.Status.REFUSED)
    return decision


@transaction.atomic
def undo(*, suggestion_id, actor, reason=""):
    """Decide to put back what an execution changed; the putting back is an execution of its own."""
    suggestion = _lock(suggestion_id)
    access.require(actor, "undo", suggestion.client)
    access.require_active(suggestion.client)
    done = suggestion.executions.filter(undo_of__isnull=True, state=ExecutionLog.State.DONE).first()
    if done is None:
        raise Conflict(_("Nothing was changed for this suggestion, so there is nothing to undo."))
    if done.undoings.exclude(state=ExecutionLog.State.DROPPED).exists():
        raise Conflict(_("This was already undone or is being undone."))
    decision = _record(suggestion, Decision.Verdict.UNDO, actor, _checked_reason(reason))
    ExecutionLog.objects.create(
        client_id=suggestion.client_id,
        suggestion=suggestion,
        decision=decision,
        ad_object_id=done.ad_object_id,
        undo_of=done,
        field=done.field,
        expected=done.target,
        target=done.expected,
    )
    refresh_copies(suggestion)
    return decision


@transaction.atomic
def try_again(*, execution_id, actor):
    """A person looked at a stopped execution and wants it done from what stands at the platform now."""
    execution = _lock_stopped(execution_id, actor)
    access.require_active(execution.client)
    if "found" in execution.proof:
        execution.expected = execution.proof["found"] or execution.expected
    execution.state, execution.reason, execution.message = ExecutionLog.State.PENDING, "", ""
    execution.not_before, execution.attempts, execution.sent_at = clock.now(), 0, None
    execution.save()
    _settle(execution, Suggestion.Status.APPROVED, "try_again")
    audit.record(actor, "suggestions.execution.retried", execution, expected=execution.expected)
    return execution


@transaction.atomic
def give_up(*, execution_id, actor, reason=""):
    """A person looked at a stopped execution and leaves the platform as it is."""
    execution = _lock_stopped(execution_id, actor)
    execution.state = ExecutionLog.State.DROPPED
    execution.save(update_fields=["state"])
    _settle(execution, Suggestion.Status.CANCELLED, "give_up")
    audit.record(actor, "suggestions.execution.dropped", execution, reason=_checked_reason(reason))
    return execution


@transaction.atomic
def assign(*, item_id, user, actor):
    """Give a waiting item to somebody of the client's team, or to nobody (`user` None)."""
    item = ValidationItem.objects.select_for_update(of=("self",)).select_related("client").get(pk=item_id)
    access.require(actor, "decide", item.client)
    if item.closed_at:
        raise Conflict(_("This is already closed."))
    if user is not None and not access.may(user, "decide", item.client):
        raise Invalid(_("%(user)s may not decide for this client.") % {"user": user}, fields={"user": _("No right.")})
    item.assigned_to = user
    item.save(update_fields=["assigned_to"])
    audit.record(actor, "suggestions.item.assigned", item, user=str(user or ""))
    return item


@transaction.atomic
def expire_overdue(*, client):
    """Close what nobody decided in time. Silence is never a yes: nothing is executed. Returns how many."""
    overdue = Suggestion.objects.filter(client=client).overdue(clock.now())
    rows = list(overdue.select_for_update(of=("self",), skip_locked=True).order_by("pk"))
    for suggestion in rows:
        close(suggestion, Suggestion.Status.EXPIRED)
    return len(rows)


def refresh_copies(suggestion):
    """Ask for every copy in Slack to be written again."""
    SlackMessage.objects.filter(client_id=suggestion.client_id, suggestion=suggestion).update(wanted=F("wanted") + 1)


def settled_text(suggestion):
    """One sentence saying what became of a suggestion: who decided, when and where; "" while it waits."""
    decision = suggestion.decisions.exclude(verdict=Decision.Verdict.UNDO).select_related("user").first()
    if decision is None:
        return _("This suggestion expired.") if suggestion.status == Suggestion.Status.EXPIRED else ""
    with timezone.override(suggestion.client.zone):
        when = moment(decision.decided_at, short=True)
    names = {
        "who": decision.user,
        "when": when,
        "where": VIA_NAMES.get(decision.via, decision.via),
    }
    if decision.verdict == Decision.Verdict.APPROVE:
        return _("Already approved by %(who)s on %(when)s %(where)s.") % names
    return _("Already refused by %(who)s on %(when)s %(where)s.") % names


def _lock(suggestion_id):
    suggestion = (
        Suggestion.objects.select_for_update(of=("self",))
        .select_related("client", "ad_object")
        .filter(pk=suggestion_id)
        .first()
    )
    if suggestion is None:
        raise Invalid(_("This suggestion does not exist (any more)."), code="not_found")
    return suggestion


def _lock_for_decision(suggestion_id, actor):
    suggestion = _lock(suggestion_id)
    access.require(actor, "decide", suggestion.client)
    if actor.user is None:
        raise Invalid(_("Only a person decides."))
    access.require_active(suggestion.client)
    if suggestion.status != Suggestion.Status.WAITING:
        raise Conflict(settled_text(suggestion) or _("This suggestion is closed."), code="already_decided")
    if suggestion.expires_at <= clock.now():
        raise Conflict(_("This suggestion expired: its numbers are too old to act on."), code="expired")
    return suggestion


def _decide(suggestion, verdict, actor, reason):
    decision = _record(suggestion, verdict, actor, _checked_reason(reason))
    _close_items(suggestion, verdict)
    return decision


def _record(suggestion, verdict, actor, reason):
    decision = Decision.objects.create(
        client_id=suggestion.client_id,
        suggestion=suggestion,
        verdict=verdict,
        user=actor.user,
        via=actor.via,
        reason=reason,
    )
    audit.record(actor, f"suggestions.suggestion.{verdict}", suggestion, reason=reason[:200])
    return decision


def _is_held_out(suggestion):
    """The client's randomised holdout: some approved raises stay undone, never a stop-loss."""
    if suggestion.kind != Suggestion.Kind.SCALE:
        return False
    drawn = random.Random(suggestion.pk * 7919).random() * 100  # noqa: S311  (a fair draw, the same on every retry)
    return drawn < suggestion.client.holdout_percent


def _lock_stopped(execution_id, actor):
    found = ExecutionLog.objects.filter(pk=execution_id).values_list("suggestion_id", flat=True).first()
    suggestion = _lock(found)
    access.require(actor, "decide", suggestion.client)
    execution = ExecutionLog.objects.select_for_update(of=("self",)).get(pk=execution_id)
    if execution.undo_of_id:
        access.require(actor, "undo", suggestion.client)
    execution.suggestion, execution.client = suggestion, suggestion.client
    if execution.state not in ExecutionLog.ASKING:
        raise Conflict(_("This execution is no longer stopped: %(state)s.") % {"state": execution.get_state_display()})
    return execution


def _settle(execution, status, outcome):
    """A stopped execution goes on or ends. A stopped undo leaves its suggestion as it was: done."""
    suggestion = execution.suggestion
    _close_items(suggestion, outcome)
    if execution.undo_of_id:
        refresh_copies(suggestion)
    elif status == Suggestion.Status.APPROVED:
        _set_going(suggestion)
    else:
        close(suggestion, status)


def _set_going(suggestion):
    suggestion.status = Suggestion.Status.APPROVED
    suggestion.save(update_fields=["status"])
    refresh_copies(suggestion)


def close(suggestion, status):
    """Nothing more comes of it: out of the queue, and every copy in Slack is written again."""
    suggestion.status, suggestion.closed_at = status, clock.now()
    suggestion.save(update_fields=["status", "closed_at"])
    _close_items(suggestion, status)
    refresh_copies(suggestion)


def _close_items(suggestion, outcome):
    ValidationItem.objects.filter(client_id=suggestion.client_id, suggestion=suggestion, closed_at__isnull=True).update(
        closed_at=clock.now(), outcome=outcome
    )


def _checked_reason(reason):
    reason = (reason or "").replace("\x00", "").strip()
    if len(reason) > REASON_MAX:
        raise Invalid(
            _("The reason is too long (%(max)s characters at most).") % {"max": REASON_MAX},
            fields={"reason": _("Too long.")},
        )
    return reason
