"""400 approved budget changes and pauses under kill -9: each applied once, or stopped and asked."""

from collections import Counter

import redis
from django.conf import settings

from apps.core import clock
from apps.core.actors import Actor
from apps.core.models import AuditEvent
from apps.core.tenancy import use_all_clients
from apps.suggestions import tasks
from apps.suggestions.models import ExecutionLog
from apps.suggestions.services import deciding
from tests.chaos import harness, work
from tests.chaos.crew import Crew
from tests.chaos.report import Outcome
from tests.factories.ads import AccountFactory, AdsetFactory, CampaignFactory
from tests.factories.clients import ClientFactory, member
from tests.factories.connectors import ChannelFactory
from tests.factories.suggestions import PauseFactory, RuleFactory, SuggestionFactory

SIZE = 400
CLIENTS = 8
WORKERS = 4
KILLS = 120
LIMIT_SECONDS = 600
CHANCES = {
    "execute.after_claim": 0.05,
    "execute.before_call": 0.05,
    "execute.after_call": 0.08,
    "execute.before_mark": 0.05,
}
CRASH_AT = ",".join(f"{name}:{chance}" for name, chance in CHANCES.items())


def run(size):
    """Our way, then the naive one under the same torment."""
    return [ours(size), naive(max(40, size // 4))]


def kills_for(size):
    return max(4, KILLS * size // SIZE)


def points_for(size):
    """A small run need not have met them all."""
    return tuple(CHANCES) if size >= SIZE else ()


def ours(size):
    """What is approved is carried out by Celery workers that die; the sweep is what beat would run."""
    with harness.fresh_database(), harness.outside() as sandbox:
        expected = approve_everything(sandbox, size)
        sandbox.control("faults", {"faults": harness.FAULTS})
        harness.flush_redis()
        crew = Crew(work.celery_default, WORKERS, CRASH_AT, in_work=holds_an_execution)
        try:
            seconds = harness.torment(
                crew,
                progress=progress,
                step=sweep,
                kills=kills_for(size),
                limit=LIMIT_SECONDS,
                accidents=harness.SERVERS_COME_AND_GO,
            )
        finally:
            crew.dismiss()
        return judge(sandbox, expected, crew, seconds)


def approve_everything(sandbox, size):
    """The same ad sets on both sides, each with one approved change; {external id: (field, target)}."""
    made = sandbox.control("scenario", scenario(size))["accounts"]
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


def scenario(size):
    """Accounts with `size` ad sets altogether."""
    accounts = []
    for number in range(CLIENTS):
        adsets = [{"daily_budget": 4000, "ads": 1} for _ in range(number, size, CLIENTS)]
        accounts.append({"currency": "EUR", "rate_limit_points": 10**9, "campaigns": [{"adsets": adsets}]})
    return {
        "seed": 3,
        "now": clock.now().isoformat(),
        "running": True,
        "tokens": [{"token": "test-token"}],
        "accounts": accounts,
    }


def sweep():
    """What beat would run each minute, here as often as the queue runs dry."""
    with use_all_clients("the harness hurries"):
        harness.hurry(ExecutionLog.objects.filter(state__in=ExecutionLog.OPEN))
    with redis.Redis.from_url(settings.REDIS_URL) as store:
        waiting = store.llen("default")
    if waiting < WORKERS:
        tasks.sweep_executions()


def progress():
    with use_all_clients("the harness looks"):
        return ExecutionLog.objects.exclude(state__in=ExecutionLog.OPEN).count(), ExecutionLog.objects.count()


def holds_an_execution(pid):
    with use_all_clients("the harness looks"):
        held = ExecutionLog.objects.filter(claimed_by__contains=f":{pid}:")
        return held.exclude(lease_until=None).exists()


def judge(sandbox, expected, crew, seconds):
    """Compare what the sandbox's ledger says with what was approved and with what Durum believes.

    Doubled is what changed twice at the platform, and what Durum recorded as done twice.
    """
    changes, last = changes_of(sandbox)
    with use_all_clients("the harness looks"):
        rows = dict(ExecutionLog.objects.values_list("ad_object__external_id", "state"))
        subjects = dict(ExecutionLog.objects.values_list("pk", "ad_object__external_id"))
        records = AuditEvent.objects.filter(verb="suggestions.execution.done").values_list("subject_id", flat=True)
        told = Counter(subjects[int(pk)] for pk in records)
    kinds = Counter()
    for key, target in expected.items():
        if changes[key] > 1 or told[key] > 1:
            kinds["doubled"] += 1
        elif last.get(key) == target and rows.get(key) not in ExecutionLog.OPEN:
            kinds["done"] += 1
        elif rows.get(key) in ExecutionLog.ASKING:
            kinds["asked"] += 1
        else:
            kinds["lost"] += 1
    return outcome("execution", kinds, crew, seconds, total=len(expected))


def changes_of(sandbox):
    """How often each object changed at the platform, and to what it was changed last."""
    changes, last = Counter(), {}
    for write in sandbox.truth("writes")["writes"]:
        if write["changed"]:
            changes[write["object_id"]] += 1
            last[write["object_id"]] = (write["field"], str(write["new"]))
    return changes, last


def outcome(name, kinds, crew, seconds, **more):
    return Outcome(
        name,
        done=kinds["done"],
        asked=kinds["asked"],
        doubled=kinds["doubled"],
        lost=kinds["lost"],
        kills=crew.kills,
        kills_in_work=crew.kills_in_work,
        kills_at=crew.suicides(),
        points=() if more.get("control") else points_for(more["total"]),
        seconds=seconds,
        **more,
    )


def naive(size):
    """Apply the relative change, then mark it done. Redis and PostgreSQL stay up for it: it doubles all the same."""
    with harness.outside() as sandbox, redis.Redis.from_url(settings.REDIS_URL) as store:
        made = sandbox.control("scenario", scenario(size))["accounts"]
        ids = [adset["id"] for account in made for adset in account["campaigns"][0]["adsets"]]
        store.flushdb()
        store.rpush("naive:waiting", *ids)
        sandbox.control("faults", {"faults": harness.FAULTS})
        crew = Crew(work.naive, WORKERS, CRASH_AT)
        try:
            seconds = harness.torment(
                crew,
                progress=lambda: (store.scard("naive:done"), len(ids)),
                step=lambda: None,
                kills=kills_for(size),
                limit=LIMIT_SECONDS // 4,
            )
        finally:
            crew.dismiss()
            store.flushdb()
        changes, _last = changes_of(sandbox)
    kinds = Counter({0: "lost", 1: "done"}.get(changes[key], "doubled") for key in ids)
    return outcome("execution, naive", kinds, crew, seconds, total=len(ids), control=True)
