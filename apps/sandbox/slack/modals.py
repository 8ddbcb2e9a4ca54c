"""Modals: opened with a trigger within three seconds, once."""

import json
import time
import uuid

from django.db import transaction

from apps.sandbox.models import SlackTrigger, SlackView
from apps.sandbox.slack.blocks import check_view
from apps.sandbox.slack.refusal import Refusal

TRIGGER_SECONDS = 3
MOST_BYTES = 250_000


def open_view(team, arguments):
    """views.open"""
    view = arguments.get("view")
    if len(json.dumps(view)) > MOST_BYTES:
        raise Refusal("view_too_large")
    check_view(view)
    with transaction.atomic():
        trigger = SlackTrigger.objects.filter(pk=arguments.get("trigger_id", "")).first()
        if trigger is None:
            raise Refusal("invalid_trigger_id")
        if trigger.used:
            raise Refusal("exchanged_trigger_id")
        if time.time() - trigger.wall > TRIGGER_SECONDS:
            raise Refusal("expired_trigger_id")
        trigger.used = True
        trigger.save(update_fields=["used"])
        row = SlackView.objects.create(
            pk="V" + uuid.uuid4().hex[:10].upper(),
            team=team,
            user_id=trigger.user_id,
            view=named(view),
            hash=f"{time.time():.6f}",
            opened_wall=time.time(),
        )
    return {"view": describe(row)}


def update_view(team, arguments):
    """views.update by view_id, refused when the hash is old"""
    check_view(arguments.get("view"))
    row = SlackView.objects.filter(team=team, pk=arguments.get("view_id", ""), state="open").first()
    if row is None:
        raise Refusal("not_found")
    if arguments.get("hash") and arguments["hash"] != row.hash:
        raise Refusal("hash_conflict")
    replace(row, arguments["view"])
    return {"view": describe(row)}


def replace(row, view):
    """Put other content into an open modal."""
    row.view, row.hash = named(view), f"{time.time():.6f}"
    row.save(update_fields=["view", "hash"])


def named(view):
    """A view whose blocks all have an id, as Slack gives them one."""
    for number, block in enumerate(view.get("blocks", [])):
        block.setdefault("block_id", f"b{number}")
        if block.get("type") == "input":
            block["element"].setdefault("action_id", f"a{number}")
    return view


def describe(row, values=None):
    """A view as Slack writes it; `values` is what the person typed."""
    return {
        "id": row.pk,
        "team_id": row.team_id,
        "app_id": row.team.app_id,
        "bot_id": row.team.bot_id,
        "hash": row.hash,
        "root_view_id": row.pk,
        "previous_view_id": None,
        "external_id": "",
        "private_metadata": "",
        "callback_id": "",
        **row.view,
        "state": {"values": values or {}},
    }
