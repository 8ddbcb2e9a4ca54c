"""Celery: ids travel in messages, everything else waits in PostgreSQL rows."""

import os

from celery import Celery
from celery.signals import task_failure

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "durum.settings.local")

# Each may get workers of its own; `--queues` of all of them is the smallest installation.
QUEUES = ("default", "fetch", "publish", "inbox", "etl", "analytics")

app = Celery("durum")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@task_failure.connect(dispatch_uid="durum-systemlog")
def note_failure(**failure):
    """Errors of tasks stand where operators read them, not only in the log of a worker."""
    from apps.core import systemlog  # noqa: PLC0415  (Celery is set up before Django's models are)

    systemlog.from_task(**failure)
