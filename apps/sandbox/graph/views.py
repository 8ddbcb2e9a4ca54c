"""The door of the Graph API: versions, routing, batch, envelopes and headers."""

import hashlib
import json
import re
from urllib.parse import parse_qsl, urlsplit

from django.http import HttpResponse, JsonResponse

from apps.sandbox import clock
from apps.sandbox.graph import access, currency, edges, expansion, insights, runs, usage, writes
from apps.sandbox.graph.calls import Call, parse_fields
from apps.sandbox.graph.errors import GraphError, bad_parameter, dead_version
from apps.sandbox.models import Account, Creative, Token

CURRENT = "v26.0"
LIVE = {"v26.0", "v25.0"}
MAX_BATCH = 50
_VERSION = re.compile(r"v\d+\.\d+$")
_NEUTRAL = {"me", "debug_token"}


def graph(request, path=""):
    """Answer one HTTP request to the Graph host."""
    parts = [part for part in path.split("/") if part]
    version = parts.pop(0) if parts and _VERSION.match(parts[0]) else ""
    state = clock.state()
    request.sandbox_now = clock.reading(state)
    call = Call(
        method=request.method,
        version=version or CURRENT,
        path=tuple(parts),
        params=_params(request),
        base_url=f"{request.scheme}://{request.get_host()}",
        now=request.sandbox_now,
        request_id=request.sandbox_id,
        faults=request.sandbox_faults,
        page_limit=state.page_limit,
    )
    if call.params.get("method") and call.method == "POST":
        call.method = call.text("method").upper()
    if call.method == "POST" and not parts and "batch" in call.params:
        return _batch(call, versioned=bool(version))
    status, body, headers = answer(call, versioned=bool(version))
    return JsonResponse(body, status=status, safe=False, headers=headers)


def answer(call, *, versioned):
    """Status, body and headers for one call; every refusal becomes Meta's envelope."""
    headers = {"facebook-api-version": call.version, "x-fb-trace-id": call.request_id}
    try:
        if call.version not in LIVE or (not versioned and not set(call.path) & _NEUTRAL):
            raise dead_version(CURRENT)
        if call.path == ("debug_token",):
            return 200, _debug_token(call), headers
        call.token = access.identify(call)
        body = _route(call)
        headers |= usage.meter(call)
    except GraphError as error:
        return error.status, error.envelope(call.request_id), headers | error.headers
    return 200, body, headers


def _params(request):
    params = dict(request.GET.items())
    if request.content_type == "application/json" and request.body:
        try:
            params |= json.loads(request.body)
        except ValueError:
            params["_malformed"] = "1"
    else:
        params |= dict(request.POST.items())
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme in {"Bearer", "OAuth"} and "access_token" not in params:
        params["access_token"] = token
    return params


def _route(call):
    if not call.path:
        return _many(call)
    head, *rest = call.path
    if head == "me":
        return _me(call, rest)
    run = runs.find(call, head)
    if run is not None:
        return runs.results(call, run, resolve) if rest == ["insights"] else runs.status(call, run)
    kind, row = resolve(call, head)
    if call.method == "GET" and len(rest) <= 1:
        return _read(call, kind, row, "".join(rest))
    if call.method == "POST" and rest == ["insights"]:
        access.need(call, "ads_read", "ads_management")
        return runs.start(call, kind, row)
    if rest or kind in {"account", "creative"}:
        raise _unknown(rest)
    return writes.delete(call, head) if call.method == "DELETE" else writes.update(call, head)


def _read(call, kind, row, edge):
    access.need(call, "ads_read", "ads_management")
    wanted = parse_fields(call.text("fields")) if call.params.get("fields") else None
    reader = expansion.reader(call)
    if not edge:
        return reader.render(kind, row, wanted)
    if edge == "insights" and kind != "creative":
        return insights.answer(call, insights.query(call, kind, row))
    if _has_edge(kind, edge):
        return edges.listing(call, reader, (kind, row), edge, wanted)
    if (kind, edge) == ("account", "minimum_budgets"):
        return _minimum_budgets(row)
    if (kind, edge) == ("ad", "adcreatives"):
        return {"data": [reader.render("creative", row.creative, wanted)]}
    raise _unknown([edge])


def _unknown(rest):
    return GraphError(2500, f"Unknown path components: /{'/'.join(rest)}")


def _has_edge(kind, edge):
    return edge in {"account": set(edges.EDGE_KINDS), "campaign": {"adsets", "ads"}, "adset": {"ads"}}.get(kind, set())


def resolve(call, object_id):
    """Kind and row behind an id the token may see, else 100/33."""
    if object_id.startswith("act_"):
        return "account", access.account(call, object_id.removeprefix("act_"))
    try:
        node = access.node(call, object_id)
    except GraphError:
        creative = Creative.objects.select_related("account").filter(pk=object_id).first()
        if creative is None or creative.account_id not in call.token.account_ids:
            raise
        return "creative", creative
    return node.kind, node


def _many(call):
    ids = call.listed("ids")
    if call.method != "GET" or not ids:
        raise GraphError(2500, "An active access token must be used with a node or with ids")
    access.need(call, "ads_read", "ads_management")
    if len(ids) > MAX_BATCH:
        raise bad_parameter("Too many ids. Maximum: 50.")
    wanted = parse_fields(call.text("fields")) if call.params.get("fields") else None
    reader = expansion.reader(call)
    return {object_id: reader.render(*resolve(call, object_id), wanted) for object_id in ids}


def _me(call, rest):
    if not rest:
        return {"id": call.token.user_id, "name": call.token.user_name}
    if rest != ["adaccounts"]:
        raise _unknown(rest)
    access.need(call, "ads_read", "ads_management")
    wanted = parse_fields(call.text("fields")) if call.params.get("fields") else None
    rows = list(Account.objects.filter(pk__in=call.token.account_ids).order_by("pk"))
    start, limit = edges.window(call)
    end = min(len(rows), start + edges.shortened(call, limit))
    reader = expansion.reader(call)
    return edges.page(
        call, [reader.render("account", row, wanted) for row in rows[start:end]], start, end, end < len(rows)
    )


def _minimum_budgets(account):
    low = currency.minimum_daily_budget(account.currency)
    return {"data": [{"currency": account.currency, "min_daily_budget_imp": low, "min_daily_budget_low_freq": low * 5}]}


def _debug_token(call):
    asking = call.text("access_token")
    app_id, _, secret = asking.partition("|")
    token = Token.objects.select_related("app").filter(pk=call.text("input_token")).first()
    by_app = token is not None and (token.app_id, token.app.secret) == (app_id, secret)
    if not by_app:
        call.token = access.identify(call)
    if token is None:
        message = "Invalid OAuth access token - Cannot parse access token"
        return {"data": {"is_valid": False, "scopes": [], "error": {"code": 190, "message": message}}}
    subcode = access.dead_because(token, call.now)
    made = {
        "app_id": token.app_id,
        "type": token.kind,
        "application": "Durum",
        "is_valid": subcode is None,
        "issued_at": int(token.issued_at),
        "expires_at": int(token.expires_at or 0),
        "data_access_expires_at": 0,
        "scopes": token.scopes,
        "granular_scopes": [{"scope": scope, "target_ids": token.account_ids} for scope in token.scopes],
        "user_id": token.user_id,
    }
    if subcode is not None:
        made["error"] = {"code": 190, "subcode": subcode, "message": "Error validating access token"}
    return {"data": made}


def _batch(call, *, versioned):
    items = call.parsed("batch")
    if not isinstance(items, list):
        return _refused(call, bad_parameter("Param batch must be an array"))
    if len(items) > MAX_BATCH:
        return _refused(call, GraphError(100, "(#100) Too many requests in batch message. Maximum batch size is 50"))
    fault = call.fault("batch_null")
    lost = set(fault.params.get("items", [0])) if fault else set()
    answers = []
    for number, item in enumerate(items):
        made = _batch_item(call, item, number, versioned=versioned)
        answers.append(None if number in lost else made)
    return HttpResponse(json.dumps(answers), content_type="application/json")


def _batch_item(outer, item, number, *, versioned):
    address = urlsplit(str(item.get("relative_url", "")))
    parts = [part for part in address.path.split("/") if part]
    version = parts.pop(0) if parts and _VERSION.match(parts[0]) else ""
    params = {name: outer.params[name] for name in ("access_token", "appsecret_proof") if name in outer.params}
    params |= dict(parse_qsl(address.query, keep_blank_values=True))
    params |= dict(parse_qsl(item.get("body") or "", keep_blank_values=True))
    call = Call(
        method=str(item.get("method", "GET")).upper(),
        version=version or outer.version,
        path=tuple(parts),
        params=params,
        base_url=outer.base_url,
        now=outer.now,
        request_id=f"{outer.request_id}.{number}",
        faults=outer.faults,
        page_limit=outer.page_limit,
    )
    status, body, headers = answer(call, versioned=versioned or bool(version))
    listed = [{"name": name, "value": value} for name, value in headers.items()]
    etag = hashlib.sha256(json.dumps(body).encode()).hexdigest()[:16]
    return {"code": status, "headers": [*listed, {"name": "ETag", "value": etag}], "body": json.dumps(body)}


def _refused(call, error):
    return JsonResponse(error.envelope(call.request_id), status=error.status)
