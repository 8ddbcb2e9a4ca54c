"""Gives each request an id and remembers what was asked and answered."""

import time
import uuid

from apps.sandbox import clock
from apps.sandbox.models import RequestRecord

KEEP = 50_000
_QUIET = ("/_control", "/_truth")


class RequestLogMiddleware:
    """Writes one row per request of the outside world; control calls are not logged."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.sandbox_id = request.headers.get("X-Request-Id") or "A" + uuid.uuid4().hex[:15]
        request.sandbox_faults = []
        request.sandbox_now = None
        if request.path.startswith(_QUIET):
            response = self.get_response(request)
            response.setdefault("Content-Length", str(len(response.content)))
            return response
        began = time.perf_counter()
        response = self.get_response(request)
        response.setdefault("Content-Length", str(len(response.content)))
        row = RequestRecord.objects.create(
            at=clock.now() if request.sandbox_now is None else request.sandbox_now,
            wall=time.time(),
            method=request.method,
            path=request.path[:300],
            status=response.status_code,
            token=token_of(request)[-8:],
            fault=",".join(fault.kind for fault in request.sandbox_faults)[:30],
            request_id=request.sandbox_id[:100],
            millis=(time.perf_counter() - began) * 1000,
        )
        if row.pk % 1000 == 0:
            RequestRecord.objects.filter(pk__lt=row.pk - KEEP).delete()
        return response


def token_of(request):
    """The token a request carries, wherever it put it."""
    _, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return bearer or request.GET.get("access_token") or request.POST.get("access_token") or ""
