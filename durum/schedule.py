"""The jobs that apps registered, as rows of django-celery-beat: created once, edited in the admin afterwards."""

import json

from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from apps.core.scheduling import jobs


def ensure():
    """Create what is missing and point renamed tasks at their code; times people changed stay as they are.

    Safe to call at every start. Returns the names that were created.
    """
    created = []
    for job in jobs.values():
        row = PeriodicTask.objects.filter(name=job.name).first()
        if row is None:
            PeriodicTask.objects.create(name=job.name, task=job.task, kwargs=json.dumps({}), **_times(job))
            created.append(job.name)
        elif row.task != job.task:
            row.task = job.task
            row.save(update_fields=["task"])
    return created


def _times(job):
    if job.every:
        every, _created = IntervalSchedule.objects.get_or_create(every=job.every, period=IntervalSchedule.SECONDS)
        return {"interval": every}
    crontab, _created = CrontabSchedule.objects.get_or_create(
        **{"minute": "*", "hour": "*", **job.crontab}, timezone=job.zone
    )
    return {"crontab": crontab}
