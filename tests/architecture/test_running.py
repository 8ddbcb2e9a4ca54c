"""The servers a checkout brings along, and the promises `make run` rests on."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from urllib.parse import unquote

import psycopg
import pytest
from django.db import connection

from durum import embedded
from durum.settings.environment import BASE_DIR
from tests.concurrency import at_once

embedded_only = pytest.mark.skipif("postgres" not in embedded.needed(), reason="DATABASE_URL names a real server")


@pytest.mark.django_db
def test_the_database_role_is_an_ordinary_one():
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False, False)


@pytest.mark.django_db
def test_new_databases_come_with_vectors():
    with connection.cursor() as cursor:
        cursor.execute("SELECT '[1,2,3]'::vector <-> '[1,2,5]'::vector")
        assert cursor.fetchone() == (2.0,)


@embedded_only
def test_the_server_listens_on_nothing_but_its_socket():
    with psycopg.connect(_dsn()) as plain:
        assert plain.execute("SHOW listen_addresses").fetchone() == ("",)
        assert plain.execute("SHOW server_version_num").fetchone()[0].startswith("18")


def test_tests_cannot_leave_the_machine():
    with pytest.raises(Exception, match="socket"), socket.create_connection(("192.0.2.1", 80), timeout=1):
        pass


@pytest.mark.django_db(transaction=True)
def test_a_gap_lets_two_callers_meet(hold_open):
    gap = hold_open("tests.architecture.test_running.touch")

    assert at_once(lambda: touch(1), lambda: touch(2), gap=gap) == ["ok", "ok"]
    assert gap.met


def touch(number):
    """Something for two threads to meet in."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", [number])


def _dsn():
    return f"host={embedded.places().sockets} user=durum dbname=durum"


def test_local_secrets_stay_and_are_private():
    first = embedded.local_secret("test-secret")
    path = embedded.VAR_DIR / "secrets" / "test-secret"

    assert embedded.local_secret("test-secret") == first
    assert len(first) >= 48
    assert os.stat(path).st_mode & 0o777 == 0o600
    path.unlink()


class Checkout:
    """A second checkout with nothing but the servers in it, at a path with a space and too long for a socket."""

    def __init__(self, top):
        self.path = top / "a b" / ("long-" * 20)
        shutil.copytree(BASE_DIR / "durum", self.path / "durum", ignore=shutil.ignore_patterns("__pycache__"))

    def servers(self, *verb, code=0):
        clean = {
            k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
        }
        asked = subprocess.run(
            [sys.executable, "-m", "durum.embedded", *verb],
            cwd=self.path,
            env=clean | {"PYTHONPATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert asked.returncode == code, asked.stdout + asked.stderr
        return asked.stdout

    def processes(self):
        return {line.split()[0]: int(line.split()[2]) for line in self.servers("status").splitlines()[:2]}

    def connect(self):
        found = re.search(r"host=(\S+)", self.servers("status"))
        return psycopg.connect(host=unquote(found[1]), user="durum", dbname="durum", autocommit=True)


@pytest.fixture
def checkout(tmp_path):
    other = Checkout(tmp_path)
    yield other
    other.servers("clean")


def test_servers_come_back_after_a_hard_kill_with_what_was_stored(checkout):
    mine = embedded.running()
    checkout.servers("start")
    with checkout.connect() as there:
        there.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    before = checkout.processes()
    for number in before.values():
        os.kill(number, signal.SIGKILL)

    checkout.servers("start")

    with checkout.connect() as there:
        assert there.execute("SELECT answer FROM kept").fetchone() == (42,)
    after = checkout.processes()
    assert set(before.values()).isdisjoint(after.values())
    assert embedded.running() == mine, "the servers of this checkout were touched"


def test_starting_twice_starts_once_and_stopping_leaves_nothing(checkout):
    checkout.servers("start")
    first = checkout.processes()

    checkout.servers("start")

    assert checkout.processes() == first
    checkout.servers("stop")
    assert "not running" in checkout.servers("status", code=3)


def test_a_backup_restores_every_row_under_row_security(checkout):
    checkout.servers("start")
    with checkout.connect() as there:
        there.execute("CREATE TABLE hidden AS SELECT 42 AS answer")
        there.execute("ALTER TABLE hidden ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        assert there.execute("SELECT * FROM hidden").fetchall() == []
    checkout.servers("backup", "one.dump")
    with checkout.connect() as there:
        there.execute("DROP TABLE hidden")

    checkout.servers("restore", "one.dump")

    with checkout.connect() as there:
        assert there.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'hidden'").fetchone() == ("durum",)
        there.execute("ALTER TABLE hidden NO FORCE ROW LEVEL SECURITY")
        assert there.execute("SELECT answer FROM hidden").fetchall() == [(42,)]


def test_a_database_left_half_made_is_made_anew(checkout):
    checkout.servers("start")
    checkout.servers("stop")
    base = checkout.path / "var"
    base = (base / "elsewhere").resolve() if (base / "elsewhere").is_symlink() else base
    (base / "postgres").rename(base / "postgres.new")

    checkout.servers("start")

    with checkout.connect() as there:
        assert there.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)
