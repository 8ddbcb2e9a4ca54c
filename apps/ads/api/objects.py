"""The ad tree and the library of creatives, as they were last read."""

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.ads.filters import AdObjectFilter, CreativeFilter
from apps.ads.models import AdObject, Creative, CreativePerformance
from apps.core.api import RowsOfClients


class AdObjectSerializer(serializers.ModelSerializer):
    client = serializers.SlugRelatedField(slug_field="key", read_only=True)
    funnel = serializers.SlugRelatedField(slug_field="key", read_only=True)

    class Meta:
        model = AdObject
        fields = [
            "id",
            "client",
            "level",
            "parent",
            "account",
            "channel",
            "external_id",
            "name",
            "status",
            "effective_status",
            "objective",
            "optimization_goal",
            "currency",
            "time_zone",
            "daily_budget_minor",
            "lifetime_budget_minor",
            "bid_strategy",
            "learning_status",
            "creative",
            "funnel",
            "seen_at",
            "created_at",
        ]
        read_only_fields = fields


class AdObjectBriefSerializer(serializers.ModelSerializer):
    """Enough to name an object and find it again."""

    class Meta:
        model = AdObject
        fields = ["id", "level", "external_id", "name", "currency"]
        read_only_fields = fields


class CreativeResultsSerializer(serializers.ModelSerializer):
    class Meta:
        model = CreativePerformance
        fields = [
            "spend",
            "impressions",
            "clicks",
            "leads",
            "purchases",
            "revenue",
            "ads_count",
            "first_day",
            "last_day",
            "updated_at",
        ]
        read_only_fields = fields


class CreativeSerializer(serializers.ModelSerializer):
    client = serializers.SlugRelatedField(slug_field="key", read_only=True)
    results = CreativeResultsSerializer(
        source="performance", read_only=True, default=None, allow_null=True, help_text="Over all its ads and days."
    )

    class Meta:
        model = Creative
        fields = [
            "id",
            "client",
            "external_id",
            "name",
            "format",
            "angle",
            "hook",
            "title",
            "copy",
            "call_to_action",
            "link_url",
            "media_url",
            "first_seen",
            "last_seen",
            "results",
        ]
        read_only_fields = fields


@extend_schema_view(
    list=extend_schema(
        summary="List ad objects",
        description="Accounts, campaigns, ad sets and ads. Budgets are in minor units by Meta's own currency table.",
    ),
    retrieve=extend_schema(summary="One ad object", description="As it was last read from the platform or a file."),
)
class AdObjectViewSet(RowsOfClients, ReadOnlyModelViewSet):
    queryset = AdObject.objects.select_related("client", "funnel")
    serializer_class = AdObjectSerializer
    filterset_class = AdObjectFilter
    ordering_fields = ("name", "level", "seen_at", "created_at")


@extend_schema_view(
    list=extend_schema(summary="List creatives", description="The ads library: every creative seen, with its results."),
    retrieve=extend_schema(summary="One creative", description="Its words, its medium and its results."),
)
class CreativeViewSet(RowsOfClients, ReadOnlyModelViewSet):
    queryset = Creative.objects.select_related("client", "performance")
    serializer_class = CreativeSerializer
    filterset_class = CreativeFilter
    ordering_fields = ("last_seen", "first_seen", "name")
