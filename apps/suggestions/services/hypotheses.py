"""Every execution is a claim: frozen when made, measured when its days are over, fed back.

Measured by `effects`: against entities that fired the same rule and were not acted on where there are
enough of them, on the change of value a day, the week that fired the rule left out.
"""

from datetime import timedelta

import numpy as np
from django.db import transaction

from apps.ads.models import AdObject
from apps.ads.selectors import last_day
from apps.core import clock
from apps.suggestions import effects
from apps.suggestions.calibration import came_true
from apps.suggestions.confidence import learn_returns
from apps.suggestions.models import ExecutionLog, FeedbackLoop, Hypothesis, Suggestion
from apps.suggestions.traces import around

DIRECTION = {"scale": 1, "pause": -1}
LAST_DAY_AFTER = effects.AFTER[1]
SAME_TRIGGER_DAYS = 7
MOST_AT_ONCE = 500


def open_for(execution):
    """Freeze what is expected of an execution that was just done. Runs in its transaction."""
    suggestion = execution.suggestion
    day = execution.done_at.astimezone(suggestion.client.zone).date()
    impact = (suggestion.evidence or {}).get("impact")
    return Hypothesis.objects.get_or_create(
        execution=execution,
        defaults={
            "client_id": execution.client_id,
            "kind": suggestion.kind,
            "metric": "value_per_day",
            "probability": suggestion.confidence,
            "predicted": {"impact": impact, "day": day.isoformat(), "direction": DIRECTION.get(suggestion.kind)},
            "baseline_start": day + timedelta(days=effects.BASELINE[0]),
            "baseline_end": day + timedelta(days=effects.BASELINE[1]),
            "window_start": day + timedelta(days=effects.AFTER[0]),
            "window_end": day + timedelta(days=LAST_DAY_AFTER),
        },
    )[0]


def evaluate_due(client):
    """Measure every open hypothesis whose days are over, and note which suggestions came true.

    Each row is its own transaction: stopped half-way, the rest is done the next time. Returns
    (hypotheses evaluated, outcomes noted).
    """
    known_until = last_day(client)
    due = Hypothesis.objects.filter(client=client, state=Hypothesis.State.OPEN, window_end__lte=known_until)
    evaluated = 0
    for hypothesis in due.select_related("execution__ad_object", "execution__suggestion").order_by("window_end", "pk"):
        _evaluate(client, hypothesis)
        evaluated += 1
    return evaluated, note_outcomes(client, known_until)


def note_outcomes(client, known_until):
    """Fill `came_true` of closed suggestions whose fortnight is over. Returns how many."""
    before = known_until - timedelta(days=LAST_DAY_AFTER - 1)
    waiting = (
        Suggestion.objects.filter(client=client, outcome_known_at=None, created_at__lt=client.day_start(before))
        .exclude(status__in=Suggestion.LIVE)
        .select_related("ad_object")
        .order_by("created_at", "pk")[:MOST_AT_ONCE]
    )
    seen, noted = {}, 0
    for suggestion in waiting:
        day = suggestion.created_at.astimezone(client.zone).date()
        key = day, suggestion.ad_object.currency
        if key not in seen:
            seen[key] = around(client, currency=key[1], day=day)
        numbers = seen[key]
        ids = numbers.known(adsets_of(suggestion.ad_object))
        roi = numbers.roi_after(ids) if ids else None
        executed = suggestion.status == Suggestion.Status.DONE and bool(suggestion.field)
        suggestion.came_true = came_true(suggestion.kind, roi, suggestion.evidence.get("bar"), executed=executed)
        suggestion.outcome_known_at = clock.now()
        suggestion.save(update_fields=["came_true", "outcome_known_at"])
        noted += 1
    return noted


def returns_of(client):
    """The diminishing return learned from this client's own raises; None while nothing was learned."""
    rows = FeedbackLoop.objects.filter(client=client, kind=Suggestion.Kind.SCALE, control_change__isnull=False)
    columns = rows.order_by("pk").values_list(
        "spend_before", "spend_after", "value_before", "value_after", "control_change"
    )
    if not columns:
        return None
    numbers = np.array(columns, dtype=float).T
    return learn_returns(*numbers[:4], drift=numbers[4])


def pooled(client, kind):
    """The mean effect of a kind of action for this client (`effects.PooledEffect`), None without any."""
    rows = Hypothesis.objects.filter(client=client, kind=kind, effect__isnull=False).order_by("window_start", "pk")
    found = list(rows)
    return effects.pool([effect_of(row) for row in found], [_cluster(row) for row in found])


def effect_of(hypothesis):
    """The stored measurement as `effects.Effect`."""
    return effects.Effect(
        mid=hypothesis.effect,
        low=hypothesis.effect_low,
        high=hypothesis.effect_high,
        own=hypothesis.effect_own,
        shared=hypothesis.effect_shared,
        freedom=max(1, hypothesis.controls - 1),
        grade=hypothesis.grade,
        controls=hypothesis.controls,
    )


def adsets_of(ad_object):
    """Ids of the ad sets whose numbers speak for an object."""
    if ad_object.level == AdObject.Level.CAMPAIGN:
        return list(ad_object.children.values_list("pk", flat=True))
    return [ad_object.parent_id if ad_object.level == AdObject.Level.AD else ad_object.pk]


def _evaluate(client, hypothesis):
    execution = hypothesis.execution
    evidence = execution.suggestion.evidence
    day = hypothesis.window_start - timedelta(days=effects.AFTER[0])
    numbers = around(client, currency=execution.ad_object.currency, day=day)
    mine = numbers.known(adsets_of(execution.ad_object))
    measured = _measure(client, hypothesis, numbers, mine, evidence) if mine else None
    with transaction.atomic():
        held = Hypothesis.objects.select_for_update(of=("self",)).get(pk=hypothesis.pk)
        if held.state != Hypothesis.State.OPEN:
            return
        _write(held, measured)
        _feed_back(held, measured, numbers.daily(mine) if mine else [None] * 4)
    if held.effect is not None:
        _shrink(held)


def _measure(client, hypothesis, numbers, mine, evidence):
    """An `effects.Evaluation` and the mean log change of its controls; None for a pause (what is switched off
    shows nothing) and for what was undone before its days were over."""
    if hypothesis.kind not in DIRECTION or hypothesis.execution.field == "status":
        return None
    if ExecutionLog.objects.filter(
        undo_of=hypothesis.execution, sent_at__lt=_end_of_window(client, hypothesis)
    ).exists():
        return None
    ids, controls = _controls(client, hypothesis, numbers, mine)
    if not ids:
        return None
    unit, phi = evidence.get("order_value") or 1.0, evidence.get("phi") or 1.0
    others = numbers.of(ids, unit=unit)
    found = effects.evaluate(
        numbers.of(mine, unit=unit, together=True),
        others,
        controls,
        budget_id=_budget_id(hypothesis.execution.ad_object),
        direction=DIRECTION[hypothesis.kind],
        phi=phi,
    )
    changes = others.log_changes()
    _grade, usable = effects.choose_controls(controls, changes, budget_id=_budget_id(hypothesis.execution.ad_object))
    return found, float(changes[usable].mean()) if usable else None


def _controls(client, hypothesis, numbers, mine):
    """Every other ad set with why it may serve: (ids in the order of `numbers`, controls)."""
    start, end = client.day_start(hypothesis.baseline_start), _end_of_window(client, hypothesis)
    sent = ExecutionLog.objects.filter(client=client, sent_at__gte=start, sent_at__lt=end)
    elsewhere = AdObject.objects.filter(client=client, changed_elsewhere_at__gte=start, changed_elsewhere_at__lt=end)
    touched = {*sent.values_list("ad_object_id", flat=True), *elsewhere.values_list("pk", flat=True)}
    made = hypothesis.execution.suggestion.created_at
    span = (made - timedelta(days=SAME_TRIGGER_DAYS), made + timedelta(days=SAME_TRIGGER_DAYS))
    fired = Suggestion.objects.filter(client=client, kind=hypothesis.kind, created_at__range=span)
    untouched = [Suggestion.Status.REFUSED, Suggestion.Status.EXPIRED]
    same_trigger = set(fired.filter(status__in=untouched).values_list("ad_object_id", flat=True))
    held_out = set(fired.filter(executions__state=ExecutionLog.State.HELD_OUT).values_list("ad_object_id", flat=True))
    siblings = AdObject.objects.filter(pk__in=numbers.entities.tolist()).exclude(pk__in=mine).select_related("parent")
    ids, controls = [], []
    for sibling in siblings.order_by("pk"):
        kind = "sibling"
        if {sibling.pk, sibling.parent_id} & held_out:
            kind = "holdout"
        elif {sibling.pk, sibling.parent_id} & same_trigger:
            kind = "same_trigger"
        ids.append(sibling.pk)
        acted = bool({sibling.pk, sibling.parent_id} & touched)
        controls.append(effects.Control(kind, _budget_id(sibling), acted))
    return ids, controls


def _end_of_window(client, hypothesis):
    return client.day_start(hypothesis.window_end + timedelta(days=1))


def _budget_id(ad_object):
    """Whose money feeds it: its own, or its campaign's, which makes brothers unfit as controls."""
    if ad_object.level == AdObject.Level.CAMPAIGN or ad_object.has_own_budget or ad_object.parent_id is None:
        return ad_object.pk
    return ad_object.parent_id


def _write(hypothesis, measured):
    found = measured[0] if measured else None
    hypothesis.state, hypothesis.evaluated_at = Hypothesis.State.EVALUATED, clock.now()
    hypothesis.grade = found.grade if found else effects.NO_CONTROLS
    hypothesis.verdict = found.verdict if found else effects.INCONCLUSIVE
    if found and found.effect:
        one = found.effect
        hypothesis.effect, hypothesis.effect_low, hypothesis.effect_high = one.mid, one.low, one.high
        hypothesis.effect_own, hypothesis.effect_shared, hypothesis.controls = one.own, one.shared, one.controls
    hypothesis.measured = {"naive": found.naive if found else None}
    hypothesis.save()


def _feed_back(hypothesis, measured, daily):
    FeedbackLoop.objects.get_or_create(
        hypothesis=hypothesis,
        defaults={
            "client_id": hypothesis.client_id,
            "kind": hypothesis.kind,
            "said": hypothesis.probability,
            "effect": hypothesis.effect,
            "spend_before": daily[0],
            "spend_after": daily[1],
            "value_before": daily[2],
            "value_after": daily[3],
            "control_change": measured[1] if measured else None,
        },
    )


def _shrink(hypothesis):
    together = pooled(hypothesis.client, hypothesis.kind)
    hypothesis.shrunk_effect = effects.shrink(effect_of(hypothesis), together)[0]
    hypothesis.save(update_fields=["shrunk_effect"])


def _cluster(hypothesis):
    """Effects of one week share their controls."""
    return hypothesis.window_start.isocalendar()[:2]
