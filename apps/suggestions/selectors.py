"""Reads the numbers of one client for the daily cycle: a fixed number of queries, whatever its size."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.db import connection
from django.db.models import Max

from apps.ads.benchmarks import DailySums
from apps.ads.models import AdObject, PerformanceMetric
from apps.ads.ratios import CONVERSIONS_SQL, VALUE_JOINS_SQL, VALUE_SQL
from apps.core import clock

from .evidence import Fingerprint, Refusal
from .metrics import AccountMetrics, Change, Past, Table, Weeks
from .models import ExecutionLog, Suggestion

HISTORY_DAYS = 63
REFUSALS_DAYS = 90

# One row per ad set (or ad) and bucket of days. Daily sums first: the dispersion needs n*n/s per ad set and day.
SUMS_SQL = """
WITH days AS MATERIALIZED (
    SELECT {entity} AS entity, metric.day,
           sum(metric.spend)::float8 AS spend, sum({conversions})::float8 AS conversions,
           sum({value})::float8 AS value, sum(metric.impressions)::float8 AS impressions,
           sum(metric.clicks)::float8 AS clicks, sum(metric.reach)::float8 AS reach
    FROM ads_performancemetric metric
    JOIN ads_adobject object ON object.id = metric.ad_object_id
    {joins}
    WHERE metric.client_id = %(client)s AND metric.day > %(since)s AND metric.day <= %(until)s
      AND object.currency = %(currency)s AND object.level = ANY(%(levels)s)
    GROUP BY 1, 2
)
SELECT entity, width_bucket((%(until)s::date - day)::int, %(edges)s::int[]) AS bucket,
       sum(spend), sum(conversions), sum(value), sum(impressions), sum(clicks), sum(reach),
       count(*) FILTER (WHERE spend > 0),
       sum(conversions * conversions / spend) FILTER (WHERE spend > 0),
       sum(conversions / spend) FILTER (WHERE spend > 0),
       count(*) FILTER (WHERE impressions > 0),
       sum(clicks * clicks / impressions) FILTER (WHERE impressions > 0),
       sum(clicks / impressions) FILTER (WHERE impressions > 0)
FROM days GROUP BY 1, 2 ORDER BY 1, 2
"""
ADSET_OF = "CASE object.level WHEN 'ad' THEN object.parent_id ELSE object.id END"


@dataclass(frozen=True)
class Sums:
    """Columns of `SUMS_SQL`; `edges[b-1] <= days back < edges[b]` for bucket b."""

    edges: tuple[int, ...]
    columns: np.ndarray  # (rows, 14)

    def entities(self):
        """Sorted distinct entity ids."""
        return np.unique(self.columns[:, 0].astype(np.int64))

    def over(self, entities, start, end):
        """(len(entities), 14) sums over days back in [start, end)."""
        first, last = self.edges.index(start) + 1, self.edges.index(end) + 1
        bucket = self.columns[:, 1]
        rows = self.columns[(bucket >= first) & (bucket < last)]
        total = np.zeros((len(entities), self.columns.shape[1]))
        np.add.at(total, np.searchsorted(entities, rows[:, 0].astype(np.int64)), rows)
        return total


SPEND, CONVERSIONS, VALUE, IMPRESSIONS, CLICKS, REACH = range(2, 8)


def last_day(client):
    """The last whole day to look at: yesterday where the client lives, or where its files end.

    A client without a connected account lives from imported files: the newest day in them counts.
    """
    yesterday = clock.now().astimezone(client.zone).date() - timedelta(days=1)
    if AdObject.objects.filter(client=client, level=AdObject.Level.ACCOUNT, channel__isnull=False).exists():
        return yesterday
    newest = PerformanceMetric.objects.filter(client=client).aggregate(newest=Max("day"))["newest"]
    return min(newest, yesterday) if newest else yesterday


def account_metrics(client, *, currency, windows, until, past, returns):
    """`AccountMetrics` of the client's objects in one currency; `windows` are the days the rules look at."""
    adset_sums = _sums(client, currency, ADSET_OF, ["ad", "adset"], windows, until, HISTORY_DAYS)
    longest = 2 * max(windows)
    ad_sums = _sums(client, currency, "object.id", ["ad"], windows, until, longest)
    adsets, ads = adset_sums.entities(), ad_sums.entities()
    facts = _facts(client, currency)
    tables = []
    for days in sorted(windows):
        tables.append(_table("adset", adset_sums, adsets, days, facts))
        tables.append(_table("ad", ad_sums, ads, days, facts))
    whole = adset_sums.over(adsets, 0, HISTORY_DAYS)
    whole_ads = ad_sums.over(ads, 0, longest)
    return AccountMetrics(
        tables=tuple(tables),
        weeks=_weeks(adset_sums, adsets, until),
        daily=DailySums(whole[:, CONVERSIONS], whole[:, SPEND], whole[:, 8], whole[:, 9], whole[:, 10]),
        daily_clicks=DailySums(
            whole_ads[:, CLICKS], whole_ads[:, IMPRESSIONS], whole_ads[:, 11], whole_ads[:, 12], whole_ads[:, 13]
        ),
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


def _sums(client, currency, entity, levels, windows, until: date, history):
    edges = {0, history} | set(range(0, history + 1, 7)) | set(windows) | {2 * w for w in windows}
    edges = tuple(sorted(e for e in edges if e <= history))
    sql = SUMS_SQL.format(entity=entity, conversions=CONVERSIONS_SQL, value=VALUE_SQL, joins=VALUE_JOINS_SQL)
    given = {
        "client": client.pk,
        "currency": currency,
        "levels": levels,
        "since": until - timedelta(days=history),
        "until": until,
        "edges": list(edges),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        rows = cursor.fetchall()
    columns = np.array(rows, dtype=float) if rows else np.empty((0, 14))
    return Sums(edges, np.nan_to_num(columns))


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


def _table(level, sums, entities, days, facts):
    now, before = sums.over(entities, 0, days), sums.over(entities, days, 2 * days)
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
        revenue=now[:, VALUE],
        impressions=now[:, IMPRESSIONS],
        clicks=now[:, CLICKS],
        reach_days=now[:, REACH],
        spend_before=before[:, SPEND],
        conversions_before=before[:, CONVERSIONS],
        revenue_before=before[:, VALUE],
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


def _weeks(sums, entities, until):
    parts = []
    for back in range(0, HISTORY_DAYS, 7):
        total = sums.over(entities, back, back + 7)
        seen = total[:, SPEND] > 0
        label = (until - timedelta(days=back + 6)).isoformat()
        parts.append((entities[seen], np.full(seen.sum(), label, dtype=object), total[seen]))
    together = np.concatenate([part[2] for part in parts])
    return Weeks(
        entity_id=np.concatenate([part[0] for part in parts]),
        week=np.concatenate([part[1] for part in parts]),
        spend=together[:, SPEND],
        conversions=together[:, CONVERSIONS],
        revenue=together[:, VALUE],
        impressions=together[:, IMPRESSIONS],
        clicks=together[:, CLICKS],
    )


def _ratio(top, bottom):
    return np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)
