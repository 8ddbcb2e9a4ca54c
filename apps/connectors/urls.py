"""Addresses of connected accounts."""

from django.urls import path

from . import views
from .models import Channel

app_name = "connectors"
urlpatterns = [
    path("c/<slug:client_key>/settings/accounts/", views.channels, name="channels"),
    path(
        "c/<slug:client_key>/settings/accounts/connect/meta/",
        views.connect,
        {"platform": Channel.Platform.META_ADS},
        name="connect_meta",
    ),
    path(
        "c/<slug:client_key>/settings/accounts/connect/slack/",
        views.connect,
        {"platform": Channel.Platform.SLACK},
        name="connect_slack",
    ),
    path("c/<slug:client_key>/settings/accounts/<int:pk>/reconnect/", views.reconnect, name="reconnect"),
    path("c/<slug:client_key>/settings/accounts/<int:pk>/test/", views.check, name="check"),
    path("c/<slug:client_key>/settings/accounts/<int:pk>/switch/", views.switch, name="switch"),
]
