"""Keeps the errors that reached a border (request, task, command) where operators can read them."""

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
                message=redact(exc)[:4000],
                trace=redact("".join(traceback.format_exception(exc)))[-20_000:],
            )
    except DatabaseError:
        logger.exception("the error log could not be written")
        return None


def from_request(sender, request=None, **kwargs):
    """Signal receiver: a view raised something nobody expected."""
    exc = sys.exc_info()[1]
    if exc is not None:
        match = getattr(request, "resolver_match", None)
        record(exc, module=match.view_name or match._func_path if match else "request")
