"""What each app wants done by the clock, in a registry that the project turns into celery-beat rows."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Job:
    """`task` is the dotted name of a Celery task. Either `every` seconds or a `crontab` dict (UTC unless `zone`)."""

    name: str
    task: str
    every: int | None = None
    crontab: dict[str, str] = field(default_factory=dict)
    zone: str = "UTC"
    label: Any = ""


jobs = {}


def register(job):
    """Add a job; called from `AppConfig.ready()`."""
    jobs[job.name] = job
