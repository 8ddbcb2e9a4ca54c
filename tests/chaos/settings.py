"""A database and a Redis of the harness's own, and short leases: killed work is taken up again in seconds."""

from durum.settings.environment import broker_url, redis_database
from durum.settings.local import *  # noqa: F403  (settings extend settings)
from durum.settings.local import DATABASES, REDIS_URL

DATABASES["default"]["NAME"] = "durum_chaos"
REDIS_URL = redis_database(REDIS_URL, 9)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CELERY_BROKER_URL = broker_url(REDIS_URL)
EXECUTION_LEASE_SECONDS = 15
