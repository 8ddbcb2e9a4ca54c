"""Closed work, put away and readable."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from apps.core.admin_tables import ClientFilter, ClientTable, as_text, listed
from apps.suggestions.models import Decision, DecisionArchive, SuggestionArchive
from apps.suggestions.services import deciding


@admin.register(SuggestionArchive)
class SuggestionArchiveAdmin(ClientTable):
    list_display = ["closed_at", "client", "ad_object_name", "kind", "status", "confidence", "came_true", "archived_at"]
    list_filter = [ClientFilter, "kind", "status", "came_true"]
    search_fields = ["ad_object_name"]
    date_hierarchy = "closed_at"
    exclude = ["record"]
    readonly_fields = ["whole"]

    @admin.display(description=_("record"))
    def whole(self, row):
        return as_text(row.record)


@admin.register(DecisionArchive)
class DecisionArchiveAdmin(ClientTable):
    list_display = ["decided_at", "client", "suggestion_number", "verdict", "user_label", "via", "reason"]
    list_filter = [
        ClientFilter,
        listed("verdict", _("verdict"), Decision.Verdict.choices),
        listed("via", _("from"), deciding.VIA_NAMES.items()),
    ]
    search_fields = ["user_label", "reason"]
    date_hierarchy = "decided_at"
