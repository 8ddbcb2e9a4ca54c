r"""The levers behind the stage: scenario, clock, faults, people, logs.

Every call under /_control and /_truth carries the header `X-Sandbox-Key` (environment SANDBOX_KEY, default
"sandbox"); only GET /_control/ping does not. Bodies and answers are JSON; a call that makes no sense answers 400
`{"error": "..."}`. Instants are ISO 8601 or epoch seconds; budgets are Meta's minor units unless said otherwise.

POST /_control/scenario          everything optional; what is left out is drawn from the seed
    {"seed": 7, "reset": true, "now": "2026-11-20T09:07:00+00:00", "running": false,
     "slack_rate_limit": true, "async_polls": 3, "async_first_read_missing": false, "page_limit": 0,
     "apps": [{"id": "77", "secret": "s3cret", "requires_proof": true}],
     "tokens": [{"token": "tok", "app": "77", "scopes": ["ads_read", "ads_management"], "accounts": ["1033"],
                 "expires_at": null, "type": "SYSTEM_USER"}],        # accounts left out: all of this scenario
     "accounts": [{"id": "1033", "name": "Vignes", "currency": "EUR", "timezone": "Europe/Paris", "trade": "vin",
                   "campaigns": 2, "adsets": 3, "ads": 2,            # numbers, or lists as below
                   "reports_revenue": true, "conversion": "purchase", "order_value": 65, "roi": 2.8,
                   "cost_per_lead": 11, "quality_spread": 0.45, "alpha": 0.75, "noise": 1.0,
                   "daily_budget": 40, "history_days": 90,           # typical budget, in major units
                   "campaign_budget": false,                         # true, false or a share such as 0.3
                   "status": 1, "rate_limit_points": null}],
     "slack": {"team_id": "T0SANDBOX1", "bot_token": "xoxb-sandbox", "signing_secret": "...",
               "interactivity_url": "http://127.0.0.1:8000/slack/events/",
               "channels": ["pub", {"id": "C1", "name": "x", "member": false, "archived": false}],
               "users": [{"id": "U1", "email": "a@b.fr", "name": "Anne"}]}}
    An explicit campaign: {"id", "name", "objective", "status", "age_days", "campaign_budget", "daily_budget",
    "lifetime_budget", "adsets": n or [{"id", "name", "status", "age_days", "daily_budget", "lifetime_budget",
    "quality", "reference" (major units), "alpha", "weight", "ads": n or [{"id", "name", "status", "age_days",
    "angle", "hook", "format", "body", "appeal", "persuasion", "wear", "review"}]}]}.
    Answer: {"accounts": [{"id", "name", "currency", "campaigns": [{"id", "daily_budget", "adsets": [{"id",
    "daily_budget", "ads": [ids]}]}]}], "tokens": [...], "slack": {"team_id", "channels": {name: id},
    "users": {email: id}}, "now", "epoch", "mode"}
GET|POST /_control/clock         {"now": ..., "running": false} | {"advance_seconds": 60} | {"advance_days": 1} |
                                 {"real": true}; answers {"now", "epoch", "mode": real|shifted|frozen}
GET|POST /_control/switches      {"slack_rate_limit", "async_polls", "async_first_read_missing", "page_limit"}
GET|POST|DELETE /_control/faults {"kind": "error", "when": "after", "method": "POST", "path": "/\\d+$", "token": "tok",
                                 "count": 2, "skip": 0, "probability": 0.1, "seed": "x", ...params}, or
                                 {"faults": [...]}; kinds and params in `faults`; without count or probability: once
POST /_control/people            {"object": "1202...", "daily_budget": 9000} or {"object", "status": "PAUSED"}
                                 or {"new_ad_in": ad set id, "ad": {"angle"?, "hook"?, "body"?, "appeal"?, ...}}
POST /_control/tokens            {"token": "tok", "dead_subcode": 460|null, "expires_at", "scopes", "accounts"}
POST /_control/accounts          {"account": "1033", "status": 2, "rate_limit_points": 60}
GET|DELETE /_control/requests    ?path=regex&method=POST&limit=100 -> {"requests": [...], "counts": [{"method", "path",
                                 "status", "count"}], "total"}
POST /_control/slack/team        {"interactivity_url", "signing_secret", "token_state": "token_revoked"}
GET  /_control/slack/messages    ?channel=C1 -> {"messages": [{"channel", "ts", "text", "blocks", "metadata",
                                 "ephemeral_to", "deleted", "edits": [earlier contents]}]}
GET  /_control/slack/views       -> {"views": [{"user_id", "state": open|closed, "view"}]}
POST /_control/slack/press       {"user_id": "U1", "action_id": "approve", "value"?, "block_id"?, "channel"?, "ts"?,
                                 "forged"?: true, "signature"?: good|wrong|missing|stale|garbled, "url"?,
                                 "trigger_age"?: 4 (seconds; the trigger lives 3)} -> {"status",
                                 "body", "delivery", "millis", "trigger_id", "opened_views": [ids]}
POST /_control/slack/submit      {"user_id"?, "view_id"?, "values": {block_id: text}, "close"?, "signature"?}
POST /_control/slack/event       {"event": {...}, "event_id"?, "retry_num"?, "signature"?}
POST /_control/slack/verify      {"challenge"?, "signature"?}
POST /_control/slack/replay      {"delivery"?} sends an earlier delivery again, byte for byte

GET /_truth/writes               ?object=&account=&field=&source=api|person&after_id= -> {"writes": [{"id", "object_id",
                                 "field", "old", "new", "at", "source", "request_id", "changed"}]}
GET /_truth/params               ?object= or ?account=
GET /_truth/effects              ?object=&from=2026-11-21&to=2026-11-27[&change=write id | &since=epoch] -> {"actual",
                                 "counterfactual", "effect", "ratio"} of spend, impressions, clicks, conversions,
                                 revenue, roi; without `change`, no change of the object since `since` (or ever)
"""

import functools
import hmac
import json

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError
from django.db.models import Count
from django.http import JsonResponse

from apps.sandbox import clock, faults, scenario
from apps.sandbox.graph import writes
from apps.sandbox.models import Account, Fault, Node, RequestRecord, SlackTeam, State, Token


class BadOrder(Exception):
    """A control call that makes no sense; its text goes back with a 400."""


def lever(*methods):
    """A control view: checks the key and the method, hands over the JSON body, answers JSON."""

    def wrap(view):
        @functools.wraps(view)
        def guarded(request):
            if not hmac.compare_digest(
                request.headers.get("X-Sandbox-Key", "").encode(), settings.SANDBOX_KEY.encode()
            ):
                return JsonResponse({"error": "X-Sandbox-Key is missing or wrong"}, status=403)
            if request.method not in methods:
                return JsonResponse({"error": f"use {', '.join(methods)}"}, status=405)
            try:
                body = json.loads(request.body) if request.body else {}
                return JsonResponse(view(request, body), safe=False)
            except (BadOrder, KeyError, ValueError, TypeError, ObjectDoesNotExist, IntegrityError) as error:
                return JsonResponse({"error": f"{type(error).__name__}: {error}"}, status=400)

        return guarded

    return wrap


def ping(_request):
    """Says that the sandbox is up; needs no key."""
    return JsonResponse({"ok": True})


@lever("POST")
def load(_request, body):
    """Install a scenario."""
    return scenario.load(body) | _time()


@lever("GET", "POST")
def time(_request, body):
    """Read, set, advance or release the clock."""
    if body.get("real"):
        clock.set_real()
    if body.get("now") is not None:
        clock.set_to(clock.instant(body["now"]), running=bool(body.get("running")))
    step = float(body.get("advance_seconds", 0)) + 86_400 * float(body.get("advance_days", 0))
    if step:
        clock.advance(step)
    return _time()


def _time():
    row = clock.state()
    now = clock.reading(row)
    return {"now": clock.utc(now).isoformat(), "epoch": now, "mode": row.clock_mode}


@lever("GET", "POST")
def switches(_request, body):
    """Read or change the switches of the settings row."""
    row = clock.state()
    names = ("slack_rate_limit", "async_polls", "async_first_read_missing", "page_limit")
    for name in names:
        setattr(row, name, body.get(name, getattr(row, name)))
    row.save(update_fields=names)
    return {name: getattr(State.objects.get(pk=row.pk), name) for name in names}


@lever("GET", "POST", "DELETE")
def misbehave(request, body):
    """List, order (one or many) or cancel faults."""
    if request.method == "DELETE":
        return {"deleted": Fault.objects.all().delete()[0]}
    if request.method == "POST":
        orders = body.get("faults", [body])
        return {"faults": [_fault(_order(order)) for order in orders]}
    return {"faults": [_fault(row) for row in Fault.objects.all()]}


_COLUMNS = ("kind", "method", "path", "token", "when", "skip", "count", "probability", "seed")


def _order(order):
    if order["kind"] not in faults.KINDS:
        raise BadOrder(f"kind must be one of {', '.join(sorted(faults.KINDS))}")
    if order.get("when", "before") not in {"before", "after"}:
        raise BadOrder("when must be before or after")
    columns = {name: order[name] for name in _COLUMNS if order.get(name) is not None}
    if "count" not in order and "probability" not in order:
        columns["count"] = 1
    params = {name: value for name, value in order.items() if name not in {*_COLUMNS, "params"}}
    return Fault.objects.create(**columns, params=params | order.get("params", {}))


def _fault(row):
    named = {name: getattr(row, name) for name in _COLUMNS}
    return {"id": row.pk, **named, "params": row.params, "matched": row.matched, "fired": row.fired}


@lever("POST")
def people(_request, body):
    """A person changes an object at Meta, or makes a new ad, behind Durum's back."""
    if "new_ad_in" in body:
        adset = Node.objects.select_related("account").get(pk=str(body["new_ad_in"]), kind=Node.Kind.ADSET)
        ad = scenario.add_ad(adset, body.get("ad", {}))
        return {"id": ad.pk, "name": ad.name, "status": ad.status, "creative": ad.creative_id}
    allowed = {name: body[name] for name in writes.WRITABLE if name in body}
    if not allowed:
        raise BadOrder(f"give at least one of {', '.join(writes.WRITABLE)}")
    for name in writes.BUDGETS:
        if name in allowed:
            allowed[name] = int(allowed[name])
    if allowed.get("status", "ACTIVE") not in writes.STATUSES:
        raise BadOrder(f"status must be one of {', '.join(writes.STATUSES)}")
    node = writes.change_by_person(str(body["object"]), allowed, at=clock.now())
    return {"id": node.pk} | {name: getattr(node, name) for name in writes.WRITABLE}


@lever("POST")
def tokens(_request, body):
    """Kill or revive a Graph token, change its scopes or accounts."""
    token = Token.objects.get(pk=body["token"])
    if "dead_subcode" in body:
        token.dead_subcode = body["dead_subcode"]
    if "expires_at" in body:
        token.expires_at = clock.instant(body["expires_at"]) if body["expires_at"] else None
    token.scopes = body.get("scopes", token.scopes)
    token.account_ids = body.get("accounts", token.account_ids)
    token.save()
    return {
        "token": token.pk,
        "scopes": token.scopes,
        "accounts": token.account_ids,
        "dead": token.dead_subcode,
    }


@lever("POST")
def accounts(_request, body):
    """Change an account's status or its allowance of calls."""
    account = Account.objects.get(pk=str(body["account"]).removeprefix("act_"))
    account.status = int(body.get("status", account.status))
    if "rate_limit_points" in body:
        account.traits["rate_limit_points"] = body["rate_limit_points"]
    account.version += 1
    account.save()
    return {"account": account.pk, "status": account.status}


@lever("GET", "DELETE")
def requests(request, _body):
    """The request log, newest first, with counters by path."""
    if request.method == "DELETE":
        return {"deleted": RequestRecord.objects.all().delete()[0]}
    rows = RequestRecord.objects.order_by("-pk")
    if request.GET.get("path"):
        rows = rows.filter(path__regex=request.GET["path"])
    if request.GET.get("method"):
        rows = rows.filter(method=request.GET["method"])
    counted = rows.order_by().values("method", "path", "status").annotate(count=Count("pk")).order_by("-count", "path")
    limit = int(request.GET.get("limit", 100))
    columns = ("at", "wall", "method", "path", "status", "token", "fault", "request_id", "millis")
    return {
        "requests": list(rows.values(*columns)[:limit]),
        "counts": list(counted[:500]),
        "total": rows.count(),
    }


@lever("POST")
def slack_team(_request, body):
    """Change the workspace: interactivity URL, signing secret, state of the bot token."""
    team = SlackTeam.objects.get(pk=body["team_id"]) if "team_id" in body else SlackTeam.objects.get()
    for name in ("interactivity_url", "signing_secret", "token_state"):
        setattr(team, name, body.get(name, getattr(team, name)))
    team.save()
    return {"team_id": team.pk, "interactivity_url": team.interactivity_url, "token_state": team.token_state}
