"""What the house itself remembers: errors, outbound calls, who did what, and answers given to API keys."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from . import clock
from .tenancy import MaybeTenantModel, TenantModel

__all__ = ["ApiCall", "AuditEvent", "IdempotencyKey", "SystemLog", "TenantModel"]


class SystemLog(MaybeTenantModel):
    """One error that reached the border of a task, a request or a command."""

    created_at = models.DateTimeField(_("when"), default=clock.now, db_index=True)
    module = models.CharField(_("module"), max_length=120)
    exception_type = models.CharField(_("exception"), max_length=120)
    message = models.TextField(_("message"))
    trace = models.TextField(_("trace"), blank=True)

    class Meta:
        verbose_name = _("system log")
        verbose_name_plural = _("system logs")
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["module", "-created_at"], name="systemlog_module")]

    def __str__(self):
        return f"{self.module}: {self.exception_type}"


class ApiCall(MaybeTenantModel):
    """One outbound request and how it went. `cost` is in the platform's own rate-limit points."""

    created_at = models.DateTimeField(_("when"), default=clock.now, db_index=True)
    platform = models.CharField(_("platform"), max_length=30)
    method = models.CharField(_("method"), max_length=8)
    endpoint = models.CharField(_("endpoint"), max_length=200)
    status = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)
    error_kind = models.CharField(_("error"), max_length=40, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"))
    cost = models.PositiveSmallIntegerField(_("points"), default=1)
    usage_percent = models.FloatField(_("usage (%)"), null=True, blank=True)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)

    class Meta:
        verbose_name = _("outbound call")
        verbose_name_plural = _("outbound calls")
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["client", "-created_at"], name="apicall_client")]

    def __str__(self):
        return f"{self.platform} {self.method} {self.endpoint}"


class AuditEvent(MaybeTenantModel):
    """Something a person or the machine did: `verb` is `app.object.pasttense`. Written once, never changed."""

    created_at = models.DateTimeField(_("when"), default=clock.now)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("who"),
    )
    via = models.CharField(_("from"), max_length=10)
    verb = models.CharField(_("what"), max_length=80)
    subject_type = models.CharField(_("kind"), max_length=60, blank=True)
    subject_id = models.CharField(_("number"), max_length=40, blank=True)
    subject_label = models.CharField(_("subject"), max_length=200, blank=True)
    changes = models.JSONField(_("changes"), default=dict, blank=True)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit trail")
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["client", "-created_at"], name="audit_client"),
            models.Index(fields=["subject_type", "subject_id"], name="audit_subject"),
        ]

    def __str__(self):
        return f"{self.verb} {self.subject_label}"


class IdempotencyKey(models.Model):
    """An unsafe API call that was already answered. Belongs to the caller, not to a client."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=clock.now, db_index=True)
    lease_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once")]

    def __str__(self):
        return self.key
