"""People in Slack, played by the tests: they press buttons and submit modals, and Slack tells Durum, signed."""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
import uuid
from urllib.parse import urlencode

from apps.sandbox.control import BadOrder, lever
from apps.sandbox.models import (
    SlackDelivery,
    SlackHook,
    SlackMessage,
    SlackTeam,
    SlackTrigger,
    SlackUser,
    SlackView,
)
from apps.sandbox.slack import chat, modals

SIGNATURES = ("good", "wrong", "missing", "stale", "garbled")
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
WAIT_SECONDS = 15


@lever("GET")
def messages(request, _body):
    """All messages of a channel (or of all), oldest first, with every earlier content."""
    rows = SlackMessage.objects.order_by("pk").select_related("channel")
    if request.GET.get("channel"):
        rows = rows.filter(channel_id=request.GET["channel"])
    columns = ("ts", "text", "blocks", "metadata", "thread_ts", "ephemeral_to", "deleted", "edits")
    return {
        "messages": [
            {"channel": row.channel_id, "channel_name": row.channel.name}
            | {name: getattr(row, name) for name in columns}
            for row in rows
        ]
    }


@lever("GET")
def views(_request, _body):
    """All modals ever opened, oldest first."""
    rows = SlackView.objects.order_by("opened_wall").select_related("team")
    return {"views": [{"user_id": row.user_id, "state": row.state, "view": modals.describe(row)} for row in rows]}


@lever("POST")
def press(request, body):
    """A person presses a button of a message or of an open modal."""
    team = _workspace(body)
    if "view_id" in body:
        raise BadOrder("buttons inside modals are not played; submit the modal instead")
    message = _message(body)
    block, element = _button(message.blocks, body)
    user = _person(team, body)
    payload = {
        "type": "block_actions",
        **user,
        "api_app_id": team.app_id,
        "token": "deprecated",
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": message.channel_id,
            "is_ephemeral": bool(message.ephemeral_to),
        },
        "trigger_id": _trigger(user["user"]["id"], body),
        "team": {"id": body.get("team_id_claimed", team.pk), "domain": "sandbox"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": message.channel_id, "name": message.channel.name},
        "message": chat.describe(message, team),
        "state": {"values": {}},
        "response_url": _hook(request, message, user["user"]["id"]),
        "actions": [_action(block, element, body)],
    }
    answer = _interactive(team, payload, body)
    return answer | {"trigger_id": payload["trigger_id"], "opened_views": _opened(user["user"]["id"], answer)}


@lever("POST")
def submit(_request, body):
    """A person fills an open modal and submits it (or closes it with `close: true`)."""
    rows = SlackView.objects.filter(state="open").select_related("team").order_by("-opened_wall")
    if body.get("view_id"):
        rows = rows.filter(pk=body["view_id"])
    if body.get("user_id"):
        rows = rows.filter(user_id=body["user_id"])
    row = rows.first()
    if row is None:
        raise BadOrder("no such open modal")
    user = _person(row.team, {"user_id": row.user_id} | body)
    values = _values(row.view.get("blocks", []), body.get("values", {}))
    payload = {
        "type": "view_closed" if body.get("close") else "view_submission",
        **user,
        "team": {"id": row.team_id, "domain": "sandbox"},
        "api_app_id": row.team.app_id,
        "token": "deprecated",
        "trigger_id": _trigger(user["user"]["id"], body),
        "view": modals.describe(row, values),
        "response_urls": [],
        "is_enterprise_install": False,
        "enterprise": None,
    }
    if body.get("close"):
        payload["is_cleared"] = False
    answer = _interactive(row.team, payload, body)
    if answer["status"] == 200:
        _after_submission(row, answer)
    return answer | {"view_id": row.pk, "view_state": row.state}


def _after_submission(row, answer):
    try:
        action = json.loads(answer["body"] or "{}")
    except ValueError:
        action = {}
    kind = action.get("response_action") if isinstance(action, dict) else None
    if kind in {"update", "push"}:
        modals.replace(row, action["view"])
    elif kind != "errors":
        row.state = "closed"
        row.save(update_fields=["state"])


@lever("POST")
def event(_request, body):
    """Slack sends an Events API callback."""
    team = _workspace(body)
    payload = {
        "token": "deprecated",
        "team_id": team.pk,
        "api_app_id": team.app_id,
        "event": body["event"],
        "type": "event_callback",
        "event_id": body.get("event_id") or "Ev" + uuid.uuid4().hex[:9].upper(),
        "event_time": int(time.time()),
        "authorizations": [{"enterprise_id": None, "team_id": team.pk, "user_id": team.bot_user_id, "is_bot": True}],
    }
    headers = {"Content-Type": "application/json"}
    if body.get("retry_num"):
        headers["X-Slack-Retry-Num"] = str(body["retry_num"])
        headers["X-Slack-Retry-Reason"] = body.get("retry_reason", "http_timeout")
    return _send(team, json.dumps(payload), headers, body) | {"event_id": payload["event_id"]}


@lever("POST")
def verify(_request, body):
    """Slack checks the request URL with a challenge."""
    team = _workspace(body)
    payload = {
        "token": "deprecated",
        "challenge": body.get("challenge", "c0ffee"),
        "type": "url_verification",
    }
    return _send(team, json.dumps(payload), {"Content-Type": "application/json"}, body)


@lever("POST")
def replay(_request, body):
    """Send an earlier delivery again, byte for byte, with its old signature (default: the last one)."""
    rows = SlackDelivery.objects.order_by("-pk")
    row = rows.get(pk=body["delivery"]) if body.get("delivery") else rows.first()
    if row is None:
        raise BadOrder("nothing was delivered yet")
    return _deliver(row.url, row.headers, row.body)


def _workspace(body):
    return SlackTeam.objects.get(pk=body["team_id"]) if "team_id" in body else SlackTeam.objects.get()


def _person(team, body):
    user_id = body["user_id"]
    known = SlackUser.objects.filter(team=team, pk=user_id).first()
    name = known.name if known else "inconnu"
    return {"user": {"id": user_id, "username": name.lower(), "name": name.lower(), "team_id": team.pk}}


def _message(body):
    rows = SlackMessage.objects.select_related("channel").filter(deleted=False).order_by("-pk")
    if "channel" in body:
        rows = rows.filter(channel_id=body["channel"])
    if "ts" in body:
        rows = rows.filter(ts=body["ts"])
    message = rows.first()
    if message is None:
        raise BadOrder("no such message")
    return message


def _button(blocks, body):
    wanted = {name: body[name] for name in ("action_id", "value") if name in body}
    for block in blocks:
        if body.get("block_id", block.get("block_id")) != block.get("block_id"):
            continue
        for element in [*block.get("elements", []), block.get("accessory") or {}]:
            if element.get("type") in {"button", "static_select", "overflow"} and all(
                element.get(name) == value for name, value in wanted.items()
            ):
                return block, element
    if body.get("forged"):
        made = {"type": "button", "text": {"type": "plain_text", "text": "x"}, **wanted}
        return {"block_id": body.get("block_id", "b0")}, made
    raise BadOrder(f"no button {wanted} in that message")


def _action(block, element, body):
    made = {name: element[name] for name in ("action_id", "type", "text", "value", "style") if name in element}
    made |= {"block_id": block.get("block_id"), "action_ts": f"{time.time():.6f}"}
    if "selected" in body:
        options = [option for option in element.get("options", []) if option["value"] == body["selected"]]
        made["selected_option"] = options[0]
    return made


def _values(blocks, typed):
    values = {}
    for block in blocks:
        if block.get("type") != "input":
            continue
        element = block["element"]
        given = typed.get(block["block_id"], {})
        given = given.get(element["action_id"]) if isinstance(given, dict) else given
        if element["type"] == "static_select":
            options = {option["value"]: option for option in element["options"]}
            entry = {"type": element["type"], "selected_option": options.get(given)}
        else:
            entry = {"type": element["type"], "value": given}
        values[block["block_id"]] = {element["action_id"]: entry}
    return values


def _trigger(user_id, body):
    name = f"{int(time.time() * 1000)}.{uuid.uuid4().int % 10**10}.{uuid.uuid4().hex}"
    return SlackTrigger.objects.create(
        pk=name, user_id=user_id, wall=time.time() - float(body.get("trigger_age", 0))
    ).pk


def _hook(request, message, user_id):
    hook = SlackHook.objects.create(pk=uuid.uuid4().hex, message=message, user_id=user_id, wall=time.time())
    return f"{request.scheme}://{request.get_host()}/slack/hooks/{hook.pk}"


def _interactive(team, payload, body):
    form = urlencode({"payload": json.dumps(payload)})
    return _send(team, form, {"Content-Type": "application/x-www-form-urlencoded"}, body)


def _opened(user_id, answer):
    rows = SlackView.objects.filter(user_id=user_id, opened_wall__gte=answer["sent_at"]).values_list("pk", flat=True)
    return list(rows)


def _send(team, text, headers, body):
    signature = body.get("signature", "good")
    if signature not in SIGNATURES:
        raise BadOrder(f"signature must be one of {', '.join(SIGNATURES)}")
    headers = headers | {"User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"}
    stamp = str(int(time.time()) - (int(body.get("stale_seconds", 301)) if signature == "stale" else 0))
    secret = team.signing_secret if signature != "wrong" else "not the secret"
    if signature == "garbled":
        stamp = "abc"
    if signature != "missing":
        headers["X-Slack-Request-Timestamp"] = stamp
        headers["X-Slack-Signature"] = sign(secret, stamp, text)
    return _deliver(body.get("url") or team.interactivity_url, headers, text)


def sign(secret, stamp, text):
    """Slack's request signature, version 0."""
    return "v0=" + hmac.new(secret.encode(), f"v0:{stamp}:{text}".encode(), hashlib.sha256).hexdigest()


def _deliver(url, headers, text):
    if not url.startswith(("http://", "https://")):
        raise BadOrder("the workspace has no interactivity_url")
    row = SlackDelivery.objects.create(url=url, headers=headers, body=text, wall=time.time())
    call = urllib.request.Request(url, data=text.encode(), headers=headers, method="POST")  # noqa: S310 - checked above
    began = time.time()
    try:
        with _OPENER.open(call, timeout=WAIT_SECONDS) as answer:
            row.status, row.answer = answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        row.status, row.answer = error.code, error.read().decode(errors="replace")
    except OSError as error:
        row.status, row.answer = 0, f"{type(error).__name__}: {error}"
    row.save(update_fields=["status", "answer"])
    millis = round((time.time() - began) * 1000, 1)
    return {"status": row.status, "body": row.answer, "delivery": row.pk, "millis": millis, "sent_at": began}
