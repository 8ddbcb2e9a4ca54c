"""The dashboard: what was spent, what came back, and where in the account."""

from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from apps.ads import panels, reports
from apps.ads.filters import LEVELS, TreeFilter
from apps.ads.models import AdObject, Creative
from apps.connectors.currencies import to_major
from apps.core.exports import Column, export, wants_export
from apps.core.pages import render_fragment, wants_fragment

from .frame import chart_of, frame_of, in_order, page_of, sorting_of

PER_PAGE = 50
BEST = 3
LEAST_SHARE = 50  # a creative is judged from one fiftieth of the spend on
EXPORTED = [
    Column("level", _("Level"), lambda row: row.thing.get_level_display()),
    Column("campaign", _("Campaign"), lambda row: _above(row.thing, "campaign")),
    Column("adset", _("Ad set"), lambda row: _above(row.thing, "adset")),
    Column("name", _("Name"), lambda row: row.thing.name),
    Column("external_id", _("Number"), lambda row: row.thing.external_id),
    Column("status", _("Status"), lambda row: row.thing.get_status_display()),
    Column("currency", _("Currency"), lambda row: row.thing.currency),
    Column("budget", _("Daily budget"), lambda row: budget_of(row.thing)),
    Column("totals.spend", _("Spend")),
    Column("totals.impressions", _("Impressions")),
    Column("totals.clicks", _("Clicks")),
    Column("totals.ctr", _("Click rate")),
    Column("totals.cpm", _("Cost per thousand")),
    Column("totals.leads", _("Leads")),
    Column("totals.cpl", _("Cost per lead")),
    Column("totals.purchases", _("Purchases")),
    Column("totals.cpa", _("Cost per purchase")),
    Column("totals.revenue", _("Revenue")),
    Column("totals.roi", _("ROI")),
]


@require_safe
@login_required
def dashboard(request, client_key):
    """The whole page; htmx asks for the tree (`#results`) or the chart (`#chart`) alone."""
    frame = frame_of(request)
    if wants_fragment(request) and request.htmx.target == "chart":
        context = {"frame": frame, "chart": _chart(request, frame)}
        return render_fragment(request, "ads/dashboard.html", "chart", context)
    tree = _tree(request, frame)
    if wants_export(request):
        return export(request, tree["everything"], EXPORTED, name=f"ads-{request.client.key}-{frame.currency}")
    if wants_fragment(request):
        return render_fragment(request, "ads/dashboard.html", "tree", tree)
    now, before = reports.total(frame.now), reports.total(frame.before)
    days, days_before = reports.by_day(frame.now), reports.by_day(frame.before)
    context = tree | {
        "cards": reports.cards(now, before, days, frame.period.dates, frame.currency),
        "chart": chart_of(frame, request.GET.get("metric", "spend"), days, days_before),
        "now": now,
        "has_objects": bool(tree["everything"]) or AdObject.objects.filter(client=request.client).exists(),
        "best": _best(frame, now),
    }
    return render(request, "ads/dashboard.html", context)


def nodes(frame, objects, level):
    """`Row`s of ad objects of one level with their sums in the period."""
    sums = reports.by_object(frame.now, level)
    nothing = reports.Totals()
    return [reports.Row(one, sums.get(one.pk, nothing)) for one in objects]


def budget_of(ad_object):
    """The daily budget set on an object, in its currency; None where the money sits elsewhere."""
    if not ad_object.daily_budget_minor:
        return None
    return to_major(ad_object.daily_budget_minor, ad_object.currency)


def columns_of(frame, rows):
    """Which columns are worth their width here."""
    return {
        "leads": any(row.totals.leads for row in rows),
        "purchases": any(row.totals.purchases for row in rows),
        "roi": any(row.totals.roi is not None for row in rows),
    }


def _tree(request, frame):
    query = request.GET.copy()
    level = query.get("level")
    if level not in dict(LEVELS):
        query.pop("level", None)
        level = AdObject.Level.CAMPAIGN
    objects = AdObject.objects.visible_to(request.user).filter(
        client=request.client, currency=frame.currency, level=level
    )
    found = TreeFilter(query, queryset=objects.select_related("parent__parent"), request=request)
    sorting = sorting_of(request)
    rows = in_order(nodes(frame, found.qs, level), sorting)
    marks = panels.marks_of(request.client, frame.currency)
    return {
        "frame": frame,
        "filter": found,
        "sorting": sorting,
        "everything": rows,
        "page": page_of(rows, request, PER_PAGE),
        "marks": marks,
        "columns": columns_of(frame, rows),
        "level": level,
        "is_flat": level != "campaign",
    }


def _chart(request, frame):
    days, days_before = reports.by_day(frame.now), reports.by_day(frame.before)
    return chart_of(frame, request.GET.get("metric", "spend"), days, days_before)


def _best(frame, now):
    """The best and the worst creatives by ROI, or by cost per lead where the return is unknown."""
    sums = reports.by_creative(frame.now)
    enough = {pk: one for pk, one in sums.items() if one.spend and one.spend * LEAST_SHARE >= now.spend}
    by_roi = any(one.roi for one in enough.values())
    if by_roi:
        ranked = sorted((pk for pk in enough if enough[pk].roi is not None), key=lambda pk: -enough[pk].roi)
    else:
        ranked = sorted((pk for pk in enough if enough[pk].cpl is not None), key=lambda pk: enough[pk].cpl)
    if len(ranked) < 2:
        return None
    count = min(BEST, len(ranked) // 2)
    best, worst = ranked[:count], ranked[-count:][::-1]
    things = Creative.objects.in_bulk([*best, *worst])

    def rows(ids):
        return [reports.Row(things[pk], sums[pk]) for pk in ids]

    return {"by_roi": by_roi, "best": rows(best), "worst": rows(worst)}


def _above(ad_object, level):
    above = ad_object.parent
    while above is not None and above.level != level:
        above = above.parent
    return above.name if above is not None else None
