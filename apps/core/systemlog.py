"""Keeps the errors that reached a border (request, task, command) where operators can read them."""

import inspect
import logging
import sys
import traceback

from django.db import DatabaseError

from .models import SystemLog
from .redaction import redact
from .tenancy import current_scope, use_all_clients

logger = logging.getLogger(__name__)


def record(exc, *, module, client_id=None):
    """Store `exc` under `module`. Never raises: a broken log must not hide the first error."""
    scope = current_scope()
    if client_id is None and len(scope.client_ids) == 1:
        client_id = scope.client_ids[0]
    try:
        with use_all_clients("an error may belong to no client"):
            return SystemLog.objects.create(
                client_id=client_id,
                module=module[:120],
                exception_type=type(exc).__name__[:120],
                message=_storable(exc)[:4000],
                trace=_storable("".join(traceback.format_exception(exc)))[-20_000:],
            )
    except DatabaseError:
        logger.exception("the error log could not be written")
        return None


def _storable(text):
    # PostgreSQL takes no NUL, and an error about one would bring it along.
    return redact(text).replace("\x00", "�")


def from_task(sender=None, exception=None, args=(), **kwargs):
    """Signal receiver: a Celery task raised something nobody expected. Our tasks take the client's id first."""
    first = next(iter(inspect.signature(sender.run).parameters), "")
    client_id = args[0] if first == "client_id" and args else None
    record(exception, module=sender.name, client_id=client_id)


def from_request(sender, request=None, **kwargs):
    """Signal receiver: a view raised something nobody expected."""
    exc = sys.exc_info()[1]
    if exc is not None:
        match = getattr(request, "resolver_match", None)
        record(exc, module=match.view_name or match._func_path if match else "request")
