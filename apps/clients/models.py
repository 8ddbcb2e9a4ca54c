"""The agency's clients, the people who work for them, and what they sell."""

import datetime as dt
import uuid
import zoneinfo
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken

from apps.core import clock
from apps.core.tenancy import ClientOwnedQuerySet, TenantModel

from .roles import Role


def valid_zone(name):
    """A zone of the IANA database, e.g. Europe/Paris."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("“%(name)s” is not a time zone. Write it like Europe/Paris."), params={"name": name})


class User(AbstractUser):
    """A person who signs in, with the e-mail address as the name to remember."""

    email = models.EmailField(_("e-mail address"), unique=True)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, blank=True)

    REQUIRED_FIELDS = ["email"]

    def __str__(self):
        return self.get_full_name() or self.username


class ApiToken(AbstractAuthToken):
    """A person's key to the API: it may what the person may, wherever the person is a member.

    Belongs to the person, not to a client. Only a hash is stored; `number` names it in addresses.
    """

    number = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=80)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created", "pk"]

    def __str__(self):
        return self.name

    @property
    def is_valid(self):
        """Not expired; a revoked one is gone."""
        return self.expiry is None or self.expiry > clock.now()


class ClientQuerySet(ClientOwnedQuerySet):
    def active(self):
        """Clients the machine works for."""
        return self.filter(is_active=True)

    def ids_for(self, user):
        """Ids of the clients this person may see: all with the permission, else the memberships."""
        if not user.is_authenticated or not user.is_active:
            return self.none().values("pk")
        if user.has_perm("clients.view_all_clients"):
            return self.values("pk")
        return Membership.objects.filter(user=user).values("client_id")


class Client(models.Model):
    """A brand the agency runs: the tenant. Everything else belongs to one."""

    # Creating one, and listing all of them, needs everything in scope: no list can hold an id not made yet.
    row_policy_or = "current_setting('durum.everything', true) = 'on'"

    key = models.CharField(
        _("key"),
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*$", _("Small letters, digits and dashes only."))],
        help_text=_("Stable short name, used in addresses and files."),
    )
    name = models.CharField(_("name"), max_length=120)
    is_active = models.BooleanField(_("active"), default=True)
    currency = models.CharField(
        _("currency"),
        max_length=3,
        default="EUR",
        validators=[RegexValidator(r"^[A-Z]{3}$", _("Three capitals, e.g. EUR."))],
    )
    time_zone = models.CharField(_("time zone"), max_length=60, default="Europe/Paris", validators=[valid_zone])
    roi_target = models.DecimalField(
        _("ROI target"),
        max_digits=8,
        decimal_places=2,
        default=Decimal("3"),
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text=_("Revenue wanted per unit of ad spend: 3 means 3 € back for 1 € spent."),
    )
    value_per_lead = models.DecimalField(
        _("value of a lead"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    value_per_purchase = models.DecimalField(
        _("value of a purchase"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Used where the platform reports no revenue."),
    )
    max_daily_budget = models.DecimalField(
        _("highest daily budget"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    max_change_percent = models.PositiveSmallIntegerField(_("largest budget change (%)"), default=50)
    max_actions_per_day = models.PositiveSmallIntegerField(_("most actions a day"), default=10)
    cooldown_hours = models.PositiveSmallIntegerField(_("rest between changes (hours)"), default=24)
    holdout_percent = models.PositiveSmallIntegerField(
        _("randomised holdout (%)"),
        default=0,
        help_text=_("Share of approved budget raises left undone on purpose, to measure what the others bring."),
    )
    cycle_hour = models.PositiveSmallIntegerField(_("hour of the daily cycle"), default=7)
    brand_color = models.CharField(
        _("brand colour"), max_length=7, default="#206bc4", validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$")]
    )
    created_at = models.DateTimeField(_("created"), default=clock.now, editable=False)

    objects = ClientQuerySet.as_manager()

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        ordering = ["name", "pk"]
        permissions = [("view_all_clients", _("Can see every client of the agency"))]
        constraints = [
            models.CheckConstraint(condition=models.Q(cycle_hour__lte=23), name="client_cycle_hour"),
            models.CheckConstraint(condition=models.Q(holdout_percent__lte=50), name="client_holdout"),
        ]

    def __str__(self):
        return self.name

    @property
    def zone(self):
        """The client's time zone as tzinfo."""
        return zoneinfo.ZoneInfo(self.time_zone)

    def today(self):
        """The day it is where the client is."""
        return clock.now().astimezone(self.zone).date()

    def day_start(self, day):
        """The moment a day of the client begins. What lies on a day is found between two of these, never by
        `__date`, which reads the day in the zone of whoever asks."""
        return dt.datetime.combine(day, dt.time.min, tzinfo=self.zone)


class Membership(TenantModel):
    """A person's place in a client. One's own memberships are visible before any client is chosen."""

    row_policy_read_or = "user_id = nullif(current_setting('durum.user_id', true), '')::bigint"

    Role = Role

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("person")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(_("since"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["client_id", "user_id"]
        constraints = [models.UniqueConstraint(fields=["client", "user"], name="membership_once")]

    def __str__(self):
        return f"{self.user} · {self.get_role_display()}"


class Product(TenantModel):
    """Something the client sells. A value here beats the client's own for ads that point at it."""

    key = models.CharField(_("key"), max_length=60)
    name = models.CharField(_("name"), max_length=160)
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2, null=True, blank=True)
    value_per_lead = models.DecimalField(_("value of a lead"), max_digits=12, decimal_places=2, null=True, blank=True)
    value_per_purchase = models.DecimalField(
        _("value of a purchase"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="product_key_once")]

    def __str__(self):
        return self.name


class Funnel(TenantModel):
    """A way from an ad to a sale: where ads point and which product comes out."""

    key = models.CharField(_("key"), max_length=60)
    name = models.CharField(_("name"), max_length=160)
    product = models.ForeignKey(
        Product,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="funnels",
        verbose_name=_("product"),
    )
    landing_url = models.URLField(_("landing page"), max_length=500, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("funnel")
        verbose_name_plural = _("funnels")
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="funnel_key_once")]

    def __str__(self):
        return self.name
