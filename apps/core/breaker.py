"""One circuit breaker per platform and account, shared by all workers through Redis.

Redis is a hint: when it is away, calls go through. A breaker opens after several failures in a row, or at
once when the platform says how long to stay away; when its time is over exactly one caller may try.
"""

import logging

from django.conf import settings
from django.utils.functional import SimpleLazyObject
from redis import Redis, RedisError

logger = logging.getLogger(__name__)

FAILURES_TO_OPEN = 5
OPEN_SECONDS = 60
PROBE_SECONDS = 30
COUNT_SECONDS = 300

store = SimpleLazyObject(
    lambda: Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2, decode_responses=True)
)


class Breaker:
    """The breaker of one `name` (platform, or platform and account)."""

    def __init__(self, name):
        self.name = name
        self._open, self._count, self._probe = (f"breaker:{part}:{name}" for part in ("open", "count", "probe"))

    def seconds_closed_for(self):
        """0 when a call may go out; else how many seconds to wait.

        After the pause, one caller is let through to probe while the others keep waiting.
        """
        try:
            left = store.ttl(self._open)
            if left and left > 0:
                return left
            if store.get(self._count) is None or int(store.get(self._count) or 0) < FAILURES_TO_OPEN:
                return 0
            return 0 if store.set(self._probe, 1, nx=True, ex=PROBE_SECONDS) else PROBE_SECONDS
        except RedisError as exc:
            logger.warning("breaker %s cannot be read: %s", self.name, type(exc).__name__)
            return 0

    def failed(self):
        """Count a failure; open when there were too many in a row."""
        try:
            failures = store.incr(self._count)
            store.expire(self._count, COUNT_SECONDS)
            if failures >= FAILURES_TO_OPEN:
                store.set(self._open, "failures", ex=OPEN_SECONDS)
            store.delete(self._probe)
        except RedisError as exc:
            logger.warning("breaker %s cannot be written: %s", self.name, type(exc).__name__)

    def pause(self, seconds):
        """The platform asked to stay away for `seconds`."""
        try:
            store.set(self._open, "asked", ex=max(1, int(seconds)))
        except RedisError as exc:
            logger.warning("breaker %s cannot be written: %s", self.name, type(exc).__name__)

    def succeeded(self):
        """A call went through: forget the failures."""
        try:
            store.delete(self._count, self._probe)
        except RedisError as exc:
            logger.warning("breaker %s cannot be written: %s", self.name, type(exc).__name__)


def open_breakers():
    """`[(name, seconds left, why)]` of the breakers that are open now, for the status page."""
    try:
        names = sorted(store.scan_iter("breaker:open:*"))
        return [(key.removeprefix("breaker:open:"), store.ttl(key), store.get(key)) for key in names]
    except RedisError:
        return []
