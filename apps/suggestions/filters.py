"""What lists of suggestions can be narrowed by: the same words for the pages and for the API."""

import django_filters
from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from apps.ads.models import AdObject
from apps.core.filters import FilterSet
from apps.suggestions.models import ExecutionLog, Suggestion, SuggestionArchive, ValidationItem

Status = Suggestion.Status

# The tabs of the board. "stopped" is asked of the executions: a stopped undo leaves its suggestion done.
STATES = {
    "waiting": (pgettext_lazy("several suggestions", "To decide"), [Status.WAITING]),
    "running": (pgettext_lazy("several suggestions", "Being carried out"), [Status.APPROVED]),
    "stopped": (pgettext_lazy("several suggestions", "Stopped"), None),
    "done": (pgettext_lazy("several suggestions", "Done"), [Status.DONE]),
    "refused": (pgettext_lazy("several suggestions", "Refused"), [Status.REFUSED]),
    "expired": (pgettext_lazy("several suggestions", "Expired"), [Status.EXPIRED]),
    "cancelled": (pgettext_lazy("several suggestions", "Not carried out"), [Status.CANCELLED]),
}
CONFIDENCES = {"90": (0.9, 1.01), "80": (0.8, 0.9), "0": (0.0, 0.8)}
CONFIDENCE_CHOICES = [("90", _("90 % and more")), ("80", _("80 to 90 %")), ("0", _("Under 80 %"))]


def _campaigns(request):
    client = getattr(request, "client", None)
    if client is None:
        return AdObject.objects.none()
    return AdObject.objects.visible_to(request.user).filter(client=client, level=AdObject.Level.CAMPAIGN)


def of_state(rows, state):
    """Suggestions of one tab of the board."""
    if state == "stopped":
        return rows.filter(pk__in=ExecutionLog.objects.needing_a_person().values("suggestion_id"))
    return rows.filter(status__in=STATES[state][1])


class SuggestionFilter(FilterSet):
    """Search by name, state, kind, confidence and place in the account."""

    q = django_filters.CharFilter(method="search", label=_("Name of the ad, ad set or campaign"))
    state = django_filters.ChoiceFilter(
        choices=[(key, label) for key, (label, _statuses) in STATES.items()],
        method="by_state",
        label=_("State"),
        widget=forms.HiddenInput,
    )
    kind = django_filters.ChoiceFilter(choices=Suggestion.Kind.choices, label=_("Type"), empty_label=_("All"))
    confidence = django_filters.ChoiceFilter(
        choices=CONFIDENCE_CHOICES, method="by_confidence", label=_("Confidence"), empty_label=_("All")
    )
    campaign = django_filters.ModelChoiceFilter(
        queryset=_campaigns, method="under", label=_("Campaign"), empty_label=_("All")
    )
    given = django_filters.ChoiceFilter(
        choices=[("me", _("Me")), ("nobody", _("Nobody"))],
        method="given_to",
        label=_("Given to"),
        empty_label=_("All"),
    )
    object = django_filters.NumberFilter(field_name="ad_object_id", widget=forms.HiddenInput, label=_("About"))

    class Meta:
        model = Suggestion
        fields = []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if getattr(self.request, "client", None) is None:
            del self.filters["campaign"]

    def search(self, rows, _name, words):
        return rows.filter(ad_object__in=AdObject.objects.filter(name__icontains=words).values("pk"))

    def by_state(self, rows, _name, state):
        return of_state(rows, state)

    def by_confidence(self, rows, _name, key):
        low, high = CONFIDENCES[key]
        return rows.filter(confidence__gte=low, confidence__lt=high)

    def given_to(self, rows, _name, whom):
        person = self.request.user if whom == "me" else None
        items = ValidationItem.objects.filter(closed_at__isnull=True, assigned_to=person)
        return rows.filter(pk__in=items.values("suggestion"))

    @extend_schema_field(OpenApiTypes.INT)
    def under(self, rows, _name, campaign):
        family = AdObject.objects.filter(client_id=campaign.client_id)
        inside = family.filter(pk=campaign.pk) | family.filter(parent=campaign) | family.filter(parent__parent=campaign)
        return rows.filter(ad_object__in=inside.values("pk"))


class ArchiveFilter(django_filters.FilterSet):
    """The same for what was put away."""

    q = django_filters.CharFilter(field_name="ad_object_name", lookup_expr="icontains", label=_("Name"))
    kind = django_filters.ChoiceFilter(choices=Suggestion.Kind.choices, label=_("Type"), empty_label=_("All"))
    status = django_filters.ChoiceFilter(choices=Status.choices, label=_("State"), empty_label=_("All"))

    class Meta:
        model = SuggestionArchive
        fields = []
