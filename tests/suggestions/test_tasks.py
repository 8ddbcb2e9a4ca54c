"""What the sweeps enqueue: each client in a task of its own."""

import datetime as dt

import pytest

from apps.core import clock
from apps.suggestions import tasks
from tests.factories.clients import ClientFactory
from tests.factories.suggestions import CycleFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("sweep", "task"),
    [("close_overdue", "close_overdue_of"), ("evaluate", "evaluate_of"), ("archive", "archive_of")],
)
def test_nightly_work_is_one_task_a_client(sweep, task, monkeypatch):
    clients = [ClientFactory(), ClientFactory()]
    asked = []
    monkeypatch.setattr(getattr(tasks, task), "delay", asked.append)

    getattr(tasks, sweep)()

    assert asked == [client.pk for client in clients]


def test_a_cycle_is_asked_for_when_the_client_s_own_hour_has_come_and_its_day_is_not_done(monkeypatch):
    asked = []
    monkeypatch.setattr(tasks.daily_cycle, "delay", asked.append)
    now = dt.datetime(2026, 11, 19, 6, 0, tzinfo=dt.UTC)
    due = ClientFactory(time_zone="Europe/Paris", cycle_hour=7)
    ClientFactory(time_zone="Europe/Lisbon", cycle_hour=7)
    ClientFactory(time_zone="Europe/Paris", cycle_hour=7, is_active=False)
    CycleFactory(client=due, day=dt.date(2026, 11, 18))
    CycleFactory(client=ClientFactory(time_zone="Europe/Paris", cycle_hour=7), day=dt.date(2026, 11, 19))

    with clock.at(now):
        tasks.sweep_cycles()

    assert asked == [due.pk]
