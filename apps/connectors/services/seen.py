"""Requests that were already let in: their replay is refused."""

import hashlib
from datetime import timedelta

from django.db import IntegrityError, transaction

from apps.connectors.models import SeenRequest
from apps.core import clock

# Slack sends an event again for some hours; a signature is stale after five minutes anyway.
KEPT = timedelta(days=2)


def first_time(provider, name):
    """The row of a request that was never seen, None for one that was. It is there before anything else happens."""
    try:
        with transaction.atomic():
            return SeenRequest.objects.create(provider=provider, digest=hashlib.sha256(name.encode()).hexdigest())
    except IntegrityError:
        return None


def forget(row):
    """The request came to nothing: let its sender try again."""
    row.delete()


def forget_old():
    """Drop what can no longer be replayed; returns how many."""
    return SeenRequest.objects.filter(received_at__lt=clock.now() - KEPT).delete()[0]
