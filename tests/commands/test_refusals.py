"""Bad input at every command: one clear sentence on stderr, the right exit code, nothing changed."""

import datetime as dt
import socket
import subprocess
import sys
import time

import pytest
from django.core.management import get_commands, load_command_class
from django.utils import timezone
from openpyxl import Workbook

from apps.ads.models import AdObject
from apps.connectors.models import Channel
from apps.core import breaker
from apps.core.tenancy import use_client
from tests.ads.conftest import TOKEN, channel, world  # noqa: F401  (fixtures)
from tests.factories.clients import ClientFactory
from tests.outside import ROOT, free_port

COMMANDS = (
    "daily_cycle",
    "fetch_ads",
    "import_ads",
    "archive_now",
    "check_connections",
    "demo",
    "sandbox",
    "up",
    "prepare",
)
# What may be written about a call that failed: that it was made, and how it ended.
RECORDS = {"core_apicall", "core_systemlog", "core_auditevent", "connectors_syncrun"}
FAILED, MISUSED = 1, 2

TABLE = [
    ("daily_cycle", ["--client", "nobody"], FAILED, "There is no client with the key nobody. Known: clos."),
    ("daily_cycle", ["--client"], MISUSED, "argument --client: expected one argument"),
    ("daily_cycle", ["clos"], MISUSED, "unrecognized arguments: clos"),
    ("fetch_ads", ["--client", "nobody"], FAILED, "There is no client with the key nobody."),
    ("fetch_ads", ["--client", "clos"], FAILED, "There is no connected Meta account to read."),
    ("fetch_ads", ["--days", "many"], MISUSED, "argument --days: invalid int value: 'many'"),
    ("fetch_ads", ["--days", "0"], FAILED, "--days takes a whole number from 1 to 1100. Nothing was fetched."),
    ("fetch_ads", ["--days", "-3"], FAILED, "--days takes a whole number from 1 to 1100. Nothing was fetched."),
    ("archive_now", ["--client", "nobody"], FAILED, "There is no client with the key nobody. Known: clos."),
    ("archive_now", ["--batch", "x"], MISUSED, "argument --batch: invalid int value: 'x'"),
    ("check_connections", ["--client", "nobody"], FAILED, "There is no client with the key nobody."),
    ("demo", ["--days", "0"], FAILED, "--days takes a whole number from 1 to 180. Nothing was changed."),
    ("demo", ["--days", "181"], FAILED, "--days takes a whole number from 1 to 180. Nothing was changed."),
    ("demo", ["--days", "x"], MISUSED, "argument --days: invalid int value: 'x'"),
    ("demo", ["--seed", "x"], MISUSED, "argument --seed: invalid int value: 'x'"),
    ("demo", [], FAILED, "There are clients already: the demo only fills an empty database. Nothing was changed."),
    ("import_ads", [], MISUSED, "the following arguments are required: FILE, --client"),
    ("import_ads", ["missing.csv"], MISUSED, "the following arguments are required: --client"),
    ("import_ads", ["{dir}/missing.csv", "--client", "clos"], FAILED, "There is no file {dir}/missing.csv."),
    ("import_ads", ["{dir}", "--client", "clos"], FAILED, "{dir} is not a file."),
    ("import_ads", ["{file}", "--client", "nobody"], FAILED, "There is no client with the key nobody. Known: clos."),
    ("import_ads", ["{file}", "--client", "clos", "--date-order", "ymd"], MISUSED, "invalid choice: 'ymd'"),
    ("import_ads", ["{file}", "--client", "clos", "--decimal", ";"], MISUSED, "invalid choice: ';'"),
    ("import_ads", ["{file}", "--client", "clos", "--value-per-lead", "ten"], MISUSED, "invalid amount value: 'ten'"),
    ("import_ads", ["{file}", "--client", "clos", "--value-per-lead=-1"], MISUSED, "invalid amount value: '-1'"),
    ("import_ads", ["{file}", "--client", "clos", "--dry-run", "--mapping", "x"], FAILED, "takes COLUMN=MEANING"),
    (
        "import_ads",
        ["{file}", "--client", "clos", "--dry-run", "--sheet", "Zz"],
        FAILED,
        "a sheet “Zz”. Sheets with rows: –.",
    ),
    ("import_ads", ["{file}", "--client", "clos", "--dry-run", "--mapping", "Nope=spend"], FAILED, "Nope"),
    ("sandbox", ["--port", "x"], MISUSED, "argument --port: invalid int value: 'x'"),
]


@pytest.fixture
def clos(db):
    return ClientFactory(key="clos", name="Clos des Lys")


@pytest.mark.parametrize(("name", "arguments", "code", "sentence"), TABLE)
def test_one_sentence_and_nothing_changed(run, rows, clos, tmp_path, name, arguments, code, sentence):
    file = tmp_path / "export.csv"
    file.write_text("Day,Ad name,Ad set name,Campaign name,Amount spent (EUR)\n2026-11-01,A,S,C,5.00\n")
    places = {"dir": tmp_path, "file": file}
    before = rows()

    ended = run(name, *(argument.format(**places) for argument in arguments))

    assert ended.code == code
    assert sentence.format(**places) in ended.err
    assert "Traceback" not in ended.err + ended.out
    told = ended.err.strip().splitlines()
    assert len(told) == 1 or code == MISUSED, "one sentence, or argparse's usage and its sentence"
    assert rows() == before


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02\xff" * 50, b"%PDF-1.7\n%\xe2\xe3", b"PK\x03\x04broken"])
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_file_that_is_no_export(run, rows, clos, tmp_path, content, ending):
    file = tmp_path / f"export.{ending}"
    file.write_bytes(content)
    before = rows()

    ended = run("import_ads", file, "--client", "clos", "--yes")

    assert ended.code == FAILED
    assert len(ended.err.strip().splitlines()) == 1
    assert "Traceback" not in ended.err
    left = rows()
    # The file itself is kept as it came, whatever is in it, and the trail says so: inputs are kept.
    assert {table for table, n in left.items() if n != before[table]} <= {"connectors_rawfile", "core_auditevent"}


def test_a_sheet_that_is_not_there_is_not_replaced_by_another(run, rows, clos, tmp_path):
    book = Workbook()
    book.active.title = "October"
    for row in (["Day", "Ad name", "Amount spent (EUR)"], ["2026-11-01", "A", 5]):
        book.active.append(row)
    book.save(tmp_path / "export.xlsx")
    before = rows()

    ended = run("import_ads", tmp_path / "export.xlsx", "--client", "clos", "--dry-run", "--sheet", "November")

    assert ended.code == FAILED
    assert "There is nothing to read on a sheet “November”. Sheets with rows: October." in ended.err
    assert rows() == before


@pytest.fixture
def dead(world, channel, sandbox):  # noqa: F811
    """An account that works, until its token dies."""
    world()
    sandbox.control("tokens", {"token": TOKEN, "dead_subcode": 460})
    return channel


@pytest.fixture
def unreachable(redis_client, channel, settings):  # noqa: F811
    """An account at a Meta that nobody can reach."""
    settings.META_GRAPH_URL = f"http://127.0.0.1:{free_port()}/graph"
    settings.META_APP_ID, settings.META_APP_SECRET = "", ""
    yield channel
    breaker.Breaker(f"meta_ads:{channel.external_id}").succeeded()


def changed(rows, before):
    return {table for table, n in rows().items() if n != before[table]}


def test_fetching_with_a_dead_token(run, rows, dead):
    before = rows()

    ended = run("fetch_ads", "--client", "maison", "--wait")

    assert ended.code == FAILED
    assert ended.err.splitlines()[-1].endswith("1 of 1 accounts could not be read.")
    assert "Connect the ad account again with a new one." in ended.err
    assert "Traceback" not in ended.err + ended.out
    assert TOKEN not in ended.err + ended.out
    assert changed(rows, before) <= RECORDS
    with use_client(dead.client_id):
        assert not AdObject.objects.exists()
        assert Channel.objects.get().state == Channel.State.NEEDS_RECONNECT


def test_fetching_from_an_unreachable_meta(run, rows, unreachable, monkeypatch):
    """It tries eight times, says what it waits for, and gives up; here the waiting moves the clock."""
    moment = timezone.now()
    waited = []

    def sleep(seconds):
        nonlocal moment
        waited.append(seconds)
        moment += dt.timedelta(seconds=seconds)

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    before = rows()

    ended = run("fetch_ads", "--client", "maison", "--wait")

    assert ended.code == FAILED
    assert ended.err.splitlines()[-1] == "CommandError: 1 of 1 accounts could not be read."
    assert ended.out.count("waiting until") == 7
    assert 300 < sum(waited) < 3600
    assert "Traceback" not in ended.err + ended.out
    assert changed(rows, before) <= RECORDS


def test_checking_a_dead_token(run, rows, dead):
    before = rows()

    ended = run("check_connections", "--client", "maison", "--detail")

    assert (ended.code, ended.err.strip()) == (FAILED, "CommandError: 1 of 3 connections do not work.")
    assert "BROKEN" in ended.out
    assert TOKEN not in ended.out
    assert changed(rows, before) <= RECORDS


def test_checking_an_unreachable_meta(run, rows, unreachable):
    before = rows()

    ended = run("check_connections", "--client", "maison")

    assert (ended.code, ended.err.strip()) == (FAILED, "CommandError: 1 of 3 connections do not work.")
    assert "Traceback" not in ended.out
    assert changed(rows, before) <= RECORDS


def test_the_demo_without_a_sandbox(run, rows, redis_client, settings):
    settings.META_GRAPH_URL = f"http://127.0.0.1:{free_port()}/graph"
    before = rows()

    ended = run("demo", "--days", "1")

    assert (ended.code, ended.err.count("\n")) == (FAILED, 1)
    assert "The sandbox does not answer. Start it first: manage.py sandbox" in ended.err
    assert changed(rows, before) <= RECORDS


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["--port", "{taken}"], "{taken}"), (["--db", "/proc/nowhere/x.sqlite3"], "/proc/nowhere")],
)
def test_a_sandbox_that_cannot_start(arguments, sentence):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        command = [sys.executable, "manage.py", "sandbox", *(one.format(taken=taken) for one in arguments)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == FAILED
    assert sentence.format(taken=taken) in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_it_does(run, name):
    ended = run(name, "--help")

    assert (ended.code, ended.err) == (0, "")
    about = " ".join(ended.out.partition("\n\n")[2].split())
    assert load_command_class(get_commands()[name], name).help in about
    assert len(load_command_class(get_commands()[name], name).help) > 150
