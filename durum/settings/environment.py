"""Typed readers of the environment: a value that is missing or wrong stops the start with its name and the fix."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()


def read_env_file():
    """Load `.env` next to manage.py when there is one; the real environment wins over it."""
    path = BASE_DIR / ".env"
    if path.exists():
        env.read_env(str(path), overwrite=False)


def required(name, why):
    """The variable's text, or a start-up error that says what it is for."""
    value = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {why} See .env.example.")
    return value


def whole_number(name, default, *, at_least=0):
    """The variable as an integer of at least `at_least`."""
    raw = env.str(name, default=str(default))
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from None
    if value < at_least:
        raise ImproperlyConfigured(f"{name} must be at least {at_least}, not {value}.")
    return value


def base_url(name, default):
    """The variable as an http(s) address without a trailing slash."""
    value = env.str(name, default=default).rstrip("/")
    if not value.startswith(("http://", "https://")):
        raise ImproperlyConfigured(f"{name} must start with https:// (or http://), not {value!r}.")
    return value


def broker_url(redis_url):
    """The Redis address as Celery spells it: it has its own form for unix sockets."""
    if not redis_url.startswith("unix://"):
        return redis_url
    return redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)


def redis_database(redis_url, number):
    """The same Redis with another database number."""
    if redis_url.startswith("unix://"):
        return f"{redis_url.split('?', 1)[0]}?db={number}"
    scheme, rest = redis_url.split("://", 1)
    return f"{scheme}://{rest.split('/', 1)[0]}/{number}"
