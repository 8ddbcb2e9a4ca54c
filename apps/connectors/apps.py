from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConnectorsConfig(AppConfig):
    name = "apps.connectors"
    label = "connectors"
    verbose_name = _("Connections")

    def ready(self):
        from . import registry  # noqa: PLC0415  (providers need the models, which are not loaded before this point)

        registry.load_providers()
