"""Messages: posted, changed, deleted, found again."""

import time

from django.db import transaction

from apps.sandbox import clock
from apps.sandbox.models import SlackChannel, SlackMessage
from apps.sandbox.slack import people
from apps.sandbox.slack.blocks import check_message
from apps.sandbox.slack.refusal import Refusal


def post_message(team, arguments):
    """chat.postMessage: one message a second per channel, by the wall clock as the caller waits by it."""
    blocks, text = _content(arguments)
    with transaction.atomic():
        channel = _channel(team, arguments.get("channel", ""))
        if clock.state().slack_rate_limit:
            waited = time.time() - channel.last_post_wall
            if 0 <= waited < 1:
                raise Refusal("ratelimited", status=429, headers={"Retry-After": "1"})
        channel.last_post_wall = time.time()
        channel.save(update_fields=["last_post_wall"])
        message = _store(team, channel, text, blocks, arguments)
    return {"channel": channel.pk, "ts": message.ts, "message": describe(message, team)}


def post_ephemeral(team, arguments):
    """chat.postEphemeral: seen by one person, cannot be updated."""
    blocks, text = _content(arguments)
    channel = _channel(team, arguments.get("channel", ""))
    if not team.users.filter(pk=arguments.get("user", "")).exists():
        raise Refusal("user_not_in_channel")
    with transaction.atomic():
        message = _store(team, channel, text, blocks, arguments, ephemeral_to=arguments["user"])
    return {"message_ts": message.ts}


def update(team, arguments):
    """chat.update: only our own messages; the former content is kept for the tests."""
    with transaction.atomic():
        message = _own(team, arguments)
        blocks, text = _content(arguments, message)
        edit(message, text, blocks, arguments.get("metadata", message.metadata))
    return {
        "channel": message.channel_id,
        "ts": message.ts,
        "text": message.text,
        "message": describe(message, team),
    }


def delete(team, arguments):
    """chat.delete"""
    message = _own(team, arguments)
    message.deleted = True
    message.save(update_fields=["deleted"])
    return {"channel": message.channel_id, "ts": message.ts}


def history(team, arguments):
    """conversations.history, newest first, with metadata when asked."""
    channel = _channel(team, arguments.get("channel", ""))
    rows = SlackMessage.objects.filter(channel=channel, deleted=False, ephemeral_to="").order_by("-ts")
    inclusive = str(arguments.get("inclusive", "")).lower() in {"true", "1"}
    if arguments.get("oldest") not in (None, "", "0", 0):
        bound = f"{float(arguments['oldest']):.6f}"
        rows = rows.filter(**{"ts__gte" if inclusive else "ts__gt": bound})
    if arguments.get("latest") not in (None, ""):
        bound = f"{float(arguments['latest']):.6f}"
        rows = rows.filter(**{"ts__lte" if inclusive else "ts__lt": bound})
    cursor = str(arguments.get("cursor") or "")
    if cursor:
        rows = rows.filter(ts__lt=cursor)
    limit = min(int(arguments.get("limit") or 100), 999)
    found = list(rows[: limit + 1])
    with_metadata = str(arguments.get("include_all_metadata", "")).lower() in {"true", "1"}
    more = len(found) > limit
    found = found[:limit]
    answer = {
        "messages": [describe(row, team, with_metadata=with_metadata) for row in found],
        "has_more": more,
    }
    if more:
        answer["response_metadata"] = {"next_cursor": found[-1].ts}
    return answer


def respond(hook, body):
    """What a response_url does to its message."""
    message = hook.message
    blocks, text = body.get("blocks") or [], body.get("text") or ""
    check_message(blocks, text)
    with transaction.atomic():
        if body.get("delete_original"):
            message.deleted = True
            message.save(update_fields=["deleted"])
        elif body.get("replace_original"):
            edit(message, text, blocks, message.metadata)
        else:
            to = "" if body.get("response_type") == "in_channel" else hook.user_id
            _store(message.channel.team, message.channel, text, blocks, body, ephemeral_to=to)


def edit(message, text, blocks, metadata):
    """Replace a message's content and remember what it said."""
    message.edits = [
        *message.edits,
        {"text": message.text, "blocks": message.blocks, "metadata": message.metadata, "until": time.time()},
    ]
    message.text, message.blocks, message.metadata = text, blocks, metadata
    message.save(update_fields=["text", "blocks", "metadata", "edits"])


def describe(message, team, *, with_metadata=True):
    """A message as Slack writes it."""
    made = {
        "type": "message",
        "user": message.user_id,
        "bot_id": team.bot_id,
        "app_id": team.app_id,
        "team": team.pk,
        "ts": message.ts,
        "text": message.text,
        "blocks": message.blocks,
    }
    if message.thread_ts:
        made["thread_ts"] = message.thread_ts
    if message.edits:
        made["edited"] = {"user": message.user_id, "ts": f"{message.edits[-1]['until']:.6f}"}
    if message.metadata and with_metadata:
        made["metadata"] = message.metadata
    return made


def _content(arguments, before=None):
    blocks = arguments.get("blocks")
    if blocks is None:
        blocks = before.blocks if before and "text" not in arguments else []
    text = arguments.get("text")
    if text is None:
        text = before.text if before else ""
    if not text and not blocks:
        raise Refusal("no_text")
    check_message(blocks, text)
    return blocks, text


def _channel(team, name):
    channel = team.channels.filter(pk=name).first()
    if channel is None and str(name).startswith("U"):
        user = team.users.filter(pk=name).first()
        channel = people.direct(user) if user else None
    if channel is None and str(name).startswith("#"):
        channel = team.channels.filter(name=name[1:]).first()
    if channel is None:
        raise Refusal("channel_not_found")
    if channel.archived:
        raise Refusal("is_archived")
    if not channel.member:
        raise Refusal("not_in_channel")
    return channel


def _own(team, arguments):
    channel = SlackChannel.objects.filter(team=team, pk=arguments.get("channel", "")).first()
    if channel is None:
        raise Refusal("channel_not_found")
    message = channel.messages.filter(ts=arguments.get("ts", ""), deleted=False, ephemeral_to="").first()
    if message is None:
        raise Refusal("message_not_found")
    if message.user_id != team.bot_user_id:
        raise Refusal("cant_update_message")
    return message


def _store(team, channel, text, blocks, arguments, *, ephemeral_to=""):
    metadata = arguments.get("metadata")
    if metadata is not None and not {"event_type", "event_payload"} <= set(metadata):
        raise Refusal("invalid_metadata_format")
    newest = channel.messages.order_by("-ts").values_list("ts", flat=True).first()
    stamp = clock.now()
    if newest is not None:
        stamp = max(stamp, float(newest) + 0.0001)
    for number, block in enumerate(blocks):
        block.setdefault("block_id", f"b{number}")
    return SlackMessage.objects.create(
        channel=channel,
        ts=f"{stamp:.6f}",
        user_id=team.bot_user_id,
        text=text,
        blocks=blocks,
        metadata=metadata,
        thread_ts=arguments.get("thread_ts") or "",
        ephemeral_to=ephemeral_to,
    )
