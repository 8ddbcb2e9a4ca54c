"""Whole addresses of pages, for those who read outside of Durum: Slack, e-mail, exports."""

from django.conf import settings


def of_suggestion(suggestion):
    """The page of one suggestion."""
    return f"{settings.SITE_URL}/c/{suggestion.client.key}/suggestions/{suggestion.pk}/"


def of_board(client):
    """The client's suggestions to decide."""
    return f"{settings.SITE_URL}/c/{client.key}/suggestions/"
