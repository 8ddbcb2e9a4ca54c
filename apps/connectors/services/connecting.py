"""Tokens that people bring are tried before they are stored: what does not work leaves no trace.

The platform is asked outside of every transaction; what is stored goes through `channels`.
"""

import re

from django.utils.translation import gettext as _

from apps.clients import access
from apps.clients.models import Client
from apps.connectors import registry
from apps.connectors.checks import check_channel
from apps.connectors.models import Channel
from apps.core import clock
from apps.core.errors import Invalid

from . import channels

Platform = Channel.Platform
AD_ACCOUNT = re.compile(r"^act_[0-9]{1,30}$")
SLACK_CHANNEL = re.compile(r"^[CG](?=[A-Z]*[0-9])[A-Z0-9]{8,20}$")


def reachable_ad_accounts(*, client_id, token, actor, connector_for=registry.of):
    """The ad accounts that a token reaches, for a person to choose from."""
    _require(client_id, actor)
    probe = Channel(client_id=client_id, platform=Platform.META_ADS, token=_checked_token(token))
    return connector_for(probe).accounts()


def connect_ad_account(*, client_id, token, number, actor, name="", connector_for=registry.of):
    """Connect a Meta ad account with a system user's token; returns the channel.

    Raises `Invalid` for what cannot be or is connected already, anywhere, and the connector's own errors when
    Meta does not accept the token: then nothing is stored.
    """
    _require(client_id, actor)
    number = _account_number(number)
    channel = Channel(
        client_id=client_id, platform=Platform.META_ADS, external_id=number, name=name, token=_checked_token(token)
    )
    account = connector_for(channel).account()
    channel.name = name.strip() or account.name or number
    return _store(channel, actor)


def connect_slack_channel(*, client_id, token, number, actor, name="", connector_for=registry.of):
    """Connect a Slack channel with the bot's token; its workspace is asked of Slack. Returns the channel."""
    _require(client_id, actor)
    number = number.strip().upper()
    if not SLACK_CHANNEL.match(number):
        raise Invalid(
            _("A Slack channel has a number like C0123456789: open the channel's details in Slack, at the bottom."),
            fields={"number": _("Like C0123456789.")},
        )
    channel = Channel(
        client_id=client_id, platform=Platform.SLACK, external_id=f"/{number}", token=_checked_token(token)
    )
    workspace = connector_for(channel).auth_test()
    channel.external_id = f"{workspace.team_id}/{number}"
    channel.name = name.strip() or f"{workspace.name} · {number}"
    return _store(channel, actor)


def reconnect(*, channel_id, token, actor, connector_for=registry.of):
    """Give an account a new token, after it has worked; the account is on again."""
    channel = Channel.objects.get(pk=channel_id)
    _require(channel.client_id, actor)
    channel.token = _checked_token(token)
    connector = connector_for(channel)
    if channel.platform == Platform.SLACK:
        _same_workspace(channel, connector.auth_test())
    else:
        connector.account()
    return _worked(
        channels.change(
            channel_id=channel_id, actor=actor, token=channel.token, state=Channel.State.CONNECTED, expires_at=None
        )
    )


def switch(*, channel_id, actor):
    """Off: nothing is read from or written to the account any more, what was stored stays. Or on again."""
    off = Channel.objects.get(pk=channel_id).state != Channel.State.DISABLED
    state = Channel.State.DISABLED if off else Channel.State.CONNECTED
    return channels.change(channel_id=channel_id, actor=actor, state=state)


def check(*, channel_id, actor):
    """Ask the platform whether the account works, and keep the answer; returns the `checks.Line`."""
    channel = Channel.objects.select_related("client").get(pk=channel_id)
    access.require(actor, "fetch", channel.client)
    return check_channel(channel)


def _require(client_id, actor):
    access.require(actor, "connect", Client.objects.get(pk=client_id))


def _checked_token(token):
    token = (token or "").strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Invalid(_("This is not a token: paste it whole, without spaces."), fields={"token": _("Paste it whole.")})
    return token


def _account_number(number):
    number = number.strip().lower()
    number = number if number.startswith("act_") else f"act_{number}"
    if not AD_ACCOUNT.match(number):
        raise Invalid(
            _("An ad account has a number like act_123456789: Ads Manager shows it beside the name."),
            fields={"number": _("Like act_123456789.")},
        )
    return number


def _same_workspace(channel, workspace):
    if channel.external_id.partition("/")[0] != workspace.team_id:
        raise Invalid(
            _("This token belongs to another workspace (%(name)s).") % {"name": workspace.name},
            fields={"token": _("Another workspace.")},
        )


def _store(channel, actor):
    return _worked(
        channels.connect(
            client_id=channel.client_id,
            actor=actor,
            platform=channel.platform,
            external_id=channel.external_id,
            name=channel.name[:160],
            token=channel.token,
        )
    )


def _worked(channel):
    channel.last_ok_at = clock.now()
    channel.save(update_fields=["last_ok_at"])
    return channel
