"""What the analysis reads: one client's numbers by column, its rules, its policy and what happened before.

Plain frozen values. Money is in the client's currency as floats, except budgets: integers in minor units.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np

from apps.ads.benchmarks import PERCENTILES, DailySums, Prior
from apps.suggestions.confidence import Returns
from apps.suggestions.evidence import Refusal

SCALE, PAUSE, REFRESH = "scale", "pause", "refresh"
LEVEL_OF = {SCALE: "adset", PAUSE: "adset", REFRESH: "ad"}


@dataclass(frozen=True)
class Rule:
    """One row of a client's rules. `key` is the caller's (a primary key). A lower `priority` number comes
    first.

    scale: return > roi_factor x target, and above the client's `percentile`; budget + change_percent.
    pause: return < roi_factor x target on more than `min_spend`.
    refresh: frequency up by `frequency_rise` (0.3 = 30 %) and click rate down by `ctr_drop` (0.25 = 25 %).
    Confidence is a probability (0..1); min_spend is in currency over the window.
    """

    key: int
    kind: str
    window_days: int = 7
    roi_factor: float = 1.0
    percentile: int = 75
    change_percent: float = 50.0
    min_spend: float = 0.0
    frequency_rise: float = 0.3
    ctr_drop: float = 0.25
    min_confidence: float = 0.8
    cooldown_hours: float = 24.0
    expiry_hours: float = 48.0
    priority: int = 100

    def __post_init__(self):
        if self.kind not in LEVEL_OF:
            raise ValueError(f"unknown kind of rule: {self.kind}")
        if self.percentile not in PERCENTILES:
            raise ValueError(f"percentile {self.percentile} is none of {PERCENTILES}")


@dataclass(frozen=True)
class Policy:
    """The client's target and limits. `value_hint` is the worth of a conversion where none was sold yet."""

    roi_target: float | None
    currency: str
    daily_actions: int = 20
    actions_today: int = 0
    max_change_percent: float = 50.0
    min_change_percent: float = 10.0  # a raise that the caps cut below this is not worth a decision
    max_budget_minor: int | None = None  # per ad set or campaign; daily
    value_hint: float | None = None
    click_phi: float = 3.0  # dispersion of daily clicks where `daily_clicks` is absent
    seed: int = 0


_NUMBERS = (
    "spend", "conversions", "revenue", "impressions", "clicks", "reach_days",
    "spend_before", "conversions_before", "revenue_before", "impressions_before", "clicks_before",
)  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Ad sets (`level` "adset") or ads ("ad"), one entry per entity and column; columns left out are zero
    or empty.

    Sums are over the last `window_days` days, `*_before` over the window before it. `frequency` are
    impressions per person now and earlier (NaN: unknown). `budget_minor` is the budget that feeds the
    entity (0: unknown), `budget_level` whose it is: "adset", "campaign" or "". `status` is the platform's
    effective status, `learning` is "LEARNING" while it learns.
    """

    level: str
    window_days: int
    entity_id: np.ndarray
    spend: np.ndarray
    parent_id: np.ndarray = None
    campaign_id: np.ndarray = None
    conversions: np.ndarray = None
    revenue: np.ndarray = None
    impressions: np.ndarray = None
    clicks: np.ndarray = None
    reach_days: np.ndarray = None
    spend_before: np.ndarray = None
    conversions_before: np.ndarray = None
    revenue_before: np.ndarray = None
    impressions_before: np.ndarray = None
    clicks_before: np.ndarray = None
    frequency: np.ndarray = None
    frequency_before: np.ndarray = None
    budget_minor: np.ndarray = None
    budget_level: np.ndarray = None
    lifetime_budget: np.ndarray = None
    status: np.ndarray = None
    learning: np.ndarray = None

    def __post_init__(self):
        size = len(self.entity_id)
        kinds = dict.fromkeys(_NUMBERS, (float, 0.0))
        kinds |= dict.fromkeys(("frequency", "frequency_before"), (float, np.nan))
        kinds |= dict.fromkeys(("entity_id", "parent_id", "campaign_id", "budget_minor"), (np.int64, 0))
        kinds |= dict.fromkeys(("budget_level", "learning"), (str, "")) | {"status": (str, "ACTIVE")}
        kinds["lifetime_budget"] = (bool, False)
        for name, (kind, absent) in kinds.items():
            given = getattr(self, name)
            column = np.full(size, absent) if given is None else np.asarray(given, kind)
            if column.shape != (size,):
                raise ValueError(f"column {name} has {column.shape}, expected ({size},)")
            object.__setattr__(self, name, column)


@dataclass(frozen=True)
class Weeks:
    """History, one row per entity and week: the prior, the worth of an order and the evidence chart come
    from here.

    `week` is any sortable label that JSON can hold as text (an ISO date). Whole weeks, the running one left
    out.
    """

    entity_id: np.ndarray
    week: np.ndarray
    spend: np.ndarray
    conversions: np.ndarray
    revenue: np.ndarray
    impressions: np.ndarray = None
    clicks: np.ndarray = None
    frequency: np.ndarray = None

    @cached_property
    def _order(self):
        order = np.argsort(self.entity_id, kind="stable")
        return order, np.asarray(self.entity_id)[order]

    def series(self, entity_ids):
        """Per week, oldest first: spend, conversions, revenue and return of these entities together; with
        impressions and clicks where known, and the frequency of a single entity (that of several does
        not add up).
        """
        order, ordered = self._order
        starts, ends = (np.searchsorted(ordered, entity_ids, side=side) for side in ("left", "right"))
        rows = np.concatenate([order[start:end] for start, end in zip(starts, ends, strict=True)])
        names = [
            name
            for name in ("spend", "conversions", "revenue", "impressions", "clicks", "frequency")
            if getattr(self, name) is not None and (name != "frequency" or len(entity_ids) == 1)
        ]
        columns = [np.asarray(getattr(self, name), float)[rows].round(4).tolist() for name in names]
        sums = {}
        for week, *values in zip(np.asarray(self.week)[rows].tolist(), *columns, strict=True):
            total = sums.setdefault(str(week), dict.fromkeys(names, 0.0))
            for name, value in zip(names, values, strict=True):
                total[name] += value
        for total in sums.values():
            total["roi"] = round(total["revenue"] / total["spend"], 4) if total["spend"] > 0 else None
            if total.get("impressions"):
                total["ctr"] = round(total.get("clicks", 0.0) / total["impressions"], 6)
        return [{"week": week} | total for week, total in sorted(sums.items())]


NO_WEEKS = Weeks(*(np.empty(0) for _ in range(5)))


@dataclass(frozen=True)
class Change:
    """The last change of an entity: when (aware), and by "person", "durum" or "platform"."""

    at: datetime
    by: str


@dataclass(frozen=True)
class Past:
    """What happened before, by entity id (campaigns, ad sets and ads share one number space). Absent means
    never.

    `changed`: last change by anyone. `acted`: last time Durum acted. `live`: kinds of suggestions now
    waiting or being executed. `refused`: the latest refusal by (entity id, kind).
    """

    changed: Mapping[int, Change] = field(default_factory=dict)
    acted: Mapping[int, datetime] = field(default_factory=dict)
    live: Mapping[int, frozenset[str]] = field(default_factory=dict)
    refused: Mapping[tuple[int, str], Refusal] = field(default_factory=dict)


@dataclass(frozen=True)
class AccountMetrics:
    """Everything known of one client. `tables` has one Table per level and window that the rules ask for.

    `daily` (conversions over spend) and `daily_clicks` (clicks over impressions) give the dispersions,
    `returns` the diminishing return learned from earlier raises. `prior` spares the fit when the caller
    kept yesterday's.
    """

    tables: tuple[Table, ...]
    weeks: Weeks = NO_WEEKS  # of ad sets
    ad_weeks: Weeks = NO_WEEKS  # of ads, for the chart of a refresh only
    daily: DailySums | None = None
    daily_clicks: DailySums | None = None
    past: Past = Past()
    returns: Returns | None = None
    prior: Prior | None = None

    def table(self, level, window_days):
        for table in self.tables:
            if (table.level, table.window_days) == (level, window_days):
                return table
        raise ValueError(f"no table of level {level} over {window_days} days was given")
