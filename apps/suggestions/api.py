"""Proposals, what people decided about them, what was done and what came of it."""

import django_filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.ads.models import AdObject
from apps.core.api import RowsOfClients

from . import tasks, wording
from .filters import SuggestionFilter
from .models import Decision, ExecutionLog, Hypothesis, SkippedCandidate, Suggestion
from .services import deciding


class AdObjectInBriefSerializer(serializers.ModelSerializer):
    """Enough to name an object and find it again."""

    class Meta:
        model = AdObject
        fields = ["id", "level", "external_id", "name", "currency"]
        read_only_fields = fields


class DecisionSerializer(serializers.ModelSerializer):
    client = serializers.SlugRelatedField(slug_field="key", read_only=True)
    user = serializers.StringRelatedField()

    class Meta:
        model = Decision
        fields = ["id", "client", "suggestion", "archived_suggestion", "verdict", "user", "via", "reason", "decided_at"]
        read_only_fields = fields


class SuggestionSerializer(serializers.ModelSerializer):
    client = serializers.SlugRelatedField(slug_field="key", read_only=True)
    ad_object = AdObjectInBriefSerializer(read_only=True)
    title = serializers.SerializerMethodField(help_text="What is proposed, in the caller's language.")
    change = serializers.SerializerMethodField(help_text="What would be written at the platform, in words.")
    reason = serializers.SerializerMethodField(help_text="Why, with its numbers, in the caller's language.")
    decisions = DecisionSerializer(many=True, read_only=True)
    executions = serializers.PrimaryKeyRelatedField(many=True, read_only=True)
    evidence = serializers.DictField(read_only=True, help_text="Everything the proposal was made from, frozen.")

    class Meta:
        model = Suggestion
        fields = [
            "id",
            "client",
            "kind",
            "status",
            "priority",
            "confidence",
            "ad_object",
            "title",
            "change",
            "reason",
            "field",
            "before",
            "target",
            "impact_low",
            "impact_mid",
            "impact_high",
            "evidence",
            "created_at",
            "expires_at",
            "closed_at",
            "came_true",
            "outcome_known_at",
            "decisions",
            "executions",
        ]
        read_only_fields = fields

    def get_title(self, row) -> str:
        return wording.title(row.kind)

    def get_change(self, row) -> str:
        return wording.before_after(row)

    def get_reason(self, row) -> str:
        return wording.reason(row.kind, row.evidence)


class ExecutionSerializer(serializers.ModelSerializer):
    client = serializers.SlugRelatedField(slug_field="key", read_only=True)
    ad_object = AdObjectInBriefSerializer(read_only=True)
    proof = serializers.DictField(read_only=True, help_text="What was read before and after.")

    class Meta:
        model = ExecutionLog
        fields = [
            "id",
            "client",
            "suggestion",
            "archived_suggestion",
            "decision",
            "undo_of",
            "ad_object",
            "field",
            "expected",
            "target",
            "after",
            "state",
            "reason",
            "message",
            "proof",
            "attempts",
            "not_before",
            "created_at",
            "sent_at",
            "done_at",
        ]
        read_only_fields = fields


class HypothesisSerializer(serializers.ModelSerializer):
    client = serializers.SlugRelatedField(slug_field="key", read_only=True)
    predicted = serializers.DictField(read_only=True)
    measured = serializers.DictField(read_only=True)

    class Meta:
        model = Hypothesis
        fields = [
            "id",
            "client",
            "execution",
            "kind",
            "metric",
            "probability",
            "predicted",
            "baseline_start",
            "baseline_end",
            "window_start",
            "window_end",
            "state",
            "grade",
            "controls",
            "effect",
            "effect_low",
            "effect_high",
            "shrunk_effect",
            "verdict",
            "measured",
            "created_at",
            "evaluated_at",
        ]
        read_only_fields = fields


class SkippedSerializer(serializers.ModelSerializer):
    client = serializers.SlugRelatedField(slug_field="key", read_only=True)
    day = serializers.DateField(source="cycle.day", read_only=True, help_text="The day of the cycle that skipped it.")
    ad_object = AdObjectInBriefSerializer(read_only=True)
    sentence = serializers.SerializerMethodField(help_text="The reason in the caller's language.")
    numbers = serializers.DictField(read_only=True)

    class Meta:
        model = SkippedCandidate
        fields = ["id", "client", "day", "kind", "ad_object", "reason", "sentence", "numbers"]
        read_only_fields = fields

    def get_sentence(self, row) -> str:
        return wording.skipped(row.reason, row.numbers, row.ad_object.currency)


class ReasonRequest(serializers.Serializer):
    """Why, for whoever reads the history."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=deciding.REASON_MAX)


class RefusalRequest(serializers.Serializer):
    """Why not: what the next proposals learn from."""

    reason = serializers.CharField(max_length=deciding.REASON_MAX)


class DecisionFilter(django_filters.FilterSet):
    """By suggestion, verdict and door."""

    suggestion = django_filters.NumberFilter(field_name="suggestion_id", label="Number of the suggestion")

    class Meta:
        model = Decision
        fields = {"verdict": ["exact"], "via": ["exact"]}


class ExecutionFilter(django_filters.FilterSet):
    """By suggestion, object and state."""

    suggestion = django_filters.NumberFilter(field_name="suggestion_id", label="Number of the suggestion")
    ad_object = django_filters.NumberFilter(field_name="ad_object_id", label="Number of the ad object")

    class Meta:
        model = ExecutionLog
        fields = {"state": ["exact"]}


class SkippedFilter(django_filters.FilterSet):
    """By day of the cycle, kind and reason."""

    day = django_filters.DateFilter(field_name="cycle__day", label="Day of the cycle")
    ad_object = django_filters.NumberFilter(field_name="ad_object_id", label="Number of the ad object")

    class Meta:
        model = SkippedCandidate
        fields = {"kind": ["exact"], "reason": ["exact"]}


@extend_schema_view(
    list=extend_schema(
        summary="List suggestions", description="What was proposed, with its reason, numbers and decisions."
    ),
    retrieve=extend_schema(summary="One suggestion", description="Everything a person needs to decide."),
)
class SuggestionViewSet(RowsOfClients, ReadOnlyModelViewSet):
    queryset = Suggestion.objects.select_related("client", "ad_object").prefetch_related(
        "decisions__user", "decisions__client", "executions"
    )
    serializer_class = SuggestionSerializer
    filterset_class = SuggestionFilter
    ordering_fields = ("created_at", "expires_at", "priority", "confidence", "impact_mid")

    @extend_schema(
        summary="Approve",
        description="Records the yes and queues the change. 409 names who was faster.",
        request=ReasonRequest,
        responses=SuggestionSerializer,
        examples=[OpenApiExample("Without a word", value={}, request_only=True)],
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def approve(self, request, pk=None):
        return self._decided(deciding.approve, ReasonRequest)

    @extend_schema(
        summary="Refuse",
        description="Records the no. The reason is required: it is what the next proposals learn from.",
        request=RefusalRequest,
        responses=SuggestionSerializer,
        examples=[OpenApiExample("With its reason", value={"reason": "Stock is low until Friday."}, request_only=True)],
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def refuse(self, request, pk=None):
        return self._decided(deciding.refuse, RefusalRequest)

    @extend_schema(
        summary="Undo",
        description="Decides to put back what was changed; the putting back is an execution of its own.",
        request=ReasonRequest,
        responses=SuggestionSerializer,
        examples=[OpenApiExample("With its reason", value={"reason": "Wrong account."}, request_only=True)],
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def undo(self, request, pk=None):
        return self._decided(deciding.undo, ReasonRequest)

    def _decided(self, verb, input_serializer):
        suggestion = self.get_object()
        asked = self.checked(input_serializer)
        tasks.nudge(verb(suggestion_id=suggestion.pk, actor=self.actor, reason=asked["reason"]))
        return self.shown(suggestion.pk)


@extend_schema_view(
    list=extend_schema(summary="List executions", description="Every effect on a platform, tried or done."),
    retrieve=extend_schema(summary="One execution", description="Its state and the proof of what was read."),
)
class ExecutionViewSet(RowsOfClients, ReadOnlyModelViewSet):
    queryset = ExecutionLog.objects.select_related("client", "ad_object")
    serializer_class = ExecutionSerializer
    filterset_class = ExecutionFilter
    ordering_fields = ("created_at", "done_at")

    @extend_schema(
        summary="Try again",
        description="A stopped execution goes on, from what stands at the platform now.",
        request=None,
        responses=ExecutionSerializer,
    )
    @action(detail=True, methods=["post"], url_path="try-again", filterset_class=None)
    def try_again(self, request, pk=None):
        execution = self.get_object()
        return self._settled(deciding.try_again(execution_id=execution.pk, actor=self.actor))

    @extend_schema(
        summary="Give up",
        description="A stopped execution ends; the platform stays as it is.",
        request=ReasonRequest,
        responses=ExecutionSerializer,
        examples=[OpenApiExample("With its reason", value={"reason": "Done by hand."}, request_only=True)],
    )
    @action(detail=True, methods=["post"], url_path="give-up", filterset_class=None)
    def give_up(self, request, pk=None):
        execution = self.get_object()
        reason = self.checked(ReasonRequest)["reason"]
        return self._settled(deciding.give_up(execution_id=execution.pk, actor=self.actor, reason=reason))

    def _settled(self, execution):
        tasks.nudge_execution(execution)
        return self.shown(execution.pk)


@extend_schema_view(
    list=extend_schema(summary="List decisions", description="Who said what, when, from where and why."),
    retrieve=extend_schema(summary="One decision", description="A person's word about a suggestion."),
)
class DecisionViewSet(RowsOfClients, ReadOnlyModelViewSet):
    queryset = Decision.objects.select_related("client", "user")
    serializer_class = DecisionSerializer
    filterset_class = DecisionFilter
    ordering_fields = ("decided_at",)


@extend_schema_view(
    list=extend_schema(
        summary="List hypotheses", description="What each change was expected to bring, and what it brought."
    ),
    retrieve=extend_schema(summary="One hypothesis", description="Effects are on the log scale, 0.1 is about +10 %."),
)
class HypothesisViewSet(RowsOfClients, ReadOnlyModelViewSet):
    queryset = Hypothesis.objects.select_related("client")
    serializer_class = HypothesisSerializer
    filterset_fields = {"kind": ["exact"], "state": ["exact"], "grade": ["exact"], "verdict": ["exact"]}
    ordering_fields = ("created_at", "evaluated_at")


@extend_schema_view(
    list=extend_schema(
        summary="List skipped candidates", description="What a rule pointed at and was not proposed, and why."
    ),
    retrieve=extend_schema(summary="One skipped candidate", description="The reason and its numbers."),
)
class SkippedViewSet(RowsOfClients, ReadOnlyModelViewSet):
    queryset = SkippedCandidate.objects.select_related("client", "cycle", "ad_object")
    serializer_class = SkippedSerializer
    filterset_class = SkippedFilter
    ordering_fields = ("id",)


ENDPOINTS = [
    ("suggestions", SuggestionViewSet),
    ("executions", ExecutionViewSet),
    ("decisions", DecisionViewSet),
    ("hypotheses", HypothesisViewSet),
    ("skipped-candidates", SkippedViewSet),
]
