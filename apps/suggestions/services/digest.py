"""What must stand in Slack: one message a suggestion and channel, under a head a cycle and channel."""

from apps.connectors.models import Channel
from apps.suggestions.models import SlackMessage, Suggestion


def plan(cycle):
    """Note which messages the cycle's suggestions need; a worker posts them. Safe to call again."""
    channels = Channel.objects.filter(
        client_id=cycle.client_id, platform=Channel.Platform.SLACK, state=Channel.State.CONNECTED
    )
    waiting = list(Suggestion.objects.filter(client_id=cycle.client_id, cycle=cycle).waiting())
    if not waiting:
        return
    for channel in channels:
        keys = {"client_id": cycle.client_id, "channel": channel}
        SlackMessage.objects.get_or_create(**keys, cycle=cycle, suggestion=None)
        for suggestion in waiting:
            SlackMessage.objects.get_or_create(**keys, suggestion=suggestion, defaults={"cycle": cycle})
