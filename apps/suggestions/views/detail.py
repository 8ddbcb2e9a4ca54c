"""One suggestion: why, what would be written, what people said, what was done and whether it was right."""

from datetime import date

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.core.models import AuditEvent
from apps.core.pages import wants_fragment
from apps.suggestions import outlook, stops
from apps.suggestions.calibration import BINS
from apps.suggestions.cards import card_of
from apps.suggestions.models import Decision, ExecutionLog, Hypothesis, ValidationItem
from apps.suggestions.services.deciding import VIA_NAMES

VERDICT_SIGNS = {
    Decision.Verdict.APPROVE: ("thumb-up", "green"),
    Decision.Verdict.REFUSE: ("thumb-down", "red"),
    Decision.Verdict.UNDO: ("arrow-back-up", "orange"),
}
EXECUTION_SIGNS = {
    ExecutionLog.State.DONE: ("check", "green"),
    ExecutionLog.State.PENDING: ("clock", "azure"),
    ExecutionLog.State.SENT: ("progress", "indigo"),
    ExecutionLog.State.HELD_OUT: ("scale", "azure"),
    ExecutionLog.State.DROPPED: ("ban", "secondary"),
}


@require_safe
@login_required
def detail(request, client_key, pk):
    """The whole page; htmx asks for the part that changes (state, buttons, history)."""
    card = card_of(pk, request)
    if card is None:
        raise Http404
    context = state_context(request, card)
    if wants_fragment(request):
        response = render(request, "suggestions/_state.html", context)
    else:
        response = render(request, "suggestions/detail.html", context | _evidence(card))
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@login_required
def card(request, client_key, pk):
    """The card of the board, for a board that keeps looking; a browser is sent to the page."""
    found = card_of(pk, request)
    if found is None:
        raise Http404
    if not wants_fragment(request):
        return redirect("suggestions:detail", client_key=client_key, pk=pk)
    return render(request, "suggestions/_card.html", {"card": found})


def state_context(request, card):
    """What the changing part of the page needs."""
    hypothesis = Hypothesis.objects.filter(
        client=request.client, execution__suggestion=card.suggestion, execution__undo_of__isnull=True
    ).first()
    return {
        "card": card,
        "suggestion": card.suggestion,
        "executions": [(one, stops.values(one)) for one in card.executions],
        "history": _history(request, card),
        "outlook": outlook.of_hypothesis(hypothesis),
        "bin": _bin(card),
    }


def _bin(card):
    low = max(edge for edge in BINS[:-1] if card.suggestion.confidence >= edge)
    return low, next(edge for edge in BINS if edge > low)


def _evidence(card):
    """The charts and the benchmarks behind the reason: they do not change any more."""
    suggestion, evidence = card.suggestion, card.suggestion.evidence
    weeks = evidence.get("weeks") or []
    labels = [date.fromisoformat(week["week"]) for week in weeks]
    return {
        "labels": labels,
        "charts": outlook.charts(suggestion.kind, evidence) if weeks else [],
        "marks": outlook.marks(evidence),
        "evidence": evidence,
    }


def _history(request, card):
    """Everything that happened to it, newest first."""
    suggestion = card.suggestion
    entries = [{"at": suggestion.created_at, "title": _("Proposed"), "who": "Durum", "icon": "bulb", "tone": "azure"}]
    for one in suggestion.decisions.all():
        icon, tone = VERDICT_SIGNS[one.verdict]
        where = VIA_NAMES.get(one.via, one.via)
        entries.append(
            {
                "at": one.decided_at,
                "title": one.get_verdict_display(),
                "text": one.reason,
                "who": _("%(who)s, %(where)s") % {"who": one.user, "where": where},
                "icon": icon,
                "tone": tone,
            }
        )
    for one in card.executions:
        icon, tone = EXECUTION_SIGNS.get(one.state, ("alert-triangle", "orange"))
        entries.append(
            {
                "at": one.done_at or one.sent_at or one.created_at,
                "title": _("Undo: %(state)s") % {"state": one.get_state_display()}
                if one.undo_of_id
                else _("Execution: %(state)s") % {"state": one.get_state_display()},
                "text": stops.why(one) if one.state in ExecutionLog.ASKING else "",
                "who": "Durum",
                "icon": icon,
                "tone": tone,
            }
        )
    entries += _audited(request, card)
    if suggestion.status == "expired":
        entries.append({"at": suggestion.closed_at, "title": _("Expired without a decision"), "icon": "hourglass"})
    return sorted(entries, key=lambda entry: entry["at"], reverse=True)


def _audited(request, card):
    """Deeds that are neither a decision nor an execution: given to somebody, tried again, given up."""
    given = "suggestions.item.assigned"
    names = {
        "suggestions.execution.retried": (_("Tried again"), "refresh"),
        "suggestions.execution.dropped": (_("Given up"), "ban"),
        given: (_("Given to"), "user"),
    }
    executions = [str(one.pk) for one in card.executions]
    items = ValidationItem.objects.filter(client=request.client, suggestion=card.suggestion)
    rows = AuditEvent.objects.filter(
        Q(subject_type="suggestions.executionlog", subject_id__in=executions)
        | Q(subject_type="suggestions.validationitem", subject_id__in=[str(item.pk) for item in items]),
        client=request.client,
        verb__in=list(names),
    ).select_related("user")
    return [
        {
            "at": row.created_at,
            "title": names[row.verb][0],
            "text": row.changes.get("reason", "") if row.verb != given else row.changes["user"] or _("Nobody"),
            "who": _("%(who)s, %(where)s") % {"who": row.user, "where": VIA_NAMES.get(row.via, row.via)},
            "icon": names[row.verb][1],
        }
        for row in rows
    ]
