"""One campaign, ad set or ad: its days, its budget, where it leads, what is below it and what was proposed about it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.ads import delivery, panels, reports
from apps.ads.forms import FunnelChoiceForm
from apps.ads.models import AdObject, SpendHistory
from apps.ads.selectors import family_of, route_of
from apps.ads.services.funnels import set_funnel
from apps.clients.access import may, require
from apps.connectors.currencies import to_major
from apps.core.actors import Actor
from apps.core.errors import Invalid
from apps.core.pages import Sorting, render_fragment, wants_fragment

from .dashboard import budget_of, columns_of, nodes
from .frame import chart_of, frame_of, in_order, sorting_of

BELOW = {"account": "campaign", "campaign": "adset", "adset": "ad"}
SHOWN = [
    "parent__parent__parent",
    "account",
    "creative",
    "channel",
    "funnel__product",
    "parent__funnel__product",
    "parent__parent__funnel__product",
]
MOST_CHILDREN = 200
MOST_SPENT_FIRST = Sorting("spend", descending=True)


@require_safe
@login_required
def page(request, client_key, pk):
    """The object's page; htmx asks for the chart alone when another number is chosen."""
    thing = _existing(request, pk)
    frame = _frame(request, thing)
    ids = family_of(thing)
    now_rows, before_rows = (rows.filter(ad_object__in=ids) for rows in (frame.now, frame.before))
    days, days_before = reports.by_day(now_rows), reports.by_day(before_rows)
    context = {
        "frame": frame,
        "thing": thing,
        "delivery": delivery.words(thing.effective_status) if thing.effective_status != thing.status else "",
        "chart": chart_of(frame, request.GET.get("metric", "spend"), days, days_before),
    }
    if wants_fragment(request) and request.htmx.target == "chart":
        return render_fragment(request, "ads/object.html", "chart", context)
    now, before = reports.total(now_rows), reports.total(before_rows)
    below = _below(frame, thing)
    context |= {
        "cards": reports.cards(now, before, days, frame.period.dates, frame.currency),
        "now": now,
        "path": _path(thing),
        "budget": budget_of(thing),
        "holder": _holder(thing),
        "history": _budget_history(frame, thing),
        "route": _route(request, thing),
        "rows": below,
        "sorting": sorting_of(request),
        "columns": columns_of(frame, below),
        "marks": panels.marks_of(request.client, frame.currency),
        "panels": [render_to_string(template, more, request) for template, more in panels.about(request, thing)],
    }
    return render(request, "ads/object.html", context)


@require_safe
@login_required
def children(request, client_key, pk):
    """The rows below one row of the tree; a browser is sent to the object's page."""
    thing = _existing(request, pk)
    if not wants_fragment(request):
        return redirect("ads:object", client_key=client_key, pk=pk)
    frame = _frame(request, thing)
    rows = _below(frame, thing)
    rows = in_order(rows, sorting_of(request))
    columns = {name: request.GET.get(f"with_{name}") == "1" for name in ("leads", "purchases", "roi")}
    context = {
        "frame": frame,
        "rows": rows[:MOST_CHILDREN],
        "more": max(0, len(rows) - MOST_CHILDREN),
        "thing": thing,
        "columns": columns,
        "sorting": sorting_of(request),
        "marks": panels.marks_of(request.client, frame.currency),
    }
    return render(request, "ads/_nodes.html", context)


@require_POST
@login_required
def funnel(request, client_key, pk):
    """Choose where this leads, or take the choice back."""
    thing, actor = _existing(request, pk), Actor(request.user, "web")
    require(actor, "decide", request.client)
    form = FunnelChoiceForm(request.POST, thing=thing)
    if not form.is_valid():
        raise Invalid(" ".join(form.errors["funnel"]))
    chosen = form.cleaned_data["funnel"]
    set_funnel(ad_object_id=pk, funnel_id=chosen.pk if chosen else None, actor=actor)
    messages.success(request, _("Where it leads is noted. Its revenue counts accordingly, on past days too."))
    return redirect("ads:object", client_key=client_key, pk=pk)


def _existing(request, pk):
    rows = AdObject.objects.visible_to(request.user).filter(client=request.client)
    thing = rows.select_related(*SHOWN).filter(pk=pk).first()
    if thing is None:
        raise Http404
    return thing


def _frame(request, thing):
    query = request.GET.copy()
    query["currency"] = thing.currency
    request.GET = query
    return frame_of(request)


def _below(frame, thing):
    level = BELOW.get(thing.level)
    if level is None:
        return []
    rows = nodes(frame, thing.children.filter(level=level).select_related("parent__parent"), level)
    return in_order(rows, MOST_SPENT_FIRST)


def _path(thing):
    path, above = [], thing.parent
    while above is not None and above.level != AdObject.Level.ACCOUNT:
        path.insert(0, above)
        above = above.parent
    return path


def _route(request, thing):
    """Where it leads and what that is worth, with the form for those who may choose. None for an account."""
    if thing.level == AdObject.Level.ACCOUNT:
        return None
    form = FunnelChoiceForm(thing=thing)
    has_any = form.fields["funnel"].queryset.exists()
    offered = form if has_any and may(request.user, "decide", request.client) else None
    return route_of(thing) | {"form": offered, "has_any": has_any}


def _holder(thing):
    """Where the money for this object is decided, when not here."""
    above = thing
    while above is not None and not above.has_own_budget:
        above = above.parent
    return above if above is not None and above.pk != thing.pk else None


def _budget_history(frame, thing):
    """The budget in force day by day in the period, and the days it changed. None where it never had one."""
    rows = SpendHistory.objects.filter(
        client=frame.client, ad_object=thing, day__gte=frame.period.since, day__lte=frame.period.until
    ).order_by("day")
    known = {day: minor for day, minor in rows.values_list("day", "daily_budget_minor") if minor is not None}
    if not known:
        return None
    amounts = [to_major(known[day], thing.currency) if day in known else None for day in frame.period.dates]
    changes, last = [], None
    for day, amount in zip(frame.period.dates, amounts, strict=True):
        if amount is not None and last is not None and amount != last:
            changes.append((day, last, amount))
        last = amount if amount is not None else last
    return {
        "labels": frame.period.dates,
        "series": [{"name": _("Daily budget"), "values": amounts}],
        "changes": changes[::-1],
        "marks": [(change[0], _("changed")) for change in changes],
    }
