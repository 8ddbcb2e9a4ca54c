"""The digest in Slack: what must be shown, and making Slack show it, once.

A row per message says what is wanted and what is shown; a worker closes the gap. Posting is bracketed: the
row says "sending" before the call, and after a lost answer or a crash Slack is asked for the message by the key
that travels with it, before anything is sent again.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import F

from apps.connectors.models import Channel
from apps.connectors.services import channels
from apps.core import clock, leases
from apps.core.crashpoints import crash_point
from apps.core.errors import NeedsReconnect, OutcomeUnknown, Rejected, Unavailable
from apps.suggestions import slack_text
from apps.suggestions.models import SlackMessage, Suggestion

logger = logging.getLogger(__name__)

EVENT_TYPE = "durum_suggestion"
# More than this many in one morning are read on the page.
MOST = 15
# Slack takes about one message a second and channel.
PACE = timedelta(seconds=1.1)
# A request whose answer was lost may still be on its way: it is looked for when it must have arrived.
SETTLES_AFTER = timedelta(seconds=30)
ASK_AGAIN_WHEN_BROKEN = timedelta(hours=1)
LONGEST_WAIT = timedelta(minutes=15)


@transaction.atomic
def plan(cycle):
    """Write down what the client's Slack channels must show of a cycle; safe to call again.

    Per channel a head and one message per suggestion, the most important ones, a second apart. A morning without
    anything to decide is silent. Returns how many messages there are to send.
    """
    suggestions = list(cycle.suggestions.waiting()[:MOST])
    if not suggestions:
        return 0
    now = clock.now()
    rows = [
        SlackMessage(
            client_id=cycle.client_id,
            channel=channel,
            cycle=cycle,
            suggestion=suggestion,
            not_before=now + place * PACE,
        )
        for channel in _channels_of(cycle.client_id)
        for place, suggestion in enumerate([None, *suggestions])
    ]
    SlackMessage.objects.bulk_create(rows, ignore_conflicts=True)
    return cycle.slack_messages.filter(shown__lt=F("wanted"), is_dead=False).count()


def show(*, message_id, slack_for):
    """Make one message say what it should. `slack_for(channel)` gives the connector of a channel.

    Safe to call twice and at the same time: whoever holds the lease works. Returns whether there is more to show
    already, because something happened to the suggestion meanwhile.
    """
    message = leases.claim(SlackMessage.objects.filter(pk=message_id).due(clock.now()))
    if message is None:
        return False
    try:
        _show(message, slack_for)
    except leases.Lost:
        logger.warning("message %s was taken over while Slack was slow", message.pk)
        return False
    return SlackMessage.objects.filter(pk=message.pk).due(clock.now()).exists()


def ask_again(*, message):
    """Have a message written anew: somebody pressed a button that should not be there any more."""
    SlackMessage.objects.filter(pk=message.pk, client_id=message.client_id).update(wanted=F("wanted") + 1)


def _show(message, slack_for):
    if message.channel.state != Channel.State.CONNECTED:
        leases.release(message, not_before=clock.now() + ASK_AGAIN_WHEN_BROKEN)
        return
    wanted = message.wanted
    try:
        _write(message, slack_for(message.channel))
    except NeedsReconnect as exc:
        channels.mark_broken(message.channel_id, exc)
        leases.release(message, error=str(exc), not_before=clock.now() + ASK_AGAIN_WHEN_BROKEN)
    except Rejected as exc:
        # Removed in Slack, the channel archived, the form not taken: asking again is no use.
        logger.warning("Slack message %s cannot be shown: %s", message.pk, exc.detail)
        leases.release(message, error=str(exc), is_dead=True)
    except OutcomeUnknown as exc:
        leases.release(message, error=str(exc), not_before=clock.now() + max(SETTLES_AFTER, _back_off(message)))
    except Unavailable as exc:
        _wait(message, exc)
    else:
        leases.release(message, shown=wanted, attempts=0, error="")
        Channel.objects.filter(pk=message.channel_id).update(last_ok_at=clock.now(), last_error="")


def _write(message, slack):
    """Post or update. What Slack said is on the row before this returns."""
    text, blocks = slack_text.compose(message)
    if not message.ts and message.sending_since is not None:
        found = slack.find_own(event_type=EVENT_TYPE, key=str(message.key), since=message.sending_since)
        if found is not None:
            leases.update_held(message, ts=found.ts)
    if message.ts:
        slack.update(message.ts, text, blocks)
    elif not _is_moot(message):
        _post(message, slack, text, blocks)


def _post(message, slack, text, blocks):
    if message.sending_since is None:
        leases.update_held(message, sending_since=clock.now())
    crash_point("slack.before_post")
    posted = slack.post_message(text, blocks, event_type=EVENT_TYPE, key=str(message.key))
    crash_point("slack.after_post")
    leases.update_held(message, ts=posted.ts)


def _is_moot(message):
    """Decided or expired before anybody could see it in Slack: no use announcing it."""
    return message.suggestion is not None and message.suggestion.status != Suggestion.Status.WAITING


def _wait(message, exc):
    """Slack asked for a pause or cannot be reached: this message and those behind it in its channel wait."""
    pause = timedelta(seconds=exc.retry_after) if exc.retry_after else _back_off(message)
    start = clock.now() + pause
    leases.release(message, error=str(exc), not_before=start)
    behind = SlackMessage.objects.filter(
        client_id=message.client_id, channel=message.channel_id, shown__lt=F("wanted"), is_dead=False
    ).exclude(pk=message.pk)
    for place, pk in enumerate(behind.order_by("not_before", "pk").values_list("pk", flat=True), start=1):
        due = start + place * PACE
        SlackMessage.objects.filter(pk=pk, not_before__lt=due).update(not_before=due)


def _back_off(message):
    return min(timedelta(seconds=5) * 2 ** min(message.attempts, 10), LONGEST_WAIT)


def _channels_of(client_id):
    return Channel.objects.filter(
        client_id=client_id, platform=Channel.Platform.SLACK, state=Channel.State.CONNECTED
    ).order_by("pk")
