"""Thin: an id in, one service called. The sweeps make every lost message harmless."""

import logging
from collections import Counter

from celery import shared_task
from django.db import transaction
from django.db.models import Max
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
    pk = ExecutionLog.objects.filter(decision=decision).values_list("pk", flat=True).first()
    if pk is not None:
        _when_committed(carry_out, decision.client_id, pk)
    _nudge_copies(decision)


def nudge_execution(execution):
    """Start what a person told a stopped execution, as soon as it is committed."""
    _when_committed(carry_out, execution.client_id, execution.pk)
    _nudge_copies(execution)


def nudge_messages(messages):
    """Have these messages in Slack written now, each when its turn has come."""
    for message in messages:
        wait = (message.not_before - clock.now()).total_seconds()
        _when_committed(refresh_slack_message, message.client_id, message.pk, countdown=max(0, wait))


def _nudge_copies(row):
    nudge_messages(SlackMessage.objects.filter(client_id=row.client_id, suggestion_id=row.suggestion_id))


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
        ready = [client for client in Client.objects.active() if now.astimezone(client.zone).hour >= client.cycle_hour]
        newest = CycleRun.objects.filter(client__in=ready, state=CycleRun.State.DONE).order_by()
        done = dict(newest.values_list("client_id").annotate(Max("day")))
    for client in ready:
        if done.get(client.pk) != client.today():
            daily_cycle.delay(client.pk)


@shared_task
def daily_cycle(client_id):
    """Look at one client and propose, once a day."""
    with use_client(client_id):
        client = Client.objects.get(pk=client_id)
        try:
            cycle = generation.run_cycle(client=client, actor=SYSTEM, only_once=True)
        except Exception as exc:
            generation.note_failure(client=client, exc=exc)
            raise
        nudge_messages(cycle.slack_messages.filter(shown=0))


@shared_task
def close_overdue():
    """Expire what nobody decided, each client in a task of its own."""
    _for_each_client(close_overdue_of)


@shared_task
def close_overdue_of(client_id):
    """Expire what nobody decided for one client."""
    with use_client(client_id):
        deciding.expire_overdue(client=Client.objects.get(pk=client_id))


@shared_task
def evaluate():
    """Measure the hypotheses whose days are over, each client in a task of its own."""
    _for_each_client(evaluate_of)


@shared_task
def evaluate_of(client_id):
    """Measure one client's hypotheses whose days are over."""
    with use_client(client_id):
        hypotheses.evaluate_due(Client.objects.get(pk=client_id))


@shared_task
def archive():
    """Put away what is old, each client in a task of its own."""
    _for_each_client(archive_of)


@shared_task
def archive_of(client_id):
    """Put away what is old of one client."""
    with use_client(client_id):
        archiving.archive(client=Client.objects.get(pk=client_id))


def _for_each_client(task):
    """What goes wrong for one client must not keep the others waiting."""
    with use_all_clients(f"{task.name} for every client"):
        ids = list(Client.objects.order_by("pk").values_list("pk", flat=True))
    for pk in ids:
        task.delay(pk)
