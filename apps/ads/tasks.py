"""Thin: an id in, one service called. The sweep makes every lost message harmless."""

from functools import partial

from celery import shared_task
from django.db import transaction

from apps.ads.services import fetching, import_runs, importing
from apps.connectors import registry
from apps.connectors.models import SyncRun
from apps.core import clock
from apps.core.tenancy import use_all_clients, use_client

SWEEP_SIZE = 200


def nudge(run):
    """Start a queued run as soon as it is committed; without a broker the sweep finds it a minute later."""
    transaction.on_commit(partial(fetch.apply_async, (run.client_id, run.pk), retry=False), robust=True)


@shared_task
def fetch(client_id, pk):
    """Carry one fetch on, and come back for it while it has more to do right now."""
    with use_client(client_id):
        run = SyncRun.objects.select_related("channel").get(pk=pk)
        run = fetching.work(pk, registry.ads(run.channel))
        if run is not None and run.is_moving and run.not_before <= clock.now():
            fetch.delay(client_id, pk)


@shared_task
def sweep_fetches():
    """Enqueue every fetch that is due, whatever became of its message or its worker."""
    with use_all_clients("due fetches of every client"):
        due = SyncRun.objects.due(clock.now()).filter(kind=SyncRun.Kind.FETCH_ADS)
        due = list(due.values_list("client_id", "pk")[:SWEEP_SIZE])
    for client_id, pk in due:
        fetch.delay(client_id, pk)


@shared_task
def fetch_recent():
    """Hourly: the last days of every connected account."""
    _request_all(full=False)


@shared_task
def fetch_everything():
    """Daily: every day that may still change, archived and deleted objects included."""
    _request_all(full=True)


def _request_all(*, full):
    with use_all_clients("ad accounts of every client"):
        for run in fetching.request_all(full=full):
            nudge(run)


def nudge_import(run):
    """Start a confirmed import as soon as it is committed; without a broker the sweep finds it a minute later."""
    transaction.on_commit(partial(import_file.apply_async, (run.client_id, run.pk), retry=False), robust=True)


@shared_task
def import_file(client_id, pk):
    """Import one confirmed file."""
    with use_client(client_id):
        import_runs.run_import(run_id=pk)


@shared_task
def sweep_imports():
    """Enqueue every import that is due, whatever became of its message or its worker."""
    with use_all_clients("due imports of every client"):
        due = SyncRun.objects.due(clock.now()).filter(kind=importing.KIND)
        due = list(due.values_list("client_id", "pk")[:SWEEP_SIZE])
    for client_id, pk in due:
        import_file.delay(client_id, pk)
