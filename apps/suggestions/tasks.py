"""Thin: an id in, one service called. The sweeps make every lost message harmless."""

from celery import shared_task

from apps.clients.models import Client
from apps.connectors import registry
from apps.core import clock
from apps.core.actors import SYSTEM
from apps.core.tenancy import use_all_clients, use_client
from apps.suggestions.models import CycleRun, ExecutionLog
from apps.suggestions.services import archiving, deciding, execution, generation, hypotheses

SWEEP_SIZE = 500


def nudge(decision):
    """Start what a decision set going as soon as it is committed; the sweep would find it a minute later."""
    pk = ExecutionLog.objects.filter(decision=decision).values_list("pk", flat=True).first()
    if pk is not None:
        carry_out.delay_on_commit(decision.client_id, pk)


@shared_task
def carry_out(client_id, pk):
    """Carry out one approved change."""
    with use_client(client_id):
        execution.carry_out(execution_id=pk, connector_for=registry.ads)


@shared_task
def sweep_executions():
    """Enqueue every change that is due, whatever became of its first message."""
    with use_all_clients("due executions of every client"):
        due = list(ExecutionLog.objects.due(clock.now()).values_list("client_id", "pk")[:SWEEP_SIZE])
    for client_id, pk in due:
        carry_out.delay(client_id, pk)


@shared_task
def sweep_cycles():
    """Enqueue the daily cycle of every client whose hour has come and whose day is not done."""
    now = clock.now()
    with use_all_clients("daily cycles of every client"):
        for client in Client.objects.active():
            local = now.astimezone(client.zone)
            done = CycleRun.objects.filter(client=client, day=local.date(), state=CycleRun.State.DONE).exists()
            if local.hour >= client.cycle_hour and not done:
                daily_cycle.delay(client.pk)


@shared_task
def daily_cycle(client_id):
    """Look at one client and propose."""
    with use_client(client_id):
        generation.run_cycle(client=Client.objects.get(pk=client_id), actor=SYSTEM)


@shared_task
def close_overdue():
    """Expire what nobody decided, client by client."""
    for client in _clients("overdue suggestions of every client"):
        with use_client(client):
            deciding.expire_overdue(client=client)


@shared_task
def evaluate():
    """Measure the hypotheses whose days are over, client by client."""
    for client in _clients("due hypotheses of every client"):
        with use_client(client):
            hypotheses.evaluate_due(client)


@shared_task
def archive():
    """Put away what is old, client by client."""
    for client in _clients("nightly archive of every client"):
        with use_client(client):
            archiving.archive(client=client)


def _clients(why):
    with use_all_clients(why):
        return list(Client.objects.order_by("pk"))
