"""Whoever holds the lease works; everyone else finds the row taken, and the late one cannot write."""

from datetime import timedelta

import pytest

from apps.connectors.models import SyncRun
from apps.core import clock, leases
from apps.core.tenancy import use_client
from tests.concurrency import at_once
from tests.factories.clients import ClientFactory
from tests.factories.connectors import SyncRunFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(as_client):
    shop = ClientFactory()
    as_client(shop)
    return SyncRunFactory(client=shop)


def claim(**kwargs):
    return leases.claim(SyncRun.objects.order_by("pk"), **kwargs)


def test_a_claimed_row_is_taken_until_its_lease_ends(run):
    held = claim(seconds=60)
    assert (held.pk, held.attempts) == (run.pk, 1)
    assert claim() is None
    with clock.at(clock.now() + timedelta(seconds=61)):
        again = claim()
        assert (again.pk, again.attempts) == (run.pk, 2)
        assert again.claimed_by != held.claimed_by


def test_a_row_that_is_not_due_is_not_given(run):
    SyncRun.objects.update(not_before=clock.now() + timedelta(minutes=5))
    assert claim() is None
    with clock.at(clock.now() + timedelta(minutes=6)):
        assert claim() is not None


def test_renewing_keeps_the_row(run):
    held = claim(seconds=60)
    with clock.at(clock.now() + timedelta(seconds=50)):
        leases.renew(held, seconds=60)
    with clock.at(clock.now() + timedelta(seconds=90)):
        assert claim() is None


def test_whoever_was_away_too_long_cannot_write_any_more(run):
    late = claim(seconds=60)
    with clock.at(clock.now() + timedelta(seconds=61)):
        claim(seconds=60)
        for write in (lambda: leases.renew(late), lambda: leases.release(late, state="done")):
            with pytest.raises(leases.Lost):
                write()
    run.refresh_from_db()
    assert run.state == SyncRun.State.WAITING


def test_releasing_writes_and_frees(run):
    held = claim()
    later = clock.now() + timedelta(minutes=1)
    leases.release(held, state=SyncRun.State.RUNNING, not_before=later)
    run.refresh_from_db()
    assert (run.state, run.claimed_by, run.lease_until, run.not_before) == ("running", "", None, later)
    with pytest.raises(leases.Lost):
        leases.release(held, state="done")


def test_a_row_never_claimed_cannot_be_written_as_held(run):
    with pytest.raises(leases.Lost):
        leases.update_held(run, state="done")


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_get_the_row_once():
    shop = ClientFactory()
    SyncRunFactory(client=shop)
    got = []
    with use_client(shop):
        assert at_once(*[lambda: got.append(claim())] * 2) == ["ok", "ok"]
    assert len([row for row in got if row is not None]) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_share_two_rows():
    shop = ClientFactory()
    rows = [SyncRunFactory(client=shop), SyncRunFactory(client=shop)]
    got = []
    with use_client(shop):
        at_once(*[lambda: got.append(claim().pk)] * 2)
    assert sorted(got) == [row.pk for row in rows]
