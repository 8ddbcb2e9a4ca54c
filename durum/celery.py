"""Celery: ids travel in messages, everything else waits in PostgreSQL rows."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "durum.settings.local")

# Each may get workers of its own; `--queues` of all of them is the smallest installation.
QUEUES = ("default", "fetch", "publish", "inbox", "etl", "analytics")

app = Celery("durum")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
