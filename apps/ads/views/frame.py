"""What every page of ads starts from: the currency, the days, and lists that are already in memory."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext_lazy as _

from apps.ads import reports
from apps.ads.selectors import currencies_of, first_day, last_day, yesterday_of
from apps.core import periods
from apps.core.pages import Page, Sorting

PERIOD_BEFORE = _("The period before")
SORTS = ("name", "spend", "leads", "cpl", "purchases", "cpa", "revenue", "roi", "ctr", "cpm", "frequency")


@dataclass(frozen=True)
class Frame:
    """One client, one currency, one stretch of days.

    `ends_early` says that the data stop before yesterday, `can_compare` that they cover the whole period before:
    half a period would turn every number into a triumph.
    """

    client: object
    currency: str
    currencies: list
    period: periods.Period
    first: date | None
    last: date
    ends_early: bool

    @property
    def can_compare(self):
        return self.first is not None and self.first <= self.period.before.since

    @property
    def now(self):
        """The daily rows of the period."""
        return reports.results(self.client, self.currency, self.period)

    @property
    def before(self):
        """Those of the period before it; none where it is not known whole."""
        rows = reports.results(self.client, self.currency, self.period.before)
        return rows if self.can_compare else rows.none()


def frame_of(request):
    """The frame the address asks for; the default period ends at the last day with data."""
    client = request.client
    currencies = currencies_of(client) or [client.currency]
    asked = request.GET.get("currency")
    last = last_day(client)
    return Frame(
        client=client,
        currency=asked if asked in currencies else currencies[0],
        currencies=currencies,
        period=periods.chosen(request, last + timedelta(days=1)),
        first=first_day(client),
        last=last,
        ends_early=last < yesterday_of(client),
    )


def sorting_of(request, default="-spend"):
    """The order asked for in the address."""
    asked = request.GET.get("sort", default)
    if asked.removeprefix("-") not in SORTS:
        asked = default
    return Sorting(asked.removeprefix("-"), asked.startswith("-"))


def in_order(rows, sorting):
    """`Row`s in this order; what has no value comes last either way, equal rows stay by name."""
    rows = sorted(rows, key=lambda row: (str(row.thing).casefold(), row.thing.pk))
    if sorting.key == "name":
        return rows[::-1] if sorting.descending else rows
    known = [row for row in rows if getattr(row.totals, sorting.key) is not None]
    unknown = [row for row in rows if getattr(row.totals, sorting.key) is None]
    known.sort(key=reports.sort_key(sorting.key), reverse=sorting.descending)
    return known + unknown


def page_of(rows, request, per_page):
    """A `Page` of a list that is already in memory."""
    raw = request.GET.get("page", "1")
    last = max(1, -(-len(rows) // per_page))
    number = min(max(1, int(raw)) if raw.isdecimal() and len(raw) < 8 else 1, last)
    start = (number - 1) * per_page
    return Page(rows[start : start + per_page], number, per_page, len(rows), False, number < last)


def chart_of(frame, key, days, days_before):
    """Labels and series of one metric, this period against the one before, day under day."""
    metric = reports.METRICS.get(key) or reports.METRICS["spend"]
    series = [{"name": metric.label, "values": reports.course(days, frame.period.dates, metric.key)}]
    if frame.can_compare:
        earlier = reports.course(days_before, frame.period.before.dates, metric.key)
        series.append({"name": PERIOD_BEFORE, "values": earlier, "dashed": True})
    return {
        "metric": metric,
        "choices": [one for one in reports.METRICS.values() if _is_known(one, days)],
        "labels": frame.period.dates,
        "series": series,
    }


def _is_known(metric, days):
    return any(getattr(one, metric.key) for one in days.values())
