"""The project: settings, URLs, the API's front, schedules and commands."""

from .celery import app as celery_app

__all__ = ["celery_app"]
