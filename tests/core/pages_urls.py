"""Pages that do one thing each, for tests of what happens around a page."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path

from apps.core.errors import Conflict, NotAllowed, Unavailable
from apps.core.pages import paginate, render_fragment
from durum.urls import urlpatterns as own


def groups(request):
    page = paginate(Group.objects.order_by("name"), request, per_page=2)
    return render_fragment(request, "pages/list.html", "table", {"page": page})


def refuse(request):
    raise {
        "conflict": Conflict("Ana was faster.", detail="row 7"),
        "right": NotAllowed(),
        "outside": Unavailable(retry_after=30),
    }[request.GET.get("why", "conflict")]


def crash(request):
    raise RuntimeError("as the test wants it")


def say(request):
    messages.success(request, "Saved <b>.")
    return redirect("/groups/") if "away" in request.GET else HttpResponse('<div id="results">x</div>')


urlpatterns = [
    *own,
    path("groups/", groups),
    path("refuse/", refuse),
    path("crash/", crash),
    path("say/", say),
    path("private/", login_required(groups)),
    path("c/<slug:client_key>/list/", login_required(lambda request, client_key: groups(request)), name="trial-list"),
    path("c/<slug:client_key>/list/<int:pk>/", login_required(lambda request, **kw: groups(request)), name="trial-one"),
]
