"""What suggestions add to the page of an ad object: the client's percentiles, and what was proposed and done."""

from apps.ads.panels import Marks
from apps.ads.selectors import family_of
from apps.suggestions import stops
from apps.suggestions.cards import cards, for_cards
from apps.suggestions.models import CycleRun, ExecutionLog, Suggestion

NEWEST = 10
USUAL_WINDOW = 7


def marks_of(client, currency):
    """The percentiles of the latest cycle that found any, over a week where there is a choice."""
    run = (
        CycleRun.objects.filter(client=client, state=CycleRun.State.DONE, benchmarks__has_key=currency)
        .exclude(**{f"benchmarks__{currency}": {}})
        .order_by("-day")
        .first()
    )
    if run is None:
        return None
    windows = run.benchmarks[currency]
    days = min(windows, key=lambda key: abs(int(key) - USUAL_WINDOW))
    stored = windows[days]

    def keyed(name):
        return {int(key): value for key, value in (stored.get(name) or {}).items() if value is not None}

    estimate = keyed("estimate")
    if not estimate:
        return None
    return Marks(
        day=run.day,
        window_days=int(days),
        n=stored.get("n") or 0,
        source=stored.get("source") or "",
        estimate=estimate,
        low=keyed("low"),
        high=keyed("high"),
        raw=keyed("raw"),
    )


def about(request, ad_object):
    """The newest suggestions and executions about the object or anything below it."""
    ids = family_of(ad_object)
    rows = Suggestion.objects.visible_to(request.user).filter(client=request.client, ad_object__in=ids)
    executions = (
        ExecutionLog.objects.visible_to(request.user)
        .filter(client=request.client, ad_object__in=ids)
        .select_related("ad_object", "decision__user")
        .order_by("-created_at", "-pk")[:NEWEST]
    )
    found = cards(for_cards(rows.order_by("-created_at", "-pk")[:NEWEST]), request.user)
    return "suggestions/_about_object.html", {
        "cards": found,
        "executions": [(one, stops.value(one, one.expected), stops.value(one, one.target)) for one in executions],
        "thing": ad_object,
    }
