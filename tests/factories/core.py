"""What the house remembers about one client."""

from apps.core.models import ApiCall, AuditEvent, SystemLog

from .tenant import ClientOwnedFactory


class SystemLogFactory(ClientOwnedFactory):
    class Meta:
        model = SystemLog

    module = "apps.ads.tasks"
    exception_type = "ValueError"
    message = "not a number"


class ApiCallFactory(ClientOwnedFactory):
    class Meta:
        model = ApiCall

    platform = "meta_ads"
    method = "GET"
    endpoint = "insights"
    status = 200
    duration_ms = 120


class AuditEventFactory(ClientOwnedFactory):
    class Meta:
        model = AuditEvent

    via = "system"
    verb = "suggestions.execution.done"
