"""What a client sells and the ways that lead there."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.clients import access
from apps.clients.forms import FunnelForm, ProductForm
from apps.clients.models import Funnel, Product
from apps.clients.services import catalogue as service
from apps.core.errors import Conflict, Invalid

from .frame import actor_of, add_refusal, may, page


@dataclass(frozen=True)
class Kind:
    """A table of the catalogue: its form and its words."""

    model: Any
    form: Any
    new: Any
    label: Any
    saved: Any


KINDS = {
    "product": Kind(Product, ProductForm, _("New product"), _("Product"), _("The product is saved.")),
    "funnel": Kind(Funnel, FunnelForm, _("New funnel"), _("Funnel"), _("The funnel is saved.")),
}


@require_safe
@login_required
def catalogue(request, client_key):
    """Products and funnels; managers change them from here."""
    context = {
        "products": list(_rows(request, Product)),
        "funnels": list(_rows(request, Funnel).select_related("product").annotate(pointing=Count("ads"))),
        "may_edit": may(request, "edit_client"),
    }
    return page(request, "clients/catalogue.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add(request, client_key, kind):
    """A new product or funnel."""
    return _edit(request, KINDS[kind])


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def change(request, client_key, kind, pk):
    """Another name, product, page or value."""
    return _edit(request, KINDS[kind], get_object_or_404(_rows(request, KINDS[kind].model), pk=pk))


@require_POST
@login_required
def switch(request, client_key, kind, pk):
    """On or off: whether it is still offered."""
    row = get_object_or_404(_rows(request, KINDS[kind].model), pk=pk)
    service.change(type(row), row_id=row.pk, actor=actor_of(request), is_active=request.POST.get("on") == "1")
    messages.success(request, KINDS[kind].saved)
    return redirect("clients:products", client_key=client_key)


def _edit(request, kind, row=None):
    access.require(actor_of(request), "edit_client", request.client)
    name = str(row) if row else ""
    form = kind.form(request.POST or None, instance=row, client=request.client)
    if request.method == "POST" and form.is_valid():
        try:
            if row is None:
                service.add(kind.model, client_id=request.client.pk, actor=actor_of(request), **form.cleaned_data)
            else:
                service.change(kind.model, row_id=row.pk, actor=actor_of(request), **form.cleaned_data)
        except (Conflict, Invalid) as exc:
            add_refusal(form, exc)
        else:
            messages.success(request, kind.saved)
            return redirect("clients:products", client_key=request.client.key)
    context = {"form": form, "kind": kind, "title": name or kind.new, "row": row}
    return page(request, "clients/catalogue_form.html", context, status=422 if form.errors else 200)


def _rows(request, model):
    return model.objects.visible_to(request.user).filter(client=request.client)
