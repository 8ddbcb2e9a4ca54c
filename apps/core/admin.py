"""What the house remembers, to be looked at only."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from .actors import VIAS
from .admin_tables import ClientFilter, ClientTable, EngineersTable, as_text, listed
from .errors import NeedsReconnect, OutcomeUnknown, Rejected, TooMuchData, Unavailable
from .models import ApiCall, AuditEvent, SystemLog

KINDS = (Unavailable, Rejected, NeedsReconnect, TooMuchData, OutcomeUnknown)


@admin.register(SystemLog)
class SystemLogAdmin(EngineersTable):
    """Errors that reached a border, newest first."""

    list_display = ["created_at", "module", "exception_type", "message", "client"]
    list_filter = [ClientFilter]
    search_fields = ["module", "exception_type", "message"]
    date_hierarchy = "created_at"
    fields = ["created_at", "client", "module", "exception_type", "message", "trace"]


@admin.register(ApiCall)
class ApiCallAdmin(EngineersTable):
    """Every outbound call: when, where, how it went, what it cost."""

    list_display = [
        "created_at",
        "platform",
        "method",
        "endpoint",
        "status",
        "error_kind",
        "duration_ms",
        "cost",
        "client",
    ]
    list_filter = [
        ClientFilter,
        listed("platform", _("platform"), ["meta_ads", "slack"]),
        listed("method", _("method"), ["GET", "POST"]),
        listed("error_kind", _("error"), [kind.__name__ for kind in KINDS]),
    ]
    search_fields = ["endpoint"]
    date_hierarchy = "created_at"


@admin.register(AuditEvent)
class AuditEventAdmin(ClientTable):
    """Who did what, when and through which door. Written once, never changed."""

    list_display = ["created_at", "who", "via", "verb", "subject_label", "client"]
    list_select_related = ["client", "user"]
    list_filter = [ClientFilter, listed("via", _("from"), VIAS)]
    search_fields = ["verb", "subject_type", "subject_label", "subject_id"]
    date_hierarchy = "created_at"
    fields = ["created_at", "client", "who", "via", "verb", "subject_type", "subject_id", "subject_label", "written"]

    @admin.display(description=AuditEvent._meta.get_field("user").verbose_name, ordering="user")
    def who(self, event):
        return str(event.user or "Durum")

    @admin.display(description=AuditEvent._meta.get_field("changes").verbose_name)
    def written(self, event):
        return as_text(event.changes)
