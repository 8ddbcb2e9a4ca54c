"""What was done at the platform, what was expected of it and what came of it."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.ads.models import AdObject
from apps.core import clock
from apps.core.leases import WorkRow, free
from apps.core.tenancy import ClientOwnedQuerySet, TenantModel

from .proposals import Decision, Kind, Suggestion


class ExecutionQuerySet(ClientOwnedQuerySet):
    def due(self, now):
        """Effects to carry out now, oldest first; one whose worker died counts again after its lease.

        Those of a client that is switched off wait until it is on again.
        """
        open_ones = self.filter(state__in=ExecutionLog.OPEN, client__is_active=True)
        return open_ones.filter(free(now)).order_by("not_before", "pk")

    def needing_a_person(self):
        return self.filter(state__in=ExecutionLog.ASKING)


class ExecutionLog(WorkRow, TenantModel):
    """One effect on the outside world: written before it is tried, with an absolute target.

    `field` is `daily_budget` (minor units) or `status`; `expected` is what the platform must still show
    for the change to be made. `proof` keeps what was read before and after.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        SENT = "sent", _("Sent, not read back yet")
        DONE = "done", pgettext_lazy("suggestion or execution", "Done")
        CONFLICT = "conflict", _("Changed meanwhile")
        UNKNOWN = "unknown", _("Outcome unknown")
        BLOCKED = "blocked", _("Stopped by a guard rail")
        FAILED = "failed", _("Refused by the platform")
        HELD_OUT = "held_out", _("Left undone to compare")
        DROPPED = "dropped", _("Given up by a person")

    OPEN = (State.PENDING, State.SENT)
    ASKING = (State.CONFLICT, State.UNKNOWN, State.BLOCKED, State.FAILED)

    # Empty once archived, like the decision after its own time; the log itself stays.
    suggestion = models.ForeignKey(
        Suggestion, on_delete=models.SET_NULL, null=True, related_name="executions", verbose_name=_("suggestion")
    )
    archived_suggestion = models.ForeignKey(
        "suggestions.SuggestionArchive",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="executions",
        verbose_name=_("archived suggestion"),
    )
    decision = models.OneToOneField(
        Decision, on_delete=models.SET_NULL, null=True, related_name="execution", verbose_name=_("decision")
    )
    ad_object = models.ForeignKey(
        AdObject, on_delete=models.CASCADE, related_name="executions", verbose_name=_("object")
    )
    undo_of = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="undoings", verbose_name=_("undoes")
    )
    field = models.CharField(_("what"), max_length=20)
    expected = models.CharField(_("before"), max_length=40)
    target = models.CharField(_("target"), max_length=40)
    after = models.CharField(_("read back"), max_length=40, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    message = models.TextField(_("message"), blank=True)
    detail = models.TextField(_("technical detail"), blank=True)
    proof = models.JSONField(_("proof"), default=dict, blank=True)
    created_at = models.DateTimeField(_("decided"), default=clock.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        verbose_name = _("execution")
        verbose_name_plural = _("execution log")
        ordering = ["-created_at", "-pk"]
        constraints = [
            # An undo that was given up may be asked for again.
            models.UniqueConstraint(
                fields=["client", "undo_of"], name="undo_one_at_a_time", condition=~models.Q(state="dropped")
            )
        ]
        indexes = [
            models.Index(
                fields=["not_before"], name="execution_due", condition=models.Q(state__in=["pending", "sent"])
            ),
            models.Index(fields=["client", "-created_at"], name="execution_newest"),
            models.Index(fields=["client", "ad_object", "-done_at"], name="execution_object"),
        ]

    def __str__(self):
        return f"{self.ad_object}: {self.field} {self.expected} → {self.target}"


class Hypothesis(TenantModel):
    """What an execution was expected to bring, frozen when it was done, and what it brought.

    Effects are on the log scale of `metric` (0.1 is about +10 %), with 90 % intervals.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Waiting for its days")
        EVALUATED = "evaluated", _("Evaluated")

    class Grade(models.TextChoices):
        A = "A", _("A · randomised holdout")
        B = "B", _("B · same trigger, not carried out")
        C = "C", _("C · untouched siblings")
        D = "D", _("D · nothing to compare with")

    class Verdict(models.TextChoices):
        CONFIRMED = "confirmed", _("Confirmed")
        CONTRADICTED = "contradicted", _("Contradicted")
        INCONCLUSIVE = "inconclusive", _("Not decided by this one alone")

    execution = models.OneToOneField(ExecutionLog, on_delete=models.CASCADE, related_name="hypothesis")
    kind = models.CharField(_("type"), max_length=10, choices=Kind.choices)
    metric = models.CharField(_("metric"), max_length=20, default="revenue")
    probability = models.FloatField(_("confidence when made"))
    predicted = models.JSONField(_("predicted"), default=dict)
    baseline_start = models.DateField(_("baseline from"))
    baseline_end = models.DateField(_("baseline to"))
    window_start = models.DateField(_("window from"))
    window_end = models.DateField(_("window to"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    grade = models.CharField(_("evidence"), max_length=1, choices=Grade.choices, blank=True)
    controls = models.PositiveIntegerField(_("compared with"), default=0)
    effect = models.FloatField(_("effect"), null=True, blank=True)
    effect_own = models.FloatField(_("variance of its own"), null=True, blank=True)
    effect_shared = models.FloatField(_("variance of the controls"), null=True, blank=True)
    effect_low = models.FloatField(_("effect, low"), null=True, blank=True)
    effect_high = models.FloatField(_("effect, high"), null=True, blank=True)
    shrunk_effect = models.FloatField(_("effect, pulled to its kind"), null=True, blank=True)
    verdict = models.CharField(_("verdict"), max_length=12, choices=Verdict.choices, blank=True)
    measured = models.JSONField(_("measured"), default=dict, blank=True)
    created_at = models.DateTimeField(_("made"), default=clock.now)
    evaluated_at = models.DateTimeField(_("evaluated"), null=True, blank=True)

    class Meta:
        verbose_name = _("hypothesis")
        verbose_name_plural = _("hypothesis tracking")
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["window_end"], name="hypothesis_due", condition=models.Q(state="open"))]

    def __str__(self):
        return f"{self.get_kind_display()} · {self.execution.ad_object}"


class FeedbackLoop(TenantModel):
    """An outcome on its way back into what is proposed: one row per evaluated hypothesis."""

    hypothesis = models.OneToOneField(
        Hypothesis, on_delete=models.CASCADE, related_name="feedback", verbose_name=_("hypothesis")
    )
    kind = models.CharField(_("type"), max_length=10, choices=Kind.choices)
    said = models.FloatField(_("said"))
    effect = models.FloatField(_("effect"), null=True)
    spend_before = models.FloatField(_("spend a day before"), null=True)
    spend_after = models.FloatField(_("spend a day after"), null=True)
    value_before = models.FloatField(_("value a day before"), null=True)
    value_after = models.FloatField(_("value a day after"), null=True)
    control_change = models.FloatField(_("change of the controls"), null=True)
    created_at = models.DateTimeField(_("when"), default=clock.now)

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback loops")
        ordering = ["created_at", "pk"]
        indexes = [models.Index(fields=["client", "kind", "created_at"], name="feedback_kind")]

    def __str__(self):
        return f"{self.kind} {self.said:.2f}"
