"""Connected accounts, the runs that read them, and the files people bring."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.crypto import EncryptedTextField
from apps.core.leases import WorkRow, free
from apps.core.tenancy import ClientOwnedQuerySet, TenantModel


class Channel(TenantModel):
    """An outside account connected to a client: an ad account, a Slack channel.

    The token is encrypted at rest and never leaves through a form, the API or the admin.
    """

    class Platform(models.TextChoices):
        META_ADS = "meta_ads", _("Meta ads")
        SLACK = "slack", _("Slack")

    class State(models.TextChoices):
        CONNECTED = "connected", _("Connected")
        NEEDS_RECONNECT = "needs_reconnect", _("Connect again")
        DISABLED = "disabled", _("Switched off")

    platform = models.CharField(_("platform"), max_length=20, choices=Platform.choices)
    external_id = models.CharField(
        _("account number"),
        max_length=80,
        help_text=_("Meta: the ad account, act_123. Slack: workspace and channel, T123/C456."),
    )
    name = models.CharField(_("name"), max_length=160)
    token = EncryptedTextField(_("token"), blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    scopes = models.JSONField(_("rights"), default=list, blank=True)
    state = models.CharField(_("state"), max_length=20, choices=State.choices, default=State.CONNECTED)
    last_ok_at = models.DateTimeField(_("last success"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    created_at = models.DateTimeField(_("created"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("connected account")
        verbose_name_plural = _("connected accounts")
        ordering = ["platform", "name", "pk"]
        # Not per client on purpose: two clients must never run the same account.
        constraints = [models.UniqueConstraint(fields=["platform", "external_id"], name="channel_account_once")]

    def __str__(self):
        return f"{self.get_platform_display()} · {self.name}"


class RawFile(TenantModel):
    """A file as it was brought, kept for good under its hash. Never modified."""

    name = models.CharField(_("name"), max_length=255)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField(_("size"))
    content = models.FileField(upload_to="raw/")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("brought by")
    )
    created_at = models.DateTimeField(_("received"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("received file")
        verbose_name_plural = _("received files")
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["client", "sha256"], name="rawfile_once")]

    def __str__(self):
        return self.name


class SyncRunQuerySet(ClientOwnedQuerySet):
    def moving(self):
        """Runs a page should keep looking at."""
        return self.filter(state__in=[SyncRun.State.WAITING, SyncRun.State.RUNNING])

    def due(self, now):
        """Runs a worker should take up, oldest first; a dead worker's run counts again after its lease.

        Those of a client that is switched off wait until it is on again.
        """
        return self.moving().filter(free(now), client__is_active=True).order_by("not_before", "pk")


class SyncRun(WorkRow, TenantModel):
    """One reading of an outside account or file: its progress, its place (`cursor`) and its report.

    Work resumes from `cursor`, which is written in the transaction of the rows it stands for.
    """

    class Kind(models.TextChoices):
        FETCH_ADS = "fetch_ads", _("Fetch of ads")
        IMPORT_ADS = "import_ads", _("Import of an ads file")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    channel = models.ForeignKey(
        Channel,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="runs",
        verbose_name=_("account"),
    )
    raw_file = models.ForeignKey(
        RawFile, on_delete=models.PROTECT, null=True, blank=True, related_name="runs", verbose_name=_("file")
    )
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.WAITING)
    stage = models.CharField(_("stage"), max_length=30, blank=True)
    done = models.PositiveIntegerField(_("done"), default=0)
    total = models.PositiveIntegerField(_("of"), null=True, blank=True)
    options = models.JSONField(default=dict, blank=True)
    cursor = models.JSONField(default=dict, blank=True)
    counts = models.JSONField(_("counts"), default=dict, blank=True)
    error = models.TextField(_("error"), blank=True)
    error_detail = models.TextField(_("technical detail"), blank=True)
    created_at = models.DateTimeField(_("created"), default=clock.now, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("started by"),
    )

    objects = SyncRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["client", "kind", "-created_at"], name="syncrun_client"),
            models.Index(
                fields=["not_before"],
                name="syncrun_due",
                condition=models.Q(state__in=["waiting", "running"]),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "kind"],
                name="syncrun_one_moving",
                condition=models.Q(state__in=["waiting", "running"], channel__isnull=False),
            )
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def is_moving(self):
        return self.state in (self.State.WAITING, self.State.RUNNING)


class ColumnMapping(TenantModel):
    """Which column of a kind of file means what, as a person confirmed it for this client."""

    kind = models.CharField(max_length=20, choices=SyncRun.Kind.choices, verbose_name=_("kind"))
    fingerprint = models.CharField(
        max_length=64, help_text=_("Hash of the file's headers."), verbose_name=_("fingerprint")
    )
    mapping = models.JSONField(default=dict)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("confirmed by")
    )
    updated_at = models.DateTimeField(default=clock.now, verbose_name=_("changed"))

    class Meta:
        verbose_name = _("column mapping")
        verbose_name_plural = _("column mappings")
        constraints = [models.UniqueConstraint(fields=["client", "kind", "fingerprint"], name="mapping_once")]

    def __str__(self):
        return f"{self.kind} {self.fingerprint[:8]}"


class QualityFinding(TenantModel):
    """One row of a file that could not be used, with where and why."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="findings", verbose_name=_("run"))
    sheet = models.CharField(_("sheet"), max_length=80, blank=True)
    line = models.PositiveIntegerField(_("line"))
    column = models.CharField(_("column"), max_length=120, blank=True)
    value = models.TextField(_("value"), blank=True)
    reason = models.CharField(_("reason"), max_length=40)

    class Meta:
        verbose_name = _("rejected row")
        verbose_name_plural = _("rejected rows")
        ordering = ["run_id", "line", "pk"]

    def __str__(self):
        return f"{self.line}: {self.reason}"


class SlackIdentity(models.Model):
    """Who a Slack user is in Durum. Belongs to the person, not to a client."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="slack_identities", verbose_name=_("person")
    )
    team_id = models.CharField(_("workspace"), max_length=30)
    slack_user_id = models.CharField(_("Slack user"), max_length=30)
    created_at = models.DateTimeField(default=clock.now, editable=False, verbose_name=_("linked"))

    class Meta:
        verbose_name = _("Slack identity")
        verbose_name_plural = _("Slack identities")
        constraints = [models.UniqueConstraint(fields=["team_id", "slack_user_id"], name="slack_identity_once")]

    def __str__(self):
        return f"{self.team_id}/{self.slack_user_id}"


class SeenRequest(models.Model):
    """A signed request from a platform that was already let in once: its replay is refused.

    Holds a hash only, and belongs to no client: it is read before anybody knows whom it concerns.
    """

    provider = models.CharField(max_length=20)
    digest = models.CharField(max_length=64)
    received_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "digest"], name="seen_request_once")]

    def __str__(self):
        return f"{self.provider} {self.digest[:8]}"
