from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class AnalyticsConfig(AppConfig):
    name = "apps.analytics"
    label = "analytics"
    verbose_name = _("Analytics")

    def ready(self):
        from apps.core import navigation  # noqa: PLC0415  (the registry, once every app is known)

        for item in (
            navigation.NavItem(_("Home"), "analytics:home", "home", order=0, per_client=False, key="h"),
            navigation.NavItem(_("Overview"), "analytics:client_home", "layout-dashboard", order=5, key="v"),
            navigation.NavItem(
                pgettext_lazy("of the system", "Status"),
                "analytics:status",
                "heartbeat",
                order=900,
                per_client=False,
                staff_only=True,
            ),
        ):
            navigation.register(item)
