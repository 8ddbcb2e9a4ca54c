"""The wire of Meta's Graph API: version, token and proof on every call, paging, batches.

Answers come back as parsed JSON; anything else is one of our connector errors.
"""

import hashlib
import hmac
import json
import logging
import re
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _

from apps.core.crypto import reveal
from apps.core.errors import Unavailable
from apps.core.http import Http

from .errors import error_of
from .usage import read_usage

logger = logging.getLogger(__name__)

PLATFORM = "meta_ads"
READ_POINTS, WRITE_POINTS = 1, 3
BATCH_SIZE = 50
# Escapes of NUL and of surrogates, whole pairs (any emoji) included.
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
VERSION_WARNING = "X-Ad-Api-Version-Warning"


@dataclass(frozen=True)
class WirePage:
    """One page as Meta gave it, without its paging links: they carry the token. `after` is "" at the end."""

    data: tuple
    after: str
    raw: dict


def proof_of(secret, token):
    """`appsecret_proof`: shows Meta that the caller holds the app's secret, not only a stolen token."""
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def read_error(response):
    """The hook of `core.http`: Meta's own word about an answer."""
    try:
        envelope = response.json()
    except ValueError:
        if response.is_success:
            # An empty or HTML body with a 200: for a write nobody can tell what happened.
            return Unavailable(
                _("Meta answered something unreadable. Durum tries again by itself."),
                detail=f"HTTP {response.status_code}, {len(response.content)} bytes that are not JSON",
            )
        return None
    return error_of(envelope, status=response.status_code, headers=response.headers)


class GraphClient:
    """Calls in the name of one token. `account` names the breaker that counts: an account's trouble stays its own."""

    def __init__(self, token, *, account="", client_id=None):
        self._token = reveal(token)
        self.version_warning = ""
        self.http = Http(
            PLATFORM,
            f"{settings.META_GRAPH_URL}/{settings.META_GRAPH_VERSION}",
            client_id=client_id,
            scope=account,
            read_error=read_error,
            usage=read_usage,
            timeout=60,
        )

    def get(self, path, *, endpoint, **params):
        """Read one thing."""
        response = self.http.call(
            "GET", path, writes=False, endpoint=endpoint, params=self._signed(params), cost=READ_POINTS
        )
        return self._answer(response)

    def post(self, path, *, endpoint, writes=True, **fields):
        """Change something (`writes`), or ask for something Meta wants asked by POST."""
        response = self.http.call(
            "POST",
            path,
            writes=writes,
            endpoint=endpoint,
            data=self._signed(fields),
            cost=WRITE_POINTS if writes else READ_POINTS,
        )
        return self._answer(response)

    def page(self, path, *, endpoint, after="", limit, **params):
        """One page of an edge, from the cursor `after`. The end is a missing `next`, not a short or empty page."""
        if after:
            params["after"] = after
        answer = self.get(path, endpoint=endpoint, limit=limit, **params)
        paging = answer.pop("paging", None) or {}
        cursor = (paging.get("cursors") or {}).get("after", "")
        return WirePage(tuple(answer.get("data", ())), cursor if paging.get("next") else "", answer)

    def read_many(self, paths, *, endpoint):
        """Several reads in one request: per path a dict or the `ConnectorError` of that item alone.

        An item Meta had no time for comes back null and is asked for once more.
        """
        found = {}
        for start in range(0, len(paths), BATCH_SIZE):
            chunk = paths[start : start + BATCH_SIZE]
            found |= self._batch(chunk, endpoint)
            left_out = [path for path in chunk if found[path] is None]
            if left_out:
                found |= self._batch(left_out, endpoint)
        lost = Unavailable(_("Meta left a part of the question unanswered. Durum tries again by itself."))
        return {path: lost if answer is None else answer for path, answer in found.items()}

    def _batch(self, paths, endpoint):
        items = [{"method": "GET", "relative_url": f"{settings.META_GRAPH_VERSION}/{path}"} for path in paths]
        response = self.http.call(
            "POST",
            "",
            writes=False,
            endpoint=endpoint,
            data=self._signed({"batch": items, "include_headers": "true"}),
            cost=len(paths) * READ_POINTS,
        )
        answers = self._answer(response)
        if not isinstance(answers, list) or len(answers) != len(paths):
            raise Unavailable(detail=f"a batch of {len(paths)} was answered by something else")
        return {path: _item(answer) for path, answer in zip(paths, answers, strict=True)}

    def debug_token(self):
        """What Meta knows about our token; None where the app's id and secret are not configured."""
        if not (settings.META_APP_ID and settings.META_APP_SECRET):
            return None
        response = self.http.call(
            "GET",
            "debug_token",
            writes=False,
            endpoint="debug_token",
            params={
                "input_token": self._token,
                "access_token": f"{settings.META_APP_ID}|{settings.META_APP_SECRET}",
            },
        )
        return self._answer(response).get("data", {})

    def _signed(self, params):
        """The parameters as Meta wants them (nested ones as JSON text), with token and proof."""
        signed = {
            name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
            for name, value in params.items()
        }
        signed["access_token"] = self._token
        if settings.META_APP_SECRET:
            signed["appsecret_proof"] = proof_of(settings.META_APP_SECRET, self._token)
        return signed

    def _answer(self, response):
        warning = response.headers.get(VERSION_WARNING, "")
        if warning and warning != self.version_warning:
            self.version_warning = warning
            logger.warning("Meta warns about version %s: %s", settings.META_GRAPH_VERSION, warning)
        answer = response.json()
        return _storable(answer) if _SUSPECT.search(response.content) else answer


def _item(answer):
    """One element of a batch reply: null, an error of its own, or a body that is JSON inside a string."""
    if answer is None:
        return None
    headers = {entry.get("name"): entry.get("value") for entry in answer.get("headers") or ()}
    try:
        body = json.loads(answer.get("body") or "")
    except ValueError:
        return None
    return error_of(body, status=answer.get("code", 200), headers=headers) or body


def query(path, **params):
    """`path?…` for an item of a batch."""
    return f"{path}?{urlencode(params)}"


def _storable(value):
    """Without NUL and halves of a character, which PostgreSQL does not take: a name cut inside an emoji, or worse."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(one) for key, one in value.items()}
    return value
