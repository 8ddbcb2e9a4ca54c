"""What the evidence of a suggestion shows, and what became of its prediction, ready to be drawn."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.ads.benchmarks import PERCENTILES
from apps.suggestions import effects
from apps.suggestions.models import Hypothesis
from apps.suggestions.services.hypotheses import pooled


@dataclass(frozen=True)
class Chart:
    """One chart of weekly numbers: `series` as `{% chart %}` takes them."""

    key: str
    title: str
    unit: str
    series: list
    kind: str = "line"


@dataclass(frozen=True)
class Mark:
    """One percentile of the client: the estimate with its interval beside the plain one."""

    percentile: int
    estimate: float | None
    low: float | None
    high: float | None
    raw: float | None


@dataclass(frozen=True)
class Outlook:
    """A prediction beside what was measured. Effects as fractions (0.1 is +10 %), None where none may be shown."""

    hypothesis: Hypothesis
    effect: tuple | None
    shrunk: float | None
    pooled: tuple | None
    pooled_actions: int
    naive: float | None
    direction: int | None
    impact: dict | None


def charts(kind, evidence):
    """The weekly series a reason rests on, each with the line it was held against."""
    weeks = evidence["weeks"]

    def of(name):
        return [week.get(name) for week in weeks]

    def level(value):
        return [value] * len(weeks)

    spend = Chart("spend", _("Spend a week"), "money", [{"name": _("Spend"), "values": of("spend")}], "bar")
    if kind == "refresh":
        rate = Chart("ctr", _("Click rate"), "percent", [{"name": _("Click rate"), "values": of("ctr")}])
        often = {"name": _("Times seen by each person"), "values": of("frequency")}
        return [rate, Chart("frequency", _("Frequency"), "number", [often]), spend]
    lines = [{"name": _("ROI"), "values": of("roi")}]
    if evidence.get("bar") is not None:
        lines.append({"name": _("Needed") if kind == "scale" else _("Limit"), "values": level(evidence["bar"])})
    rank = evidence.get("percentile")
    mark = ((evidence.get("benchmarks") or {}).get("estimate") or {}).get(str(rank)) if rank else None
    if mark is not None:
        lines.append({"name": _("Client's p%(rank)d") % {"rank": rank}, "values": level(mark), "dashed": True})
    return [Chart("roi", _("Return on ad spend, week by week"), "ratio", lines), spend]


def marks(evidence):
    """The client's percentiles as they stood when this was proposed."""
    stored = evidence.get("benchmarks") or {}
    parts = [stored.get(name) or {} for name in ("estimate", "low", "high", "raw")]
    rows = [Mark(rank, *(part.get(str(rank)) for part in parts)) for rank in PERCENTILES]
    return [row for row in rows if row.estimate is not None or row.raw is not None]


def of_hypothesis(hypothesis):
    """`Outlook` of a hypothesis, None without one."""
    if hypothesis is None:
        return None
    measured = hypothesis.effect is not None
    together = pooled(hypothesis.client, hypothesis.kind)
    naive = (hypothesis.measured or {}).get("naive")
    return Outlook(
        hypothesis=hypothesis,
        effect=spread(hypothesis.effect_low, hypothesis.effect, hypothesis.effect_high) if measured else None,
        shrunk=_fraction(hypothesis.shrunk_effect),
        pooled=spread(together.low, together.mid, together.high) if together else None,
        pooled_actions=together.actions if together else 0,
        naive=_fraction(naive),
        direction=(hypothesis.predicted or {}).get("direction"),
        impact=(hypothesis.predicted or {}).get("impact"),
    )


def spread(low, mid, high):
    """Log effects as fractions."""
    return tuple(_fraction(value) for value in (low, mid, high))


def _fraction(log_effect):
    """A log effect as a fraction: 0.0953 is 0.1."""
    return None if log_effect is None else effects.percent(log_effect) / 100
