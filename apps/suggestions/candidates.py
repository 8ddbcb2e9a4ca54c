"""What an analysis hands back: suggestions to make, and entities it looked at and left alone, with the
reason.
"""

from dataclasses import dataclass
from datetime import datetime

from apps.ads import benchmarks as bench
from apps.suggestions.confidence import Impact
from apps.suggestions.evidence import Fingerprint
from apps.suggestions.metrics import PAUSE, REFRESH, SCALE

SKIP_CODES = (
    "not_delivering",  # paused, archived, under review: nothing to act on
    "no_revenue",  # no target, or the worth of a conversion is unknown
    "below_min_spend",
    "campaign_budget",  # the money sits on the campaign; `retargeted`: the campaign was taken instead
    "no_budget",  # the platform told no budget
    "lifetime_budget",  # a raise by percent of a lifetime budget has no daily meaning
    "in_learning",
    "changed_by_person",
    "cooldown",
    "already_suggested",
    "conflicts_with",
    "below_percentile",  # above the client's percentile only until noise is taken off
    "low_confidence",
    "refused_unchanged",
    "max_change",
    "budget_cap",
    "daily_cap",
)
ACTION_OF = {SCALE: "raise_budget", PAUSE: "pause", REFRESH: "refresh_creative"}
REASON_OF = {
    SCALE: "roi_above_target_and_percentile",
    PAUSE: "roi_below_target",
    REFRESH: "creative_fatigue",
}


@dataclass(frozen=True)
class Candidate:
    """One suggestion to make.

    `target_minor` is the absolute budget for a raise (None otherwise), `before_minor` what it must be
    before. `reason` is a code whose numbers are in `evidence`, which json can dump. `limited_by` names the
    cap that cut the raise ("" if none).
    """

    kind: str
    rule_key: int
    level: str
    entity_id: int
    action: str
    reason: str
    confidence: float
    priority: int
    expires_at: datetime
    before_minor: int | None
    target_minor: int | None
    limited_by: str
    impact: Impact | None
    fingerprint: Fingerprint
    evidence: dict


@dataclass(frozen=True)
class Skipped:
    """An entity that a rule touched and that was not proposed: one of SKIP_CODES and its numbers
    (JSON-able).
    """

    kind: str
    rule_key: int
    level: str
    entity_id: int
    code: str
    numbers: dict


@dataclass(frozen=True)
class Analysis:
    """`candidates` in the order people should see them. `benchmarks` by window in days."""

    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...]
    benchmarks: dict[int, bench.Benchmarks]
    prior: bench.Prior | None
    order_value: bench.OrderValue | None
    phi: float
