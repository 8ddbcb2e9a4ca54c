"""What needs me now? Over all clients of the person, and for one."""

from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.ads.panels import marks_of
from apps.analytics.latest import latest_of
from apps.analytics.trouble import troubles
from apps.clients.models import Client
from apps.connectors.models import SyncRun
from apps.core import health, queues
from apps.core.tenancy import use_all_clients
from apps.suggestions.cards import cards, for_cards
from apps.suggestions.models import CycleRun, Decision, Suggestion

FIRST_CARDS = 3
LATELY = 6


@require_safe
@login_required
def home(request):
    """Every client of the person: what waits, what is broken, and yesterday's figures."""
    clients = list(Client.objects.visible_to(request.user).active())
    waiting = queues.by_client(request.user, clients)
    latest = latest_of(clients)
    cycles = _latest_cycles(clients)
    context = {
        "queues": queues.all_for(request.user),
        "troubles": troubles(clients),
        "rows": [(client, waiting[client.pk], latest.get(client.pk, []), cycles.get(client.pk)) for client in clients],
        "readings": _readings() if request.user.is_staff else [],
    }
    return render(request, "analytics/home.html", context)


@require_safe
@login_required
def client_home(request, client_key):
    """One client: what waits, what is broken, yesterday, this morning's cycle and what was decided lately."""
    client = request.client
    first = Suggestion.objects.visible_to(request.user).filter(client=client).waiting()
    decisions = (
        Decision.objects.visible_to(request.user)
        .filter(client=client)
        .select_related("user", "suggestion__ad_object", "archived_suggestion")
    )
    context = {
        "queues": queues.all_for(request.user, client),
        "troubles": troubles([client]),
        "latest": latest_of([client]).get(client.pk, []),
        "cards": cards(for_cards(first)[:FIRST_CARDS], request.user),
        "cycle": CycleRun.objects.filter(client=client).order_by("-day").first(),
        "sync": SyncRun.objects.filter(client=client).order_by("-created_at", "-pk").first(),
        "decisions": list(decisions[:LATELY]),
        "marks": marks_of(client, client.currency),
    }
    context["is_empty"] = not (context["latest"] or context["queues"] or context["sync"])
    return render(request, "analytics/client_home.html", context)


def _latest_cycles(clients):
    rows = CycleRun.objects.filter(client_id__in=[client.pk for client in clients])
    newest = rows.order_by("client_id", "-day").distinct("client_id")
    return {run.client_id: run for run in newest}


def _readings():
    with use_all_clients("the health of the installation is about all of them"):
        return [reading for reading in health.readings() if reading.state != health.OK]
