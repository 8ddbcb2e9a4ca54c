"""The analysis of every client, against the bare SQL aggregates it needs.

Ours is everything between the store and the candidates: what was done and refused before, sums per ad set and ad,
facts of the tree, benchmarks, confidence, draws. The bare one asks PostgreSQL for the same sums (per ad set and week,
per ad and week, in the account's currency) and throws the rows away. Both read the same rows under row security.
"""

import datetime as dt
import statistics
import time

from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.clients.models import Client
from apps.core import clock
from apps.core.tenancy import use_client
from apps.suggestions.services import generation
from tests.benchmarks.report import Result
from tests.factories.ads import AccountFactory

CLIENTS, ADSETS, DAYS = 50, 200, 60
TODAY = dt.date(2026, 11, 20)
CAMPAIGNS = 10

PLANT = """
WITH campaigns AS (
    INSERT INTO ads_adobject (client_id, level, parent_id, account_id, channel_id, external_id, name, status,
        effective_status, objective, optimization_goal, currency, time_zone, bid_strategy, learning_status,
        seen_at, created_at)
    SELECT %(client)s, 'campaign', %(account)s, %(account)s, %(channel)s, 'c' || n, 'Campaign ' || n, 'ACTIVE',
        'ACTIVE', '', '', %(currency)s, '', '', '', now(), now()
    FROM generate_series(0, %(campaigns)s - 1) n
    RETURNING id, external_id
), adsets AS (
    INSERT INTO ads_adobject (client_id, level, parent_id, account_id, channel_id, external_id, name, status,
        effective_status, objective, optimization_goal, currency, time_zone, bid_strategy, learning_status,
        daily_budget_minor, seen_at, created_at)
    SELECT %(client)s, 'adset', c.id, %(account)s, %(channel)s, 's' || n, 'Ad set ' || n, 'ACTIVE', 'ACTIVE',
        '', '', %(currency)s, '', '', '', 5000, now(), now()
    FROM generate_series(0, %(adsets)s - 1) n JOIN campaigns c ON c.external_id = 'c' || n %% %(campaigns)s
    RETURNING id, external_id
)
INSERT INTO ads_adobject (client_id, level, parent_id, account_id, channel_id, external_id, name, status,
    effective_status, objective, optimization_goal, currency, time_zone, bid_strategy, learning_status,
    seen_at, created_at)
SELECT %(client)s, 'ad', s.id, %(account)s, %(channel)s, 'a' || s.external_id, 'Ad of ' || s.external_id, 'ACTIVE',
    'ACTIVE', '', '', %(currency)s, '', '', '', now(), now()
FROM adsets s
"""
# Each ad has a level of its own, and noise on top: some scale, some are paused, most are left alone.
RESULTS = """
INSERT INTO ads_performancemetric
    (client_id, ad_object_id, day, spend, impressions, reach, clicks, link_clicks, leads, purchases, revenue)
SELECT %(client)s, id, day, spend, 400 + spend * 60, 300 + spend * 50, 5 + spend, 4 + spend, 0, purchases,
       purchases * 60
FROM (
    SELECT a.id, day::date, 20 + 30 * random() AS spend, floor(0.4 + random() * 5 * quality) AS purchases
    FROM (SELECT id, 0.2 + random() AS quality FROM ads_adobject WHERE client_id = %(client)s AND level = 'ad') a,
         generate_series(%(today)s::date - %(days)s, %(today)s::date - 1, interval '1 day') day
) drawn
ORDER BY day, id
"""
BARE = """
SELECT {entity}, (%(today)s::date - 1 - m.day) / 7, sum(m.spend), sum(m.leads), sum(m.purchases), sum(m.revenue),
       sum(m.impressions), sum(m.clicks), sum(m.reach)
FROM ads_performancemetric m JOIN ads_adobject o ON o.id = m.ad_object_id
WHERE m.client_id = %(client)s AND m.day >= %(today)s::date - %(days)s AND o.currency = %(currency)s
GROUP BY 1, 2
"""
ENTITIES = ("o.parent_id", "o.id")


def run(size=None):
    """Seconds of both for all clients, and the queries of the largest client against the smallest."""
    clients = [_plant(ADSETS) for _ in range(size or CLIENTS)]
    small = _plant(ADSETS // 10)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE ads_performancemetric, ads_adobject")
    moment = dt.datetime.combine(TODAY, dt.time(6), dt.UTC)
    with clock.at(moment):
        rounds = [(_seconds(_analyse, clients), _seconds(_bare, clients)) for _ in range(3)]
        queries = [_queries(client) for client in (clients[0], small)]
    ours, bare = (statistics.median(column) for column in zip(*rounds, strict=True))
    name = f"analysis: {len(clients)} clients x {ADSETS} ad sets x {DAYS} days"
    return [
        Result(name, ours, bare, "s", 3),
        Result(f"analysis: queries, {ADSETS} against {ADSETS // 10} ad sets", *queries, "queries", 1),
    ]


def _plant(adsets):
    account = AccountFactory()
    client = account.client
    given = {
        "client": client.pk,
        "account": account.pk,
        "channel": account.channel_id,
        "currency": account.currency,
        "campaigns": CAMPAIGNS,
        "adsets": adsets,
        "today": TODAY,
        "days": DAYS,
    }
    with use_client(client), connection.cursor() as cursor:
        cursor.execute(PLANT, given)
        cursor.execute(RESULTS, given)
        generation.install_rules(client)
    return client


def _seconds(work, clients):
    started = time.perf_counter()
    for client in clients:
        with use_client(client):
            work(client)
    return time.perf_counter() - started


def _analyse(client):
    for _currency, analysis in generation.analyses(Client.objects.get(pk=client.pk)):
        assert analysis.candidates
        assert analysis.skipped


def _bare(client):
    given = {"client": client.pk, "today": TODAY, "days": DAYS, "currency": client.currency}
    with connection.cursor() as cursor:
        for entity in ENTITIES:
            cursor.execute(BARE.format(entity=entity), given)
            cursor.fetchall()


def _queries(client):
    with use_client(client), CaptureQueriesContext(connection) as captured:
        _analyse(client)
    return len(captured)
