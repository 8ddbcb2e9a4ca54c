"""The servers a checkout brings along, and the promises `make run` rests on."""

import os
import socket

import psycopg
import pytest
from django.db import connection

from durum import embedded
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
