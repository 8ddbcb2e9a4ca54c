"""What waits for people: a registry that the home page, the admin index and the menu read.

A queue answers for the clients a person sees, in one query each:

    queues.register(Queue("suggestions", _("Suggestions to decide"), waiting_of, url_of))
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min


@dataclass(frozen=True)
class Queue:
    """Where one kind of waiting work is found.

    `rows(user, client)` gives the waiting rows (a queryset; `client` None means all of the person's),
    `url(client)` the filtered list behind the count, `admin_url` the name of its changelist, `since` the
    column that says since when.
    """

    key: str
    label: Any
    rows: Callable
    url: Callable
    admin_url: str = ""
    since: str = "created_at"
    order: int = 100


@dataclass(frozen=True)
class Waiting:
    """One queue as it stands for a person."""

    key: str
    label: Any
    count: int
    oldest: datetime | None
    url: str
    admin_url: str


_queues = {}


def register(queue):
    """Add a queue; called from `AppConfig.ready()`."""
    _queues[queue.key] = queue


def all_for(user, client=None):
    """Every non-empty queue for this person, with its count, oldest row and links."""
    found = []
    for queue in sorted(_queues.values(), key=lambda q: (q.order, q.key)):
        numbers = queue.rows(user, client).order_by().aggregate(n=Count("pk"), oldest=Min(queue.since))
        if numbers["n"]:
            found.append(
                Waiting(queue.key, queue.label, numbers["n"], numbers["oldest"], queue.url(client), queue.admin_url)
            )
    return found


def by_client(user, clients):
    """`{client id: [Waiting]}` of every non-empty queue for these clients (rows), in one query a queue."""
    found = {client.pk: [] for client in clients}
    rows_of = {client.pk: client for client in clients}
    for queue in sorted(_queues.values(), key=lambda q: (q.order, q.key)):
        grouped = queue.rows(user, None).order_by().values_list("client_id")
        for pk, count, oldest in grouped.annotate(Count("pk"), Min(queue.since)):
            if pk in found:
                url = queue.url(rows_of[pk])
                found[pk].append(Waiting(queue.key, queue.label, count, oldest, url, queue.admin_url))
    return found
