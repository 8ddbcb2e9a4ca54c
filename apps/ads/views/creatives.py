"""The gallery of creatives: angle, hook, text and what each one brought."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from apps.ads import reports
from apps.ads.filters import CreativeFilter
from apps.ads.forms import AngleForm
from apps.ads.models import Creative, TestedAngle
from apps.ads.services import library
from apps.clients.access import may
from apps.core.actors import Actor
from apps.core.errors import NotAllowed
from apps.core.exports import Column, export, wants_export
from apps.core.pages import render_fragment, wants_fragment

from .frame import frame_of, in_order, page_of, sorting_of

PER_PAGE = 24
EXPORTED = [
    Column("name", gettext_lazy("Name"), lambda row: row.thing.name),
    Column("external_id", gettext_lazy("Number"), lambda row: row.thing.external_id),
    Column("format", gettext_lazy("Format"), lambda row: row.thing.get_format_display()),
    Column("angle", gettext_lazy("Angle"), lambda row: row.thing.angle),
    Column("hook", gettext_lazy("Hook"), lambda row: row.thing.hook),
    Column("copy", gettext_lazy("Text"), lambda row: row.thing.copy),
    Column("totals.spend", gettext_lazy("Spend")),
    Column("totals.clicks", gettext_lazy("Clicks")),
    Column("totals.leads", gettext_lazy("Leads")),
    Column("totals.cpl", gettext_lazy("Cost per lead")),
    Column("totals.purchases", gettext_lazy("Purchases")),
    Column("totals.revenue", gettext_lazy("Revenue")),
    Column("totals.roi", gettext_lazy("ROI")),
]
SORTS = (
    ("-spend", gettext_lazy("Most spent")),
    ("-roi", gettext_lazy("Best ROI")),
    ("roi", gettext_lazy("Worst ROI")),
    ("cpl", gettext_lazy("Cheapest leads")),
    ("-ctr", gettext_lazy("Most clicked")),
    ("name", gettext_lazy("Name")),
)


@require_safe
@login_required
def gallery(request, client_key):
    """Creatives with their results in the period, in one currency."""
    frame = frame_of(request)
    creatives = Creative.objects.visible_to(request.user).filter(client=request.client)
    found = CreativeFilter(request.GET, queryset=creatives, request=request)
    sums = reports.by_creative(frame.now)
    nothing = reports.Totals()
    sorting = sorting_of(request)
    rows = in_order([reports.Row(one, sums.get(one.pk, nothing)) for one in found.qs], sorting)
    if wants_export(request):
        return export(request, rows, EXPORTED, name="creatives")
    context = {
        "frame": frame,
        "filter": found,
        "page": page_of(rows, request, PER_PAGE),
        "sorting": sorting,
        "sorts": [(key, label, key == sorting.param) for key, label in SORTS],
        "can_edit": may(request.user, "decide", request.client),
        "has_any": bool(rows) or creatives.exists(),
    }
    if not wants_fragment(request):
        angles = TestedAngle.objects.visible_to(request.user).filter(client=request.client, spend__gt=0)
        # Kept over all currencies together: only told where there is one.
        context["angles"] = [_angle(one) for one in angles[:30]] if len(frame.currencies) == 1 else []
    return render_fragment(request, "ads/creatives.html", "gallery", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def angle(request, client_key, pk):
    """Say by hand which angle a creative has."""
    creative = Creative.objects.visible_to(request.user).filter(client=request.client, pk=pk).first()
    if creative is None:
        raise Http404
    if not may(request.user, "decide", request.client):
        raise NotAllowed()
    form = AngleForm(request.POST if request.method == "POST" else None, initial={"angle": creative.angle})
    if request.method == "POST" and form.is_valid():
        library.set_angle(creative_id=pk, angle=form.cleaned_data["angle"], actor=Actor(request.user, "web"))
        messages.success(request, _("The angle is noted."))
        return redirect("ads:creatives", client_key=client_key)
    known = Creative.objects.filter(client=request.client).exclude(angle="").order_by("angle")
    context = {"form": form, "creative": creative, "angles": known.values_list("angle", flat=True).distinct()[:100]}
    template = "ads/_angle_form.html" if wants_fragment(request) else "ads/angle.html"
    return render(request, template, context, status=422 if form.is_bound else 200)


def _angle(row):
    totals = reports.Totals(row.spend, row.impressions, row.clicks, row.leads, row.purchases, row.revenue)
    return reports.Row(row, totals)
