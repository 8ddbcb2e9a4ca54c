"""400 approved budget changes and pauses under kill -9: each applied once, or stopped and asked."""

import sys
import time
from collections import Counter

import redis
from django.conf import settings

from apps.core import clock
from apps.core.actors import Actor
from apps.core.tenancy import use_all_clients
from apps.suggestions import tasks
from apps.suggestions.models import ExecutionLog
from apps.suggestions.services import deciding
from tests.chaos import harness
from tests.chaos.report import Outcome
from tests.factories.ads import AccountFactory, AdsetFactory, CampaignFactory
from tests.factories.clients import ClientFactory, member
from tests.factories.connectors import ChannelFactory
from tests.factories.suggestions import PauseFactory, RuleFactory, SuggestionFactory

SIZE = 400
CLIENTS = 8
KILLS = 100
LIMIT_SECONDS = 900
POINTS = "execute.after_claim:0.03,execute.before_call:0.05,execute.after_call:0.08,execute.before_mark:0.05"


def run(size):
    """Our way, then the naive one under the same torment."""
    return [ours(size), naive(max(100, size // 4))]


def ours(size):
    with harness.fresh_database(), harness.outside() as sandbox:
        expected = approve_everything(sandbox, size)
        sandbox.control("faults", {"faults": harness.FAULTS})
        harness.flush_redis()
        crew = harness.Crew(harness.celery_worker(), 4, crash_at=POINTS)
        try:
            seconds = harness.torment(
                crew, is_over=nothing_is_open, step=sweep, kills=kills_for(size), limit=LIMIT_SECONDS
            )
        finally:
            crew.dismiss()
        return judge(sandbox, expected, crew.kills, seconds)


def kills_for(size):
    return max(4, KILLS * size // SIZE)


def approve_everything(sandbox, size):
    """The same ad sets on both sides, each with one approved change; {external id: (field, target)}."""
    each = -(-size // CLIENTS)
    made = sandbox.control("scenario", scenario(each))["accounts"]
    expected = {}
    for number, account in enumerate(made):
        client = ClientFactory(max_actions_per_day=30_000, cooldown_hours=0)
        person = Actor(member(client), "web")
        channel = ChannelFactory(client=client, external_id=f"act_{account['id']}")
        campaign = CampaignFactory(
            client=client,
            parent=AccountFactory(client=client, channel=channel),
            external_id=account["campaigns"][0]["id"],
        )
        rule = RuleFactory(client=client)
        for index, one in enumerate(account["campaigns"][0]["adsets"]):
            adset = AdsetFactory(
                client=client, parent=campaign, external_id=one["id"], daily_budget_minor=one["daily_budget"]
            )
            shared = {"client": client, "ad_object": adset, "rule": rule, "cycle": None}
            if (number + index) % 2:
                row = PauseFactory(**shared)
            else:
                row = SuggestionFactory(
                    before=str(one["daily_budget"]), target=str(one["daily_budget"] + 1000), **shared
                )
            with use_all_clients("the harness approves"):
                deciding.approve(suggestion_id=row.pk, actor=person)
            expected[one["id"]] = (row.field, row.target)
    return expected


def scenario(each):
    adsets = [{"daily_budget": 4000, "ads": 1} for _ in range(each)]
    account = {"currency": "EUR", "rate_limit_points": 10**9, "campaigns": [{"adsets": adsets}]}
    return {
        "seed": 3,
        "now": clock.now().isoformat(),
        "running": True,
        "tokens": [{"token": "test-token"}],
        "accounts": [dict(account) for _ in range(CLIENTS)],
    }


def sweep():
    """What beat would run each minute, here as often as the queue runs dry."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        if client.llen("default") < 20:
            tasks.sweep_executions()


def nothing_is_open():
    with use_all_clients("the harness looks"):
        return not ExecutionLog.objects.filter(state__in=ExecutionLog.OPEN).exists()


def judge(sandbox, expected, kills, seconds):
    """Compare what the sandbox's ledger says with what was approved and with what Durum believes."""
    changes = Counter()
    last = {}
    for write in sandbox.truth("writes")["writes"]:
        if write["changed"]:
            changes[write["object_id"]] += 1
            last[write["object_id"]] = (write["field"], str(write["new"]))
    with use_all_clients("the harness looks"):
        states = dict(ExecutionLog.objects.values_list("ad_object__external_id", "state"))
    done = [key for key in expected if last.get(key) == expected[key]]
    asked = [key for key, state in states.items() if state in ExecutionLog.ASKING]
    lost = [key for key in expected if states[key] not in ExecutionLog.ASKING and last.get(key) != expected[key]]
    lost += [key for key in expected if states[key] in ExecutionLog.OPEN and key not in lost]
    doubled = [key for key, count in changes.items() if count > 1]
    return Outcome("execution", len(done), kills, len(doubled), len(lost), len(asked), control=False, seconds=seconds)


def naive(size):
    """Apply the relative change, then mark it done: what the pattern exists to avoid."""
    with harness.outside() as sandbox:
        made = sandbox.control("scenario", scenario(-(-size // CLIENTS)))["accounts"]
        ids = [adset["id"] for account in made for adset in account["campaigns"][0]["adsets"]]
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.flushdb()
            client.rpush("naive:waiting", *ids)
        sandbox.control("faults", {"faults": harness.FAULTS})
        crew = harness.Crew([sys.executable, "-m", "tests.chaos.naive_worker"], 4, crash_at=POINTS)
        started = time.monotonic()
        try:
            while not naive_is_over(len(ids)) and time.monotonic() - started < LIMIT_SECONDS:
                crew.look_after()
                crew.kill_one()
                time.sleep(0.6)
                if crew.kills > kills_for(size):
                    crew.calm()
        finally:
            crew.dismiss()
        counts = Counter(w["object_id"] for w in sandbox.truth("writes")["writes"] if w["changed"])
    done = sum(counts[one] == 1 for one in ids)
    doubled, lost = sum(counts[one] > 1 for one in ids), sum(counts[one] == 0 for one in ids)
    seconds = time.monotonic() - started
    return Outcome("execution naive", done, crew.kills, doubled, lost, 0, control=True, seconds=seconds)


def naive_is_over(total):
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        return client.scard("naive:done") >= total
