"""Readings of ad accounts and files: how far they are, ask for one, stop one."""

import django_filters
from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.reverse import reverse
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.ads import tasks
from apps.ads.services import fetching, importing
from apps.connectors.models import Channel, SyncRun
from apps.core.api import RowsOfClients


class SyncRunFilter(django_filters.FilterSet):
    """By kind, state and account."""

    channel = django_filters.NumberFilter(field_name="channel_id", label="Number of the connected account")

    class Meta:
        model = SyncRun
        fields = {"kind": ["exact"], "state": ["exact"]}


class SyncRunSerializer(serializers.ModelSerializer):
    client = serializers.SlugRelatedField(slug_field="key", read_only=True)
    file = serializers.CharField(source="raw_file.name", read_only=True, default=None, allow_null=True)
    created_by = serializers.StringRelatedField()
    counts = serializers.DictField(read_only=True, help_text="What was read, new, changed, left out.")

    class Meta:
        model = SyncRun
        fields = [
            "id",
            "client",
            "kind",
            "channel",
            "file",
            "state",
            "stage",
            "done",
            "total",
            "counts",
            "error",
            "created_by",
            "created_at",
            "started_at",
            "finished_at",
            "not_before",
        ]
        read_only_fields = fields


class FetchRequest(serializers.Serializer):
    """Which account to read again, and how far back."""

    channel = serializers.IntegerField(min_value=1, help_text="Number of the connected account.")
    since = serializers.DateField(required=False, help_text="Read again from this day on.")
    days = serializers.IntegerField(required=False, min_value=1, max_value=1100, help_text="Or this many days.")
    full = serializers.BooleanField(default=True, help_text="Archived and deleted objects as well.")


@extend_schema_view(
    list=extend_schema(summary="List runs", description="Readings of accounts and imports of files, newest first."),
    retrieve=extend_schema(summary="One run", description="How far it is, and its report once it is over."),
)
class SyncRunViewSet(RowsOfClients, ReadOnlyModelViewSet):
    queryset = SyncRun.objects.select_related("client", "raw_file", "created_by").defer("cursor", "options")
    serializer_class = SyncRunSerializer
    filterset_class = SyncRunFilter
    ordering_fields = ("created_at", "finished_at")

    @extend_schema(
        summary="Ask for a reading of an account",
        description="Queues it, or answers with the one that is already moving. Poll the run until it is over.",
        request=FetchRequest,
        responses={202: SyncRunSerializer},
        examples=[OpenApiExample("The last week", value={"channel": 7, "days": 7}, request_only=True)],
    )
    def create(self, request):
        asked = self.checked(FetchRequest)
        channel = Channel.objects.visible_to(request.user).filter(pk=asked["channel"]).first()
        if channel is None:
            raise Http404
        run = fetching.request_fetch(
            channel_id=channel.pk,
            actor=self.actor,
            since=asked.get("since"),
            days=asked.get("days"),
            full=asked["full"],
        )
        tasks.nudge(run)
        return self.accepted(run)

    @extend_schema(
        summary="Stop a run",
        description="A fetch keeps what it has stored; an import keeps nothing. 409 once it is over.",
        request=None,
        responses=SyncRunSerializer,
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def cancel(self, request, pk=None):
        run = self.get_object()
        stop = importing.cancel if run.kind == SyncRun.Kind.IMPORT_ADS else fetching.cancel_fetch
        stop(run_id=run.pk, actor=self.actor)
        return self.shown(run.pk)

    def accepted(self, run):
        """202: the work is queued; `Location` says where to look."""
        address = reverse("sync-runs-detail", args=[run.pk], request=self.request)
        return self.shown(run.pk, status=status.HTTP_202_ACCEPTED, headers={"Location": address})
