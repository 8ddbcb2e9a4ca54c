"""The client's rules: what each one asks, and its thresholds to change."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.clients.access import may
from apps.core.actors import Actor
from apps.core.errors import Invalid, NotAllowed
from apps.core.models import AuditEvent
from apps.core.pages import wants_fragment
from apps.suggestions.forms import RuleForm
from apps.suggestions.models import AnalysisRule
from apps.suggestions.services.rules import change_rule


@require_safe
@login_required
def rules(request, client_key):
    """Every rule with its thresholds in words, and who changed what lately."""
    return render(request, "suggestions/rules.html", _context(request))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change(request, client_key, pk):
    """The thresholds of one rule, in the one dialog or on a page of their own."""
    rule = _existing(request, pk)
    if not may(request.user, "edit_rules", request.client):
        raise NotAllowed()
    form = RuleForm(request.POST if request.method == "POST" else None, instance=rule)
    if request.method == "POST" and form.is_valid():
        try:
            change_rule(rule_id=pk, actor=Actor(request.user, "web"), **form.cleaned_data)
        except Invalid as exc:
            for name, texts in exc.fields.items():
                form.add_error(name if name in form.fields else None, texts)
        else:
            messages.success(request, _("The rule is changed. The next daily cycle uses it."))
            return redirect("suggestions:rules", client_key=client_key)
    status = 422 if form.is_bound else 200
    template = "suggestions/_rule_form.html" if wants_fragment(request) else "suggestions/rule.html"
    return render(request, template, {"form": form, "rule": rule}, status=status)


@require_POST
@login_required
def switch(request, client_key, pk):
    """On or off."""
    rule = _existing(request, pk)
    change_rule(rule_id=rule.pk, actor=Actor(request.user, "web"), is_enabled=request.POST.get("on") == "1")
    if wants_fragment(request):
        return render(request, "suggestions/_rules.html", _context(request))
    return redirect("suggestions:rules", client_key=client_key)


def _context(request):
    rows = AnalysisRule.objects.visible_to(request.user).filter(client=request.client)
    changes = AuditEvent.objects.filter(client=request.client, verb="suggestions.rule.changed").select_related("user")
    return {
        "rules": list(rows),
        "can_edit": may(request.user, "edit_rules", request.client),
        "changes": [(event, _sentences(event)) for event in changes[:20]],
    }


def _sentences(event):
    """What was changed, field by field, by the names of the form."""
    named = []
    for name, pair in event.changes.items():
        if isinstance(pair, list) and len(pair) == 2:
            label = AnalysisRule._meta.get_field(name).verbose_name
            named.append(
                _("%(field)s: %(old)s → %(new)s") % {"field": label, "old": _plain(pair[0]), "new": _plain(pair[1])}
            )
    return named


def _plain(value):
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "–" if value is None else value


def _existing(request, pk):
    rule = AnalysisRule.objects.visible_to(request.user).filter(client=request.client, pk=pk).first()
    if rule is None:
        raise Http404
    return rule
