"""What was put away stays readable."""

from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from apps.core.exports import Column, export, wants_export
from apps.core.pages import paginate, render_fragment, sorted_by
from apps.suggestions import wording
from apps.suggestions.filters import ArchiveFilter
from apps.suggestions.models import Decision, DecisionArchive, ExecutionLog, SuggestionArchive

EXPORTED = [
    Column("original_id", _("Number")),
    Column("kind", _("Type"), lambda row: row.get_kind_display()),
    Column("status", _("State"), lambda row: row.get_status_display()),
    Column("ad_object_name", _("About")),
    Column("confidence", _("Confidence")),
    Column("came_true", _("Came true")),
    Column("created_at", _("Proposed")),
    Column("closed_at", _("Closed")),
]


def archive_list(request, tabs):
    """The archive of one client, newest first."""
    rows = SuggestionArchive.objects.visible_to(request.user).filter(client=request.client)
    found = ArchiveFilter(request.GET, queryset=rows.defer("record"), request=request)
    rows, sorting = sorted_by(
        found.qs,
        request,
        {"closed": "closed_at", "created": "created_at", "confidence": "confidence", "object": "ad_object_name"},
        default="-closed",
    )
    if wants_export(request):
        return export(request, rows, EXPORTED, name="archive")
    context = {
        "state": "archive",
        "tabs": tabs,
        "filter": found,
        "page": paginate(rows, request),
        "sorting": sorting,
    }
    return render_fragment(request, "suggestions/archive.html", "archive_results", context)


@require_safe
@login_required
def archived(request, client_key, pk):
    """One archived suggestion, as it was when it was put away, with its decisions and executions."""
    rows = SuggestionArchive.objects.visible_to(request.user).filter(client=request.client)
    row = get_object_or_404(rows, pk=pk)
    record, evidence = row.record, row.record.get("evidence") or {}
    decisions = [
        {
            "verdict": Decision.Verdict(one["verdict"]).label,
            "who": one.get("user"),
            "reason": one.get("reason"),
            "at": parse_datetime(one["decided_at"]),
        }
        for one in record.get("decisions", [])
    ]
    put_away = DecisionArchive.objects.visible_to(request.user).filter(
        client=request.client, suggestion_number=row.original_id
    )
    executions = [
        one | {"label": ExecutionLog.State(one["state"]).label, "at": parse_datetime(one["created_at"])}
        for one in record.get("executions", [])
    ]
    context = {
        "row": row,
        "title": wording.title(row.kind),
        "reason": wording.reason(row.kind, evidence) if evidence else "",
        "decisions": decisions,
        "put_away": list(put_away),
        "executions": executions,
        "weeks": evidence.get("weeks") or [],
    }
    return render(request, "suggestions/archived.html", context)
