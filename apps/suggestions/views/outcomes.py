"""Was it right? Confidence against outcomes, and what each kind of action brought."""

from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.core.pages import paginate, render_fragment
from apps.suggestions import outcomes as read
from apps.suggestions.calibration import FEWEST, GATED_FROM
from apps.suggestions.effects import percent
from apps.suggestions.models import FeedbackLoop, Hypothesis
from apps.suggestions.models.proposals import Kind
from apps.suggestions.outlook import spread
from apps.suggestions.services.hypotheses import pooled

PER_PAGE = 25


@require_safe
@login_required
def outcomes(request, client_key):
    """Calibration, pooled effects, and every measured execution underneath."""
    measured = (
        Hypothesis.objects.visible_to(request.user)
        .filter(client=request.client)
        .select_related("execution__ad_object", "execution__suggestion")
        .order_by("-window_end", "-pk")
    )
    page = paginate(measured, request, PER_PAGE)
    context = {"page": page, "rows": [(row, _effect(row), _shrunk(row)) for row in page.rows]}
    if request.htmx:
        return render_fragment(request, "suggestions/outcomes.html", "measured", context)
    found = read.calibration_of(request.client)
    context |= {
        "calibration": found,
        "bins": [one for one in found.bins if one.n],
        "fewest": FEWEST,
        "gated_from": GATED_FROM,
        "is_checked": found.n >= FEWEST,
        "kinds": [_kind(request.client, kind) for kind in Kind],
        "feedback": FeedbackLoop.objects.visible_to(request.user).filter(client=request.client).count(),
    }
    context["has_anything"] = bool(found.n or page.rows)
    return render(request, "suggestions/outcomes.html", context)


def _kind(client, kind):
    together = pooled(client, kind)
    middle = spread(together.low, together.mid, together.high) if together else None
    grades = " · ".join(f"{grade} {n}" for grade, n in together.grades.items()) if together else ""
    return {"kind": kind.label, "together": together, "spread": middle, "grades": grades}


def _effect(row):
    return spread(row.effect_low, row.effect, row.effect_high) if row.effect is not None else None


def _shrunk(row):
    return None if row.shrunk_effect is None else percent(row.shrunk_effect) / 100
