"""A worker killed at any named point leaves a row whose truth the next worker finds; `make chaos` does it at large."""

import datetime as dt
import os
import signal
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection

from apps.core import clock
from apps.core.crashpoints import LAST_WORDS
from apps.core.models import AuditEvent
from apps.suggestions.models import ExecutionLog, Hypothesis
from tests.outside import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
State = ExecutionLog.State


def run_worker(row, sandbox, crash_at):
    """Carry the row out in a process that may die; what became of the process."""
    address = urlsplit(os.environ["DATABASE_URL"])
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "durum.settings.test",
        "DATABASE_URL": urlunsplit(address._replace(path=f"/{connection.settings_dict['NAME']}")),
        "REDIS_URL": django_settings.REDIS_URL,
        "META_GRAPH_URL": sandbox.graph_url,
        "DURUM_CRASH_AT": crash_at,
    }
    command = [sys.executable, "-m", "tests.suggestions.one_worker", str(row.pk), str(row.client_id)]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=120, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("point", "state", "written"),
    [
        ("execute.after_claim", State.PENDING, 0),
        ("execute.before_call", State.SENT, 0),
        ("execute.after_call", State.SENT, 1),
        ("execute.before_mark", State.SENT, 1),
    ],
)
def test_a_worker_killed_at_a_named_point_leaves_one_change(account, point, state, written):
    row = account.raise_to(7500)

    killed = run_worker(row, account.sandbox, point)

    assert killed.returncode == -signal.SIGKILL
    assert killed.stderr.endswith(f"{LAST_WORDS}{point}\n")
    row.refresh_from_db()
    assert (row.state, len(account.truth())) == (state, written)

    # Until the lease is over nobody may think that the killed one is gone.
    account.carry_out(row)
    assert (row.state, row.attempts, len(account.truth())) == (state, 1, written)

    with clock.at(row.lease_until + dt.timedelta(seconds=1)):
        account.carry_out(row)
    assert (row.state, row.attempts) == (State.DONE, 2)
    assert account.truth() == [("daily_budget", 7500)]
    assert Hypothesis.objects.filter(execution=row).count() == 1
    assert AuditEvent.objects.filter(verb="suggestions.execution.done", subject_id=str(row.pk)).count() == 1
