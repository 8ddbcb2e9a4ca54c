"""The board: every suggestion by state, what was skipped and why, and what was put away."""

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from apps.clients.access import may
from apps.core.exports import Column, export, wants_export
from apps.core.pages import COUNT_LIMIT, paginate, render_fragment, sorted_by, wants_fragment
from apps.suggestions import wording
from apps.suggestions.cards import Card, cards, for_cards
from apps.suggestions.filters import STATES, SuggestionFilter, of_state
from apps.suggestions.models import SkippedCandidate, Suggestion, SuggestionArchive

from .archive import archive_list
from .skipped import skipped_list

PER_PAGE = 25
SORTS = {
    "priority": ["-priority", "created_at"],
    "created": "created_at",
    "expires": "expires_at",
    "confidence": "confidence",
    "impact": "impact_mid",
}
NARROWING = ("q", "kind", "confidence", "campaign", "given")
COUNTED = ("waiting", "running", "stopped")
EXPORTED = [
    Column("client.key", _("Client")),
    Column("pk", _("Number")),
    Column("kind", _("Type"), lambda row: row.get_kind_display()),
    Column("status", _("State"), lambda row: row.get_status_display()),
    Column("object", _("About"), lambda row: str(row.ad_object)),
    Column("place", _("Inside"), lambda row: Card(row).place),
    Column("change", pgettext_lazy("noun", "Change"), wording.before_after),
    Column("reason", _("Reason"), lambda row: wording.reason(row.kind, row.evidence)),
    Column("confidence", _("Confidence")),
    Column("impact_low", _("Impact, low")),
    Column("impact_mid", _("Expected impact")),
    Column("impact_high", _("Impact, high")),
    Column("currency", _("Currency"), lambda row: row.ad_object.currency),
    Column("created_at", _("Proposed")),
    Column("closed_at", _("Closed")),
    Column("who", _("Decided by"), lambda row: getattr(Card(row).decision, "user", None)),
    Column("why", _("Why"), lambda row: getattr(Card(row).decision, "reason", None)),
    Column("came_true", _("Came true")),
]


@dataclass(frozen=True)
class Tab:
    """One state of the board; `count` only where something waits to be done."""

    key: str
    label: str
    is_current: bool
    count: str = ""


@require_safe
@login_required
def board(request, client_key=None):
    """Suggestions of one client, or of all clients of the person. htmx asks for the list only."""
    state = request.GET.get("state", "waiting")
    if wants_fragment(request) and request.htmx.target == "tabs":
        return render(request, "suggestions/_tabs.html", {"tabs": tabs(request, state), "state": state})
    if client_key is not None and state == "skipped":
        return skipped_list(request, tabs(request, state))
    if client_key is not None and state == "archive":
        return archive_list(request, tabs(request, state))
    if state not in STATES:
        state = "waiting"
    query = request.GET.copy()
    query["state"] = state
    found = SuggestionFilter(query, queryset=visible(request), request=request)
    default = "priority" if state == "waiting" else "-created"
    rows, sorting = sorted_by(for_cards(found.qs), request, SORTS, default=default)
    if wants_export(request):
        return export(request, rows, EXPORTED, name="suggestions")
    page = paginate(rows, request, PER_PAGE)
    context = {
        "filter": found,
        "state": state,
        "tabs": tabs(request, state),
        "page": page,
        "cards": cards(page.rows, request.user),
        "sorting": sorting,
        "sorts": sort_choices(sorting),
        "can_bulk": state == "waiting" and _may_decide_somewhere(request),
        "about": _object_in_filter(found),
        "is_filtered": _is_filtered(found),
    }
    return render_fragment(request, "suggestions/board.html", "results", context)


def visible(request):
    """Suggestions this person may see here: of the client in the address, or of all."""
    rows = Suggestion.objects.visible_to(request.user)
    return rows.filter(client=request.client) if request.client else rows


def tabs(request, current):
    """The states, counted where a count calls for action; counting stops at a thousand."""
    rows = visible(request)
    found = []
    for key, (label, _statuses) in STATES.items():
        count = of_state(rows, key).order_by()[: COUNT_LIMIT + 1].count() if key in COUNTED else 0
        found.append(Tab(key, label, key == current, _counted(count)))
    if request.client is None:
        return found
    extras = (("skipped", _("Not proposed"), SkippedCandidate), ("archive", _("Archive"), SuggestionArchive))
    return found + [Tab(key, label, key == current) for key, label, _model in extras]


def sort_choices(sorting):
    """The orders offered above the cards: cards have no table header to click."""
    labels = (
        ("priority", _("Most important first")),
        ("-created", _("Newest first")),
        ("created", _("Oldest first")),
        ("expires", _("Expiring first")),
        ("-confidence", _("Surest first")),
        ("-impact", _("Largest impact first")),
    )
    return [(key, label, key == sorting.param) for key, label in labels]


def _counted(count):
    return "" if not count else f"{COUNT_LIMIT}+" if count > COUNT_LIMIT else str(count)


def _may_decide_somewhere(request):
    return request.client is None or may(request.user, "decide", request.client)


def _is_filtered(found):
    chosen = found.form.cleaned_data if found.form.is_valid() else {}
    return any(chosen.get(name) for name in NARROWING)


def _object_in_filter(found):
    pk = found.form.cleaned_data.get("object") if found.form.is_valid() else None
    if not pk:
        return None
    first = found.qs.select_related("ad_object").order_by().first()
    return first.ad_object if first else None
