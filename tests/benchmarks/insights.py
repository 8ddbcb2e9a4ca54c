"""Insights stored through our path, against bare COPY + INSERT ... ON CONFLICT of the same rows.

Both start with rows that are ready. Ours does everything a fetch does with them: the raw answer kept, unknown ads
looked for, upsert, progress and cursor, one transaction a page; the bare one puts all of them through one temporary
table and one statement. A second line also counts what makes the rows ready: reading Meta's JSON, action by action.
"""

import datetime as dt
import random
import time
from statistics import median

import psutil
from django.db import connection, transaction

from apps.ads.models import AdObject, PerformanceMetric, RawSnapshot
from apps.ads.services import fetching, steps
from apps.connectors.models import SyncRun
from apps.connectors.providers.meta_ads import mapping
from apps.connectors.providers.meta_ads.connector import INSIGHTS_LIMIT
from apps.connectors.providers.meta_ads.records import Account, Page
from apps.core import clock, leases
from apps.core.actors import SYSTEM
from apps.core.tenancy import use_client
from tests.benchmarks.report import Result
from tests.factories.ads import AccountFactory

ADS = 1000
LAST = dt.date(2026, 11, 19)
SMALL, LARGE = 100_000, 1_000_000
ROUNDS = 3


def run(size=None):
    """Our memory at 100k and at a million rows, before the bare one holds all of its own; then rows per second."""
    results = [] if size else [_memory()]
    size = size or SMALL
    ours, reading, bare = _compare(size)
    read = f"insights: rows/s read and stored ({size:,})"
    return [
        Result(f"insights: rows/s stored ({size:,})", size / ours, size / bare, "rows/s", 0.4, at_least=True),
        Result(read, size / (ours + reading), size / bare, "rows/s", 0.25, at_least=True),
        *results,
    ]


def _compare(size):
    """Seconds of ours, of its reading and of the bare one: the middle of some rounds in turn, because the machine is
    not ours alone."""
    client, account = _plant()
    rounds = {"ours": [], "reading": [], "bare": []}
    with use_client(client):
        for _round in range(ROUNDS):
            rounds["bare"].append(_bare(client, account, size))
            _forget()
            pages = _ours(account, size)
            rounds["ours"].append(pages.seconds)
            rounds["reading"].append(pages.reading)
            assert PerformanceMetric.objects.count() == size
            _forget()
    return tuple(median(rounds[name]) for name in ("ours", "reading", "bare"))


def _memory():
    """The most the process held at any page, and that with ten times as many pages."""
    client, account = _plant()
    peaks = []
    for size in (SMALL, LARGE):
        with use_client(client):
            peaks.append(_ours(account, size).peak_bytes / 2**20)
            _forget()
    return Result("insights: peak memory, 1m rows against 100k", peaks[1], peaks[0], "MB", 1.1)


def _plant():
    account = AccountFactory()
    with use_client(account.client):
        campaign = _child(account, account, "campaign", "c1")
        adsets = [_child(account, campaign, "adset", f"s{n}") for n in range(ADS // 5)]
        AdObject.objects.bulk_create([_row(account, adsets[n // 5], "ad", f"a{n}") for n in range(ADS)], batch_size=500)
    return account.client, account


def _row(account, parent, level, external_id):
    return AdObject(
        client=account.client, level=level, parent=parent, account=account, channel=account.channel,
        external_id=external_id, name=external_id, currency="EUR",
    )  # fmt: skip


def _child(account, parent, level, external_id):
    row = _row(account, parent, level, external_id)
    row.save()
    return row


def _forget():
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE ads_performancemetric, ads_rawsnapshot, ads_spendhistory")
    SyncRun.objects.all().delete()
    assert not RawSnapshot.objects.exists()


def _raw_rows(size):
    """Rows as Meta writes them, day by day."""
    draw = random.Random(7)
    for number in range(size):
        ad, day = number % ADS, number // ADS
        spend, leads, purchases = draw.random() * 90, draw.randrange(9), draw.randrange(4)
        date = (LAST - dt.timedelta(days=day)).isoformat()
        yield {
            "campaign_id": "c1",
            "adset_id": f"s{ad // 5}",
            "ad_id": f"a{ad}",
            "impressions": str(draw.randrange(9000)),
            "reach": str(draw.randrange(7000)),
            "clicks": str(draw.randrange(200)),
            "inline_link_clicks": str(draw.randrange(150)),
            "spend": f"{spend:.2f}",
            "actions": [
                {"action_type": "link_click", "value": "120"},
                {"action_type": "landing_page_view", "value": "101"},
                {"action_type": "post_engagement", "value": "140"},
                {"action_type": "lead", "value": str(leads)},
                {"action_type": "onsite_conversion.lead_grouped", "value": str(leads)},
                {"action_type": "purchase", "value": str(purchases)},
                {"action_type": "omni_purchase", "value": str(purchases)},
            ],
            "action_values": [
                {"action_type": "purchase", "value": f"{purchases * 61.5:.2f}"},
                {"action_type": "omni_purchase", "value": f"{purchases * 61.5:.2f}"},
            ],
            "date_start": date,
            "date_stop": date,
        }


class _Pages:
    """Stands where Meta stands and has its pages at hand; the time to make them is not counted."""

    version_warning = ""

    def __init__(self, size):
        self.rows = _raw_rows(size)
        self.left = size
        self.spent_here = 0.0
        self.reading = 0.0
        self.peak_bytes = 0
        self.seconds = 0.0
        self._process = psutil.Process()

    def account(self):
        return Account("act_1", "Bench", "EUR", "UTC", True, {})

    def insights_page(self, since, until, *, after=""):
        started = time.perf_counter()
        raw = [next(self.rows) for _ in range(min(INSIGHTS_LIMIT, self.left))]
        self.left -= len(raw)
        self.peak_bytes = max(self.peak_bytes, self._process.memory_info().rss)
        made = time.perf_counter()
        rows = tuple(map(mapping.insight, raw))
        self.reading += time.perf_counter() - made
        self.spent_here += time.perf_counter() - started
        return Page(rows, "more" if self.left else "", {"data": raw})


def _ours(account, size):
    """All pages through the steps of a real run; the pages, with `seconds` and `peak_bytes`."""
    pages = _Pages(size)
    moment = dt.datetime.combine(LAST, dt.time(12), dt.UTC)
    with clock.at(moment):
        queued = fetching.request_fetch(channel_id=account.channel_id, actor=SYSTEM)
        held = leases.claim(SyncRun.objects.filter(pk=queued.pk).select_related("channel", "client"))
        first = LAST - dt.timedelta(days=size // ADS)
        held.cursor = {
            "stage": "insights", "after": "", "account": account.pk, "day": first.isoformat(),
            "today": LAST.isoformat(), "size": size // ADS + 1,
        }  # fmt: skip
        started = time.perf_counter()
        place = steps.Place(held, fetching.LEASE_SECONDS)
        while place["stage"] == "insights":
            steps.advance(place, pages)
        pages.seconds = time.perf_counter() - started - pages.spent_here
        return pages


def _bare(client, account, size):
    """Seconds for the same rows as tuples that are ready: one COPY, one upsert."""
    ids = dict(AdObject.objects.filter(level="ad").values_list("external_id", "pk"))
    ready = []
    for row in map(mapping.insight, _raw_rows(size)):
        ready.append((client.pk, ids[row.ad_id], *row[3:]))
    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE bare (LIKE ads_performancemetric) ON COMMIT DROP")
        cursor.execute("ALTER TABLE bare DROP COLUMN id")
        columns = (
            "client_id, ad_object_id, day, spend, impressions, reach, clicks, link_clicks, leads, purchases, revenue"
        )
        with cursor.copy(f"COPY bare ({columns}) FROM STDIN") as copy:
            for row in ready:
                copy.write_row(row)
        cursor.execute(
            f"INSERT INTO ads_performancemetric ({columns}) SELECT {columns} FROM bare "
            "ON CONFLICT (client_id, ad_object_id, day) DO UPDATE SET spend = EXCLUDED.spend, "
            "impressions = EXCLUDED.impressions, reach = EXCLUDED.reach, clicks = EXCLUDED.clicks, "
            "link_clicks = EXCLUDED.link_clicks, leads = EXCLUDED.leads, purchases = EXCLUDED.purchases, "
            "revenue = EXCLUDED.revenue"
        )
    return time.perf_counter() - started
