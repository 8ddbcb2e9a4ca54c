"""Old work is put away whole, in batches, and stays readable."""

import datetime as dt
import os
import signal
import subprocess
import sys

import pytest
from django.db import connection

from apps.core import clock
from apps.suggestions.models import (
    Decision,
    DecisionArchive,
    ExecutionLog,
    Suggestion,
    SuggestionArchive,
)
from apps.suggestions.services import archiving
from tests.factories.clients import ClientFactory
from tests.factories.suggestions import DecisionFactory, ExecutionFactory, HypothesisFactory, SuggestionFactory
from tests.outside import ROOT

pytestmark = pytest.mark.django_db


def old(days, **fields):
    moment = clock.now() - dt.timedelta(days=days)
    closed = {"status": "refused", "created_at": moment, "closed_at": moment, "outcome_known_at": moment}
    return SuggestionFactory(**closed | fields)


@pytest.fixture
def client(as_client):
    client = ClientFactory()
    as_client(client)
    return client


def test_a_closed_suggestion_goes_after_thirty_days_with_all_that_hangs_on_it(client):
    decision = DecisionFactory(client=client, suggestion=old(31, client=client), verdict="refuse", reason="No stock")
    kept = old(29, client=client)

    assert archiving.archive(client=client) == (1, 0)

    archived = SuggestionArchive.objects.get()
    assert list(Suggestion.objects.all()) == [kept]
    assert archived.record["decisions"][0]["reason"] == "No stock"
    decision.refresh_from_db()
    assert (decision.suggestion, decision.archived_suggestion) == (None, archived)


def test_a_decision_goes_after_ninety_days_and_the_log_stays(client):
    moment = clock.now() - dt.timedelta(days=91)
    execution = ExecutionFactory(
        client=client,
        decision__suggestion=old(91, client=client, status="done"),
        decision__decided_at=moment,
        state="done",
        done_at=moment,
    )

    assert archiving.archive(client=client) == (1, 1)

    execution.refresh_from_db()
    archived = DecisionArchive.objects.get()
    assert not Decision.objects.exists()
    assert archived.suggestion_number == execution.archived_suggestion.original_id
    assert execution.decision is None


@pytest.mark.parametrize("fields", [{"status": "stopped"}, {"status": "waiting"}, {"outcome_known_at": None}])
def test_what_is_not_finished_stays(client, fields):
    old(100, client=client, **fields)

    assert archiving.archive(client=client) == (0, 0)


def test_an_open_hypothesis_keeps_its_suggestion(client):
    row = old(40, client=client, status="done")
    HypothesisFactory(client=client, execution__decision__suggestion=row, state="open")

    assert archiving.archive(client=client) == (0, 0)


def test_another_client_s_rows_stay(client):
    old(40)

    assert archiving.archive(client=client) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_an_undo_that_begins_while_the_archive_looks_keeps_its_suggestion(client, monkeypatch):
    execution = ExecutionFactory(
        client=client, decision__suggestion=old(40, client=client, status="done"), state="done", done_at=clock.now()
    )
    look = archiving._hold

    def look_while_somebody_undoes(due, batch):
        held = look(due, batch)
        ExecutionFactory(
            client=client, decision__suggestion=execution.suggestion, decision__verdict="undo", undo_of=execution
        )
        return held

    monkeypatch.setattr(archiving, "_hold", look_while_somebody_undoes)

    assert archiving.archive(client=client) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_stopped_half_way_nothing_is_lost_or_doubled(client):
    for _ in range(7):
        row = old(40, client=client, status="done")
        ExecutionFactory(client=client, decision__suggestion=row, state=ExecutionLog.State.DONE)
    numbers = set(Suggestion.objects.values_list("pk", flat=True))
    own_database = os.environ["DATABASE_URL"].replace("/durum?", f"/{connection.settings_dict['NAME']}?")
    environment = os.environ | {"DURUM_CRASH_AT": "archive.after_batch", "DATABASE_URL": own_database}
    command = [sys.executable, "manage.py", "archive_now", "--client", client.key, "--batch", "3"]

    killed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False, timeout=120)

    assert killed.returncode == -signal.SIGKILL
    assert SuggestionArchive.objects.count() == 3
    assert archiving.archive(client=client, batch=3) == (4, 0)
    assert set(SuggestionArchive.objects.values_list("original_id", flat=True)) == numbers
    assert ExecutionLog.objects.filter(archived_suggestion__isnull=False).count() == 7
