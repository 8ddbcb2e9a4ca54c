"""The audit trail: who did what for the client, when and from where."""

from django.contrib.auth.decorators import login_required
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from apps.clients import tabs, trail
from apps.clients.filters import VIAS, AuditFilter
from apps.core.exports import Column, export, wants_export
from apps.core.models import AuditEvent
from apps.core.pages import paginate, render_fragment, sorted_by

SORTS = {"when": "created_at", "who": ["user__first_name", "user__last_name"], "what": "verb"}
COLUMNS = [
    Column("created_at", _("When")),
    Column("user", _("Who"), lambda event: str(event.user or "Durum")),
    Column("via", pgettext_lazy("door", "From"), lambda event: str(dict(VIAS).get(event.via, event.via))),
    Column("said", _("What"), trail.said),
    Column("subject_label", _("Subject")),
    Column("changes", _("Changes"), lambda event: "; ".join(_pairs(event))),
    Column("verb", _("Verb")),
]


def _pairs(event):
    return [gettext("%(name)s: %(text)s") % {"name": name, "text": text} for name, text in trail.changes(event)]


@require_safe
@login_required
def audit(request, client_key):
    """Newest first, to be searched, filtered and exported."""
    rows = AuditEvent.objects.visible_to(request.user).filter(client=request.client).select_related("user")
    found = AuditFilter(request.GET, queryset=rows, request=request)
    rows, sorting = sorted_by(found.qs, request, SORTS, default="-when")
    if wants_export(request):
        return export(request, rows, COLUMNS, name="audit")
    shown = paginate(rows, request)
    for event in shown:
        event.said, event.details = trail.said(event), trail.changes(event)
        event.door = dict(VIAS).get(event.via, event.via)
    context = {"filter": found, "page": shown, "sorting": sorting, "tabs": tabs.tabs_for(request)}
    return render_fragment(request, "clients/audit.html", "audit_table", context)
