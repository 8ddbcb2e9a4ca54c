"""The naive variant's worker: read, write 20 % more, mark done; what was not marked is tried again."""

import os
import time

import httpx
import redis

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.chaos.settings"

from django.conf import settings

from apps.core.crashpoints import crash_point


def main():
    store = redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)
    meta = httpx.Client(base_url=f"{settings.META_GRAPH_URL}/v26.0", params={"access_token": "test-token"}, timeout=5)
    while True:
        key = store.lmove("naive:waiting", "naive:waiting")
        if key is None:
            return
        if store.sismember("naive:done", key) or not store.set(f"naive:lock:{key}", 1, nx=True, ex=3):
            time.sleep(0.01)
            continue
        try:
            budget = int(
                meta.get(f"/{key}", params={"fields": "daily_budget"}).raise_for_status().json()["daily_budget"]
            )
            crash_point("execute.before_call")
            meta.post(f"/{key}", data={"daily_budget": budget * 12 // 10}).raise_for_status()
            crash_point("execute.after_call")
        except (httpx.HTTPError, KeyError):
            continue
        crash_point("execute.before_mark")
        store.sadd("naive:done", key)


main()
