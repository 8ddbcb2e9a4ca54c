"""Thin: an id in, one service called. The sweeps make every lost message harmless."""

import logging
from collections import Counter

from celery import shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.clients.models import Client
from apps.connectors import registry
from apps.connectors.services import seen
from apps.core import clock
from apps.core.actors import SYSTEM
from apps.core.tenancy import use_all_clients, use_client
from apps.suggestions.models import CycleRun, ExecutionLog, SlackMessage
from apps.suggestions.services import archiving, deciding, digest, execution, generation, hypotheses

logger = logging.getLogger(__name__)

SWEEP_SIZE = 500
# A message may change again while it is written; whoever keeps changing it waits for the sweep.
TURNS = 3


def nudge(decision):
    """Start what a decision set going as soon as it is committed; the sweeps would find it a minute later."""
    client_id = decision.client_id
    pk = ExecutionLog.objects.filter(decision=decision).values_list("pk", flat=True).first()
    if pk is not None:
        _when_committed(carry_out, client_id, pk)
    nudge_messages(SlackMessage.objects.filter(client_id=client_id, suggestion_id=decision.suggestion_id))


def nudge_messages(messages):
    """Have these messages in Slack written now, each when its turn has come."""
    for message in messages:
        wait = (message.not_before - clock.now()).total_seconds()
        _when_committed(refresh_slack_message, message.client_id, message.pk, countdown=max(0, wait))


def _when_committed(task, *args, countdown=None):
    """Only a hint: a broker that is away must not make a committed decision look like a failed one."""

    def send():
        try:
            task.apply_async(args, countdown=countdown, retry=False)
        except OperationalError as exc:
            logger.warning("%s waits for its sweep: the broker is away (%s)", task.name, exc)

    transaction.on_commit(send)


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
def refresh_slack_message(client_id, pk):
    """Make one message in Slack say what is true."""
    with use_client(client_id):
        for _turn in range(TURNS):
            if not digest.show(message_id=pk, slack_for=registry.slack):
                return


@shared_task
def sweep_slack_messages():
    """Enqueue every message that says something old, a second apart in each channel; drop old request marks."""
    seen.forget_old()
    with use_all_clients("messages of every client that say something old"):
        due = SlackMessage.objects.due(clock.now()).values_list("client_id", "pk", "channel_id")[:SWEEP_SIZE]
        places = Counter()
        for client_id, pk, channel_id in due:
            countdown = places[channel_id] * digest.PACE.total_seconds()
            places[channel_id] += 1
            refresh_slack_message.apply_async((client_id, pk), countdown=countdown)


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
        cycle = generation.run_cycle(client=Client.objects.get(pk=client_id), actor=SYSTEM)
        nudge_messages(cycle.slack_messages.filter(shown=0))


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
