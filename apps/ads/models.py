"""Paid advertising as Meta has it: one tree of objects, what they showed, cost and brought, day by day."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.clients.models import Funnel
from apps.connectors.models import Channel, SyncRun
from apps.core import clock
from apps.core.compressed import CompressedJSONField
from apps.core.tenancy import ClientOwnedQuerySet, TenantModel


class Creative(TenantModel):
    """The ads library: every creative seen or made."""

    class Format(models.TextChoices):
        IMAGE = "image", _("Image")
        VIDEO = "video", _("Video")
        CAROUSEL = "carousel", _("Carousel")
        OTHER = "other", _("Other")

    external_id = models.CharField(_("number"), max_length=80)
    name = models.CharField(_("name"), max_length=300, blank=True)
    format = models.CharField(_("format"), max_length=10, choices=Format.choices, default=Format.OTHER)
    angle = models.CharField(_("angle"), max_length=80, blank=True)
    # Once a person has written the angle, reading the account again leaves it alone.
    angle_by_person = models.BooleanField(_("angle set by a person"), default=False, editable=False)
    hook = models.CharField(_("hook"), max_length=300, blank=True)
    title = models.TextField(_("title"), blank=True)
    copy = models.TextField(_("copy"), blank=True)
    call_to_action = models.CharField(_("call to action"), max_length=40, blank=True)
    link_url = models.TextField(_("link"), blank=True)
    media_url = models.TextField(_("media"), blank=True)
    first_seen = models.DateField(_("first seen"))
    last_seen = models.DateField(_("last seen"))

    class Meta:
        verbose_name = _("creative")
        verbose_name_plural = _("ads library")
        ordering = ["-last_seen", "pk"]
        constraints = [models.UniqueConstraint(fields=["client", "external_id"], name="creative_once")]

    def __str__(self):
        return self.name or self.external_id


class AdObjectQuerySet(ClientOwnedQuerySet):
    def level(self, level):
        return self.filter(level=level)

    def present(self):
        """Neither archived nor deleted at the platform."""
        return self.exclude(status__in=[AdObject.Status.ARCHIVED, AdObject.Status.DELETED])


class AdObject(TenantModel):
    """An account, campaign, ad set or ad. Budgets are in the currency's minor unit by Meta's own table.

    Money sits either on the campaign or on its ad sets, never on both: `budget_minor` says what is set
    here, `budget_holder` where the money for this object is decided.
    """

    class Level(models.TextChoices):
        ACCOUNT = "account", _("Account")
        CAMPAIGN = "campaign", _("Campaign")
        ADSET = "adset", _("Ad set")
        AD = "ad", _("Ad")

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("Active")
        PAUSED = "PAUSED", _("Paused")
        ARCHIVED = "ARCHIVED", _("Archived")
        DELETED = "DELETED", _("Deleted")

    level = models.CharField(_("level"), max_length=10, choices=Level.choices)
    parent = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("part of"),
    )
    account = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("account")
    )
    channel = models.ForeignKey(
        Channel,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="ad_objects",
        help_text=_("None for objects known from an imported file only: those cannot be changed by Durum."),
    )
    external_id = models.CharField(_("number"), max_length=80)
    name = models.CharField(_("name"), max_length=400)
    status = models.CharField(_("switch"), max_length=12, choices=Status.choices, default=Status.ACTIVE)
    effective_status = models.CharField(_("delivery"), max_length=30, blank=True)
    objective = models.CharField(_("objective"), max_length=60, blank=True)
    optimization_goal = models.CharField(_("optimised for"), max_length=60, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True)
    daily_budget_minor = models.BigIntegerField(_("daily budget (minor unit)"), null=True, blank=True)
    lifetime_budget_minor = models.BigIntegerField(_("lifetime budget (minor unit)"), null=True, blank=True)
    bid_strategy = models.CharField(_("bid strategy"), max_length=40, blank=True)
    learning_status = models.CharField(_("learning"), max_length=20, blank=True)
    creative = models.ForeignKey(
        Creative,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="ads",
        verbose_name=_("creative"),
    )
    funnel = models.ForeignKey(
        Funnel, on_delete=models.SET_NULL, null=True, blank=True, related_name="ads", verbose_name=_("funnel")
    )
    platform_updated_at = models.DateTimeField(_("changed at the platform"), null=True, blank=True)
    # Last time budget or switch was seen to differ from what Durum had read or written: somebody else's hand.
    changed_elsewhere_at = models.DateTimeField(_("changed by a person at the platform"), null=True, blank=True)
    # Last time Durum itself wrote budget or switch: what was read before that moment is out of date.
    written_at = models.DateTimeField(_("changed by Durum"), null=True, blank=True, editable=False)
    seen_at = models.DateTimeField(_("last read"), default=clock.now)
    created_at = models.DateTimeField(_("first read"), default=clock.now, editable=False)

    objects = AdObjectQuerySet.as_manager()

    class Meta:
        verbose_name = _("ad object")
        verbose_name_plural = _("ad objects")
        ordering = ["level", "name", "pk"]
        constraints = [models.UniqueConstraint(fields=["client", "level", "external_id"], name="adobject_once")]
        indexes = [models.Index(fields=["client", "level", "parent"], name="adobject_tree")]

    def __str__(self):
        return self.name or self.external_id

    @property
    def has_own_budget(self):
        """Absent, null and "0" all mean that the money sits elsewhere."""
        return bool(self.daily_budget_minor or self.lifetime_budget_minor)


class PerformanceMetric(TenantModel):
    """What one object (an ad; an ad set where an imported file stops there) did on one day of its account.

    `spend` and `revenue` are in the account's currency, major unit. `reach` is of that day alone and
    cannot be added up over days or ads. Ratios are computed from sums, see `ads.ratios`.
    """

    ad_object = models.ForeignKey(
        AdObject, on_delete=models.CASCADE, related_name="metrics", verbose_name=_("ad object")
    )
    day = models.DateField(_("day"))
    spend = models.DecimalField(_("spend"), max_digits=18, decimal_places=9, default=0)
    impressions = models.BigIntegerField(_("impressions"), default=0)
    reach = models.BigIntegerField(_("reach"), null=True, blank=True)
    clicks = models.BigIntegerField(_("clicks"), default=0)
    link_clicks = models.BigIntegerField(_("link clicks"), null=True, blank=True)
    leads = models.DecimalField(_("leads"), max_digits=14, decimal_places=2, default=0)
    purchases = models.DecimalField(_("purchases"), max_digits=14, decimal_places=2, default=0)
    revenue = models.DecimalField(_("revenue"), max_digits=18, decimal_places=4, null=True, blank=True)
    # Says who wrote the row and nothing hangs on it: a check by the database per row cost an eighth of storing it.
    run = models.ForeignKey(
        SyncRun, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        verbose_name = _("daily result")
        verbose_name_plural = _("daily results")
        ordering = ["-day", "ad_object_id"]
        constraints = [
            models.UniqueConstraint(fields=["client", "ad_object", "day"], name="metric_once"),
        ]
        indexes = [models.Index(fields=["client", "day"], name="metric_client_day")]

    def __str__(self):
        return f"{self.ad_object_id} {self.day}"


class SpendHistory(TenantModel):
    """The budget in force and the spend of an object on a day: the ground for learning what a raise brings."""

    ad_object = models.ForeignKey(
        AdObject, on_delete=models.CASCADE, related_name="spend_history", verbose_name=_("ad object")
    )
    day = models.DateField(_("day"))
    daily_budget_minor = models.BigIntegerField(_("daily budget (minor unit)"), null=True)
    spend = models.DecimalField(_("spend"), max_digits=18, decimal_places=9, default=0)

    class Meta:
        verbose_name = _("spend of a day")
        verbose_name_plural = _("spend history")
        ordering = ["-day", "pk"]
        constraints = [models.UniqueConstraint(fields=["client", "ad_object", "day"], name="spend_once")]

    def __str__(self):
        return f"{self.ad_object_id} {self.day}"


class Results(models.Model):
    """Sums over a period, of something that may be compared."""

    spend = models.DecimalField(_("spend"), max_digits=18, decimal_places=4, default=0)
    impressions = models.BigIntegerField(_("impressions"), default=0)
    clicks = models.BigIntegerField(_("clicks"), default=0)
    leads = models.DecimalField(_("leads"), max_digits=14, decimal_places=2, default=0)
    purchases = models.DecimalField(_("purchases"), max_digits=14, decimal_places=2, default=0)
    revenue = models.DecimalField(_("revenue"), max_digits=18, decimal_places=4, null=True, blank=True)
    updated_at = models.DateTimeField(_("computed"), default=clock.now)

    class Meta:
        abstract = True


class CreativePerformance(Results, TenantModel):
    """All that a creative did in every ad that used it."""

    creative = models.OneToOneField(
        Creative, on_delete=models.CASCADE, related_name="performance", verbose_name=_("creative")
    )
    ads_count = models.PositiveIntegerField(_("ads"), default=0)
    first_day = models.DateField(_("first day"), null=True)
    last_day = models.DateField(_("last day"), null=True)

    class Meta:
        verbose_name = _("creative performance")
        verbose_name_plural = _("creative performance")
        ordering = ["-spend", "pk"]

    def __str__(self):
        return str(self.creative)


class TestedAngle(Results, TenantModel):
    """An angle (price, proof, urgency, …) as the client's ads tried it, and what it brought."""

    angle = models.CharField(_("angle"), max_length=80)
    creatives_count = models.PositiveIntegerField(_("creatives"), default=0)
    first_day = models.DateField(_("first day"), null=True)
    last_day = models.DateField(_("last day"), null=True)

    class Meta:
        verbose_name = _("tested angle")
        verbose_name_plural = _("tested angles")
        ordering = ["-spend", "pk"]
        constraints = [models.UniqueConstraint(fields=["client", "angle"], name="angle_once")]

    def __str__(self):
        return self.angle


class RawSnapshot(TenantModel):
    """A page of an answer as the platform gave it (paging links removed: they carry the token)."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="snapshots", verbose_name=_("run"))
    account = models.CharField(max_length=80, blank=True, verbose_name=_("account"))
    kind = models.CharField(_("kind"), max_length=20)
    page = models.PositiveIntegerField(_("page"))
    payload = CompressedJSONField()
    sha256 = models.CharField(max_length=64)
    fetched_at = models.DateTimeField(_("read"), default=clock.now)

    class Meta:
        verbose_name = _("raw answer")
        verbose_name_plural = _("raw answers")
        ordering = ["-fetched_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["client", "run", "kind", "page"], name="snapshot_once")]

    def __str__(self):
        return f"{self.kind} {self.page}"
