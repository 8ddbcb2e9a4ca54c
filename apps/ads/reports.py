"""What ads cost and brought, summed for the pages: by day, by object of the tree, by creative.

Every sum is of one client and one currency. Ratios come from sums (`apps.ads.ratios`).
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Case, F, When
from django.utils.translation import gettext_lazy as _

from apps.core import formats

from . import ratios
from .models import AdObject, PerformanceMetric

Level = AdObject.Level
NOTHING = Decimal(0)
LARGE = 10_000  # amounts from here on are told without cents


@dataclass(frozen=True)
class Totals:
    """Sums of some days of some objects. `revenue` is None where nobody knows it."""

    spend: Decimal = NOTHING
    impressions: int = 0
    clicks: int = 0
    leads: Decimal = NOTHING
    purchases: Decimal = NOTHING
    revenue: Decimal | None = NOTHING
    reach_days: int | None = None

    @classmethod
    def of(cls, row):
        """From a row of `ratios.sums()`."""
        return cls(
            row["spend_sum"],
            row["impressions_sum"],
            row["clicks_sum"],
            row["leads_sum"],
            row["purchases_sum"],
            row["revenue_sum"],
            row["reach_days"],
        )

    @property
    def roi(self):
        return ratios.roi(self.revenue, self.spend)

    @property
    def cpl(self):
        return ratios.cost_per(self.spend, self.leads)

    @property
    def cpa(self):
        return ratios.cost_per(self.spend, self.purchases)

    @property
    def ctr(self):
        """As a fraction: 0.01 is 1 %."""
        value = ratios.ctr(self.clicks, self.impressions)
        return None if value is None else Decimal(value) / 100

    @property
    def cpm(self):
        return ratios.cpm(self.spend, self.impressions)

    @property
    def frequency(self):
        return ratios.frequency(self.impressions, self.reach_days)


@dataclass(frozen=True)
class Metric:
    """One number people follow: how it is written, and which direction is good news."""

    key: str
    label: str
    unit: str
    good: str


METRICS = {
    metric.key: metric
    for metric in (
        Metric("spend", _("Spend"), "money", "none"),
        Metric("leads", _("Leads"), "number", "up"),
        Metric("cpl", _("Cost per lead"), "money", "down"),
        Metric("purchases", _("Purchases"), "number", "up"),
        Metric("cpa", _("Cost per purchase"), "money", "down"),
        Metric("revenue", _("Revenue"), "money", "up"),
        Metric("roi", _("ROI"), "ratio", "up"),
        Metric("ctr", _("Click rate"), "percent", "up"),
        Metric("cpm", _("Cost per thousand"), "money", "down"),
    )
}
ALWAYS = ("spend", "leads", "cpl", "roi")


def results(client, currency, period):
    """The daily rows of a client in a currency and period."""
    return PerformanceMetric.objects.filter(
        client=client, ad_object__currency=currency, day__gte=period.since, day__lte=period.until
    )


def total(rows):
    """The sums of daily rows together."""
    return Totals.of(rows.aggregate(**ratios.sums()))


def by_day(rows):
    """`{day: Totals}`; days without a row are absent."""
    return {row["day"]: Totals.of(row) for row in rows.order_by().values("day").annotate(**ratios.sums())}


def by_object(rows, level):
    """`{object id: Totals}` of the objects of one level, everything below them included."""
    grouped = rows.order_by().annotate(place=place_of(level)).exclude(place=None).values("place")
    return {row["place"]: Totals.of(row) for row in grouped.annotate(**ratios.sums())}


def by_creative(rows):
    """`{creative id: Totals}` of the ads that used them."""
    grouped = rows.order_by().exclude(ad_object__creative=None).values("ad_object__creative")
    return {row["ad_object__creative"]: Totals.of(row) for row in grouped.annotate(**ratios.sums())}


def shown_metrics(now, before):
    """The numbers worth a card: the usual four, and purchases and revenue where there are any."""
    keys = list(ALWAYS)
    if now.purchases or before.purchases:
        keys[3:3] = ["purchases", "cpa"]
    if now.revenue or before.revenue:
        keys.insert(len(keys) - 1, "revenue")
    if not (now.leads or before.leads) and "purchases" in keys:
        keys = [key for key in keys if key not in ("leads", "cpl")]
    return [METRICS[key] for key in keys]


@dataclass(frozen=True)
class Card:
    """One number as people read it, with its change against the period before, and its course."""

    metric: Metric
    text: str
    change: Decimal | None
    course: list


def cards(now, before, days, dates, currency):
    """The cards of a page. `days` is `by_day` of the period whose `dates` are given."""
    return [
        Card(
            metric,
            in_words(metric, getattr(now, metric.key), currency),
            ratios.change(getattr(now, metric.key), getattr(before, metric.key)),
            course(days, dates, metric.key),
        )
        for metric in shown_metrics(now, before)
    ]


def in_words(metric, value, currency):
    """A value with its unit; cents only where they matter."""
    if metric.unit == "money":
        return formats.money(value, currency, 0 if value is not None and abs(value) >= LARGE else None)
    if metric.unit == "ratio":
        return formats.ratio(value)
    return formats.percent(value, 2) if metric.unit == "percent" else formats.number(value)


def course(days, dates, key):
    """The values of one metric on these days; None where it means nothing."""
    nothing = Totals()
    return [getattr(days.get(day, nothing), key) for day in dates]


@dataclass(frozen=True)
class Row:
    """An object or a creative with its sums in the period."""

    thing: object
    totals: Totals


def sort_key(key):
    """A key for `Row`s by a metric; unknown values always come last."""

    def of(row):
        value = getattr(row.totals, key)
        return (value is not None, value if value is not None else NOTHING)

    return of


def place_of(level):
    """The id of the ancestor (or self) at `level` of the row's object, as an expression."""
    steps = {
        Level.ACCOUNT: {"ad": "account", "adset": "account", "campaign": "account", "account": ""},
        Level.CAMPAIGN: {"ad": "parent__parent", "adset": "parent", "campaign": ""},
        Level.ADSET: {"ad": "parent", "adset": ""},
        Level.AD: {"ad": ""},
    }[level]
    whens = [
        When(ad_object__level=own, then=F(f"ad_object__{step}_id" if step else "ad_object_id"))
        for own, step in steps.items()
    ]
    return Case(*whens, default=None)
