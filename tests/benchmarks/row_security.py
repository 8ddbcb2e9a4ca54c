"""What row security costs: questions about one client among fifty, a million daily results, with and without policies.

The same statement runs twice: through the policies, and on the table with row security taken off. Where the
statement forgets its client, the plain side names it: the policy must lead to the same index.
"""

import json
import statistics
import time

from django.db import connection

from apps.ads.models import AdObject, PerformanceMetric
from apps.core.tenancy import current_scope, use_all_clients, use_client
from tests.benchmarks.report import Result
from tests.factories.ads import AccountFactory
from tests.factories.clients import ClientFactory

ROWS, CLIENTS, ADS = 1_000_000, 50, 100
ROUNDS, WARM = 15, 3
TABLE = PerformanceMetric._meta.db_table

FILL = f"""
INSERT INTO {TABLE} (client_id, ad_object_id, day, spend, impressions, clicks, leads, purchases)
SELECT client_id, id, date '2026-11-18' - d, 10, 1000, 20, 1, 0
FROM ads_adobject, generate_series(0, %s) d WHERE level = 'ad'
"""
WEEK = f"SELECT sum(spend), sum(clicks) FROM {TABLE} WHERE client_id = %s AND day >= date '2026-11-12'"
FORGOT = f"SELECT sum(spend), sum(clicks) FROM {TABLE} WHERE day >= date '2026-11-12'"
PER_AD = f"SELECT ad_object_id, sum(spend) FROM {TABLE} WHERE client_id = %s GROUP BY 1 ORDER BY 2 DESC LIMIT 20"
ALL_OF = f"SELECT client_id, sum(spend) FROM {TABLE} WHERE day >= date '2026-11-12' GROUP BY 1"


def plant(rows, clients=CLIENTS, ads=ADS):
    """Daily results of `clients` clients with `ads` ads each, `rows` in all; returns the clients."""
    made = []
    for _number in range(clients):
        client = ClientFactory()
        account = AccountFactory(client=client)
        with use_client(client):
            ours = {"client": client, "account": account, "level": "ad", "currency": "EUR"}
            AdObject.objects.bulk_create(AdObject(**ours, external_id=f"{client.pk}-{n}") for n in range(ads))
        made.append(client)
    with use_all_clients("results of every client are made"), connection.cursor() as cursor:
        cursor.execute(FILL, [max(rows // (clients * ads), 1) - 1])
        cursor.execute(f"ANALYZE {TABLE}")
    return made


def plan(sql, params=()):
    """The names of the plan's nodes with the index each uses, in the scope in force."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        found = cursor.fetchone()[0]
    nodes, waiting = [], [(json.loads(found) if isinstance(found, str) else found)[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        nodes.append((node["Node Type"], node.get("Index Name", "")))
        waiting += node.get("Plans", [])
    return nodes


def run(size=None):
    """Milliseconds of each question through row security, against the same on the bare table."""
    made = plant(size or ROWS)
    one = made[len(made) // 2]
    results = []
    with use_client(one):
        results.append(_beside("one client, a week", WEEK, [one.pk], WEEK, [one.pk], 1.5))
        results.append(_beside("one client, its filter forgotten", FORGOT, [], WEEK, [one.pk], 2.0))
        results.append(_beside("one client, every ad", PER_AD, [one.pk], PER_AD, [one.pk], 1.5))
    with use_all_clients("a question about every client"):
        results.append(_beside("every client, a week", ALL_OF, [], ALL_OF, [], 2.0))
    return results


def _beside(name, ours, our_params, plain, plain_params, wanted):
    through = _milliseconds(ours, our_params)
    print(f"  {name}: {plan(ours, our_params)} in the scope of {len(current_scope().client_ids)}")
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {TABLE} DISABLE ROW LEVEL SECURITY")
        try:
            bare = _milliseconds(plain, plain_params)
        finally:
            cursor.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    return Result(f"row security: {name}", through, bare, "ms", wanted)


def _milliseconds(sql, params):
    taken = []
    with connection.cursor() as cursor:
        for _round in range(WARM + ROUNDS):
            started = time.perf_counter()
            cursor.execute(sql, params)
            cursor.fetchall()
            taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken[WARM:])
