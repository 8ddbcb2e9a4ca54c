"""Clients, what they sell, and what was done for them."""

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.core.api import RowsOfClients
from apps.core.models import AuditEvent

from .filters import AuditFilter
from .models import Client, Funnel, Product


class ClientSerializer(serializers.ModelSerializer):
    class Meta:
        model = Client
        fields = [
            "key",
            "name",
            "is_active",
            "currency",
            "time_zone",
            "roi_target",
            "value_per_lead",
            "value_per_purchase",
            "max_daily_budget",
            "max_change_percent",
            "max_actions_per_day",
            "cooldown_hours",
            "holdout_percent",
            "cycle_hour",
            "created_at",
        ]
        read_only_fields = fields


class ProductSerializer(serializers.ModelSerializer):
    client = serializers.SlugRelatedField(slug_field="key", read_only=True)

    class Meta:
        model = Product
        fields = ["id", "client", "key", "name", "price", "value_per_lead", "value_per_purchase", "is_active"]
        read_only_fields = fields


class FunnelSerializer(serializers.ModelSerializer):
    client = serializers.SlugRelatedField(slug_field="key", read_only=True)
    product = serializers.SlugRelatedField(slug_field="key", read_only=True)

    class Meta:
        model = Funnel
        fields = ["id", "client", "key", "name", "product", "landing_url", "is_active"]
        read_only_fields = fields


class AuditEventSerializer(serializers.ModelSerializer):
    client = serializers.SlugRelatedField(slug_field="key", read_only=True)
    user = serializers.StringRelatedField(help_text="Who did it; null for Durum itself.")

    class Meta:
        model = AuditEvent
        fields = [
            "id",
            "client",
            "created_at",
            "user",
            "via",
            "verb",
            "subject_type",
            "subject_id",
            "subject_label",
            "changes",
        ]
        read_only_fields = fields


@extend_schema_view(
    list=extend_schema(summary="List clients", description="The clients the caller is a member of."),
    retrieve=extend_schema(summary="One client", description="Its settings and guard rails."),
)
class ClientViewSet(RowsOfClients, ReadOnlyModelViewSet):
    queryset = Client.objects.all()
    serializer_class = ClientSerializer
    lookup_field = "key"
    lookup_value_regex = "[a-z0-9-]+"
    filterset_fields = {"is_active": ["exact"]}
    ordering_fields = ("name", "key", "created_at")


@extend_schema_view(
    list=extend_schema(summary="List products", description="What the clients sell, with the values of a lead."),
    retrieve=extend_schema(summary="One product", description="A product of a client."),
)
class ProductViewSet(RowsOfClients, ReadOnlyModelViewSet):
    queryset = Product.objects.select_related("client")
    serializer_class = ProductSerializer
    filterset_fields = {"key": ["exact"], "is_active": ["exact"]}
    ordering_fields = ("name", "key")


@extend_schema_view(
    list=extend_schema(summary="List funnels", description="Ways from an ad to a sale."),
    retrieve=extend_schema(summary="One funnel", description="Where ads point and which product comes out."),
)
class FunnelViewSet(RowsOfClients, ReadOnlyModelViewSet):
    queryset = Funnel.objects.select_related("client", "product")
    serializer_class = FunnelSerializer
    filterset_fields = {"key": ["exact"], "is_active": ["exact"]}
    ordering_fields = ("name", "key")


@extend_schema_view(
    list=extend_schema(summary="List audit events", description="Who did what, when and from where; newest first."),
    retrieve=extend_schema(summary="One audit event", description="A deed with its old and new values."),
)
class AuditEventViewSet(RowsOfClients, ReadOnlyModelViewSet):
    queryset = AuditEvent.objects.select_related("client", "user")
    serializer_class = AuditEventSerializer
    filterset_class = AuditFilter
    ordering_fields = ("created_at",)


ENDPOINTS = [
    ("clients", ClientViewSet),
    ("products", ProductViewSet),
    ("funnels", FunnelViewSet),
    ("audit-events", AuditEventViewSet),
]
