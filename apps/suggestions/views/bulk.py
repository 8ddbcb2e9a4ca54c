"""Many at once: first what would be done is shown row by row, then it is done row by row and reported."""

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from apps.core.actors import Actor
from apps.core.errors import DomainError, Invalid
from apps.core.pages import chosen, wants_fragment
from apps.suggestions import tasks
from apps.suggestions.cards import cards, for_cards
from apps.suggestions.filters import SuggestionFilter
from apps.suggestions.forms import ReasonForm
from apps.suggestions.services import deciding

from .board import visible

MOST = 200
VERBS = ("approve", "refuse")


@require_POST
@login_required
def bulk(request, client_key=None):
    """`action` on the ticked rows: a list to confirm, then with `confirmed=1` a report."""
    action = request.POST.get("action", "")
    if action not in VERBS:
        raise Http404
    try:
        rows = chosen(_listed(request), request, limit=MOST)
    except Invalid as exc:
        return _answer(request, {"problem": exc, "action": action}, status=422)
    listed = cards(for_cards(rows.order_by("-priority", "created_at", "pk")), request.user)
    form = ReasonForm(request.POST if "reason" in request.POST else None, required=action == "refuse")
    if request.POST.get("confirmed") != "1" or not form.is_valid():
        status = 422 if form.is_bound and form.errors else 200
        return _answer(request, {"action": action, "cards": listed, "form": form}, status=status)
    done, failed = _decide(request, action, listed, form.cleaned_data["reason"])
    context = {"action": action, "done": done, "failed": failed, "sentence": _sentence(action, done)}
    context["changes"] = any(card.step for card in done)
    response = _answer(request, context | {"is_report": True})
    response["HX-Trigger-After-Swap"] = "suggestions:changed"
    return response


def _listed(request):
    """What the ticked numbers may name: with "all of the list" the list as filtered, else whatever is visible,
    so that a row somebody else decided meanwhile is reported and not passed over."""
    if request.POST.get("all") != "1":
        return visible(request)
    query = request.GET.copy()
    query["state"] = "waiting"
    return SuggestionFilter(query, queryset=visible(request), request=request).qs


def _decide(request, action, listed, reason):
    """Each row is a transaction of its own. Returns the decided cards and [(card, why not)]."""
    actor = Actor(request.user, "web")
    verb = deciding.approve if action == "approve" else deciding.refuse
    done, failed = [], []
    for card in listed:
        try:
            tasks.nudge(verb(suggestion_id=card.suggestion.pk, actor=actor, reason=reason))
            done.append(card)
        except DomainError as exc:
            failed.append((card, str(exc)))
    return done, failed


def _sentence(action, done):
    n = len(done)
    if action == "approve":
        return ngettext("%(n)d suggestion approved.", "%(n)d suggestions approved.", n) % {"n": n}
    return ngettext("%(n)d suggestion refused.", "%(n)d suggestions refused.", n) % {"n": n}


def _answer(request, context, status=200):
    context |= {"title": _("Approve") if context["action"] == "approve" else _("Refuse")}
    template = "suggestions/_bulk.html" if wants_fragment(request) else "suggestions/bulk.html"
    return render(request, template, context, status=status)
