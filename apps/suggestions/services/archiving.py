"""Puts closed suggestions (30 days) and decisions (90 days) away: out of the daily tables, never out of reach.

In batches, each its own transaction in which rows move whole: stopped anywhere, nothing is lost or doubled.
"""

import json
from datetime import timedelta

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from apps.core import clock
from apps.core.crashpoints import crash_point
from apps.suggestions.models import (
    Decision,
    DecisionArchive,
    ExecutionLog,
    Hypothesis,
    Suggestion,
    SuggestionArchive,
)

SUGGESTIONS_AFTER = timedelta(days=30)
DECISIONS_AFTER = timedelta(days=90)
BATCH = 500


def archive(*, client, batch=BATCH, progress=None):
    """Archive what is due for `client`; returns (suggestions, decisions) put away.

    `progress(suggestions, decisions)` is called after each batch. A suggestion stays while its hypothesis
    or its outcome is still open: calibration and controls need the row.
    """
    suggestions = _in_batches(lambda: _suggestions(client, batch), lambda n: progress and progress(n, 0))
    decisions = _in_batches(lambda: _decisions(client, batch), lambda n: progress and progress(suggestions, n))
    return suggestions, decisions


def _in_batches(step, told):
    total = 0
    while moved := step():
        total += moved
        told(total)
        crash_point("archive.after_batch")
    return total


@transaction.atomic
def _suggestions(client, batch):
    due = (
        Suggestion.objects.filter(
            client=client, closed_at__lt=clock.now() - SUGGESTIONS_AFTER, outcome_known_at__isnull=False
        )
        .exclude(status__in=Suggestion.LIVE)
        .exclude(executions__hypothesis__state=Hypothesis.State.OPEN)
        .exclude(executions__state__in=[*ExecutionLog.OPEN, *ExecutionLog.ASKING])
    )
    held = _hold(due, batch)
    # Asked once more under the lock: an undo may have begun between the question and the answer.
    rows = list(
        due.filter(pk__in=held)
        .select_related("ad_object")
        .prefetch_related("executions__hypothesis", "decisions__user")
        .order_by("pk")
    )
    kept = SuggestionArchive.objects.bulk_create(
        SuggestionArchive(
            client_id=row.client_id,
            original_id=row.pk,
            kind=row.kind,
            status=row.status,
            ad_object_name=row.ad_object.name,
            confidence=row.confidence,
            came_true=row.came_true,
            outcome_known_at=row.outcome_known_at,
            created_at=row.created_at,
            closed_at=row.closed_at,
            record=_record(row),
        )
        for row in rows
    )
    for row, archived in zip(rows, kept, strict=True):
        moved = {"suggestion": None, "archived_suggestion": archived}
        Decision.objects.filter(client=client, suggestion=row).update(**moved)
        ExecutionLog.objects.filter(client=client, suggestion=row).update(**moved)
    Suggestion.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _hold(due, batch):
    """Numbers of the first rows nobody else has locked, locked."""
    locked = due.select_for_update(of=("self",), skip_locked=True).order_by("pk")
    return list(locked.values_list("pk", flat=True)[:batch])


@transaction.atomic
def _decisions(client, batch):
    due = Decision.objects.filter(
        client=client, decided_at__lt=clock.now() - DECISIONS_AFTER, archived_suggestion__isnull=False
    )
    rows = list(
        due.select_for_update(of=("self",), skip_locked=True)
        .select_related("user", "archived_suggestion")
        .order_by("pk")[:batch]
    )
    DecisionArchive.objects.bulk_create(
        DecisionArchive(
            client_id=row.client_id,
            original_id=row.pk,
            suggestion_number=row.archived_suggestion.original_id,
            verdict=row.verdict,
            user_number=row.user_id,
            user_label=str(row.user)[:200],
            via=row.via,
            reason=row.reason,
            decided_at=row.decided_at,
        )
        for row in rows
    )
    Decision.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _record(suggestion):
    """The suggestion and all that hangs on it, as plain JSON."""
    executions = [
        _plain(execution) | {"hypothesis": _plain(execution.hypothesis) if hasattr(execution, "hypothesis") else None}
        for execution in suggestion.executions.all()
    ]
    decisions = [_plain(decision) | {"user": str(decision.user)} for decision in suggestion.decisions.all()]
    return _plain(suggestion) | {"executions": executions, "decisions": decisions}


def _plain(row):
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return json.loads(json.dumps(values, cls=DjangoJSONEncoder))
