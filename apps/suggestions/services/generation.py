"""The daily cycle: a client's numbers in, suggestions and skipped candidates stored. One transaction a client."""

import zlib
from dataclasses import asdict

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.ads.models import AdObject
from apps.ads.selectors import last_day
from apps.clients import access
from apps.connectors.currencies import to_minor
from apps.core import audit, clock
from apps.core.redaction import redact
from apps.suggestions import selectors
from apps.suggestions.analysis import analyse
from apps.suggestions.evidence import plain
from apps.suggestions.metrics import PAUSE, REFRESH, SCALE, Policy, Rule
from apps.suggestions.models import (
    AnalysisRule,
    CycleRun,
    ExecutionLog,
    SkippedCandidate,
    Suggestion,
    ValidationItem,
)
from apps.suggestions.services import deciding, digest, hypotheses

DEFAULT_RULES = (
    {
        "kind": SCALE,
        "name": _("ROI above target and above p75: raise the budget"),
        "priority": 60,
        "roi_factor": 1,
        "percentile": 75,
        "change_percent": 50,
        "min_confidence": "0.800",
    },
    {
        "kind": PAUSE,
        "name": _("ROI under 60 % of target: pause"),
        "priority": 80,
        "roi_factor": "0.60",
        "min_spend": 500,
        "min_confidence": "0.800",
    },
    {
        "kind": REFRESH,
        "name": _("Creative fatigue: refresh"),
        "priority": 40,
        "frequency_rise": 20,
        "ctr_drop": 20,
        "min_confidence": "0.700",
    },
)


def install_rules(client):
    """Give a client the usual rules, once; afterwards they are its own to change.

    Their names are stored in the language in force: a rule's name is the client's own text from then on.
    """
    if not AnalysisRule.objects.filter(client=client).exists():
        AnalysisRule.objects.bulk_create(AnalysisRule(client=client, **fields) for fields in DEFAULT_RULES)


def run_cycle(*, client, actor, only_once=False):
    """Look at the client's last days and store what comes of it; returns the `CycleRun` of the day.

    Safe to call again on the same day: nothing live is proposed twice, and the skipped candidates are
    those of the latest look. With `only_once` a day that is done stays as it is, also for a worker that
    waited while another one did it. Everything is stored or nothing.
    """
    access.require_active(client)
    with transaction.atomic():
        cycle, _created = CycleRun.objects.select_for_update(of=("self",)).get_or_create(
            client=client, day=client.today(), defaults={"started_at": clock.now()}
        )
        if only_once and cycle.state == CycleRun.State.DONE:
            return cycle
        deciding.expire_overdue(client=client)
        found = analyses(client)
        for _currency, analysis in found:
            _store(cycle, analysis)
        skipped = [one for _currency, analysis in found for one in analysis.skipped]
        _store_skipped(cycle, skipped)
        cycle.state, cycle.finished_at, cycle.error = CycleRun.State.DONE, clock.now(), ""
        cycle.counts = {"proposed": cycle.suggestions.count(), "skipped": len(skipped)}
        cycle.benchmarks = {
            currency: {str(days): plain(asdict(marks)) for days, marks in analysis.benchmarks.items()}
            for currency, analysis in found
        }
        cycle.save()
        digest.plan(cycle)
        audit.record(actor, "suggestions.cycle.run", cycle, **cycle.counts)
    return cycle


def note_failure(*, client, exc):
    """Let people see that this morning's look broke off; the next sweep tries again. A done day stays done."""
    cycle, _created = CycleRun.objects.get_or_create(client=client, day=client.today())
    if cycle.state != CycleRun.State.DONE:
        cycle.state, cycle.error, cycle.finished_at = CycleRun.State.FAILED, redact(exc), clock.now()
        cycle.save(update_fields=["state", "error", "finished_at"])


def analyses(client):
    """`[(currency, Analysis)]`: money of different currencies is never added up."""
    rules = [_rule(row) for row in AnalysisRule.objects.filter(client=client, is_enabled=True)]
    if not rules:
        return []
    accounts = AdObject.objects.filter(client=client, level=AdObject.Level.ACCOUNT)
    currencies = sorted(set(accounts.values_list("currency", flat=True)))
    past, until = selectors.past_of(client), last_day(client)
    returns, windows = hypotheses.returns_of(client), {rule.window_days for rule in rules}
    found = []
    for currency in currencies:
        metrics = selectors.account_metrics(
            client, currency=currency, windows=windows, until=until, past=past, returns=returns
        )
        found.append((currency, analyse(metrics, rules, _policy(client, currency, until), clock.now())))
    return found


def _rule(row):
    """The stored rule as the pure core reads it: percentages as fractions, first things first."""
    given = {
        "roi_factor": row.roi_factor,
        "percentile": row.percentile,
        "change_percent": row.change_percent,
        "frequency_rise": row.frequency_rise and row.frequency_rise / 100,
        "ctr_drop": row.ctr_drop and row.ctr_drop / 100,
    }
    return Rule(
        key=row.pk,
        kind=row.kind,
        window_days=row.window_days,
        min_spend=float(row.min_spend),
        min_confidence=float(row.min_confidence),
        cooldown_hours=float(row.cooldown_hours),
        expiry_hours=float(row.expires_after_hours),
        priority=-row.priority,
        **{name: type(getattr(Rule, name))(value) for name, value in given.items() if value is not None},
    )


def _policy(client, currency, until):
    midnight = client.day_start(client.today())
    done = ExecutionLog.objects.filter(client=client, sent_at__gte=midnight, undo_of__isnull=True).count()
    cap = client.max_daily_budget
    hint = client.value_per_purchase or client.value_per_lead
    return Policy(
        roi_target=float(client.roi_target),
        currency=currency,
        daily_actions=client.max_actions_per_day,
        actions_today=done,
        max_change_percent=float(client.max_change_percent),
        max_budget_minor=None if cap is None else to_minor(cap, currency),
        value_hint=float(hint) if hint else None,
        seed=zlib.crc32(f"{client.key} {until}".encode()),
    )


def _store(cycle, analysis):
    """Candidates as suggestions, each with its place in the validation queue."""
    objects = AdObject.objects.in_bulk([candidate.entity_id for candidate in analysis.candidates])
    tired = [candidate.entity_id for candidate in analysis.candidates if candidate.kind == REFRESH]
    series = selectors.weekly_series(tired, last_day(cycle.client)) if tired else {}
    rows = []
    for candidate in analysis.candidates:
        ad_object = objects[candidate.entity_id]
        evidence = {
            **candidate.evidence,
            "reason": candidate.reason,
            "action": candidate.action,
            "level": candidate.level,
            "fingerprint": plain(candidate.fingerprint.as_dict()),
        }
        if candidate.entity_id in series:
            evidence["weeks"] = series[candidate.entity_id]
        rows.append(
            Suggestion(
                client_id=cycle.client_id,
                cycle=cycle,
                kind=candidate.kind,
                ad_object=ad_object,
                rule_id=candidate.rule_key,
                priority=-candidate.priority,
                confidence=round(candidate.confidence, 6),
                evidence=evidence,
                expires_at=candidate.expires_at,
                **_change(candidate, ad_object),
                **_impact(candidate.impact),
            )
        )
    Suggestion.objects.bulk_create(rows)
    ValidationItem.objects.bulk_create(
        ValidationItem(
            client_id=row.client_id,
            kind=ValidationItem.Kind.SUGGESTION,
            suggestion=row,
            since=row.created_at,
            due_at=row.expires_at,
        )
        for row in rows
    )


def _change(candidate, ad_object):
    """What would be written at the platform, as an absolute value. Objects known only from a file have no
    connection: approving them is a note that people do it in Ads Manager."""
    if ad_object.channel_id is None or candidate.kind == REFRESH:
        return {}
    if candidate.kind == PAUSE:
        return {"field": "status", "before": ad_object.status, "target": AdObject.Status.PAUSED}
    return {"field": "daily_budget", "before": str(candidate.before_minor), "target": str(candidate.target_minor)}


def _impact(impact):
    """Expected change of revenue beyond the target, in the account's currency; nothing where nothing was learned."""
    span = impact and impact.surplus
    if span is None:
        return {}
    return {"impact_low": round(span.low, 2), "impact_mid": round(span.mid, 2), "impact_high": round(span.high, 2)}


def _store_skipped(cycle, skipped):
    SkippedCandidate.objects.filter(cycle=cycle).delete()
    SkippedCandidate.objects.bulk_create(
        [
            SkippedCandidate(
                client_id=cycle.client_id,
                cycle=cycle,
                ad_object_id=one.entity_id,
                kind=one.kind,
                reason=one.code,
                numbers=one.numbers,
            )
            for one in skipped
        ],
        batch_size=2000,
    )
