"""Reads the numbers of one client for the daily cycle: a fixed number of queries, whatever its size."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.db.models import Max

from apps.ads.benchmarks import DailySums
from apps.ads.models import AdObject, PerformanceMetric
from apps.ads.ratios import OBJECT_VALUES_SQL, REVENUE_SQL
from apps.core import clock
from apps.core.postgresql.numbers import fetch_numbers

from .evidence import Fingerprint, Refusal
from .metrics import AccountMetrics, Change, Past, Table, Weeks
from .models import ExecutionLog, Suggestion

HISTORY_DAYS = 63
REFUSALS_DAYS = 90

# A conversion counts where it is worth something: purchases where revenue or their value is known, leads where
# theirs is and the platform reports no revenue. `m` and `v` as in `ads.ratios`.
CONVERSIONS_SQL = """(
    CASE WHEN m.revenue IS NOT NULL OR v.per_purchase IS NOT NULL THEN m.purchases ELSE 0 END
    + CASE WHEN m.revenue IS NULL AND v.per_lead IS NOT NULL THEN m.leads ELSE 0 END)"""
ADSET_OF = "CASE o.level WHEN 'ad' THEN o.parent_id ELSE o.id END"
# One row per ad (or ad set, where a file stops there) and day, everything as float8 and nothing NULL.
DAILY_SQL = f"""
SELECT coalesce({ADSET_OF}, 0)::float8 AS adset, CASE o.level WHEN 'ad' THEN o.id ELSE 0 END::float8 AS ad,
       (%s - m.day)::float8 AS back, m.spend::float8 AS spend, {CONVERSIONS_SQL}::float8 AS conversions,
       coalesce({REVENUE_SQL}, 0)::float8 AS revenue, m.impressions::float8 AS impressions,
       m.clicks::float8 AS clicks, coalesce(m.reach, 0)::float8 AS reach
FROM ads_performancemetric m
JOIN ads_adobject o ON o.id = m.ad_object_id
JOIN ({OBJECT_VALUES_SQL}) v ON v.ad_object_id = m.ad_object_id
WHERE m.client_id = %s AND m.day > %s AND m.day <= %s AND o.currency = %s AND o.level IN ('ad', 'adset')
"""  # noqa: S608  (put together from constants)
COLUMNS = ("adset", "ad", "back", "spend", "conversions", "revenue", "impressions", "clicks", "reach")
ADSET, AD, BACK = range(3)
SPEND, CONVERSIONS, REVENUE, IMPRESSIONS, CLICKS, REACH = NUMBERS = range(6)


@dataclass(frozen=True)
class Days:
    """What each of `entities` (sorted ids) did day by day: `cube[i, d]` are the numbers of the i-th, d days back."""

    entities: np.ndarray
    cube: np.ndarray  # (entities, days, numbers)

    @classmethod
    def of(cls, rows, column, days):
        """The days of the ad sets or ads in `rows` of `DAILY_SQL`, none older than `days`."""
        rows = rows[(rows[:, column] > 0) & (rows[:, BACK] < days)]
        rows = rows[np.argsort(rows[:, AD], kind="stable")]  # added up in the same order, whatever the plan was
        entities, place = np.unique(rows[:, column].astype(np.int64), return_inverse=True)
        cell, size = place * days + rows[:, BACK].astype(np.int64), len(entities) * days
        sums = [np.bincount(cell, rows[:, BACK + 1 + number], minlength=size) for number in NUMBERS]
        return cls(entities, np.stack(sums, axis=-1).reshape(len(entities), days, len(NUMBERS)))

    def over(self, start, end):
        """(entities, numbers) summed over days back in [start, end); to nine decimals, as money is stored."""
        return self.cube[:, start:end].sum(axis=1).round(9)

    def dispersion_of(self, top, under):
        """What the dispersion of daily `top` over `under` is estimated from."""
        unders = self.cube[:, :, under]
        spent = unders > 0
        tops = np.where(spent, self.cube[:, :, top], 0)
        rate = np.divide(tops, unders, out=np.zeros_like(tops), where=spent)
        return DailySums(
            tops.sum(axis=1), unders.sum(axis=1), spent.sum(axis=1), (rate * tops).sum(axis=1), rate.sum(axis=1)
        )


def account_metrics(client, *, currency, windows, until, past, returns):
    """`AccountMetrics` of the client's objects in one currency; `windows` are the days the rules look at."""
    since = until - timedelta(days=HISTORY_DAYS)
    given = [until, client.pk, client.pk, since, until, currency]
    rows = fetch_numbers(DAILY_SQL, given, columns=COLUMNS)
    adsets, ads = Days.of(rows, ADSET, HISTORY_DAYS), Days.of(rows, AD, 2 * max(windows))
    facts = _facts(client, currency)
    tables = []
    for days in sorted(windows):
        tables.append(_table("adset", adsets, days, facts))
        tables.append(_table("ad", ads, days, facts))
    return AccountMetrics(
        tables=tuple(tables),
        weeks=_weeks(adsets, until),
        daily=adsets.dispersion_of(CONVERSIONS, SPEND),
        daily_clicks=ads.dispersion_of(CLICKS, IMPRESSIONS),
        past=past,
        returns=returns,
    )


def past_of(client):
    """What was changed, done, proposed and refused lately for the client's objects."""
    now = clock.now()
    acted = dict(
        ExecutionLog.objects.filter(client=client, sent_at__isnull=False)
        .values_list("ad_object_id")
        .annotate(Max("sent_at"))
    )
    changed = {pk: Change(at, "durum") for pk, at in acted.items()}
    touched = AdObject.objects.filter(client=client, changed_elsewhere_at__isnull=False)
    for pk, at in touched.values_list("pk", "changed_elsewhere_at"):
        if pk not in changed or changed[pk].at < at:
            changed[pk] = Change(at, "person")
    live = defaultdict(set)
    for pk, kind in Suggestion.objects.filter(client=client).live().values_list("ad_object_id", "kind"):
        live[pk].add(kind)
    refused = {}
    refusals = Suggestion.objects.filter(
        client=client, status=Suggestion.Status.REFUSED, closed_at__gte=now - timedelta(days=REFUSALS_DAYS)
    ).order_by("closed_at", "pk")
    for pk, kind, at, print_ in refusals.values_list("ad_object_id", "kind", "closed_at", "evidence__fingerprint"):
        if print_:
            refused[pk, kind] = Refusal(at, Fingerprint.from_dict(print_))
    return Past(changed, acted, {pk: frozenset(kinds) for pk, kinds in live.items()}, refused)


def weekly_series(ad_ids, until):
    """Per ad: weekly spend, impressions, clicks and frequency, for the chart of a refresh."""
    rows = (
        PerformanceMetric.objects.filter(
            ad_object_id__in=ad_ids, day__gt=until - timedelta(days=HISTORY_DAYS), day__lte=until
        )
        .order_by("ad_object_id", "day")
        .values_list("ad_object_id", "day", "spend", "impressions", "clicks", "reach")
    )
    series = defaultdict(dict)
    for pk, day, spend, impressions, clicks, reach in rows:
        week = until - timedelta(days=(until - day).days // 7 * 7 + 6)
        total = series[pk].setdefault(week, [0.0, 0, 0, 0])
        for place, value in enumerate((float(spend), impressions, clicks, reach or 0)):
            total[place] += value
    return {pk: [_week(week, *total) for week, total in sorted(weeks.items())] for pk, weeks in series.items()}


def _week(week, spend, impressions, clicks, reach):
    return {
        "week": week.isoformat(),
        "spend": round(spend, 2),
        "impressions": impressions,
        "clicks": clicks,
        "ctr": clicks / impressions if impressions else None,
        "frequency": impressions / reach if reach else None,
    }


def _facts(client, currency):
    """Per object: parent, campaign, status, learning and the budget that feeds it."""
    rows = AdObject.objects.filter(client=client, currency=currency).exclude(level=AdObject.Level.ACCOUNT)
    names = (
        "level",
        "parent_id",
        "effective_status",
        "status",
        "learning_status",
        "daily_budget_minor",
        "lifetime_budget_minor",
    )
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows.values_list("pk", *names)}


def _table(level, sums, days, facts):
    entities, now, before = sums.entities, sums.over(0, days), sums.over(days, 2 * days)
    own = [facts[int(pk)] for pk in entities]
    placed = [_place(level, int(pk), fact, facts) for pk, fact in zip(entities, own, strict=True)]
    return Table(
        level=level,
        window_days=days,
        entity_id=entities,
        spend=now[:, SPEND],
        parent_id=[fact["parent_id"] or 0 for fact in own],
        campaign_id=[place[0] for place in placed],
        conversions=now[:, CONVERSIONS],
        revenue=now[:, REVENUE],
        impressions=now[:, IMPRESSIONS],
        clicks=now[:, CLICKS],
        reach_days=now[:, REACH],
        spend_before=before[:, SPEND],
        conversions_before=before[:, CONVERSIONS],
        revenue_before=before[:, REVENUE],
        impressions_before=before[:, IMPRESSIONS],
        clicks_before=before[:, CLICKS],
        frequency=_ratio(now[:, IMPRESSIONS], now[:, REACH]),
        frequency_before=_ratio(before[:, IMPRESSIONS], before[:, REACH]),
        budget_minor=[place[1] for place in placed],
        budget_level=[place[2] for place in placed],
        lifetime_budget=[place[3] for place in placed],
        status=[fact["effective_status"] or fact["status"] for fact in own],
        learning=[fact["learning_status"] for fact in own],
    )


def _place(level, pk, fact, facts):
    """(campaign id, daily budget that feeds it, whose it is, is it a lifetime budget)."""
    adset_id = fact["parent_id"] if level == "ad" else pk
    adset = facts.get(adset_id)
    if adset is None:
        return 0, 0, "", False
    campaign_id = adset["parent_id"] or 0
    for owner, name in ((adset, "adset"), (facts.get(campaign_id), "campaign")):
        if owner and owner["daily_budget_minor"]:
            return campaign_id, owner["daily_budget_minor"], name, False
        if owner and owner["lifetime_budget_minor"]:
            return campaign_id, owner["lifetime_budget_minor"], name, True
    return campaign_id, 0, "", False


def _weeks(sums, until):
    parts = []
    for back in range(0, HISTORY_DAYS, 7):
        total = sums.over(back, back + 7)
        seen = total[:, SPEND] > 0
        label = (until - timedelta(days=back + 6)).isoformat()
        parts.append((sums.entities[seen], np.full(seen.sum(), label, dtype=object), total[seen]))
    together = np.concatenate([part[2] for part in parts])
    return Weeks(
        entity_id=np.concatenate([part[0] for part in parts]),
        week=np.concatenate([part[1] for part in parts]),
        spend=together[:, SPEND],
        conversions=together[:, CONVERSIONS],
        revenue=together[:, REVENUE],
        impressions=together[:, IMPRESSIONS],
        clicks=together[:, CLICKS],
    )


def _ratio(top, bottom):
    return np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)
