"""What Slack sends us: let in once and only when signed, then handed to Bolt.

Apps add their listeners with `listen(register)` in `AppConfig.ready()`; `register(app)` receives the Bolt app
when the first request arrives, so that importing this costs nothing and calls nobody.
"""

import hashlib
import hmac
import json
import re
import time
from functools import lru_cache
from urllib.parse import parse_qs

from django.conf import settings
from django.http import JsonResponse

from apps.connectors.services import seen, slack_link

FRESH_SECONDS = 300
MAX_BYTES = 1_000_000
SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)

_registrations = []


def listen(register):
    """Add an app's listeners: `register(app)` calls `app.action(…)(listener)` and the like."""
    if register not in _registrations:
        _registrations.append(register)


def answer(request):
    """The answer to one request from Slack.

    401 for what is not signed by Slack just now, 400 for what cannot be read, 409 for a replay. Slack sends a
    click or a form once, so the same signature twice is somebody else's doing: it has no effect and is told so. An
    event, which Slack does send again when our answer was late, is known by its number: 200 and no effect.
    """
    body = request.body
    if len(body) > MAX_BYTES or not _is_signed(request.headers, body):
        return _refusal("invalid request", 401)
    try:
        payload = _payload(body.decode("utf-8"), request.content_type)
    except (ValueError, RecursionError):
        return _refusal("unreadable body", 400)
    if payload.get("type") == "event_callback" and isinstance(payload.get("event_id"), str):
        return _let_in(request, "slack_event", payload["event_id"]) or JsonResponse({})
    return _let_in(request, "slack", request.headers["X-Slack-Signature"]) or _refusal("replayed request", 409)


def _let_in(request, kind, name):
    """Bolt's answer, or None when this was let in before."""
    row = seen.first_time(kind, name)
    if row is None:
        return None
    try:
        response = _handler(settings.SLACK_SIGNING_SECRET).handle(request)
    except Exception:
        seen.forget(row)
        raise
    if response.status_code >= 500:
        seen.forget(row)
    return response


def _refusal(word, status):
    return JsonResponse({"error": word}, status=status)


def _is_signed(headers, body):
    """Whether Slack signed exactly this within the last minutes. Bolt's own check breaks on odd headers."""
    stamp, signature = headers.get("X-Slack-Request-Timestamp", ""), headers.get("X-Slack-Signature", "")
    if not settings.SLACK_SIGNING_SECRET or not SIGNATURE.fullmatch(signature):
        return False
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12):
        return False
    # The real time: a moved clock is for services, not for who may come in.
    if abs(time.time() - int(stamp)) > FRESH_SECONDS:
        return False
    expected = hmac.new(settings.SLACK_SIGNING_SECRET.encode(), b"v0:%s:%s" % (stamp.encode(), body), hashlib.sha256)
    return hmac.compare_digest(f"v0={expected.hexdigest()}", signature)


def _payload(text, content_type):
    """The JSON inside, whatever it came in; ValueError when it is not an object."""
    if content_type == "application/json":
        payload = json.loads(text)
    else:
        payload = json.loads(parse_qs(text).get("payload", ["{}"])[0])
    if not isinstance(payload, dict):
        raise ValueError("not an object")
    return payload


@lru_cache(maxsize=4)
def _handler(signing_secret):
    """Bolt with everybody's listeners, built for the first request.

    `process_before_response`: listeners run in the request's own thread, with its database connection, and
    the answer says what they did. They finish within three seconds because what takes time waits in a row.
    """
    from slack_bolt import App  # noqa: PLC0415  (heavy, and only web processes need it)
    from slack_bolt.adapter.django import SlackRequestHandler  # noqa: PLC0415

    app = App(
        name="durum",
        signing_secret=signing_secret,
        request_verification_enabled=False,  # `_is_signed` was here first: one rule, not two that nearly agree
        authorize=_known,
        process_before_response=True,
        token_verification_enabled=False,
    )
    app.event("app_uninstalled")(_workspace_gone)
    app.event("tokens_revoked")(_workspace_gone)
    for register in _registrations:
        register(app)
    _acknowledge_the_rest(app)
    return SlackRequestHandler(app)


def _known(enterprise_id, team_id):
    """Bolt's own client is never used: answers leave through our connector, so there is no token to give."""
    from slack_bolt.authorization import AuthorizeResult  # noqa: PLC0415  (see `_handler`)

    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)


def _workspace_gone(body):
    slack_link.disconnect_workspace(team_id=body.get("team_id", ""))


def _acknowledge_the_rest(app):
    """Link buttons and buttons of old messages: without an answer Slack shows a warning triangle."""
    anything = re.compile(".*")

    def acknowledge(ack):
        ack()

    app.action(anything)(acknowledge)
    app.view(anything)(acknowledge)
    app.view_closed(anything)(acknowledge)
    app.event(anything)(acknowledge)
