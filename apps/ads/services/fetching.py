"""Reading an ad account into the store: a run that can be stopped at any page and goes on from there.

The run's `cursor` is written in the transaction of the rows it stands for. Between two pages nothing is held but
the lease. What has to be waited for (a pause Meta asked for, a report it is preparing) goes on the row as
`not_before`; no worker sleeps. The steps of a run are in `steps`, this module moves it through its states.
"""

import time
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from apps.ads.services import steps
from apps.clients.access import require, require_active
from apps.connectors.models import Channel, SyncRun
from apps.core import clock, leases
from apps.core.actors import SYSTEM
from apps.core.audit import record
from apps.core.errors import ConnectorError, Invalid, NeedsReconnect, Unavailable

# Longer than the slowest call with its repeats, so that a living worker never loses its run.
LEASE_SECONDS = 300
# After this long the worker lets go and the run queues again: a huge first fetch must not starve the others.
SLICE_SECONDS = 900
MAX_TRIES = 8
RECENT_DAYS = 3
LONGEST_WAIT = timedelta(minutes=15)


@transaction.atomic
def request_fetch(*, channel_id, actor, since=None, days=None, full=True):
    """Queue a reading of the account, or return the one that is already moving.

    `since` (a day) or `days` widen or narrow what is read again; without them it is what may still have changed,
    on the first time the last sixty days. `full` also reads archived and deleted objects. A door nudges it with
    `tasks.nudge(run)`; a sweep finds it within a minute anyway.
    """
    channel = Channel.objects.select_for_update(of=("self",)).select_related("client").get(pk=channel_id)
    require(actor, "fetch", channel.client)
    if channel.platform != Channel.Platform.META_ADS:
        raise Invalid(_("%(name)s is not an ad account.") % {"name": channel.name})
    require_active(channel.client)
    if channel.state == Channel.State.DISABLED:
        raise Invalid(_("%(name)s is switched off. Switch it on in the settings first.") % {"name": channel.name})
    moving = SyncRun.objects.moving().filter(channel=channel, kind=SyncRun.Kind.FETCH_ADS).first()
    if moving is not None:
        return moving
    run = SyncRun.objects.create(
        client_id=channel.client_id,
        kind=SyncRun.Kind.FETCH_ADS,
        channel=channel,
        created_by=actor.user,
        options={"since": since.isoformat() if since else None, "days": days, "full": full},
    )
    if actor.user is not None:
        record(actor, "ads.fetch.requested", run, since=since, days=days)
    return run


def request_all(*, full):
    """Queue a reading of every connected account of an active client; the runs, new or already moving.

    A short reading (`full` False) covers the last days and leaves archived objects out; an account that was never
    read gets the whole of it.
    """
    channels = Channel.objects.filter(
        platform=Channel.Platform.META_ADS, state=Channel.State.CONNECTED, client__is_active=True
    )
    runs = []
    for channel in channels.order_by("pk"):
        ever = SyncRun.objects.filter(channel=channel, kind=SyncRun.Kind.FETCH_ADS, state=SyncRun.State.DONE).exists()
        short = ever and not full
        runs.append(
            request_fetch(channel_id=channel.pk, actor=SYSTEM, days=RECENT_DAYS if short else None, full=not short)
        )
    return runs


@transaction.atomic
def cancel_fetch(*, run_id, actor):
    """Stop a run. What was stored stays; its worker notices at its next page."""
    run = SyncRun.objects.select_for_update(of=("self",)).select_related("client").get(pk=run_id)
    require(actor, "fetch", run.client)
    if not run.is_moving:
        raise Invalid(_("This run has ended already."))
    run.state, run.finished_at = SyncRun.State.CANCELLED, clock.now()
    run.claimed_by, run.lease_until = "", None
    run.save(update_fields=["state", "finished_at", "claimed_by", "lease_until"])
    record(actor, "ads.fetch.cancelled", run)
    return run


def work(run_id, connector, *, on_step=None):
    """Carry a run on until it ends, has to wait or its time slice is over. Returns it, or None if it is not free.

    Safe to call at any time and from anywhere: whoever claims the run works, the others find it taken.
    `on_step(run)` is called after each step, for whoever watches.
    """
    waiting = SyncRun.objects.moving().filter(pk=run_id, kind=SyncRun.Kind.FETCH_ADS, client__is_active=True)
    run = leases.claim(waiting.select_related("channel", "client"), seconds=LEASE_SECONDS)
    if run is None:
        return None
    try:
        _take_up(run)
        slice_ends = time.monotonic() + SLICE_SECONDS
        place = steps.Place(run, LEASE_SECONDS)
        while steps.advance(place, connector):
            if on_step is not None:
                on_step(run)
            if time.monotonic() > slice_ends:
                leases.release(run, state=SyncRun.State.WAITING, not_before=clock.now())
                return run
        _finish(run, connector)
    except leases.Lost:
        # Cancelled, or another worker has it: what this one had not committed is gone with its transaction.
        return None
    except steps.NotYet as wait:
        leases.release(run, state=SyncRun.State.WAITING, not_before=clock.now() + wait.delay, cursor=wait.cursor)
    except Unavailable as exc:
        _wait(run, exc)
    except ConnectorError as exc:
        _fail(run, exc)
    return run


def _take_up(run):
    """Count the try before anything can go wrong in it: a run that kills its workers must end too."""
    tries = run.cursor.get("tries", 0) + 1
    if tries > MAX_TRIES:
        raise ConnectorError(
            run.error or _("The run stopped %(count)s times without getting on.") % {"count": MAX_TRIES},
            detail=run.error_detail,
        )
    leases.update_held(
        run,
        state=SyncRun.State.RUNNING,
        started_at=run.started_at or clock.now(),
        cursor=run.cursor | {"tries": tries},
    )


def _wait(run, exc):
    """Nothing happened: try again after the pause that was asked for, or after a growing one of our own."""
    tries = run.cursor.get("tries", 1)
    if tries >= MAX_TRIES:
        _fail(run, exc)
        return
    pause = timedelta(seconds=exc.retry_after) if exc.retry_after else timedelta(seconds=15 * 2**tries)
    leases.release(
        run,
        state=SyncRun.State.WAITING,
        not_before=clock.now() + (pause if exc.retry_after else min(pause, LONGEST_WAIT)),
        error=str(exc.message),
        error_detail=exc.detail,
    )


@transaction.atomic
def _fail(run, exc):
    """Asking again is no use. A dead connection is marked, so that nobody goes on knocking."""
    leases.release(
        run,
        state=SyncRun.State.FAILED,
        finished_at=clock.now(),
        error=str(exc.message),
        error_detail=exc.detail,
    )
    changes = {"last_error": str(exc.message)}
    if isinstance(exc, NeedsReconnect):
        changes["state"] = Channel.State.NEEDS_RECONNECT
    Channel.objects.filter(pk=run.channel_id).exclude(state=Channel.State.DISABLED).update(**changes)


@transaction.atomic
def _finish(run, connector):
    counts = run.counts
    if connector.version_warning:
        counts = counts | {"version_warning": connector.version_warning}
    leases.release(
        run,
        state=SyncRun.State.DONE,
        stage="",
        done=run.total or run.done,
        counts=counts,
        finished_at=clock.now(),
        error="",
        error_detail="",
    )
    Channel.objects.filter(pk=run.channel_id).exclude(state=Channel.State.DISABLED).update(
        state=Channel.State.CONNECTED, last_ok_at=clock.now(), last_error=""
    )
