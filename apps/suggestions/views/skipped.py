"""Candidates that a rule pointed at and that were not proposed, with the reason."""

import django_filters
from django.utils.translation import gettext_lazy as _

from apps.core.exports import Column, export, wants_export
from apps.core.pages import paginate, render_fragment, sorted_by
from apps.suggestions import wording
from apps.suggestions.analysis import SKIP_CODES
from apps.suggestions.models import CycleRun, SkippedCandidate, Suggestion

CODE_LABELS = {
    "not_delivering": _("Not delivering"),
    "no_revenue": _("Return unknown"),
    "below_min_spend": _("Too little spent"),
    "campaign_budget": _("Budget on the campaign"),
    "no_budget": _("No budget known"),
    "lifetime_budget": _("Lifetime budget"),
    "in_learning": _("Still learning"),
    "changed_by_person": _("Changed by a person"),
    "cooldown": _("Resting after a change"),
    "already_suggested": _("Already proposed"),
    "conflicts_with": _("Contradicts another one"),
    "below_percentile": _("Below the percentile"),
    "low_confidence": _("Too uncertain"),
    "refused_unchanged": _("Refused, unchanged"),
    "max_change": _("Change too small"),
    "budget_cap": _("At the highest budget"),
    "daily_cap": _("Actions of the day used up"),
}


def _why(row):
    """The reason as a sentence."""
    return wording.skipped(row.reason, row.numbers, row.ad_object.currency)


EXPORTED = [
    Column("cycle.day", _("Day")),
    Column("kind", _("Type"), lambda row: row.get_kind_display()),
    Column("object", _("About"), lambda row: str(row.ad_object)),
    Column("code", _("Reason"), lambda row: CODE_LABELS.get(row.reason, row.reason)),
    Column("why", _("In words"), _why),
]


class SkippedFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(field_name="ad_object__name", lookup_expr="icontains", label=_("Name"))
    reason = django_filters.ChoiceFilter(
        choices=[(code, CODE_LABELS[code]) for code in SKIP_CODES], label=_("Reason"), empty_label=_("All")
    )
    kind = django_filters.ChoiceFilter(choices=Suggestion.Kind.choices, label=_("Type"), empty_label=_("All"))

    class Meta:
        model = SkippedCandidate
        fields = []


def skipped_list(request, tabs):
    """The candidates of one morning's cycle, the latest unless another one is asked for."""
    cycles = list(CycleRun.objects.visible_to(request.user).filter(client=request.client).order_by("-day")[:31])
    asked = request.GET.get("cycle", "")
    cycle = next((one for one in cycles if str(one.pk) == asked), cycles[0] if cycles else None)
    rows = SkippedCandidate.objects.visible_to(request.user).filter(client=request.client, cycle=cycle)
    found = SkippedFilter(request.GET, queryset=rows.select_related("ad_object__parent", "cycle"), request=request)
    rows, sorting = sorted_by(
        found.qs, request, {"reason": "reason", "object": "ad_object__name", "kind": "kind"}, default="reason"
    )
    if wants_export(request):
        return export(request, rows, EXPORTED, name="skipped")
    page = paginate(rows, request)
    context = {
        "state": "skipped",
        "tabs": tabs,
        "filter": found,
        "page": page,
        "rows": [(row, CODE_LABELS.get(row.reason, row.reason), _why(row)) for row in page.rows],
        "sorting": sorting,
        "cycle": cycle,
        "cycles": cycles,
    }
    return render_fragment(request, "suggestions/skipped.html", "skipped_results", context)
