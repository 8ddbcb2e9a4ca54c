from django.apps import AppConfig


class DurumConfig(AppConfig):
    """The project as an app, so that its commands are found."""

    name = "durum"
