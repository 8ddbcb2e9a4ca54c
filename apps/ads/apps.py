from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AdsConfig(AppConfig):
    name = "apps.ads"
    label = "ads"
    verbose_name = _("Ads")

    def ready(self):
        from apps.core import health, navigation, scheduling  # noqa: PLC0415  (their models are not loaded before this point)

        from . import watching  # noqa: PLC0415  (the same)

        navigation.register(navigation.NavItem(_("Imports"), "ads:imports", "file-import", order=40, key="i"))
        health.register("ads_fetch", watching.fetch_is_on_time)
        navigation.register(navigation.NavItem(_("Ads"), "ads:dashboard", "chart-bar", order=10, key="a"))
        navigation.register(navigation.NavItem(_("Creatives"), "ads:creatives", "photo", order=12, key="c"))
        for job in (
            scheduling.Job(
                "ads-fetch-sweep", "apps.ads.tasks.sweep_fetches", every=60, label=_("Fetches that are due")
            ),
            scheduling.Job(
                "ads-import-sweep", "apps.ads.tasks.sweep_imports", every=60, label=_("Imports that are due")
            ),
            scheduling.Job(
                "ads-fetch-recent",
                "apps.ads.tasks.fetch_recent",
                crontab={"minute": "10"},
                label=_("Ads of the last days"),
            ),
            scheduling.Job(
                "ads-fetch-everything",
                "apps.ads.tasks.fetch_everything",
                crontab={"minute": "30", "hour": "5"},
                zone="Europe/Paris",
                label=_("Ads, with every day that may still change"),
            ),
        ):
            scheduling.register(job)
