"""Decisions taken from a list or a row of the admin: a page asks once for the reason, each row is decided alone."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.clients import access
from apps.core.actors import Actor
from apps.core.errors import DurumError
from apps.suggestions.services.deciding import REASON_MAX

# More at once than a person can have looked at is a slip of the hand.
MOST_AT_ONCE = 500
NAMED_FAILURES = 20


@dataclass(frozen=True)
class Question:
    """What the page asks. `act(pk, actor, reason)` calls the service for one row and starts what follows."""

    action: str
    title: Any
    button: Any
    act: Any
    done: Any
    describe: Any
    needs_reason: bool = False
    is_spending: bool = False


class ReasonForm(forms.Form):
    """Why, in the words of whoever decides."""

    reason = forms.CharField(max_length=REASON_MAX, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))

    def __init__(self, *args, required, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = _("Why")
        self.fields["reason"].required = required


class AskingMixin:
    """For a ModelAdmin whose actions are questions: the list asks for many rows, the page of a row for one."""

    def has_decide_permission(self, request, object_id=None):
        """Whether the person decides anywhere, or for this very row; the service checks every row again."""
        if object_id is None:
            return self.has_view_permission(request)
        row = self.get_object(request, str(object_id))
        return row is not None and access.may(request.user, "decide", row.client)

    def ask(self, request, queryset, question, *, back=None):
        """The page with the question, or, once answered, the decisions and what became of each."""
        rows = list(queryset[: MOST_AT_ONCE + 1])
        back = back or request.get_full_path()
        if len(rows) > MOST_AT_ONCE:
            messages.error(request, _("At most %(n)d at once: filter the list first.") % {"n": MOST_AT_ONCE})
            return HttpResponseRedirect(back)
        if not rows:
            messages.error(request, _("None of these rows is there any more."))
            return HttpResponseRedirect(back)
        answered = request.method == "POST" and "answered" in request.POST
        form = ReasonForm(request.POST if answered else None, required=question.needs_reason)
        if answered and form.is_valid():
            self._act(request, rows, question, form.cleaned_data["reason"])
            return HttpResponseRedirect(back)
        return TemplateResponse(
            request,
            "admin/suggestions/ask.html",
            {
                **self.admin_site.each_context(request),
                "title": question.title,
                "opts": self.opts,
                "question": question,
                "form": form,
                "rows": [(row.pk, question.describe(row)) for row in rows],
                "selected_name": ACTION_CHECKBOX_NAME,
                "back": back,
            },
            status=422 if answered else 200,
        )

    def ask_one(self, request, object_id, question):
        """The same for one row, from its own page."""
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id])
        return self.ask(request, self.get_queryset(request).filter(pk=object_id), question, back=back)

    def _act(self, request, rows, question, reason):
        actor, done, failed = Actor(request.user, "admin"), 0, []
        for row in rows:
            try:
                with transaction.atomic():
                    question.act(row, actor, reason)
                done += 1
            except DurumError as exc:
                failed.append((row, exc))
        if done:
            messages.success(request, question.done(done))
        for row, exc in failed[:NAMED_FAILURES]:
            messages.error(request, _("%(row)s: %(why)s") % {"row": row, "why": exc.message})
        if len(failed) > NAMED_FAILURES:
            more = len(failed) - NAMED_FAILURES
            messages.error(
                request,
                ngettext("%(n)d more row was not changed.", "%(n)d more rows were not changed.", more) % {"n": more},
            )
