"""Is Durum working? Derived from the work itself: the age of the oldest due row, not from a ping.

Apps register what they watch; `/healthz` and the status page read it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection
from django.utils.translation import gettext_lazy as _
from redis import RedisError

from .breaker import store

OK, LATE, DOWN = "ok", "late", "down"


@dataclass(frozen=True)
class Reading:
    """One line of the status page. `state` is ok, late or down; `text` says it in words."""

    key: str
    label: Any
    state: str
    text: str
    next_step: str = ""


_checks: dict[str, Callable[[], Reading]] = {}


def register(key, check):
    """Add a check; called from `AppConfig.ready()`. It runs with every client in scope."""
    _checks[key] = check


def servers():
    """The two checks without which nothing works; cheap enough to be asked every few seconds."""
    return [_database(), _redis()]


def readings():
    """Every check, the servers first. A check that breaks is itself a reading."""
    found = servers()
    if found[0].state != OK:
        return found
    for key, check in sorted(_checks.items()):
        try:
            found.append(check())
        except DatabaseError as exc:
            found.append(Reading(key, key, DOWN, type(exc).__name__))
    return found


def is_alive(found):
    """Whether requests can be served at all (late work is not a reason to restart the web server)."""
    return all(r.state != DOWN for r in found if r.key in ("database", "redis"))


def _database():
    label = _("Database")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return Reading("database", label, OK, "PostgreSQL")
    except DatabaseError as exc:
        return Reading("database", label, DOWN, type(exc).__name__, str(_("Start PostgreSQL or correct DATABASE_URL.")))


def _redis():
    label = _("Message broker")
    try:
        store.ping()
        return Reading("redis", label, OK, "Redis")
    except RedisError as exc:
        return Reading("redis", label, DOWN, type(exc).__name__, str(_("Start Redis or correct REDIS_URL.")))
