"""Misbehaviour on demand.

A fault is a row: what kind, which requests (method and path as regular expressions, exact token), how often
(`count` hits after `skip` matches, or a seeded `probability` per match) and whether before or after the work.

kind            effect
error           an HTTP error; params status=500, code=2, subcode, message, is_transient, or a whole body; for
                instance code=1 with Meta's "Please reduce the amount of data you're asking for"
throttle        Meta: code 17/80004/4 with usage headers (params code, status=400, minutes); Slack: 429 + Retry-After
expired_token   Meta: 190/463 (params subcode); Slack: invalid_auth (params error)
hang            wait params.seconds (30), then close the connection without an answer
drop            close the connection at once without an answer
slow            wait params.seconds (1), then answer normally
empty_body      200 with nothing; `when` after does the work first
html_body       200 (params status) with an HTML page
short_page, empty_page, job_failed, job_skipped, run_missing, batch_null
                carried into the Graph code, which acts on them
"""

import json
import re
import time

from django.db import transaction
from django.http import HttpResponse, JsonResponse

from apps.sandbox.graph import usage
from apps.sandbox.graph.errors import GraphError, bad_token
from apps.sandbox.models import Fault
from apps.sandbox.requestlog import token_of
from apps.sandbox.world import noise

INSIDE = {"short_page", "empty_page", "job_failed", "job_skipped", "run_missing", "batch_null"}
KINDS = INSIDE | {
    "error", "throttle", "expired_token", "hang", "drop", "slow", "empty_body", "html_body",
}  # fmt: skip
_QUIET = ("/_control", "/_truth")


class FaultMiddleware:
    """Applies the faults that match a request, before or after the work."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path.startswith(_QUIET):
            return self.get_response(request)
        request.sandbox_faults = fired = claim(request)
        for fault in fired:
            if fault.when == "before" and fault.kind not in INSIDE:
                answer = _act(request, fault)
                if answer is not None:
                    return answer
        response = self.get_response(request)
        for fault in fired:
            if fault.when == "after" and fault.kind not in INSIDE:
                response = _act(request, fault) or response
        return response


def claim(request):
    """The faults that fire for this request, their counters moved in one transaction."""
    if not Fault.objects.exists():
        return []
    token = token_of(request)
    fired = []
    with transaction.atomic():
        for fault in Fault.objects.all():
            if not _matches(fault, request, token):
                continue
            fault.matched += 1
            if _fires(fault):
                fault.fired += 1
                fired.append(fault)
            fault.save(update_fields=["matched", "fired"])
    return fired


def _matches(fault, request, token):
    if fault.token and fault.token != token:
        return False
    if fault.method and not re.fullmatch(fault.method, request.method):
        return False
    return not fault.path or re.search(fault.path, request.get_full_path()) is not None


def _fires(fault):
    if fault.matched <= fault.skip:
        return False
    if fault.count is not None and fault.fired >= fault.count:
        return False
    if fault.probability is not None:
        return noise.uniform("fault", fault.seed, fault.pk, fault.matched) < fault.probability
    return True


def _act(request, fault):
    params = fault.params
    if fault.kind == "slow":
        time.sleep(float(params.get("seconds", 1)))
        return None
    if fault.kind in {"hang", "drop"}:
        if fault.kind == "hang":
            time.sleep(float(params.get("seconds", 30)))
        request.META["sandbox.hang_up"]()
        return HttpResponse(status=499)
    if fault.kind == "empty_body":
        return HttpResponse(b"", content_type="application/json", status=int(params.get("status", 200)))
    if fault.kind == "html_body":
        page = params.get("body", "<!DOCTYPE html><html><body><h1>Sorry, something went wrong.</h1></body></html>")
        return HttpResponse(page, content_type="text/html", status=int(params.get("status", 200)))
    if request.path.startswith("/slack/"):
        return _slack(fault)
    return _graph(request, fault)


def _slack(fault):
    params = fault.params
    if fault.kind == "throttle":
        retry = str(params.get("retry_after", 1))
        return JsonResponse({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": retry})
    if fault.kind == "expired_token":
        return JsonResponse({"ok": False, "error": params.get("error", "invalid_auth")})
    status = int(params.get("status", 500))
    if "body" in params:
        return HttpResponse(_text(params["body"]), content_type="application/json", status=status)
    return JsonResponse({"ok": False, "error": params.get("error", "internal_error")}, status=status)


def _graph(request, fault):
    params = fault.params
    if fault.kind == "throttle":
        code, minutes = int(params.get("code", 80004)), int(params.get("minutes", 5))
        found = re.search(r"act_(\d+)", request.path)
        headers = usage.account_headers(
            found[1] if found else params.get("account_id", "0"),
            100.0,
            minutes,
            insights="insights" in request.path,
        )
        headers["X-App-Usage"] = json.dumps({"call_count": 100, "total_time": 100, "total_cputime": 100})
        refusal = usage.throttled(code, headers=headers, status=int(params.get("status", 400)))
    elif fault.kind == "expired_token":
        refusal = bad_token(int(params.get("subcode", 463)), "Error validating access token: Session has expired.")
    else:
        status = int(params.get("status", 500))
        if "body" in params:
            return HttpResponse(_text(params["body"]), content_type="application/json", status=status)
        refusal = GraphError(
            int(params.get("code", 2)),
            params.get("message", "An unexpected error has occurred. Please retry your request later."),
            subcode=params.get("subcode"),
            status=status,
            transient=bool(params.get("is_transient", int(params.get("code", 2)) == 2)),
        )
    return JsonResponse(refusal.envelope(request.sandbox_id), status=refusal.status, headers=refusal.headers)


def _text(body):
    return body if isinstance(body, str) else json.dumps(body)
