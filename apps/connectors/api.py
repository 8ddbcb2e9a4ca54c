"""Connected accounts: what is connected and whether it works. Tokens never leave."""

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.core.api import RowsOfClients

from .models import Channel


class ChannelSerializer(serializers.ModelSerializer):
    client = serializers.SlugRelatedField(slug_field="key", read_only=True)

    class Meta:
        model = Channel
        fields = [
            "id",
            "client",
            "platform",
            "external_id",
            "name",
            "state",
            "expires_at",
            "scopes",
            "last_ok_at",
            "last_error",
            "created_at",
        ]
        read_only_fields = fields


@extend_schema_view(
    list=extend_schema(
        summary="List connected accounts", description="Ad accounts and Slack channels, with their state."
    ),
    retrieve=extend_schema(summary="One connected account", description="Its state and last error; never its token."),
)
class ChannelViewSet(RowsOfClients, ReadOnlyModelViewSet):
    queryset = Channel.objects.select_related("client").defer("token")
    serializer_class = ChannelSerializer
    filterset_fields = {"platform": ["exact"], "state": ["exact"]}
    ordering_fields = ("name", "created_at")


ENDPOINTS = [("channels", ChannelViewSet)]
