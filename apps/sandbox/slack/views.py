"""The door of the Slack Web API: HTTP 200 with `ok`, one function per method."""

import json
import time

from django.http import HttpResponse, JsonResponse

from apps.sandbox.models import SlackHook, SlackTeam
from apps.sandbox.requestlog import token_of
from apps.sandbox.slack import chat, modals, people
from apps.sandbox.slack.blocks import BadBlocks
from apps.sandbox.slack.refusal import Refusal

METHODS = {
    "auth.test": people.auth_test,
    "users.info": people.info,
    "users.lookupByEmail": people.lookup_by_email,
    "users.list": people.listing,
    "conversations.open": people.open_direct,
    "conversations.info": people.channel_info,
    "conversations.list": people.channel_list,
    "conversations.history": chat.history,
    "chat.postMessage": chat.post_message,
    "chat.update": chat.update,
    "chat.delete": chat.delete,
    "chat.postEphemeral": chat.post_ephemeral,
    "views.open": modals.open_view,
    "views.update": modals.update_view,
    "views.push": modals.open_view,
}
_STRUCTURED = ("blocks", "view", "metadata", "attachments")
HOOK_USES = 5
HOOK_SECONDS = 1800


def method(request, name):
    """Answer one Web API call."""
    try:
        arguments = _arguments(request)
        call = METHODS.get(name)
        if call is None:
            raise Refusal("unknown_method", req_method=name)
        return JsonResponse({"ok": True} | call(_team(request), arguments))
    except BadBlocks as bad:
        return JsonResponse(
            {
                "ok": False,
                "error": bad.error,
                "errors": bad.messages,
                "response_metadata": {"messages": bad.messages},
            }
        )
    except Refusal as refusal:
        return JsonResponse(
            {"ok": False, "error": refusal.error} | refusal.more,
            status=refusal.status,
            headers=refusal.headers,
        )


def _arguments(request):
    if request.content_type == "application/json":
        try:
            given = json.loads(request.body or b"{}")
        except ValueError:
            raise Refusal("invalid_json") from None
        if not isinstance(given, dict):
            raise Refusal("json_not_object")
    else:
        given = dict(request.GET.items()) | dict(request.POST.items())
    for name in _STRUCTURED:
        if isinstance(given.get(name), str):
            try:
                given[name] = json.loads(given[name])
            except ValueError:
                raise Refusal("invalid_blocks_format" if name == "blocks" else "invalid_arguments") from None
    return given


def _team(request):
    token = token_of(request)
    if not token:
        raise Refusal("not_authed")
    team = SlackTeam.objects.filter(bot_token=token).first()
    if team is None:
        raise Refusal("invalid_auth")
    if team.token_state:
        raise Refusal(team.token_state)
    return team


def response_url(request, hook_id):
    """A response_url: replaces, deletes or adds to the message it came from, without a token."""
    hook = SlackHook.objects.select_related("message__channel").filter(pk=hook_id).first()
    if hook is None or request.method != "POST":
        return HttpResponse("invalid_url", status=404)
    if hook.uses >= HOOK_USES or time.time() - hook.wall > HOOK_SECONDS:
        return HttpResponse("used_url", status=404)
    hook.uses += 1
    hook.save(update_fields=["uses"])
    try:
        chat.respond(hook, json.loads(request.body))
    except BadBlocks as bad:
        return HttpResponse(bad.error, status=400)
    return HttpResponse("ok")
