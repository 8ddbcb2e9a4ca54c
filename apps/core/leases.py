"""Claiming work rows: whoever holds the lease works, everyone else finds the row taken.

A lease is fenced by its owner and attempt: a worker that was away too long and lost its lease cannot
write the outcome any more (`Lost`). All waiting lives on the row (`not_before`), none in the broker.
"""

import os
import socket
import uuid
from datetime import timedelta

from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from . import clock


class Lost(Exception):
    """The lease ran out and the row belongs to somebody else now."""


class WorkRow(models.Model):
    """The columns of a row that a worker claims."""

    claimed_by = models.CharField(_("claimed by"), max_length=80, blank=True, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(_("attempts"), default=0, editable=False)
    not_before = models.DateTimeField(_("not before"), default=clock.now)

    class Meta:
        abstract = True


def owner():
    """A name for this very claim, unique across machines, processes and calls."""
    return f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"


def free(now):
    """Condition: due, and not in anybody's hands."""
    return Q(not_before__lte=now) & (Q(lease_until__isnull=True) | Q(lease_until__lte=now))


def claim(queryset, *, seconds=120):
    """Take the first free row of `queryset` for `seconds`, or None. Commits before it returns."""
    now = clock.now()
    with transaction.atomic():
        row = queryset.filter(free(now)).select_for_update(of=("self",), skip_locked=True).first()
        if row is None:
            return None
        row.claimed_by, row.lease_until = owner(), now + timedelta(seconds=seconds)
        row.attempts += 1
        row.save(update_fields=["claimed_by", "lease_until", "attempts"])
    return row


def renew(row, *, seconds=120):
    """Hold on to the lease, or raise `Lost`."""
    row.lease_until = clock.now() + timedelta(seconds=seconds)
    update_held(row, lease_until=row.lease_until)


def release(row, **changes):
    """Write `changes` and let the row go, if it is still ours; else raise `Lost`."""
    update_held(row, claimed_by="", lease_until=None, **changes)


def update_held(row, **changes):
    """Write `changes` on a row whose lease we hold, by compare-and-set on owner and attempt."""
    held = type(row).objects.filter(pk=row.pk, claimed_by=row.claimed_by, attempts=row.attempts)
    if not row.claimed_by or not held.update(**changes):
        raise Lost(f"{row._meta.label} {row.pk} is no longer held")
    for name, value in changes.items():
        if not isinstance(value, F):
            setattr(row, name, value)
