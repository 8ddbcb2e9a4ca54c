"""Processes that are killed at named points and at random, servers that go away, an outside that misbehaves."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from durum import embedded
from durum.embedded import postgres
from tests.outside import ROOT, start_sandbox

FAULTS = [
    {"kind": "error", "status": 500, "when": "before", "method": "POST", "probability": 0.06},
    {"kind": "error", "status": 500, "when": "after", "method": "POST", "probability": 0.08},
    {"kind": "hang", "seconds": 1, "when": "before", "method": "POST", "probability": 0.03},
    {"kind": "hang", "seconds": 1, "when": "after", "method": "POST", "probability": 0.05},
    {"kind": "drop", "when": "after", "method": "POST", "probability": 0.04},
    {"kind": "error", "status": 500, "when": "before", "method": "GET", "probability": 0.02},
    {"kind": "throttle", "code": 17, "method": "GET", "probability": 0.002},
]


@contextlib.contextmanager
def fresh_database():
    """An empty, migrated database of the harness's own."""
    name = settings.DATABASES["default"]["NAME"]
    given = connection.get_connection_params()
    server = {key: value for key, value in given.items() if key in ("host", "port", "user", "password")}
    connections.close_all()
    connection.close_pool()
    with psycopg.connect(dbname="postgres", autocommit=True, **server) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
    call_command("migrate", verbosity=0, interactive=False)
    yield
    connections.close_all()


@contextlib.contextmanager
def outside():
    """A sandbox of the harness's own; the settings of this process and of its children point at it."""
    with tempfile.TemporaryDirectory() as directory:
        sandbox, process = start_sandbox(Path(directory))
        settings.META_GRAPH_URL = os.environ["META_GRAPH_URL"] = sandbox.graph_url
        settings.SLACK_API_URL = os.environ["SLACK_API_URL"] = sandbox.slack_url
        try:
            yield sandbox
        finally:
            sandbox.close()
            process.kill()
            process.wait()


class Crew:
    """Workers that are respawned as often as they die; counts how often they were killed."""

    def __init__(self, command, size, crash_at=""):
        self.command, self.kills, self.random = command, 0, random.Random(size)
        self.environment = os.environ | {"DURUM_CRASH_AT": crash_at, "PYTHONUNBUFFERED": "1"}
        self.log = tempfile.TemporaryFile()
        self.workers = [self._hire() for _ in range(size)]

    def _hire(self):
        return subprocess.Popen(
            self.command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )

    def look_after(self):
        """Replace the dead; a worker that shot itself at a crash point counts as killed."""
        for place, worker in enumerate(self.workers):
            if worker.poll() is not None:
                self.kills += worker.returncode == -signal.SIGKILL
                self.workers[place] = self._hire()

    def kill_one(self):
        """kill -9, wherever it is."""
        self.random.choice(self.workers).kill()

    def calm(self):
        """No more crash points for those hired from now on, so that the end is reached."""
        self.environment["DURUM_CRASH_AT"] = ""

    def dismiss(self):
        for worker in self.workers:
            worker.kill()
            worker.wait()

    def words(self):
        """The last lines the workers wrote, for a harness that does not end."""
        self.log.seek(max(0, self.log.tell() - 3000))
        return self.log.read().decode(errors="replace")


def celery_worker():
    """One process, one task at a time: a kill hits the work and not a parent."""
    return [
        *(sys.executable, "-m", "celery", "--app", "durum", "--quiet", "worker", "--pool", "solo"),
        *("--queues", "default", "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR"),
    ]


def torment(crew, *, is_over, step, kills, limit, every=0.9):
    """Kill, flush and restart until the work is over; returns the seconds it took.

    `step()` is the sweep that a scheduler would run. Redis is flushed twice and PostgreSQL restarted once on the way.
    """
    started, last_kill = time.monotonic(), 0.0
    accidents = {0.3: flush_redis, 0.5: restart_postgres, 0.7: flush_redis}
    while not ended(is_over):
        now = time.monotonic() - started
        if now > limit:
            print(crew.words())
            break
        crew.look_after()
        if crew.kills < kills and now - last_kill > every:
            crew.kill_one()
            last_kill = now
        for share in sorted(accidents):
            if crew.kills >= kills * share:
                accidents.pop(share)()
                break
        if crew.kills >= kills:
            crew.calm()
        with contextlib.suppress(Exception):  # the servers come and go: the next sweep finds what this one missed
            step()
        time.sleep(0.3)
    return time.monotonic() - started


def ended(is_over):
    """Whether the work is over; not while the database is away."""
    try:
        return is_over()
    except Exception as exc:
        print("  (the database is away:", type(exc).__name__, ")")
        connections.close_all()
        return False


def flush_redis():
    """Every message and every breaker is gone."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()


def restart_postgres():
    """Every connection breaks in the middle of what it did."""
    with embedded.alone():
        postgres.stop(embedded.places())
        embedded.start({"postgres"})
    connections.close_all()
