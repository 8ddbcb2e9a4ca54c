"""The one way out: every request to an outside system goes through `Http.call`.

It keeps the promise behind the error classes. A read may be repeated, so its failures are `Unavailable`. A
write whose answer was lost is `OutcomeUnknown`, never retried here: only its caller can find out.
Each attempt leaves an `ApiCall` row; no token, query or body is kept.
"""

import atexit
import ipaddress
import logging
import socket
import time
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.db import DatabaseError
from django.utils.translation import gettext as _
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from .breaker import Breaker
from .errors import ConnectorError, NeedsReconnect, OutcomeUnknown, Rejected, TooMuchData, Unavailable
from .models import ApiCall
from .redaction import redact
from .tenancy import use_all_clients

logger = logging.getLogger(__name__)

READ_ATTEMPTS = 3
# A pause longer than this is not waited for in the worker: it goes on the row as `not_before`.
LONGEST_WAIT = 4.0
# The request cannot have reached the other side when one of these is raised.
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
SERVER_ERROR = 500
TOO_MANY_REQUESTS = 429


_pools = {}


def _pool(timeout):
    """One connection pool per process and time-out. The environment's proxies are for people, not for us."""
    if timeout not in _pools:
        _pools.setdefault(timeout, httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False))
    return _pools[timeout]


def close_pools():
    """Hang up everywhere; the next call opens a new pool."""
    while _pools:
        _pools.popitem()[1].close()


atexit.register(close_pools)


class Http:
    """Calls to one outside system.

    `scope` names the account whose breaker counts (an ad account, a workspace). `read_error(response)`
    returns the platform's own `ConnectorError` for an answer, or None when it is a good one.
    `usage(response)` returns `(percent, seconds to stay away or None)` from its rate-limit headers.
    """

    def __init__(
        self, platform, base_url, *, client_id=None, scope="", read_error=None, usage=None, headers=None, timeout=30
    ):
        self.platform = platform
        self.base_url = base_url.rstrip("/")
        self.client_id = client_id
        self.breaker = Breaker(f"{platform}:{scope}" if scope else platform)
        self.read_error = read_error
        self.usage = usage
        self.headers = headers or {}
        self.timeout = timeout
        self.host = urlsplit(self.base_url).hostname or ""

    def call(self, method, path, *, writes, endpoint=None, params=None, data=None, json=None, headers=None, cost=1):
        """Send one request and return its good answer.

        `writes` marks calls with an effect on the other side. `endpoint` is how the log names the call
        (default: the path). Raises `Unavailable`, `Rejected` (`NeedsReconnect`, `TooMuchData`) or, for writes,
        `OutcomeUnknown`.
        """
        self._refuse_private_address()
        request = {
            "method": method,
            "url": f"{self.base_url}/{path.lstrip('/')}",
            "params": params,
            "data": data,
            "json": json,
            "headers": {**self.headers, **(headers or {})},
        }
        named = (endpoint or path)[:200]
        if writes:
            return self._attempt(request, named, cost, writes=True, attempt=1)
        for attempt in self._repeats():
            with attempt:
                return self._attempt(request, named, cost, writes=False, attempt=attempt.retry_state.attempt_number)
        raise AssertionError("tenacity re-raises the last failure")

    def _repeats(self):
        return Retrying(
            retry=retry_if_exception(_worth_repeating),
            stop=stop_after_attempt(READ_ATTEMPTS),
            wait=wait_exponential_jitter(multiplier=0.3, max=LONGEST_WAIT, jitter=0.3),
            reraise=True,
        )

    def _attempt(self, request, endpoint, cost, *, writes, attempt):
        wait = self.breaker.seconds_closed_for()
        if wait:
            raise Unavailable(
                _("%(host)s asked for a pause. Durum goes on by itself.") % {"host": self.host}, retry_after=wait
            )
        started = time.monotonic()
        response, error = None, None
        try:
            response = _pool(self.timeout).request(**request)
            error = self._error_in(response, writes=writes)
        except NEVER_SENT as exc:
            error = Unavailable(
                _("%(host)s cannot be reached. Durum tries again by itself.") % {"host": self.host}, detail=redact(exc)
            )
        except httpx.TransportError as exc:
            lost = OutcomeUnknown if writes else Unavailable
            error = lost(_("%(host)s did not answer.") % {"host": self.host}, detail=redact(exc))
        self._note(response, error)
        self._log(request["method"], endpoint, response, error, cost=cost, started=started, attempt=attempt)
        if error is not None:
            raise error
        return response

    def _error_in(self, response, *, writes):
        """The platform's word first; then what any HTTP server means by its status."""
        if self.read_error is not None:
            error = self.read_error(response)
            if error is not None:
                # "Try again later" without a time is what a server says that broke half-way.
                if writes and isinstance(error, Unavailable) and error.retry_after is None:
                    return OutcomeUnknown(detail=error.detail)
                return error
        if response.is_success:
            return None
        detail = redact(response.text[:2000])
        if response.status_code == TOO_MANY_REQUESTS:
            return Unavailable(retry_after=_seconds(response.headers.get("Retry-After")), detail=detail)
        if response.status_code >= SERVER_ERROR:
            return (OutcomeUnknown if writes else Unavailable)(detail=detail)
        return Rejected(
            _("%(host)s refused the request (%(status)s).") % {"host": self.host, "status": response.status_code},
            detail=detail,
        )

    def _note(self, response, error):
        """Tell the breaker. A refusal is an answer: the service is up."""
        if isinstance(error, Unavailable) and error.retry_after:
            self.breaker.pause(error.retry_after)
        elif isinstance(error, (Unavailable, OutcomeUnknown)):
            self.breaker.failed()
        else:
            self.breaker.succeeded()
            if response is not None and self.usage is not None:
                _percent, pause = self.usage(response)
                if pause:
                    self.breaker.pause(pause)

    def _log(self, method, endpoint, response, error, *, cost, started, attempt):
        percent = self.usage(response)[0] if response is not None and self.usage is not None else None
        row = ApiCall(
            client_id=self.client_id,
            platform=self.platform,
            method=method,
            endpoint=endpoint,
            status=response.status_code if response is not None else None,
            error_kind=_kind(error),
            duration_ms=int((time.monotonic() - started) * 1000),
            cost=cost,
            usage_percent=percent,
            attempt=attempt,
        )
        try:
            if self.client_id is None:
                with use_all_clients("a call for no client in particular"):
                    row.save(force_insert=True)
            else:
                row.save(force_insert=True)
        except DatabaseError:
            # The call itself went out: losing its line in the log must not look like losing the call.
            logger.exception("an outbound call could not be logged")

    def _refuse_private_address(self):
        """A configured address must not lead into our own network (the sandbox's loopback excepted)."""
        if settings.HTTP_LOOPBACK_ALLOWED and self.host in ("127.0.0.1", "localhost", "::1"):
            return
        for address in _addresses(self.host):
            if not ipaddress.ip_address(address).is_global:
                raise Rejected(
                    _("%(host)s is an address inside this network: Durum does not call it.") % {"host": self.host}
                )


def _addresses(host):
    try:
        return {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return set()  # the call itself will say that the host cannot be reached


def _worth_repeating(error):
    if not isinstance(error, Unavailable):
        return False
    return error.retry_after is None or error.retry_after <= LONGEST_WAIT


def _seconds(text):
    try:
        return max(1, int(float(text)))
    except (TypeError, ValueError):
        return None


def _kind(error):
    for kind in (NeedsReconnect, TooMuchData, Rejected, Unavailable, OutcomeUnknown, ConnectorError):
        if isinstance(error, kind):
            return kind.__name__
    return ""
