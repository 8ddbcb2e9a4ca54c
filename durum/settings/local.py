"""One machine: embedded servers under var/, the sandbox in place of Meta and Slack."""

import os

from apps.core.crypto import key_from
from durum import embedded
from durum.settings.environment import read_env_file

# A command typed in a second terminal finds the same servers as `manage.py up`: the addresses follow
# from the checkout. Real servers named in the environment or in `.env` win.
read_env_file()
for name, value in embedded.addresses().items():
    os.environ[name] = os.environ.get(name) or value

from .base import *  # noqa: E402, F403  (settings extend settings; the addresses above must come first)
from .base import FIELD_KEYS, SLACK_SIGNING_SECRET, env  # noqa: E402

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or embedded.local_secret("secret-key")
FIELD_KEYS = FIELD_KEYS or [key_from(embedded.local_secret("field-key"))]
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", "testserver"]
SLACK_SIGNING_SECRET = SLACK_SIGNING_SECRET or embedded.local_secret("slack-signing-secret")
SANDBOX_KEY = os.environ["SANDBOX_KEY"]
HTTP_LOOPBACK_ALLOWED = True
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
