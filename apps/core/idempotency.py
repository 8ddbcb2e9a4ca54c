"""The same unsafe call sent twice takes effect once: the header `Idempotency-Key`.

The key is taken first, in a commit of its own and for the length of a lease; then the call and its remembered
answer are one transaction. So a crash leaves neither, and whoever lost the lease to another attempt cannot
commit any more. Only answers that changed something are remembered: after a refusal nothing was changed, and
the key is free for the corrected call.
"""

import hashlib
import json
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer

from . import clock
from .errors import Invalid
from .models import IdempotencyKey

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LEASE = timedelta(minutes=5)  # longer than the longest call, the upload of a large file
KEPT = timedelta(hours=24)
ASK_AGAIN_SECONDS = 2
KEPT_HEADERS = ("Location",)


class StillRunning(APIException):
    """The first call with this key has not answered yet."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "still_running"
    wait = ASK_AGAIN_SECONDS

    def __init__(self):
        super().__init__(_("The first call with this key is still running. Ask again in a moment, with the same key."))


class OtherCall(APIException):
    """The key was used for something else."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "key_reused"

    def __init__(self):
        super().__init__(
            _("This Idempotency-Key belongs to another call (other address or content). Use a new key for a new call.")
        )


class AnswersOnce:
    """Mixin of views: an unsafe call with a key is done once, and its answer given again afterwards."""

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        key = request.headers.get(HEADER)
        name = request.method.lower()
        handler = getattr(self, name, None)
        if key is None or request.method in SAFE_METHODS or handler is None:
            return
        # The framework looks the handler up after this: it finds ours around it.
        setattr(self, name, lambda *a, **k: self._once(key, handler, *a, **k))

    def _once(self, key, handler, request, *args, **kwargs):
        taken = take(user=request.user, key=key, fingerprint=fingerprint_of(request))
        if taken.status is not None:
            return _replayed(taken)
        try:
            with transaction.atomic():
                response = self._answer(handler, request, *args, **kwargs)
                if not status.is_success(response.status_code) or not _remember(taken, response):
                    transaction.set_rollback(True)
        except BaseException:
            _free(taken)
            raise
        if not status.is_success(response.status_code):
            _free(taken)
        elif taken.status is None:
            raise StillRunning()
        return response

    def _answer(self, handler, request, *args, **kwargs):
        """The handler's answer, its refusals included: what it raises otherwise is a crash."""
        try:
            return handler(request, *args, **kwargs)
        except Exception as exc:  # noqa: BLE001  (handle_exception raises again what is not an answer)
            return self.handle_exception(exc)


def fingerprint_of(request):
    """What the call is: its method, address and content. Uploaded files count by their bytes."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    sent = request.data
    if hasattr(sent, "lists"):
        for name, values in sorted(sent.lists()):
            for value in values:
                digest.update(f"{name}=".encode() + _bytes_of(value) + b"\n")
    else:
        digest.update(json.dumps(sent, sort_keys=True).encode())
    return digest.hexdigest()


def take(*, user, key, fingerprint):
    """The row of the key: with the remembered answer, or held by this call from now on.

    Raises `StillRunning`, `OtherCall`, or `Invalid` for a key that is none.
    """
    if not key.isascii() or not key.isprintable() or not 0 < len(key.strip()) <= 200:
        raise Invalid(_("An Idempotency-Key is 1 to 200 plain characters; a UUID is a good one."), code="bad_key")
    now = clock.now()
    until = now + LEASE
    IdempotencyKey.objects.filter(user=user, key=key, created_at__lte=now - KEPT, lease_until__lte=now).delete()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(
                user=user, key=key, fingerprint=fingerprint, created_at=now, lease_until=until
            )
    except IntegrityError:
        row = IdempotencyKey.objects.filter(user=user, key=key).first()
    if row is None:
        raise StillRunning()  # it was freed in this very moment
    if row.fingerprint != fingerprint:
        raise OtherCall()
    if row.status is not None:
        return row
    overdue = IdempotencyKey.objects.filter(pk=row.pk, status=None, lease_until=row.lease_until, lease_until__lte=now)
    if not overdue.update(lease_until=until):
        raise StillRunning()
    row.lease_until = until
    return row


def sweep():
    """Forget answers older than a day; returns how many."""
    now = clock.now()
    return IdempotencyKey.objects.filter(created_at__lte=now - KEPT, lease_until__lte=now).delete()[0]


def _remember(taken, response):
    """Store the answer if the key is still held; whoever holds it now answers otherwise."""
    body = "" if response.data is None else JSONRenderer().render(response.data).decode()
    headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    answer = {"body": body, "headers": headers}
    held = IdempotencyKey.objects.filter(pk=taken.pk, status=None, lease_until=taken.lease_until)
    if not held.update(status=response.status_code, answer=answer):
        return False
    taken.status = response.status_code
    return True


def _free(taken):
    IdempotencyKey.objects.filter(pk=taken.pk, status=None, lease_until=taken.lease_until).delete()


def _replayed(row):
    response = HttpResponse(row.answer["body"], status=row.status, content_type="application/json")
    for name, value in row.answer["headers"].items():
        response[name] = value
    response[REPLAYED] = "true"
    return response


def _bytes_of(value):
    if not hasattr(value, "chunks"):
        return str(value).encode()
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return f"{value.name}:{digest.hexdigest()}".encode()
