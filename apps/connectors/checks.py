"""Does it work? One test per connected account and server, with what to do where it does not.

A test only reads. What it finds out about an account is kept on its row, so that pages and sweeps know as well.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.connectors import registry
from apps.connectors.models import Channel
from apps.core import clock, health
from apps.core.errors import ConnectorError, NeedsReconnect


@dataclass(frozen=True)
class Checked:
    """What a connector's `check()` returns when it works: who answered, and what will be trouble soon."""

    text: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """One line of the table. `state` is ok, warning, broken or off."""

    system: str
    name: str
    client: str
    state: str
    text: str
    detail: str = ""

    @property
    def is_broken(self):
        return self.state == "broken"


def check_servers():
    """PostgreSQL and Redis."""
    found = [reading for reading in health.readings() if reading.key in ("database", "redis")]
    return [
        Line(
            str(reading.label),
            reading.text,
            "",
            "ok" if reading.state == health.OK else "broken",
            reading.next_step or reading.text,
        )
        for reading in found
    ]


def check_channel(channel):
    """Test one account and keep the outcome on its row."""
    system, client = channel.get_platform_display(), str(channel.client)
    if channel.state == Channel.State.DISABLED:
        return Line(system, channel.name, client, "off", _("Switched off."))
    row = Channel.objects.filter(pk=channel.pk)
    try:
        found = registry.of(channel).check()
    except ConnectorError as exc:
        changes = {"last_error": str(exc.message)}
        if isinstance(exc, NeedsReconnect):
            changes["state"] = Channel.State.NEEDS_RECONNECT
        row.update(**changes)
        return Line(system, channel.name, client, "broken", str(exc.message), exc.detail)
    row.update(state=Channel.State.CONNECTED, last_ok_at=clock.now(), last_error="")
    if found.warnings:
        return Line(system, channel.name, client, "warning", " ".join(found.warnings))
    return Line(system, channel.name, client, "ok", found.text)


def check_channels(channels):
    """Test every account of the queryset, one after the other; yields a `Line` for each."""
    for channel in channels.select_related("client").order_by("client__name", "platform", "pk"):
        yield check_channel(channel)
