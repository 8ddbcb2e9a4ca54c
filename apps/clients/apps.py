from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClientsConfig(AppConfig):
    name = "apps.clients"
    label = "clients"
    verbose_name = _("Clients")

    def ready(self):
        from apps.core import navigation  # noqa: PLC0415  (the registry, once every app is known)

        from . import tabs  # noqa: PLC0415  (with the models, which are not loaded before this point)
        from .access import may  # noqa: PLC0415  (the same)

        navigation.register_gate(may)
        navigation.register(navigation.NavItem(_("Settings"), "clients:settings", "settings", order=90, key="e"))
        tabs.register(tabs.Tab(_("Client"), "clients:settings", "building-store", 10))
        tabs.register(tabs.Tab(_("Team"), "clients:team", "users", 20))
        tabs.register(tabs.Tab(_("Products and funnels"), "clients:products", "target-arrow", 15))
        tabs.register(tabs.Tab(_("API tokens"), "clients:tokens", "key", 40))
        tabs.register(tabs.Tab(_("Audit trail"), "clients:audit", "history", 50))
