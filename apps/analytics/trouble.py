"""What is broken and needs a person: connections that expire or are gone, and readings that failed."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.connectors.models import Channel, SyncRun
from apps.core import clock
from apps.core.formats import ago

WARN_DAYS = 14
SOON_DAYS = 7
NOW_DAYS = 1
FORGET_IMPORTS_AFTER = timedelta(days=7)


@dataclass(frozen=True)
class Trouble:
    """One thing that does not work, with where to mend it. `tone` is red, orange or yellow."""

    client: Any
    title: str
    text: str
    url: str
    tone: str
    since: Any = None
    detail: str = ""


def troubles(clients):
    """Everything broken for these clients, the worst first: two queries."""
    known = {client.pk: client for client in clients}
    found = [*_channels(known), *_runs(known)]
    order = ("red", "orange", "yellow")
    return sorted(found, key=lambda one: order.index(one.tone))


def _channels(known):
    limit = clock.now() + timedelta(days=WARN_DAYS)
    rows = Channel.objects.filter(client_id__in=known).exclude(state=Channel.State.DISABLED)
    gone = rows.filter(state=Channel.State.NEEDS_RECONNECT)
    expiring = rows.filter(state=Channel.State.CONNECTED, expires_at__lt=limit)
    for channel in (gone | expiring).order_by(F("expires_at").asc(nulls_first=True), "pk"):
        client = known[channel.client_id]
        url = _accounts_url(client)
        if channel.state == Channel.State.NEEDS_RECONNECT:
            text = _("The connection is gone: nothing is read or written until it is connected again.")
            yield Trouble(client, str(channel), text, url, "red", detail=channel.last_error)
            continue
        left = channel.expires_at - clock.now()
        text = _("Its access expires %(when)s. Connect it again before that.") % {"when": ago(channel.expires_at)}
        tone = "red" if left < timedelta(days=NOW_DAYS) else "orange" if left < timedelta(days=SOON_DAYS) else "yellow"
        if left.total_seconds() < 0:
            text = _("Its access expired %(when)s. Connect it again.") % {"when": ago(channel.expires_at)}
        yield Trouble(client, str(channel), text, url, tone)


def _runs(known):
    """The latest run of each account that failed, and files that failed lately."""
    since = clock.now() - FORGET_IMPORTS_AFTER
    latest = (
        SyncRun.objects.filter(client_id__in=known, channel__isnull=False)
        .exclude(state__in=[SyncRun.State.WAITING, SyncRun.State.RUNNING, SyncRun.State.CANCELLED])
        .order_by("channel_id", "kind", "-created_at", "-pk")
        .distinct("channel_id", "kind")
        .values("pk")
    )
    runs = SyncRun.objects.filter(pk__in=latest, state=SyncRun.State.FAILED)
    files = SyncRun.objects.filter(
        client_id__in=known, channel__isnull=True, state=SyncRun.State.FAILED, created_at__gte=since
    )
    for run in (runs | files).select_related("channel", "raw_file").order_by("-created_at", "-pk"):
        client = known[run.client_id]
        yield Trouble(
            client=client,
            title=f"{run.get_kind_display()} · {run.channel or run.raw_file}",
            text=run.error or _("It failed."),
            url=_run_url(client, run),
            tone="red" if run.channel_id else "orange",
            since=run.finished_at or run.created_at,
            detail=run.error_detail,
        )


def _accounts_url(client):
    return reverse("connectors:channels", args=[client.key])


def _run_url(client, run):
    if run.channel_id is None:
        return reverse("ads:import_detail", args=[client.key, run.pk])
    return _accounts_url(client)
