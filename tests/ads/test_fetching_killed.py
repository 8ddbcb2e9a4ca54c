"""A worker that is killed at any page leaves a run that goes on from there, with nothing lost and nothing twice."""

import datetime as dt
import os
import signal
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection

from apps.ads.models import AdObject, PerformanceMetric, RawSnapshot, SpendHistory
from apps.ads.services import fetching
from apps.connectors.models import SyncRun
from apps.core import clock
from apps.core.actors import SYSTEM
from apps.core.tenancy import use_client
from tests.ads.conftest import NOW, read
from tests.factories.connectors import ChannelFactory
from tests.outside import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
LEASE = dt.timedelta(seconds=fetching.LEASE_SECONDS + 1)


def run_worker(run, moment, sandbox, crash_at=""):
    """Carry the run on in a process that may die; its exit code."""
    address = urlsplit(os.environ["DATABASE_URL"])
    database = address._replace(path=f"/{connection.settings_dict['NAME']}")
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "durum.settings.test",
        "DATABASE_URL": urlunsplit(database),
        "REDIS_URL": django_settings.REDIS_URL,
        "META_GRAPH_URL": sandbox.graph_url,
        "DURUM_CRASH_AT": crash_at,
    }
    command = [sys.executable, "-m", "tests.ads.one_worker", str(run.pk), str(run.client_id), moment.isoformat()]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=120).returncode


def queue(channel):
    with clock.at(NOW):
        return fetching.request_fetch(channel_id=channel.pk, actor=SYSTEM)


def stored(client):
    """Everything a fetch leaves that a person could see, without keys and times."""
    with use_client(client):
        return (
            list(
                PerformanceMetric.objects.order_by("ad_object__external_id", "day").values_list(
                    "ad_object__external_id", "day", "spend", "impressions", "purchases", "revenue"
                )
            ),
            list(
                AdObject.objects.order_by("level", "external_id").values_list(
                    "level", "external_id", "parent__external_id", "daily_budget_minor", "creative__external_id"
                )
            ),
            list(
                SpendHistory.objects.order_by("ad_object__external_id", "day").values_list(
                    "ad_object__external_id", "day", "daily_budget_minor", "spend"
                )
            ),
        )


def test_killed_at_random_a_fetch_ends_with_what_an_undisturbed_one_has(world, channel, sandbox):
    world()
    sandbox.control("faults", {"kind": "short_page", "path": "/insights", "count": 9999, "params": {"keep": 60}})
    with use_client(channel.client):
        run = queue(channel)
        crashes, moment = 0, NOW
        everywhere = "fetch.after_page:0.15,fetch.before_commit:0.15,fetch.after_commit:0.15"
        while run.is_moving:
            code = run_worker(run, moment, sandbox, everywhere)
            assert code in (0, -signal.SIGKILL)
            crashes += code != 0
            moment += LEASE
            run = SyncRun.objects.get(pk=run.pk)
            assert crashes < 60

        assert (run.state, run.error) == ("done", "")
        assert crashes >= 3
        assert run.done == run.total
        assert run.counts["pages"] == RawSnapshot.objects.filter(run=run).count() - 1
    killed = stored(channel.client)
    with use_client(channel.client):
        AdObject.objects.all().delete()
        SyncRun.objects.all().delete()

    with clock.at(NOW):
        undisturbed = read(channel)

    assert undisturbed.state == "done"
    assert undisturbed.counts["results"] == run.counts["results"]
    assert stored(channel.client) == killed


def test_killed_before_the_commit_nothing_of_the_page_stays(world, channel, sandbox):
    world()
    with use_client(channel.client):
        run = queue(channel)
        assert run_worker(run, NOW, sandbox, "fetch.after_commit") == -signal.SIGKILL
        run = SyncRun.objects.get(pk=run.pk)
        assert (run.state, run.cursor["stage"], run.done) == ("running", "campaigns", 1)

        assert run_worker(run, NOW + LEASE, sandbox, "fetch.before_commit") == -signal.SIGKILL

        run = SyncRun.objects.get(pk=run.pk)
        assert (run.cursor["stage"], run.done) == ("campaigns", 1)
        assert AdObject.objects.filter(level="campaign").count() == 0
        assert RawSnapshot.objects.filter(kind="campaigns").count() == 0


def test_nobody_takes_a_run_from_a_living_worker(world, channel, sandbox):
    world()
    with use_client(channel.client):
        run = queue(channel)
        run_worker(run, NOW, sandbox, "fetch.after_commit")

        assert run_worker(run, NOW + dt.timedelta(seconds=60), sandbox) == 0

        assert SyncRun.objects.get(pk=run.pk).cursor["stage"] == "campaigns"


def test_a_run_that_kills_every_worker_ends(world, channel, sandbox):
    world()
    with use_client(channel.client):
        run, moment = queue(channel), NOW
        SyncRun.objects.filter(pk=run.pk).update(cursor={"tries": fetching.MAX_TRIES - 1})
        assert run_worker(run, moment, sandbox, "fetch.after_page") == -signal.SIGKILL

        assert run_worker(run, moment + LEASE, sandbox, "fetch.after_page") == 0

        run = SyncRun.objects.get(pk=run.pk)
        assert run.state == "failed"
        assert "without getting on" in run.error


def test_two_clients_read_side_by_side_keep_apart(world, channel, sandbox):
    world()
    other = ChannelFactory(external_id="act_901", token=channel.token)
    with clock.at(NOW):
        read(channel)
        run = read(other)

    assert run.state == "failed"
    assert "does not show this object" in run.error
    with use_client(other.client):
        assert PerformanceMetric.objects.count() == 0
