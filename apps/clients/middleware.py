"""Puts the caller's clients in scope for the whole request, and the client named in the address on it."""

import zoneinfo

from django.http import Http404
from django.utils import timezone

from apps.core.tenancy import NOTHING, use_scope

from .access import scope_of
from .models import Client
from .tokens import caller_of


class TenancyMiddleware:
    """`request.client` is the client of `/c/<client_key>/…`, 404 for one the person may not see.

    Times are rendered in that client's zone.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.client = None
        caller = caller_of(request)
        scope = NOTHING if caller is None else scope_of(caller)
        with use_scope(scope):
            response = self.get_response(request)
            # A streamed export is read after this block: it carries the scope with it.
            if response.streaming:
                response.streaming_content = _in_scope(response.streaming_content, scope)
            return response

    def process_view(self, request, view, args, kwargs):
        key = kwargs.get("client_key")
        if key is not None and request.user.is_authenticated:
            request.client = Client.objects.visible_to(request.user).filter(key=key).first()
            if request.client is None:
                raise Http404
            timezone.activate(zoneinfo.ZoneInfo(request.client.time_zone))
        else:
            timezone.deactivate()


def _in_scope(chunks, scope):
    iterator = iter(chunks)
    while True:
        with use_scope(scope):
            try:
                chunk = next(iterator)
            except StopIteration:
                return
        yield chunk
