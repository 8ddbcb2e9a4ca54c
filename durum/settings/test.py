"""The suite: real PostgreSQL and Redis, one database of each per pytest-xdist worker."""

import os

from .environment import broker_url, redis_database
from .local import *  # noqa: F403  (settings extend settings)
from .local import DATABASES, REDIS_URL

# Redis database 0 is `manage.py up`; 1 belongs to a plain pytest, 2 and up to gw0, gw1, ...
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
REDIS_URL = redis_database(REDIS_URL, 2 + int(WORKER.removeprefix("gw")) if WORKER else 1)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CELERY_BROKER_URL = broker_url(REDIS_URL)

# A test database need not survive a power cut.
DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"

# Tests quote the sentences of the source; the French catalogue has tests of its own, which say so.
LANGUAGE_CODE = "en"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
AXES_ENABLED = False
# Static files straight from their folders: nothing was collected.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
