"""Is Durum working? For staff: health, queues, breakers, jobs, errors and the calls that went out."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Avg, Count, Max, Q
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_celery_beat.models import PeriodicTask
from redis import RedisError

from apps.core import breaker, clock, health, scheduling
from apps.core.models import ApiCall, SystemLog
from apps.core.pages import wants_fragment
from apps.core.tenancy import use_all_clients

CALLS_SINCE = timedelta(hours=24)
ERRORS_SHOWN = 20
# A job that runs by the clock counts as late after three of its intervals.
PATIENCE = 3


@require_safe
@login_required
def status(request):
    """The page; htmx asks for its changing part every half minute."""
    if not request.user.is_staff:
        raise PermissionDenied(_("The status page is for staff."))
    with use_all_clients("the health of the installation is about all of them"):
        context = {
            "readings": health.readings(),
            "queues": _queues(),
            "breakers": breaker.open_breakers(),
            "jobs": _jobs(),
            "errors": list(SystemLog.objects.select_related("client")[:ERRORS_SHOWN]),
            "calls": _calls(),
            "now": clock.now(),
        }
    template = "analytics/_status.html" if wants_fragment(request) else "analytics/status.html"
    return render(request, template, context)


def _queues():
    """[(queue, messages waiting)]; None where Redis is away. Messages are hints: rows say what is due."""
    routes = settings.CELERY_TASK_ROUTES.values()
    names = sorted({settings.CELERY_TASK_DEFAULT_QUEUE, *(route["queue"] for route in routes)})
    try:
        return [(name, breaker.store.llen(name)) for name in names]
    except RedisError:
        return [(name, None) for name in names]


def _jobs():
    """Every registered job with its last run. Late when it did not run for three intervals."""
    rows = {row.name: row for row in PeriodicTask.objects.select_related("interval", "crontab")}
    found = []
    for job in sorted(scheduling.jobs.values(), key=lambda one: str(one.label or one.name)):
        row = rows.get(job.name)
        last = row.last_run_at if row else None
        every = job.every or 24 * 3600
        late = bool(row and row.enabled and last and (clock.now() - last).total_seconds() > PATIENCE * every)
        found.append({"job": job, "row": row, "last": last, "late": late, "every": job.every, "clock": _clock(row)})
    return found


def _clock(row):
    """When a job of the clock runs, in words for the two usual kinds: once a day, and once an hour."""
    crontab = row.crontab if row else None
    if crontab is None:
        return ""
    rest = {crontab.day_of_week, crontab.day_of_month, crontab.month_of_year}
    if rest == {"*"} and crontab.minute.isdigit() and crontab.hour.isdigit():
        named = {"time": f"{int(crontab.hour):02}:{int(crontab.minute):02}", "zone": crontab.timezone}
        return _("every day at %(time)s (%(zone)s)") % named
    if rest == {"*"} and crontab.minute.isdigit() and crontab.hour == "*":
        return _("every hour at minute %(minute)s") % {"minute": int(crontab.minute)}
    return str(crontab)


def _calls():
    """Outbound calls of the last day by platform: how many, how many failed, how long they took."""
    recent = ApiCall.objects.filter(created_at__gte=clock.now() - CALLS_SINCE).order_by()
    grouped = recent.values("platform").annotate(
        n=Count("pk"),
        failed=Count("pk", filter=~Q(error_kind="")),
        took=Avg("duration_ms"),
        usage=Max("usage_percent"),
        newest=Max("created_at"),
    )
    return [row | {"share": row["failed"] / row["n"]} for row in grouped.order_by("platform")]
