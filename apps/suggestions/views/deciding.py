"""The buttons of one suggestion. Each answers with the piece that changed, as it stands now."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.clients import access
from apps.core.actors import Actor
from apps.core.errors import Conflict, DomainError, NotAllowed
from apps.core.pages import wants_fragment
from apps.suggestions import tasks
from apps.suggestions.cards import card_of
from apps.suggestions.forms import AssignForm, ReasonForm
from apps.suggestions.services import deciding

from .detail import state_context

PLACES = ("card", "page")


@require_POST
@login_required
def approve(request, client_key, pk):
    """Yes. Whoever comes second sees who was faster."""
    existing(request, pk)
    return _acted(request, pk, lambda actor: deciding.approve(suggestion_id=pk, actor=actor), _("Approved."))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def refuse(request, client_key, pk):
    """No, with the reason; the form opens in the one dialog."""
    shown = existing(request, pk)
    if not shown.rights.decide:
        raise NotAllowed()
    form = ReasonForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        return _acted(
            request, pk, lambda actor: deciding.refuse(suggestion_id=pk, actor=actor, reason=reason), _("Refused.")
        )
    return _form(request, shown, form, "refuse_form")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def undo(request, client_key, pk):
    """Put back what was changed: a decision of its own."""
    shown = existing(request, pk)
    if not shown.rights.undo:
        raise NotAllowed()
    form = ReasonForm(_posted(request), required=False)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        return _acted(
            request,
            pk,
            lambda actor: deciding.undo(suggestion_id=pk, actor=actor, reason=reason),
            _("Durum puts it back."),
        )
    if shown.execution is None:
        raise Http404
    return _form(request, shown, form, "undo_form")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def assign(request, client_key, pk):
    """Give what waits to somebody of the team, or to nobody; the form proposes oneself for what is nobody's."""
    shown = existing(request, pk)
    if not shown.rights.decide:
        raise NotAllowed()
    if shown.item is None:
        raise Conflict(_("This is already closed."))
    people = access.who_may("decide", request.client)
    form = AssignForm(_posted(request), people=people, initial={"person": shown.given_to or request.user})
    if request.method == "POST" and form.is_valid():
        person = form.cleaned_data["person"]
        return _acted(
            request,
            pk,
            lambda actor: deciding.assign(item_id=shown.item.pk, user=person, actor=actor),
            _("Given to %(name)s.") % {"name": person} if person else _("Given to nobody."),
            nudge=None,
        )
    return _form(request, shown, form, "assign_form")


@require_POST
@login_required
def try_again(request, client_key, pk):
    """The stopped execution goes on, from what stands at the platform now."""
    execution = _stopped(request, pk)
    return _acted(
        request,
        pk,
        lambda actor: deciding.try_again(execution_id=execution.pk, actor=actor),
        _("Durum tries again."),
        nudge=tasks.nudge_execution,
    )


@require_POST
@login_required
def give_up(request, client_key, pk):
    """The stopped execution ends; the platform stays as it is."""
    execution = _stopped(request, pk)
    return _acted(
        request,
        pk,
        lambda actor: deciding.give_up(execution_id=execution.pk, actor=actor),
        _("Given up: the platform stays as it is."),
        nudge=tasks.nudge_execution,
    )


def existing(request, pk):
    """The card of a suggestion of this client, or 404."""
    found = card_of(pk, request)
    if found is None:
        raise Http404
    return found


def _acted(request, pk, act, done, *, nudge=tasks.nudge):
    """Do it, and answer with the card or the page's piece as it stands now, whoever won."""
    try:
        result = act(Actor(request.user, "web"))
        if nudge is not None:
            nudge(result)
        notice, tone = str(done), "success"
    except NotAllowed:
        raise
    except DomainError as exc:
        notice, tone = str(exc), "warning"
    if not wants_fragment(request):
        messages.add_message(request, messages.SUCCESS if tone == "success" else messages.WARNING, notice)
        return redirect("suggestions:detail", client_key=request.client.key, pk=pk)
    card = card_of(pk, request, notice=notice, tone=tone)
    is_page = _place(request) == "page"
    template = "suggestions/_state.html" if is_page else "suggestions/_card.html"
    from_dialog = request.htmx.target == "modal-body"
    context = {"card": card, "out_of_band": from_dialog} | (state_context(request, card) if is_page else {})
    response = render(request, template, context)
    # The counts on the tabs follow; the list stays, so that the card shows what becomes of it.
    response["HX-Trigger"] = "modal:close, suggestions:counted" if from_dialog else "suggestions:counted"
    return response


def _posted(request):
    return request.POST if request.method == "POST" else None


def _place(request):
    asked = request.POST.get("place") or request.GET.get("place", "")
    return asked if asked in PLACES else "card"


def _form(request, card, form, fragment):
    """The form in the one dialog, or on a page of its own where there is no script."""
    template = f"suggestions/_{fragment}.html"
    context = {"card": card, "form": form, "place": _place(request), "form_template": template}
    status = 422 if form.is_bound else 200
    return render(request, template if wants_fragment(request) else "suggestions/asked.html", context, status=status)


def _stopped(request, pk):
    card = existing(request, pk)
    execution = card.stopped or card.execution
    if execution is None:
        raise Http404
    return execution
