"""Rules, the daily cycle, what it proposed or skipped, and what people said."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.ads.models import AdObject
from apps.core import clock
from apps.core.tenancy import ClientOwnedQuerySet, TenantModel


class Kind(models.TextChoices):
    """What can be proposed for an ad object."""

    SCALE = "scale", _("Scale")
    PAUSE = "pause", _("Pause")
    REFRESH = "refresh", _("Refresh")


class AnalysisRule(TenantModel):
    """A rule of the daily cycle with this client's own thresholds. Empty thresholds do not apply."""

    Kind = Kind

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=120)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    priority = models.PositiveSmallIntegerField(_("priority"), default=50, help_text=_("Higher is shown first."))
    window_days = models.PositiveSmallIntegerField(
        _("days looked at"), default=7, validators=[MinValueValidator(3), MaxValueValidator(28)]
    )
    min_spend = models.DecimalField(
        _("spend needed"),
        max_digits=12,
        decimal_places=2,
        default=0,
        help_text=_("In the client's currency, over the days looked at."),
    )
    roi_factor = models.DecimalField(
        _("factor on the ROI target"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("Scale: ROI above target × factor. Pause: ROI under target × factor."),
    )
    percentile = models.PositiveSmallIntegerField(
        _("percentile"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(99)],
        help_text=_("ROI must also be above this one of the client's own."),
    )
    change_percent = models.SmallIntegerField(_("budget change (%)"), null=True, blank=True)
    frequency_rise = models.DecimalField(
        _("rise in frequency (%)"), max_digits=6, decimal_places=1, null=True, blank=True
    )
    ctr_drop = models.DecimalField(_("fall of CTR (%)"), max_digits=6, decimal_places=1, null=True, blank=True)
    min_confidence = models.DecimalField(
        _("confidence needed"),
        max_digits=4,
        decimal_places=3,
        default="0.700",
        validators=[MaxValueValidator(1)],
    )
    cooldown_hours = models.PositiveSmallIntegerField(_("rest after a change (hours)"), default=24)
    expires_after_hours = models.PositiveSmallIntegerField(_("a suggestion lives (hours)"), default=48)
    updated_at = models.DateTimeField(_("changed"), default=clock.now)

    class Meta:
        verbose_name = _("analysis rule")
        verbose_name_plural = _("analysis rules")
        ordering = ["-priority", "pk"]

    def __str__(self):
        return self.name


class CycleRun(TenantModel):
    """One morning's look at a client: what it saw, proposed and skipped."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    day = models.DateField(_("day"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.RUNNING)
    benchmarks = models.JSONField(_("benchmarks"), default=dict, blank=True)
    counts = models.JSONField(_("counts"), default=dict, blank=True)
    error = models.TextField(_("error"), blank=True)
    started_at = models.DateTimeField(_("started"), default=clock.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("daily cycle")
        verbose_name_plural = _("daily cycles")
        ordering = ["-day", "-pk"]
        constraints = [models.UniqueConstraint(fields=["client", "day"], name="cycle_once_a_day")]

    def __str__(self):
        return f"{self.client} {self.day}"


class SuggestionQuerySet(ClientOwnedQuerySet):
    def waiting(self):
        """Not decided yet: highest priority first, then oldest, the order people should work in."""
        return self.filter(status=Suggestion.Status.WAITING).order_by("-priority", "created_at", "pk")

    def live(self):
        """In people's hands or being carried out: no second one of its type beside it."""
        return self.filter(status__in=Suggestion.LIVE)

    def overdue(self, now):
        return self.filter(status=Suggestion.Status.WAITING, expires_at__lte=now)


class Suggestion(TenantModel):
    """A proposal for one ad object, with everything a person needs to decide frozen in `evidence`."""

    Kind = Kind

    class Status(models.TextChoices):
        WAITING = "waiting", _("To decide")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")
        EXPIRED = "expired", _("Expired")
        DONE = "done", pgettext_lazy("suggestion or execution", "Done")
        STOPPED = "stopped", _("Stopped, needs a person")
        CANCELLED = "cancelled", _("Not carried out")

    LIVE = (Status.WAITING, Status.APPROVED, Status.STOPPED)

    kind = models.CharField(_("type"), max_length=10, choices=Kind.choices)
    ad_object = models.ForeignKey(
        AdObject, on_delete=models.CASCADE, related_name="suggestions", verbose_name=_("about")
    )
    rule = models.ForeignKey(
        AnalysisRule, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("rule")
    )
    cycle = models.ForeignKey(CycleRun, on_delete=models.SET_NULL, null=True, related_name="suggestions")
    status = models.CharField(_("state"), max_length=10, choices=Status.choices, default=Status.WAITING)
    priority = models.PositiveSmallIntegerField(_("priority"), default=50)
    confidence = models.FloatField(_("confidence"), help_text=_("Probability that the reason holds, 0 to 1."))
    # What would be written at the platform: absolute, never relative. A refresh is work for people: no target.
    field = models.CharField(max_length=20, blank=True)
    before = models.CharField(_("before"), max_length=40, blank=True)
    target = models.CharField(_("after"), max_length=40, blank=True)
    impact_low = models.DecimalField(_("impact, low"), max_digits=14, decimal_places=2, null=True, blank=True)
    impact_mid = models.DecimalField(_("expected impact"), max_digits=14, decimal_places=2, null=True, blank=True)
    impact_high = models.DecimalField(_("impact, high"), max_digits=14, decimal_places=2, null=True, blank=True)
    evidence = models.JSONField(_("evidence"), default=dict)
    created_at = models.DateTimeField(_("proposed"), default=clock.now)
    expires_at = models.DateTimeField(_("expires"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    # Whether the claim behind the confidence held, known two weeks later, whatever people decided.
    came_true = models.BooleanField(_("came true"), null=True, blank=True)
    outcome_known_at = models.DateTimeField(_("outcome known"), null=True, blank=True)

    objects = SuggestionQuerySet.as_manager()

    class Meta:
        verbose_name = _("suggestion")
        verbose_name_plural = _("suggestions")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "ad_object", "kind"],
                name="suggestion_one_live",
                condition=models.Q(status__in=["waiting", "approved", "stopped"]),
            ),
            models.CheckConstraint(
                condition=models.Q(confidence__gte=0) & models.Q(confidence__lte=1),
                name="suggestion_confidence",
            ),
        ]
        indexes = [
            models.Index(fields=["client", "status", "-priority", "created_at"], name="suggestion_queue"),
            models.Index(fields=["client", "status", "-confidence", "-id"], name="suggestion_surest"),
            models.Index(fields=["client", "-created_at", "-id"], name="suggestion_newest"),
            models.Index(fields=["-created_at", "-id"], name="suggestion_newest_of_all"),
            models.Index(
                fields=["client", "created_at"], name="suggestion_unchecked", condition=models.Q(outcome_known_at=None)
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} · {self.ad_object}"


class SkippedCandidate(TenantModel):
    """What a rule pointed at and was not proposed, with the reason in a code and its numbers."""

    cycle = models.ForeignKey(CycleRun, on_delete=models.CASCADE, related_name="skipped", verbose_name=_("daily cycle"))
    ad_object = models.ForeignKey(AdObject, on_delete=models.CASCADE, related_name="+", verbose_name=_("about"))
    kind = models.CharField(_("type"), max_length=10, choices=Kind.choices)
    reason = models.CharField(_("reason"), max_length=40)
    numbers = models.JSONField(_("numbers"), default=dict)

    class Meta:
        verbose_name = _("skipped candidate")
        verbose_name_plural = _("skipped candidates")
        ordering = ["-cycle_id", "reason", "pk"]
        indexes = [models.Index(fields=["client", "cycle"], name="skipped_cycle")]

    def __str__(self):
        return f"{self.kind} {self.reason}"


class Decision(TenantModel):
    """A person's word, with from where and why. One yes or no per suggestion; an undo is its own."""

    class Verdict(models.TextChoices):
        APPROVE = "approve", _("Approved")
        REFUSE = "refuse", _("Refused")
        UNDO = "undo", _("Undone")

    # Empty once the suggestion is archived: then the other one leads to it.
    suggestion = models.ForeignKey(
        Suggestion, on_delete=models.SET_NULL, null=True, related_name="decisions", verbose_name=_("suggestion")
    )
    archived_suggestion = models.ForeignKey(
        "suggestions.SuggestionArchive", on_delete=models.SET_NULL, null=True, blank=True, related_name="decisions"
    )
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("who")
    )
    via = models.CharField(_("from"), max_length=10)
    reason = models.TextField(_("why"), blank=True)
    decided_at = models.DateTimeField(_("when"), default=clock.now)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["-decided_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "suggestion"],
                name="decision_once",
                condition=models.Q(verdict__in=["approve", "refuse"]),
            ),
        ]
        indexes = [models.Index(fields=["client", "-decided_at"], name="decision_newest")]

    def __str__(self):
        return f"{self.get_verdict_display()} · {self.user}"


class ValidationItem(TenantModel):
    """One thing that waits for a person: since when, until when, and whom it was given to."""

    class Kind(models.TextChoices):
        SUGGESTION = "suggestion", _("Suggestion to decide")
        CONFLICT = "conflict", _("Changed meanwhile at the platform")
        UNKNOWN = "unknown", _("Outcome unknown")
        BLOCKED = "blocked", _("Stopped by a guard rail or the platform")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    suggestion = models.ForeignKey(Suggestion, on_delete=models.CASCADE, related_name="queue_items")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("given to"),
    )
    since = models.DateTimeField(_("waiting since"), default=clock.now)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("validation item")
        verbose_name_plural = _("validation queue")
        ordering = ["due_at", "since", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "suggestion"],
                name="validation_one_open",
                condition=models.Q(closed_at__isnull=True),
            )
        ]
        indexes = [
            models.Index(
                fields=["client", "kind", "since"],
                name="validation_open",
                condition=models.Q(closed_at__isnull=True),
            )
        ]

    def __str__(self):
        return f"{self.get_kind_display()} · {self.suggestion}"
