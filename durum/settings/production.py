"""A server on the internet: everything secret comes from the environment, TLS is assumed in front."""

from django.core.exceptions import ImproperlyConfigured

from .base import *  # noqa: F403  (a settings module is the one place for it)
from .base import ALLOWED_HOSTS, FIELD_KEYS, env
from .environment import required

SECRET_KEY = required("SECRET_KEY", "It signs sessions: 50 random characters.")
required("DATABASE_URL", "Durum keeps everything in PostgreSQL.")
required("REDIS_URL", "Celery and the circuit breakers meet in Redis.")
if not FIELD_KEYS:
    raise ImproperlyConfigured("FIELD_KEYS is not set. It encrypts the tokens of connected accounts. See .env.example.")
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is not set. It lists the host names this server answers to.")

SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# The web port is reached through the proxy only: without this, one attacker's guesses would lock out everybody.
AXES_CLIENT_IP_CALLABLE = "durum.proxies.client_ip"
ALLAUTH_TRUSTED_PROXY_COUNT = 1

SENTRY_DSN = env.str("SENTRY_DSN", default="")
if SENTRY_DSN:
    import sentry_sdk

    sentry_sdk.init(dsn=SENTRY_DSN, send_default_pii=False, traces_sample_rate=0.0, include_local_variables=False)
