"""Carries out what people approved: each change applied once, or stopped and asked.

The pattern is write before you act, read back after. The row says what is about to happen; the platform
is read; only when it still shows the expected value is the absolute target written; then it is read
again and the proof stored. A crash anywhere leaves a row whose truth the next worker finds by reading.
"""

from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from apps.ads.services import storing
from apps.clients.models import Client
from apps.connectors.currencies import to_minor
from apps.connectors.models import Channel
from apps.connectors.services import channels
from apps.core import audit, clock, leases
from apps.core.actors import SYSTEM
from apps.core.crashpoints import crash_point
from apps.core.errors import NeedsReconnect, OutcomeUnknown, Rejected, Unavailable
from apps.suggestions.guards import Limits, Situation, first_objection
from apps.suggestions.models import ExecutionLog, Suggestion, ValidationItem

from . import deciding, hypotheses

MOST_ATTEMPTS = 12
BACKOFF_SECONDS = (5, 10, 20, 40, 80, 160, 300)
State = ExecutionLog.State


def carry_out(*, execution_id, connector_for):
    """Work on one execution if it is due and free; returns it, or None when there was nothing to do.

    Safe to call any number of times, by any number of workers. `connector_for(channel)` gives the ads
    connector of a channel.
    """
    execution = leases.claim(
        ExecutionLog.objects.due(clock.now()).select_related("ad_object", "suggestion").filter(pk=execution_id),
        seconds=settings.EXECUTION_LEASE_SECONDS,
    )
    if execution is None:
        return None
    crash_point("execute.after_claim")
    try:
        _work(execution, connector_for)
    except leases.Lost:
        return None
    return execution


def _work(execution, connector_for):
    channel = execution.ad_object.channel
    if channel is None:
        _stop(execution, State.BLOCKED, "no_connection")
        return
    if channel.state != Channel.State.CONNECTED:
        _stop(execution, State.BLOCKED, "needs_reconnect")
        return
    connector = connector_for(channel)
    try:
        _compare_and_write(execution, connector)
    except (Unavailable, OutcomeUnknown) as exc:
        _later(execution, exc)
    except NeedsReconnect as exc:
        channels.mark_broken(channel.pk, exc)
        _stop(execution, State.BLOCKED, "needs_reconnect", exc)
    except Rejected as exc:
        _stop(execution, State.FAILED, "rejected", exc)


def _compare_and_write(execution, connector):
    """Read; write only from the expected value; read back."""
    external_id = execution.ad_object.external_id
    found = connector.read_object(external_id)
    value = _value(found, execution.field)
    if value == execution.target:
        _finish(execution, found)
        return
    if value != execution.expected:
        execution.proof |= {"found": value, "read": _columns(found)}
        _stop(execution, State.CONFLICT, "campaign_budget" if value == "" else "changed_meanwhile")
        return
    if not _reserve(execution, found):
        return
    crash_point("execute.before_call")
    leases.renew(execution, seconds=settings.EXECUTION_LEASE_SECONDS)
    if execution.field == "daily_budget":
        connector.set_daily_budget(external_id, int(execution.target))
    else:
        connector.set_status(external_id, execution.target)
    crash_point("execute.after_call")
    found = connector.read_object(external_id)
    if _value(found, execution.field) != execution.target:
        raise OutcomeUnknown(detail=f"read back {_value(found, execution.field)!r} after writing {execution.target!r}")
    crash_point("execute.before_mark")
    _finish(execution, found)


def _reserve(execution, found):
    """Say in the row that the change is about to go out, if no guard rail objects. Its own commit.

    The client's row is locked meanwhile: four workers must not all see one action left for today.
    """
    with transaction.atomic():
        client = Client.objects.select_for_update(of=("self",)).get(pk=execution.client_id)
        if execution.sent_at is None:
            objection = first_objection(_limits(client, execution.ad_object), _situation(client, execution))
            if objection == "platform_hourly_limit":
                leases.release(execution, not_before=clock.now() + timedelta(hours=1), reason=objection)
                return False
            if objection:
                _stop(execution, State.BLOCKED, objection)
                return False
        proof = {**execution.proof, "read_before": _columns(found)}
        sent_at = execution.sent_at or clock.now()
        leases.update_held(execution, state=State.SENT, sent_at=sent_at, proof=proof)
    return True


def _limits(client, ad_object):
    cap = client.max_daily_budget
    return Limits(
        max_daily_budget_minor=None if cap is None else to_minor(Decimal(cap), ad_object.currency),
        max_change_percent=client.max_change_percent,
        max_actions_per_day=client.max_actions_per_day,
        cooldown_hours=client.cooldown_hours,
    )


def _situation(client, execution):
    now = clock.now()
    others = ExecutionLog.objects.filter(client=client, sent_at__isnull=False).exclude(pk=execution.pk)
    of_object = others.filter(ad_object_id=execution.ad_object_id)
    last = of_object.order_by("-sent_at").values_list("sent_at", flat=True).first()
    return Situation(
        field=execution.field,
        before=execution.expected,
        target=execution.target,
        actions_today=others.filter(sent_at__gte=client.day_start(client.today()), undo_of__isnull=True).count(),
        hours_since_last=(now - last).total_seconds() / 3600 if last else None,
        changes_last_hour=of_object.filter(field="daily_budget", sent_at__gt=now - timedelta(hours=1)).count(),
        is_undo=execution.undo_of_id is not None,
    )


def _finish(execution, found):
    """The platform shows the target: store the proof, close the suggestion, freeze the prediction."""
    now = clock.now()
    with transaction.atomic():
        leases.release(
            execution,
            state=State.DONE,
            sent_at=execution.sent_at or now,
            done_at=now,
            after=_value(found, execution.field),
            reason="",
            message="",
            proof={**execution.proof, "read_after": _columns(found), "read_at": now.isoformat()},
        )
        storing.note_own_write(ad_object_id=execution.ad_object_id, sent_at=execution.sent_at, **_columns(found))
        suggestion = execution.suggestion
        if execution.undo_of_id is None:
            deciding.close(suggestion, Suggestion.Status.DONE)
            hypotheses.open_for(execution)
        else:
            deciding.refresh_copies(suggestion)
        audit.record(
            SYSTEM,
            "suggestions.execution.done",
            execution,
            **{execution.field: [execution.expected, execution.target]},
        )


def _stop(execution, state, reason, exc=None):
    """Nothing more is tried by machine: the execution waits for a person."""
    kinds = {State.CONFLICT: ValidationItem.Kind.CONFLICT, State.UNKNOWN: ValidationItem.Kind.UNKNOWN}
    with transaction.atomic():
        leases.release(
            execution,
            state=state,
            reason=reason,
            # What the platform refused was no action: it takes nothing from the day's cap and starts no rest.
            sent_at=None if state == State.FAILED else execution.sent_at,
            proof=execution.proof,
            message=str(exc) if exc else "",
            detail=exc.detail if exc else "",
        )
        if execution.undo_of_id is None:
            Suggestion.objects.filter(pk=execution.suggestion_id).update(status=Suggestion.Status.STOPPED)
        ValidationItem.objects.get_or_create(
            client_id=execution.client_id,
            suggestion_id=execution.suggestion_id,
            closed_at=None,
            defaults={"kind": kinds.get(state, ValidationItem.Kind.BLOCKED), "since": clock.now()},
        )
        deciding.refresh_copies(execution.suggestion)
        audit.record(SYSTEM, f"suggestions.execution.{state}", execution, reason=reason)


def _later(execution, exc):
    """Try again after a pause written on the row; after many tries ask a person."""
    if execution.attempts >= MOST_ATTEMPTS:
        unknown = execution.state == State.SENT
        _stop(execution, State.UNKNOWN if unknown else State.BLOCKED, "unknown" if unknown else "unavailable", exc)
        return
    pause = BACKOFF_SECONDS[min(execution.attempts, len(BACKOFF_SECONDS)) - 1]
    pause = max(pause, getattr(exc, "retry_after", None) or 0)
    leases.release(execution, not_before=clock.now() + timedelta(seconds=pause), message=str(exc), detail=exc.detail)


def _value(found, field):
    """The platform's present value in the row's spelling; "" for a budget that is not set there."""
    if field == "daily_budget":
        return str(found.daily_budget) if found.daily_budget else ""
    return found.status


def _columns(found):
    return {
        "status": found.status,
        "effective_status": found.effective_status,
        "daily_budget_minor": found.daily_budget,
    }
