"""Servers that go away, an outside that misbehaves, and the loop that torments a crew until its work is over."""

import contextlib
import signal
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, connections

from apps.core import clock
from durum import embedded, processes
from durum.embedded import postgres
from tests.outside import start_sandbox

FAULTS = [
    {"kind": "error", "status": 500, "when": "before", "method": "POST", "probability": 0.06},
    {"kind": "error", "status": 500, "when": "after", "method": "POST", "probability": 0.08},
    {"kind": "hang", "seconds": 1, "when": "before", "method": "POST", "probability": 0.03},
    {"kind": "hang", "seconds": 1, "when": "after", "method": "POST", "probability": 0.05},
    {"kind": "drop", "when": "after", "method": "POST", "probability": 0.04},
    {"kind": "error", "status": 500, "when": "before", "method": "GET", "probability": 0.02},
    {"kind": "throttle", "code": 17, "method": "GET", "probability": 0.002},
]
# What would wait for minutes waits for this long: the harness lives faster than its rows.
LONGEST_WAIT = 2
# All kills at random happen until this share of the work is closed; the rest is left to end.
KILLING_SHARE = 0.85
TURN, PATIENCE, REPORT = 0.15, 3.0, 10.0


@contextlib.contextmanager
def fresh_database():
    """An empty, migrated database of the harness's own."""
    name = settings.DATABASES["default"]["NAME"]
    connections.close_all()
    connection.close_pool()
    with _server() as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
    call_command("migrate", verbosity=0, interactive=False)
    try:
        yield
    finally:
        connections.close_all()
        connection.close_pool()
        with _server() as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _server():
    given = connection.get_connection_params()
    where = {key: value for key, value in given.items() if key in ("host", "port", "user", "password")}
    return psycopg.connect(dbname="postgres", autocommit=True, **where)


@contextlib.contextmanager
def outside():
    """A sandbox of the harness's own; the settings of this process and of its crews point at it."""
    with tempfile.TemporaryDirectory() as directory:
        sandbox, process = start_sandbox(Path(directory))
        settings.META_GRAPH_URL, settings.SLACK_API_URL = sandbox.graph_url, sandbox.slack_url
        try:
            yield sandbox
        finally:
            sandbox.close()
            process.kill()
            process.wait()


def torment(crew, *, progress, step, kills, limit, accidents=()):
    """Kill, flush and restart until the work is over or `limit` seconds have passed; returns the seconds it took.

    `progress()` is (closed, all); `step()` is the sweep that a scheduler would run. Kills keep pace with the
    progress, so that they are spread over the work however fast the machine is. `accidents` are pairs of the
    share of progress at which something happens, and what.
    """
    started = last_kill = last_report = time.monotonic()
    accidents = sorted(accidents, key=lambda pair: pair[0])
    closed, total = 0, 1
    while time.monotonic() - started < limit:
        now = time.monotonic()
        with _away_for_a_moment():
            closed, total = progress()
        if now - last_report > REPORT or closed == total:
            _report(crew, closed, total, now - started)
            last_report = now
        if closed == total:
            break
        crew.look_after()
        due = kills * min(1, closed / total / KILLING_SHARE)
        if crew.kills < kills and (crew.kills < due or now - last_kill > PATIENCE):
            crew.kill_one()
            last_kill = now
        if crew.kills >= kills:
            crew.calm()
        if accidents and closed >= accidents[0][0] * total:
            _share, accident = accidents.pop(0)
            _say(f"  {accident.__doc__}")
            accident()
        with _away_for_a_moment():
            step()
        time.sleep(TURN)
    else:
        _say(f"  stopped after {limit} s; the workers' last words:\n{crew.words()}")
    return time.monotonic() - started


def _report(crew, closed, total, seconds):
    at_points = sum(crew.suicides().values())
    _say(f"  {seconds:4.0f} s  {closed} of {total} closed, killed {crew.kills} at random and {at_points} at a point")


def _say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextlib.contextmanager
def _away_for_a_moment():
    """The servers come and go: what this turn misses the next one finds."""
    try:
        yield
    except (DatabaseError, psycopg.Error, redis.RedisError, OSError) as exc:
        _say(f"  ({type(exc).__name__}: asked again in a moment)")
        connections.close_all()


def hurry(work):
    """Let no row of the queryset, and no circuit breaker, wait longer than `LONGEST_WAIT` seconds from now."""
    soon = clock.now() + timedelta(seconds=LONGEST_WAIT)
    work.filter(not_before__gt=soon).update(not_before=soon)
    with redis.Redis.from_url(settings.REDIS_URL) as store:
        for key in store.scan_iter("breaker:open:*"):
            if store.ttl(key) > LONGEST_WAIT:
                store.expire(key, LONGEST_WAIT)


def flush_redis():
    """Redis is flushed: every message and every breaker is gone."""
    with redis.Redis.from_url(settings.REDIS_URL) as store:
        store.flushdb()


def restart_postgres():
    """PostgreSQL is restarted: every connection breaks in the middle of what it did."""
    _end_postgres(signal.SIGINT)


def crash_postgres():
    """PostgreSQL crashes: it recovers from its log."""
    _end_postgres(signal.SIGQUIT)


def _end_postgres(first):
    if "postgres" not in embedded.needed():  # a server of somebody else: only its connections are ours to break
        with _server() as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [settings.DATABASES["default"]["NAME"]],
            )
        return
    with embedded.alone():
        found = postgres.postmaster(embedded.places())
        processes.end([found] if found else [], seconds=30, first=first)
        embedded.start({"postgres"})
    connections.close_all()


SERVERS_COME_AND_GO = (
    (0.15, flush_redis),
    (0.3, restart_postgres),
    (0.5, flush_redis),
    (0.6, crash_postgres),
    (0.75, flush_redis),
    # After the last kill: those who are left must find back to the servers by themselves.
    (0.9, restart_postgres),
    (0.95, flush_redis),
)
