"""The workspace's people and places."""

from apps.sandbox.models import SlackChannel, SlackUser
from apps.sandbox.slack.refusal import Refusal


def auth_test(team, _arguments):
    """Who this token is."""
    return {
        "url": "https://sandbox.slack.com/",
        "team": team.name,
        "user": "durum",
        "team_id": team.pk,
        "user_id": team.bot_user_id,
        "bot_id": team.bot_id,
        "is_enterprise_install": False,
    }


def describe(user):
    """A user as Slack writes it."""
    return {
        "id": user.pk,
        "team_id": user.team_id,
        "name": user.name.lower().replace(" ", "."),
        "real_name": user.name,
        "deleted": user.deleted,
        "is_bot": False,
        "tz": "Europe/Paris",
        "profile": {
            "real_name": user.name,
            "display_name": user.name,
            "email": user.email,
            "team": user.team_id,
        },
    }


def info(team, arguments):
    """users.info"""
    user = team.users.filter(pk=arguments.get("user", "")).first()
    if user is None:
        raise Refusal("user_not_found")
    return {"user": describe(user)}


def lookup_by_email(team, arguments):
    """users.lookupByEmail"""
    user = team.users.filter(email__iexact=arguments.get("email", ""), deleted=False).first()
    if user is None or not user.email:
        raise Refusal("users_not_found")
    return {"user": describe(user)}


def listing(team, _arguments):
    """users.list, on one page"""
    return {
        "members": [describe(user) for user in team.users.order_by("pk")],
        "response_metadata": {"next_cursor": ""},
    }


def direct(user):
    """The direct-message channel with a user, made on first use."""
    return SlackChannel.objects.get_or_create(
        pk=f"D{user.pk[1:]}", defaults={"team": user.team, "name": "directmessage", "direct_with": user}
    )[0]


def open_direct(team, arguments):
    """conversations.open with one user"""
    names = [name for name in str(arguments.get("users", "")).split(",") if name]
    user = SlackUser.objects.filter(team=team, pk=names[0]).first() if len(names) == 1 else None
    if user is None:
        raise Refusal("user_not_found")
    return {"channel": {"id": direct(user).pk}}


def describe_channel(channel):
    """A channel as Slack writes it."""
    return {
        "id": channel.pk,
        "name": channel.name,
        "is_channel": channel.direct_with_id is None,
        "is_im": channel.direct_with_id is not None,
        "is_archived": channel.archived,
        "is_member": channel.member,
    }


def channel_info(team, arguments):
    """conversations.info"""
    channel = team.channels.filter(pk=arguments.get("channel", "")).first()
    if channel is None:
        raise Refusal("channel_not_found")
    return {"channel": describe_channel(channel)}


def channel_list(team, _arguments):
    """conversations.list, on one page"""
    rows = team.channels.filter(direct_with=None).order_by("pk")
    return {"channels": [describe_channel(row) for row in rows], "response_metadata": {"next_cursor": ""}}
