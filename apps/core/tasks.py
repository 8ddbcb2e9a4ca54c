"""Thin: what the house itself sweeps."""

from celery import shared_task

from . import idempotency


@shared_task
def sweep_idempotency_keys():
    """Forget the answers given to API keys more than a day ago."""
    idempotency.sweep()
