"""The doors to fetching: the command, the tasks and the line on the status page."""

import datetime as dt

import pytest
from django.core.management import CommandError, call_command

from apps.ads import tasks, watching
from apps.ads.models import PerformanceMetric
from apps.ads.services import fetching, library
from apps.connectors.models import Channel, SyncRun
from apps.core import clock
from apps.core.actors import SYSTEM, Actor
from apps.core.errors import Invalid, NotAllowed
from apps.core.models import AuditEvent
from apps.core.tenancy import use_all_clients, use_client
from tests.ads.conftest import NOW, read
from tests.factories.ads import CreativeFactory
from tests.factories.clients import ClientFactory, member
from tests.factories.connectors import ChannelFactory, SlackChannelFactory, SyncRunFactory

pytestmark = pytest.mark.django_db


def test_the_command_reads_here_and_shows_how_far_it_is(world, channel, capsys):
    world()

    with clock.at(NOW):
        call_command("fetch_ads", client="maison", days=5, wait=True)

    said = capsys.readouterr().out
    assert "insights · " in said
    assert "done · " in said
    with use_client(channel.client):
        assert PerformanceMetric.objects.values("day").distinct().count() == 5


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"client": "nobody"}, "no client with the key nobody"),
        ({"days": 0}, "whole number from 1 to 1100"),
        ({"days": 5000}, "whole number from 1 to 1100"),
    ],
)
def test_the_command_refuses_nonsense_and_changes_nothing(channel, options, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("fetch_ads", **options)

    with use_client(channel.client):
        assert SyncRun.objects.count() == 0


def test_the_command_fails_when_an_account_cannot_be_read(world, channel, sandbox, capsys):
    world()
    sandbox.control("faults", {"kind": "expired_token", "path": "act_900"})

    with pytest.raises(CommandError, match="1 of 1 accounts"):
        call_command("fetch_ads", wait=True)

    assert "Connect the ad account again" in capsys.readouterr().err


def test_the_hour_reads_some_days_and_the_morning_all_that_may_change(world, channel):
    world()
    with clock.at(NOW):
        first = read(channel)
    with clock.at(NOW + dt.timedelta(hours=1)), use_all_clients("the test"):
        (short,) = fetching.request_all(full=False)
        assert (short.options["days"], short.options["full"]) == (3, False)
        fetching.cancel_fetch(run_id=short.pk, actor=SYSTEM)
        (long,) = fetching.request_all(full=True)
        assert (long.options["days"], long.options["full"]) == (None, True)

    assert (first.cursor["since"], first.options["full"]) == ("2026-09-21", True)


def test_a_task_carries_a_run_to_its_end(world, channel):
    world()
    with clock.at(NOW):
        with use_client(channel.client):
            run = fetching.request_fetch(channel_id=channel.pk, actor=SYSTEM, days=2)
        tasks.fetch(run.client_id, run.pk)

    with use_client(channel.client):
        assert SyncRun.objects.get().state == "done"


def test_asking_needs_the_right_and_leaves_a_trace(channel):
    viewer, operator = member(channel.client, "viewer"), member(channel.client)
    with use_client(channel.client):
        with pytest.raises(NotAllowed):
            fetching.request_fetch(channel_id=channel.pk, actor=Actor(viewer, "web"))
        assert SyncRun.objects.count() == 0

        run = fetching.request_fetch(channel_id=channel.pk, actor=Actor(operator, "web"))

        assert AuditEvent.objects.get().verb == "ads.fetch.requested"
        fetching.cancel_fetch(run_id=run.pk, actor=Actor(operator, "web"))
        with pytest.raises(Invalid, match="ended already"):
            fetching.cancel_fetch(run_id=run.pk, actor=Actor(operator, "web"))


def test_only_living_ad_accounts_are_read():
    slack = SlackChannelFactory()
    off = ChannelFactory(state=Channel.State.DISABLED)
    for channel, sentence in ((slack, "not an ad account"), (off, "switched off")):
        with use_client(channel.client), pytest.raises(Invalid, match=sentence):
            fetching.request_fetch(channel_id=channel.pk, actor=SYSTEM)


def test_the_status_page_tells_of_runs_left_lying_and_accounts_gone_silent():
    run = SyncRunFactory(not_before=NOW)
    with use_all_clients("the test"):
        with clock.at(NOW + dt.timedelta(minutes=5)):
            assert watching.fetch_is_on_time().state == "ok"
        with clock.at(NOW + dt.timedelta(minutes=11)):
            assert watching.fetch_is_on_time().state == "late"
            SyncRun.objects.filter(pk=run.pk).update(state="done")
            assert watching.fetch_is_on_time().state == "ok"
            Channel.objects.update(state="needs_reconnect")
            assert "connected again" in watching.fetch_is_on_time().text


def test_an_angle_set_by_a_person_survives_the_next_reading(world, channel):
    world()
    with clock.at(NOW):
        read(channel)
    actor = Actor(member(channel.client), "web")
    with use_client(channel.client):
        from apps.ads.models import Creative, TestedAngle

        creative = Creative.objects.first()
        library.set_angle(creative_id=creative.pk, angle="Mine", actor=actor)
    with clock.at(NOW + dt.timedelta(hours=1)):
        read(channel)

    with use_client(channel.client):
        creative.refresh_from_db()
        assert (creative.angle, creative.angle_by_person) == ("Mine", True)
        assert TestedAngle.objects.get(angle="Mine").creatives_count == 1
        assert not TestedAngle.objects.filter(angle="").exists()


def test_an_angle_nobody_uses_any_more_is_forgotten():
    creative = CreativeFactory(angle="old", client=ClientFactory())
    with use_client(creative.client):
        from apps.ads.models import Creative, TestedAngle

        library.refresh(client_id=creative.client_id)
        assert TestedAngle.objects.get().angle == "old"
        Creative.objects.update(angle="new")
        library.refresh(client_id=creative.client_id)
        assert TestedAngle.objects.get().angle == "new"
