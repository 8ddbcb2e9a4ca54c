"""Daily numbers of ad sets around an action, as arrays for `effects`."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.db import connection

from apps.ads.ratios import OBJECT_VALUES_SQL, REVENUE_SQL

from .effects import AFTER, BASELINE, Traces
from .selectors import ADSET_OF

DAILY_SQL = f"""SELECT {ADSET_OF} AS entity, (m.day - %s::date) AS day,
       sum(coalesce({REVENUE_SQL}, 0))::float8, sum(m.spend)::float8
FROM ads_performancemetric m
JOIN ads_adobject o ON o.id = m.ad_object_id
JOIN ({OBJECT_VALUES_SQL}) v ON v.ad_object_id = m.ad_object_id
WHERE m.client_id = %s AND m.day BETWEEN %s AND %s AND o.currency = %s AND o.level IN ('ad', 'adset')
GROUP BY 1, 2
"""  # noqa: S608  (only constants of this project are put in)


@dataclass(frozen=True)
class Around:
    """Daily value and spend of every ad set of a client around one day; arrays are (entities, days)."""

    entities: np.ndarray
    days: np.ndarray
    value: np.ndarray
    spend: np.ndarray

    def of(self, ids, *, unit, together=False):
        """`Traces` of value per day of these ad sets: one row each, or one row for all together."""
        rows = np.searchsorted(self.entities, sorted(ids))
        value = self.value[rows]
        if together:
            value = value.sum(axis=0, keepdims=True)
        return Traces(self.days, value, np.ones_like(value), unit)

    def daily(self, ids):
        """(spend before, spend after, value before, value after) a day, of these ad sets together."""
        rows = np.searchsorted(self.entities, sorted(ids))
        spans = [(self.days >= a) & (self.days <= b) for a, b in (BASELINE, AFTER)]
        return [
            float(column[rows][:, span].sum() / span.sum()) for column in (self.spend, self.value) for span in spans
        ]

    def roi_after(self, ids):
        """Value over spend of these ad sets after the day, None without spend."""
        rows = np.searchsorted(self.entities, sorted(ids))
        span = (self.days >= AFTER[0]) & (self.days <= AFTER[1])
        spend = self.spend[rows][:, span].sum()
        return float(self.value[rows][:, span].sum() / spend) if spend > 0 else None

    def known(self, ids):
        """Those of `ids` that have any numbers here."""
        return sorted(set(map(int, ids)) & set(self.entities.tolist()))


def around(client, *, currency, day):
    """Everything `effects` needs around `day` (a date of the client), in one query."""
    days = np.arange(BASELINE[0], AFTER[1] + 1)
    first, last = day + timedelta(days=BASELINE[0]), day + timedelta(days=AFTER[1])
    with connection.cursor() as cursor:
        cursor.execute(DAILY_SQL, [day, client.pk, client.pk, first, last, currency])
        rows = np.array(cursor.fetchall(), dtype=float).reshape(-1, 4)
    entities = np.unique(rows[:, 0].astype(np.int64))
    value, spend = np.zeros((len(entities), len(days))), np.zeros((len(entities), len(days)))
    at = np.searchsorted(entities, rows[:, 0].astype(np.int64)), (rows[:, 1] - BASELINE[0]).astype(int)
    value[at], spend[at] = rows[:, 2], rows[:, 3]
    return Around(entities, days, value, spend)
