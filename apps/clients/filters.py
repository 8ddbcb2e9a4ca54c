"""What the audit trail can be narrowed by, on the page and in the API."""

import django_filters
from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.filters import FilterSet
from apps.core.models import AuditEvent

from .models import User

VIAS = [
    ("web", _("the web")),
    ("admin", _("the admin")),
    ("api", _("the API")),
    ("slack", _("Slack")),
    ("command", _("a command")),
    ("system", _("Durum itself")),
]
AREAS = [
    ("clients", _("Client and team")),
    ("connectors", _("Accounts, files and runs")),
    ("ads", _("Ads")),
    ("suggestions", _("Suggestions and executions")),
]


def _day_field():
    return forms.DateInput(attrs={"type": "date"})


class AuditFilter(FilterSet):
    """Search in what was done and to what; area, door, person and days."""

    q = django_filters.CharFilter(method="search", label=_("What was done, or to what"))
    area = django_filters.ChoiceFilter(choices=AREAS, method="by_area", label=_("Area"), empty_label=_("All"))
    via = django_filters.ChoiceFilter(choices=VIAS, label=pgettext_lazy("door", "From"), empty_label=_("All"))
    user = django_filters.ChoiceFilter(choices=(), field_name="user_id", label=_("Who"), empty_label=_("All"))
    since = django_filters.DateFilter(
        field_name="created_at", lookup_expr="date__gte", label=_("From day"), widget=_day_field()
    )
    until = django_filters.DateFilter(
        field_name="created_at", lookup_expr="date__lte", label=_("To day"), widget=_day_field()
    )

    class Meta:
        model = AuditEvent
        fields = []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["user"].extra["choices"] = self._people()

    def _people(self):
        """Whoever ever did something for the client looked at: never a stranger's name."""
        client = getattr(self.request, "client", None)
        if client is None:
            return ()
        did = AuditEvent.objects.filter(client=client, user__isnull=False).order_by().values("user_id").distinct()
        people = User.objects.filter(pk__in=did).order_by("first_name", "last_name", "username", "pk")
        return [(str(user.pk), str(user)) for user in people]

    def search(self, rows, _name, words):
        return rows.filter(Q(subject_label__icontains=words) | Q(verb__icontains=words) | Q(subject_id=words))

    def by_area(self, rows, _name, area):
        return rows.filter(verb__startswith=f"{area}.")
