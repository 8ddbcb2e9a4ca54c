from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClientsConfig(AppConfig):
    name = "apps.clients"
    label = "clients"
    verbose_name = _("Clients")

    def ready(self):
        from apps.core import navigation  # noqa: PLC0415  (the registry, once every app is known)

        from .access import may  # noqa: PLC0415  (models are not loaded before this point)

        navigation.register_gate(may)
