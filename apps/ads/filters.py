"""What lists of ads can be narrowed by; pages and API share these."""

import django_filters
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.ads.importing.problems import REASONS
from apps.ads.models import AdObject, Creative
from apps.connectors.models import QualityFinding, SyncRun
from apps.core.filters import FilterSet

# The tree begins with campaigns; the other levels are flat lists.
LEVELS = [("adset", _("Ad sets")), ("ad", _("Ads"))]
STATUSES = [("ACTIVE", _("Active")), ("PAUSED", _("Paused")), ("gone", _("Archived or deleted"))]


class ImportFilter(django_filters.FilterSet):
    """Imports by file name and state."""

    q = django_filters.CharFilter(field_name="raw_file__name", lookup_expr="icontains", label=_("File name"))
    state = django_filters.ChoiceFilter(choices=SyncRun.State.choices, label=_("State"))

    class Meta:
        model = SyncRun
        fields = ["q", "state"]


class FindingFilter(django_filters.FilterSet):
    """Problems of a file by what was found, where and why."""

    q = django_filters.CharFilter(method="search", label=_("Value, column or line"))
    reason = django_filters.ChoiceFilter(choices=list(REASONS.items()), label=_("Reason"))

    class Meta:
        model = QualityFinding
        fields = ["q", "reason"]

    def search(self, queryset, _name, value):
        found = Q(value__icontains=value) | Q(column__icontains=value)
        if value.isdecimal() and len(value) < 10:
            found |= Q(line=int(value))
        return queryset.filter(found)


def _angles(request):
    rows = Creative.objects.visible_to(request.user).exclude(angle="")
    if request.client is not None:
        rows = rows.filter(client=request.client)
    return [(angle, angle) for angle in rows.order_by("angle").values_list("angle", flat=True).distinct()]


class TreeFilter(django_filters.FilterSet):
    """Search by name or number, status, and which level stands at the top."""

    q = django_filters.CharFilter(method="search", label=_("Name or number"))
    level = django_filters.ChoiceFilter(choices=LEVELS, method="as_is", label=_("Level"), empty_label=_("Campaigns"))
    status = django_filters.ChoiceFilter(choices=STATUSES, method="by_status", label=_("Status"), empty_label=_("All"))

    class Meta:
        model = AdObject
        fields = []

    def search(self, rows, _name, words):
        return rows.filter(Q(name__icontains=words) | Q(external_id__icontains=words))

    def as_is(self, rows, _name, _value):
        return rows

    def by_status(self, rows, _name, status):
        if status == "gone":
            return rows.filter(status__in=[AdObject.Status.ARCHIVED, AdObject.Status.DELETED])
        return rows.filter(status=status)


class AdObjectFilter(TreeFilter):
    """The same for the flat list of the API: any level, and by place in the tree."""

    level = django_filters.ChoiceFilter(choices=AdObject.Level.choices, label=_("Level"))
    external_id = django_filters.CharFilter(label=_("Number"))
    parent = django_filters.NumberFilter(field_name="parent_id", label=_("Part of"))
    account = django_filters.NumberFilter(field_name="account_id", label=_("Account"))
    creative = django_filters.NumberFilter(field_name="creative_id", label=_("Creative"))


class CreativeFilter(FilterSet):
    """Search in name, hook and text; angle and format."""

    q = django_filters.CharFilter(method="search", label=_("Name, hook or text"))
    angle = django_filters.ChoiceFilter(label=_("Angle"), choices=(), empty_label=_("All"))
    format = django_filters.ChoiceFilter(
        field_name="format", choices=Creative.Format.choices, label=_("Format"), empty_label=_("All")
    )

    class Meta:
        model = Creative
        fields = []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["angle"].extra["choices"] = _angles(self.request)

    def search(self, rows, _name, words):
        return rows.filter(Q(name__icontains=words) | Q(hook__icontains=words) | Q(copy__icontains=words))
