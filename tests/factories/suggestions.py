"""Proposals, decisions and what was done about them."""

import datetime as dt

import factory

from apps.core import clock
from apps.suggestions.models import (
    AnalysisRule,
    CycleRun,
    Decision,
    DecisionArchive,
    ExecutionLog,
    FeedbackLoop,
    Hypothesis,
    SkippedCandidate,
    SlackMessage,
    Suggestion,
    SuggestionArchive,
    ValidationItem,
)

from .ads import AdsetFactory
from .clients import UserFactory
from .connectors import SlackChannelFactory
from .tenant import ClientOwnedFactory

same_client = factory.SelfAttribute("..client")

EVIDENCE = {
    "kind": "scale",
    "reason": "roi_above_target_and_percentile",
    "action": "raise_budget",
    "level": "adset",
    "roi": 4.2,
    "roi_low": 3.4,
    "roi_high": 5.1,
    "roi_target": 3.0,
    "bar": 3.0,
    "spend": 820.0,
    "conversions": 40.0,
    "revenue": 3444.0,
    "window_days": 7,
    "percentile": 75,
    "change_percent": 50,
    "before_minor": 5000,
    "target_minor": 7500,
    "currency": "EUR",
    "confidence": 0.93,
    "impact": None,
    "weeks": [],
    "phi": 1.4,
    "order_value": 86.0,
    "benchmarks": {"raw": {"75": 3.6}, "estimate": {"75": 3.4}, "n": 12},
    "fingerprint": {"kind": "scale", "value": 4.2, "low": 3.4, "high": 5.1, "spend": 820.0, "bar": 3.0},
}


class RuleFactory(ClientOwnedFactory):
    class Meta:
        model = AnalysisRule

    kind = AnalysisRule.Kind.SCALE
    name = "Scale what earns"
    roi_factor = 1
    percentile = 75
    change_percent = 50


class CycleFactory(ClientOwnedFactory):
    class Meta:
        model = CycleRun

    day = factory.Sequence(lambda n: dt.date(2026, 1, 1) + dt.timedelta(days=n))
    state = CycleRun.State.DONE


class SuggestionFactory(ClientOwnedFactory):
    """A raise from 50 to 75 a day that waits for a decision."""

    class Meta:
        model = Suggestion

    kind = Suggestion.Kind.SCALE
    ad_object = factory.SubFactory(AdsetFactory, client=same_client)
    rule = factory.SubFactory(RuleFactory, client=same_client)
    cycle = factory.SubFactory(CycleFactory, client=same_client)
    confidence = 0.93
    field = "daily_budget"
    before = "5000"
    target = "7500"
    evidence = factory.LazyFunction(lambda: dict(EVIDENCE))
    created_at = factory.LazyFunction(clock.now)
    expires_at = factory.LazyAttribute(lambda o: o.created_at + dt.timedelta(hours=48))


class PauseFactory(SuggestionFactory):
    kind = Suggestion.Kind.PAUSE
    field = "status"
    before = "ACTIVE"
    target = "PAUSED"
    evidence = factory.LazyFunction(
        lambda: EVIDENCE | {"kind": "pause", "reason": "roi_below_target", "action": "pause", "roi": 0.9, "bar": 1.8}
    )


class ValidationItemFactory(ClientOwnedFactory):
    class Meta:
        model = ValidationItem

    kind = ValidationItem.Kind.SUGGESTION
    suggestion = factory.SubFactory(SuggestionFactory, client=same_client)


class SkippedFactory(ClientOwnedFactory):
    class Meta:
        model = SkippedCandidate

    cycle = factory.SubFactory(CycleFactory, client=same_client)
    ad_object = factory.SubFactory(AdsetFactory, client=same_client)
    kind = "scale"
    reason = "in_learning"


class DecisionFactory(ClientOwnedFactory):
    class Meta:
        model = Decision

    suggestion = factory.SubFactory(SuggestionFactory, client=same_client, status="approved")
    verdict = Decision.Verdict.APPROVE
    user = factory.SubFactory(UserFactory)
    via = "web"


class ExecutionFactory(ClientOwnedFactory):
    """An approved raise that waits to be carried out."""

    class Meta:
        model = ExecutionLog

    decision = factory.SubFactory(DecisionFactory, client=same_client)
    suggestion = factory.SelfAttribute("decision.suggestion")
    ad_object = factory.SelfAttribute("suggestion.ad_object")
    field = factory.SelfAttribute("suggestion.field")
    expected = factory.SelfAttribute("suggestion.before")
    target = factory.SelfAttribute("suggestion.target")


class HypothesisFactory(ClientOwnedFactory):
    class Meta:
        model = Hypothesis

    execution = factory.SubFactory(ExecutionFactory, client=same_client, state="done")
    kind = "scale"
    probability = 0.9
    baseline_start = dt.date(2026, 10, 1)
    baseline_end = dt.date(2026, 10, 21)
    window_start = dt.date(2026, 10, 30)
    window_end = dt.date(2026, 11, 12)


class FeedbackFactory(ClientOwnedFactory):
    class Meta:
        model = FeedbackLoop

    hypothesis = factory.SubFactory(HypothesisFactory, client=same_client)
    kind = "scale"
    said = 0.9


class SuggestionArchiveFactory(ClientOwnedFactory):
    class Meta:
        model = SuggestionArchive

    original_id = factory.Sequence(lambda n: 900_000 + n)
    kind = "scale"
    status = "done"
    ad_object_name = "Ad set"
    confidence = 0.9
    created_at = factory.LazyFunction(clock.now)
    closed_at = factory.LazyFunction(clock.now)
    record = factory.LazyFunction(dict)


class DecisionArchiveFactory(ClientOwnedFactory):
    class Meta:
        model = DecisionArchive

    original_id = factory.Sequence(lambda n: 900_000 + n)
    suggestion_number = 1
    verdict = "approve"
    user_number = 1
    user_label = "Nora"
    via = "web"
    decided_at = factory.LazyFunction(clock.now)


class SlackMessageFactory(ClientOwnedFactory):
    class Meta:
        model = SlackMessage

    channel = factory.SubFactory(SlackChannelFactory, client=same_client)
    suggestion = factory.SubFactory(SuggestionFactory, client=same_client)
