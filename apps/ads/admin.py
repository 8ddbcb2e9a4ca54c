"""Ads as they were read: tables to look things up in. The angle of a creative is the one thing people write."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from apps.clients.admin_tables import RoleTable
from apps.connectors.currencies import to_major
from apps.core import formats
from apps.core.admin_tables import ClientFilter, ClientTable, EngineersTable, as_text
from apps.core.errors import Rejected

from .models import (
    AdObject,
    Creative,
    CreativePerformance,
    PerformanceMetric,
    RawSnapshot,
    SpendHistory,
    TestedAngle,
)
from .services import library


@admin.register(AdObject)
class AdObjectAdmin(ClientTable):
    """Accounts, campaigns, ad sets and ads."""

    list_display = ["name", "level", "client", "parent", "status", "effective_status", "daily_budget", "seen_at"]
    list_select_related = ["client", "parent", "account"]
    list_filter = [ClientFilter, "level", "status"]
    search_fields = ["name", "external_id", "objective"]
    exclude = ["daily_budget_minor", "lifetime_budget_minor"]
    readonly_fields = ["daily_budget", "lifetime_budget"]

    @admin.display(description=_("daily budget"), ordering="daily_budget_minor")
    def daily_budget(self, row):
        return _amount(row.daily_budget_minor, row.currency)

    @admin.display(description=_("lifetime budget"))
    def lifetime_budget(self, row):
        return _amount(row.lifetime_budget_minor, row.currency)


@admin.register(Creative)
class CreativeAdmin(RoleTable):
    """The ads library."""

    verb = "decide"
    list_display = ["name", "client", "format", "angle", "hook", "first_seen", "last_seen"]
    list_filter = [ClientFilter, "format"]
    search_fields = ["name", "external_id", "angle", "hook"]
    date_hierarchy = "last_seen"
    readonly_fields = [
        "external_id", "name", "format", "hook", "title", "copy", "call_to_action", "link_url", "media_url",
        "first_seen", "last_seen",
    ]  # fmt: skip

    def change(self, actor, row, fields):
        if "angle" in fields:
            library.set_angle(creative_id=row.pk, angle=fields["angle"], actor=actor)


@admin.register(PerformanceMetric)
class PerformanceMetricAdmin(ClientTable):
    """What every ad did on every day."""

    list_display = ["day", "ad_object", "client", "spend", "impressions", "clicks", "leads", "purchases", "revenue"]
    list_select_related = ["client", "ad_object"]
    list_filter = [ClientFilter]
    search_fields = ["ad_object__name", "ad_object__external_id"]
    date_hierarchy = "day"


@admin.register(SpendHistory)
class SpendHistoryAdmin(ClientTable):
    """Budget and spend, day by day."""

    list_display = ["day", "ad_object", "client", "daily_budget", "spend"]
    list_select_related = ["client", "ad_object"]
    list_filter = [ClientFilter]
    search_fields = ["ad_object__name", "ad_object__external_id"]
    date_hierarchy = "day"

    @admin.display(description=_("daily budget"), ordering="daily_budget_minor")
    def daily_budget(self, row):
        return _amount(row.daily_budget_minor, row.ad_object.currency)


class ResultsAdmin(ClientTable):
    list_filter = [ClientFilter]


@admin.register(CreativePerformance)
class CreativePerformanceAdmin(ResultsAdmin):
    list_display = [
        "creative",
        "client",
        "ads_count",
        "spend",
        "impressions",
        "clicks",
        "leads",
        "purchases",
        "revenue",
    ]
    list_select_related = ["client", "creative"]
    search_fields = ["creative__name", "creative__angle"]


@admin.register(TestedAngle)
class TestedAngleAdmin(ResultsAdmin):
    list_display = ["angle", "client", "creatives_count", "spend", "clicks", "leads", "purchases", "revenue"]
    search_fields = ["angle"]


@admin.register(RawSnapshot)
class RawSnapshotAdmin(EngineersTable):
    """Answers as the platform gave them."""

    list_display = ["fetched_at", "client", "run", "kind", "account", "page"]
    list_select_related = ["client", "run"]
    list_filter = [ClientFilter]
    date_hierarchy = "fetched_at"
    fields = ["client", "run", "account", "kind", "page", "sha256", "fetched_at", "answer"]

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        # A page of an answer is large, and a list does not show it.
        return rows.defer("payload") if request.resolver_match.url_name.endswith("_changelist") else rows

    @admin.display(description=_("answer"))
    def answer(self, snapshot):
        return as_text(snapshot.payload)


def _amount(minor, currency):
    if not minor:
        return formats.ABSENT
    try:
        return formats.money(to_major(int(minor), currency), currency)
    except (ValueError, Rejected):
        return formats.ABSENT
