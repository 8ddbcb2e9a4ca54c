"""The board, the list of all clients and the API's list with 100,000 suggestions, against the same with 1,000.

Through the middleware, row security and templates, with what a person or program asks for: the first page, another
state, another order, a search. Both clients have the same tree of ads; who sees the many sees the few as well.
"""

import logging
import statistics
import time

import structlog
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse

from apps.core.tenancy import use_client
from tests.benchmarks.report import Result
from tests.factories.ads import AccountFactory, AdsetFactory, CampaignFactory
from tests.factories.clients import MembershipFactory, member
from tests.factories.suggestions import RuleFactory, SuggestionFactory

MANY, FEW = 100_000, 1_000
ADSETS = 200
ROUNDS, WARM = 15, 3

# Copies of one suggestion: each ad set has one that waits, all others were closed long ago, as after years of use.
COPIES = """
INSERT INTO suggestions_suggestion (client_id, kind, ad_object_id, rule_id, status, priority, confidence, field,
    before, target, impact_low, impact_mid, impact_high, evidence, created_at, expires_at, closed_at)
SELECT client_id, kind, adsets[1 + n %% cardinality(adsets)], rule_id,
    CASE WHEN n < cardinality(adsets) THEN 'waiting' ELSE (ARRAY['done', 'refused', 'expired'])[1 + n %% 3] END,
    40 + n %% 41, 0.5 + (n %% 499) / 1000.0, field, before, target, n %% 100, n %% 200, n %% 300, evidence,
    created_at - n * interval '7 minutes', expires_at - n * interval '7 minutes',
    CASE WHEN n >= cardinality(adsets) THEN created_at - n * interval '6 minutes' END
FROM suggestions_suggestion, generate_series(1, %(count)s) n, (SELECT %(adsets)s::bigint[]) AS given (adsets)
WHERE id = %(model)s
"""
ASKED = {
    "board": ("suggestions:board", {}),
    "board, refused": ("suggestions:board", {"state": "refused"}),
    "board, surest first": ("suggestions:board", {"sort": "-confidence"}),
    "board, refused, surest first": ("suggestions:board", {"state": "refused", "sort": "-confidence"}),
    "board, search": ("suggestions:board", {"state": "refused", "q": "set 12"}),
    "all clients": ("suggestions:all", {}),
    "all clients, refused": ("suggestions:all", {"state": "refused"}),
    "API": ("/api/v1/suggestions/", {}),
    "API, waiting": ("/api/v1/suggestions/", {"state": "waiting"}),
    "API, one client": ("/api/v1/suggestions/?client={key}", {}),
}
# A search finds a hundred times as many and has to put all of them in order.
WANTED = {"board, search": 3}


def run(size=None):
    """Milliseconds per answer of each address, the large client against the small one."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    count = size or MANY
    large, small = (_plant(rows) for rows in (count, FEW))
    people = [member(client) for client in (large, small)]
    MembershipFactory(client=small, user=people[0])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE suggestions_suggestion, ads_adobject")
    sides = list(zip((large, small), map(_signed_in, people), strict=True))
    return [
        Result(f"suggestions: {name}, {count:,} rows", *_compare(asked, *sides), "ms", WANTED.get(name, 1.5))
        for name, asked in ASKED.items()
    ]


def _plant(count):
    """A client with `count` suggestions."""
    account = AccountFactory()
    client = account.client
    campaign = CampaignFactory(client=client, parent=account)
    adsets = [AdsetFactory(client=client, parent=campaign, name=f"Ad set {n}") for n in range(ADSETS)]
    one = SuggestionFactory(client=client, ad_object=adsets[0], rule=RuleFactory(client=client), cycle=None)
    with use_client(client), connection.cursor() as cursor:
        given = {"adsets": [adset.pk for adset in adsets], "count": count - 1, "model": one.pk}
        cursor.execute(COPIES, given)
    return client


def _signed_in(user):
    browser = Browser()
    browser.force_login(user)
    return browser


def _compare(asked, large, small):
    """Medians of both in turns, so that a busy moment hits both."""
    rounds = [[_milliseconds(asked, *one) for one in (large, small)] for _ in range(WARM + ROUNDS)]
    return [statistics.median(column) for column in zip(*rounds[WARM:], strict=True)]


def _milliseconds(asked, client, browser):
    address, query = asked
    address = address.format(key=client.key)
    if ":" in address:
        address = reverse(address, args=[client.key] if address.endswith("board") else [])
    started = time.perf_counter()
    answer = browser.get(address, query)
    seconds = time.perf_counter() - started
    assert answer.status_code == 200, answer.status_code
    return seconds * 1000
