"""Where closed work goes after a while: readable, counted in calibration, out of the daily tables."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.tenancy import TenantModel

from .proposals import Kind, Suggestion


class SuggestionArchive(TenantModel):
    """A closed suggestion with its execution and outcome, whole, as it was when it was put away."""

    original_id = models.BigIntegerField(_("number"))
    kind = models.CharField(_("type"), max_length=10, choices=Kind.choices)
    status = models.CharField(_("state"), max_length=10, choices=Suggestion.Status.choices)
    ad_object_name = models.CharField(_("about"), max_length=400)
    confidence = models.FloatField(_("confidence"))
    came_true = models.BooleanField(_("came true"), null=True)
    outcome_known_at = models.DateTimeField(_("outcome known"), null=True)
    created_at = models.DateTimeField(_("proposed"))
    closed_at = models.DateTimeField(_("closed"))
    archived_at = models.DateTimeField(_("archived"), default=clock.now)
    record = models.JSONField(_("record"))

    class Meta:
        verbose_name = _("archived suggestion")
        verbose_name_plural = _("suggestions archive")
        ordering = ["-closed_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["client", "original_id"], name="suggestion_archived_once")]
        indexes = [models.Index(fields=["client", "-closed_at"], name="suggestion_archive_newest")]

    def __str__(self):
        return f"{self.get_kind_display()} · {self.ad_object_name}"


class DecisionArchive(TenantModel):
    """A decision as it was when it was put away."""

    original_id = models.BigIntegerField(_("number"))
    suggestion_number = models.BigIntegerField(_("suggestion"))
    verdict = models.CharField(_("verdict"), max_length=10)
    user_number = models.BigIntegerField()
    user_label = models.CharField(_("who"), max_length=200)
    via = models.CharField(_("from"), max_length=10)
    reason = models.TextField(_("why"), blank=True)
    decided_at = models.DateTimeField(_("when"))
    archived_at = models.DateTimeField(_("archived"), default=clock.now)

    class Meta:
        verbose_name = _("archived decision")
        verbose_name_plural = _("decisions archive")
        ordering = ["-decided_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["client", "original_id"], name="decision_archived_once")]
        indexes = [models.Index(fields=["client", "-decided_at"], name="decision_archive_newest")]

    def __str__(self):
        return f"{self.verdict} · {self.user_label}"
