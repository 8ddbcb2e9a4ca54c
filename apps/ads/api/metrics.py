"""What ads cost and brought, by day or summed over a period, at any level of the tree."""

from datetime import timedelta

from django.db.models import F
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.viewsets import GenericViewSet

from apps.ads import ratios
from apps.ads.models import AdObject, PerformanceMetric
from apps.ads.reports import place_of
from apps.ads.selectors import family_of, yesterday_of
from apps.core import periods
from apps.core.api import RowsOfClients

from .objects import AdObjectBriefSerializer

Level = AdObject.Level
MONEY = {"max_digits": 24, "decimal_places": 4, "read_only": True}


class MetricQuery(serializers.Serializer):
    """What is wanted: the level, and the days (`period`, or `since` with `until`)."""

    level = serializers.ChoiceField(choices=Level.choices, default=Level.ACCOUNT)
    period = serializers.ChoiceField(choices=list(periods.DAYS), default=periods.DEFAULT)
    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False)
    object = serializers.IntegerField(required=False)

    def validate(self, attrs):
        since, until = attrs.get("since"), attrs.get("until")
        if bool(since) != bool(until):
            missing = "until" if since else "since"
            raise serializers.ValidationError({missing: _("Give both days, or neither.")})
        if since and since > until:
            raise serializers.ValidationError({"until": _("The period ends before it begins.")})
        if since and (until - since).days >= periods.LONGEST:
            raise serializers.ValidationError({"since": _("Ask for three years at most.")})
        return attrs


class SumsSerializer(serializers.Serializer):
    """Sums of one object and the ratios made of them. `revenue` is null where nobody knows it."""

    object = AdObjectBriefSerializer(read_only=True)
    currency = serializers.CharField(read_only=True)
    spend = serializers.DecimalField(source="spend_sum", **MONEY)
    impressions = serializers.IntegerField(source="impressions_sum", read_only=True)
    clicks = serializers.IntegerField(source="clicks_sum", read_only=True)
    link_clicks = serializers.IntegerField(source="link_clicks_sum", read_only=True, allow_null=True)
    reach_days = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="Daily reach added up: a person counts once a day."
    )
    leads = serializers.DecimalField(source="leads_sum", max_digits=16, decimal_places=2, read_only=True)
    purchases = serializers.DecimalField(source="purchases_sum", max_digits=16, decimal_places=2, read_only=True)
    revenue = serializers.DecimalField(source="revenue_sum", allow_null=True, **MONEY)
    roi = serializers.DecimalField(allow_null=True, help_text="Revenue per unit of spend.", **MONEY)
    cost_per_lead = serializers.DecimalField(allow_null=True, **MONEY)
    cost_per_purchase = serializers.DecimalField(allow_null=True, **MONEY)
    ctr = serializers.DecimalField(allow_null=True, help_text="Clicks in percent of impressions.", **MONEY)
    cpm = serializers.DecimalField(allow_null=True, help_text="Spend per thousand impressions.", **MONEY)
    frequency = serializers.DecimalField(allow_null=True, help_text="Impressions per daily reach.", **MONEY)


class DaySerializer(SumsSerializer):
    """The same for one day of the account."""

    day = serializers.DateField(read_only=True)


PARAMETERS = [
    OpenApiParameter(
        "level", str, enum=Level.values, default="account", description="What is summed up: everything below it counts."
    ),
    OpenApiParameter(
        "period", str, enum=list(periods.DAYS), default=periods.DEFAULT, description="The last complete days."
    ),
    OpenApiParameter("since", OpenApiTypes.DATE, description="First day, with `until`, instead of `period`."),
    OpenApiParameter("until", OpenApiTypes.DATE, description="Last day; it counts."),
    OpenApiParameter("object", int, description="Only below this ad object."),
]


class MetricViewSet(RowsOfClients, GenericViewSet):
    """Results are asked for one client at a time; amounts of two currencies are never added up."""

    queryset = PerformanceMetric.objects.all()
    serializer_class = SumsSerializer
    filterset_class = None
    needs_client = True

    @extend_schema(
        summary="Results by day",
        description="One row per object of the level and day, newest first. Days without results are absent.",
        parameters=PARAMETERS,
        responses=DaySerializer(many=True),
        filters=True,
    )
    @action(detail=False, serializer_class=DaySerializer)
    def daily(self, request):
        return self._grouped("day", order=("-day", "place"))

    @extend_schema(
        summary="Results summed over a period",
        description="One row per object of the level, the highest spend first. Ratios are computed from the sums.",
        parameters=PARAMETERS,
        responses=SumsSerializer(many=True),
        filters=True,
    )
    @action(detail=False)
    def sums(self, request):
        return self._grouped(order=("-spend_sum", "place"))

    def _grouped(self, *by, order):
        query = MetricQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        rows = self._rows(asked).annotate(place=place_of(asked["level"]), currency=F("ad_object__currency"))
        rows = rows.exclude(place=None).order_by().values("place", "currency", *by)
        page = self.paginate_queryset(rows.annotate(**ratios.sums()).order_by(*order))
        objects = AdObject.objects.in_bulk({row["place"] for row in page})
        found = [row | _ratios(row) | {"object": objects[row["place"]]} for row in page]
        return self.get_paginated_response(self.get_serializer(found, many=True).data)

    def _rows(self, asked):
        rows = self.filter_queryset(self.get_queryset())
        client = self.request._request.client
        if "since" in asked:
            since, until = asked["since"], asked["until"]
        else:
            until = yesterday_of(client)
            since = until - timedelta(days=periods.DAYS[asked["period"]] - 1)
        rows = rows.filter(day__gte=since, day__lte=until)
        if "object" in asked:
            top = AdObject.objects.visible_to(self.request.user).filter(client=client, pk=asked["object"]).first()
            if top is None:
                raise Http404
            rows = rows.filter(ad_object__in=family_of(top))
        return rows


def _ratios(row):
    spend, impressions = row["spend_sum"], row["impressions_sum"]
    return {
        "roi": ratios.roi(row["revenue_sum"], spend),
        "cost_per_lead": ratios.cost_per(spend, row["leads_sum"]),
        "cost_per_purchase": ratios.cost_per(spend, row["purchases_sum"]),
        "ctr": ratios.ctr(row["clicks_sum"], impressions),
        "cpm": ratios.cpm(spend, impressions),
        "frequency": ratios.frequency(impressions, row["reach_days"]),
    }
