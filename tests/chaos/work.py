"""What a crew does. Imported once, before the forks: nothing here may open a connection."""
# ruff: noqa: E402  (Django must be set up before the models behind these imports)

import django

django.setup()

import random
import time

import httpx
import redis
from celery.apps.worker import Worker  # noqa: F401  (imported here so that the fork need not)
from django.conf import settings

from apps.core.crashpoints import crash_point
from durum.celery import app

app.loader.import_default_modules()
app.finalize()


def celery_default():
    """One process, one task at a time: a kill hits the work and not a parent."""
    app.worker_main(
        [
            *("--quiet", "--skip-checks", "worker", "--pool", "solo", "--queues", "default", "--loglevel", "ERROR"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ]
    )


def naive():
    """The variant that the pattern exists to avoid: read, write 20 % more, mark done; what was not marked is
    tried again. Its queue and its marks are in Redis."""
    random.seed()
    store = redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)
    meta = httpx.Client(base_url=f"{settings.META_GRAPH_URL}/v26.0", params={"access_token": "test-token"}, timeout=5)
    while True:
        key = store.lmove("naive:waiting", "naive:waiting")
        if store.sismember("naive:done", key) or not store.set(f"naive:lock:{key}", 1, nx=True, ex=3):
            time.sleep(0.01)
            continue
        crash_point("execute.after_claim")
        try:
            budget = meta.get(f"/{key}", params={"fields": "daily_budget"}).raise_for_status().json()["daily_budget"]
            crash_point("execute.before_call")
            meta.post(f"/{key}", data={"daily_budget": int(budget) * 12 // 10}).raise_for_status()
            crash_point("execute.after_call")
        except (httpx.HTTPError, KeyError):
            continue
        crash_point("execute.before_mark")
        store.sadd("naive:done", key)
