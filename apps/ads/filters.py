"""What lists of ads can be narrowed by; pages and API share these."""

import django_filters
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.ads.importing.problems import REASONS
from apps.connectors.models import QualityFinding, SyncRun


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
