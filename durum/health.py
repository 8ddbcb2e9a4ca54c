"""Whether this process can work: what load balancers and `manage.py up` ask."""

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@never_cache
@require_safe
def healthz(request):
    """200 when PostgreSQL and Redis answer, 503 with the name of the one that does not."""
    answers = {"postgresql": _postgresql(), "redis": _redis()}
    return JsonResponse(answers, status=200 if all(answers.values()) else 503)


def _postgresql():
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def _redis():
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
        try:
            return client.ping()
        except redis.RedisError:
            return False
