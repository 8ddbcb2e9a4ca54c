from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SuggestionsConfig(AppConfig):
    name = "apps.suggestions"
    label = "suggestions"
    verbose_name = _("Suggestions")

    def ready(self):
        from . import registrations  # noqa: PLC0415  (models are not loaded before this point)

        registrations.register()
