from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConnectorsConfig(AppConfig):
    name = "apps.connectors"
    label = "connectors"
    verbose_name = _("Connections")

    def ready(self):
        from apps.clients import tabs  # noqa: PLC0415  (the registry, once every app is known)

        from . import registry  # noqa: PLC0415  (providers need the models, which are not loaded before this point)

        registry.load_providers()
        tabs.register(tabs.Tab(_("Connected accounts"), "connectors:channels", "plug", 30))
