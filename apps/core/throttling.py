"""How often one caller may ask. Counted in Redis by the minute, so that all web processes count together."""

import logging
import time

from django.conf import settings
from django.core.cache import cache
from redis import RedisError
from rest_framework.throttling import BaseThrottle

logger = logging.getLogger(__name__)

MINUTE = 60


class PerCaller(BaseThrottle):
    """`API_RATE_PER_MINUTE` requests a minute for each token, or for each person who is signed in.

    Redis is a hint: while it is away nobody is turned down.
    """

    def allow_request(self, request, view):
        minute = int(time.time() // MINUTE)
        name = f"api-rate:{self._caller(request)}:{minute}"
        try:
            cache.add(name, 0, timeout=2 * MINUTE)
            count = cache.incr(name)
        except (RedisError, ValueError) as exc:
            logger.warning("requests are not counted: %s", exc)
            return True
        return count <= settings.API_RATE_PER_MINUTE

    def wait(self):
        """Seconds until the next minute begins."""
        return MINUTE - int(time.time()) % MINUTE

    def _caller(self, request):
        token = getattr(request.auth, "token_key", None)
        return f"token:{token}" if token else f"user:{request.user.pk or self.get_ident(request)}"
