"""What every table of the admin shares: only the asker's clients, fast with many rows, read-only by default."""

import json

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from .tenancy import ClientOwnedQuerySet, MaybeTenantModel

COUNTED = 10_000
LONGEST_NUMBER = 19  # digits of what the store can hold


class CappedPaginator(Paginator):
    """Counts to ten thousand and no further: beyond that people filter, they do not turn pages."""

    @cached_property
    def count(self):
        return self.object_list.order_by()[:COUNTED].count()


def visible_rows(model, user):
    """The rows of `model` this person may see; of an unowned model all, rows of the installation for superusers."""
    rows = model._default_manager.all()
    if not isinstance(rows, ClientOwnedQuerySet):
        return rows
    if issubclass(model, MaybeTenantModel) and user.is_superuser:
        return rows
    return rows.visible_to(user)


class ClientTable(ModelAdmin):
    """A table of clients' rows. Staff look at the rows of their own clients; writing is opened by subclasses."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_select_related = ["client"]
    list_filter_submit = False
    # A row per plain click would be a way to lose work; each table says which rights it gives instead.
    actions = None

    def changelist_view(self, request, extra_context=None):
        if any("\x00" in value for values in request.GET.lists() for value in values[1]):
            raise BadRequest("PostgreSQL knows no NUL")
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request):
        ordering = self.get_ordering(request)
        rows = visible_rows(self.model, request.user)
        return rows.order_by(*ordering) if ordering else rows

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if "queryset" not in kwargs:
            kwargs["queryset"] = visible_rows(db_field.remote_field.model, request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if isinstance(db_field, models.URLField):
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_module_permission(self, request):
        return self.has_view_permission(request)

    def has_view_permission(self, request, obj=None):
        return request.user.is_active and request.user.is_staff

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def _get_obj_does_not_exist_redirect(self, request, opts, object_id):
        raise Http404


class EngineersTable(ClientTable):
    """Raw technical rows: only for those whom the permission was given."""

    def has_view_permission(self, request, obj=None):
        return ModelAdmin.has_view_permission(self, request, obj)


class ClientFilter(admin.SimpleListFilter):
    """The person's own clients, and no other name."""

    title = _("client")
    parameter_name = "client"

    def lookups(self, request, model_admin):
        from django.apps import apps  # noqa: PLC0415  (the client's model stands on a higher floor)

        clients = apps.get_model("clients", "Client").objects.visible_to(request.user)
        return [(str(pk), name) for pk, name in clients.values_list("pk", "name")]

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        number = self.value() if len(self.value()) < LONGEST_NUMBER else ""
        return queryset.filter(client_id=int(number)) if number.isdecimal() else queryset.none()


def listed(field, label, values):
    """A filter on a column with few values, written down: asking a large table for them would read it whole."""

    class Listed(admin.SimpleListFilter):
        title = label
        parameter_name = field

        def lookups(self, request, model_admin):
            return [value if isinstance(value, tuple) else (value, value) for value in values]

        def queryset(self, request, queryset):
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    return Listed


class OpenFirstFilter(admin.SimpleListFilter):
    """A filter that starts on what waits for people; `all` shows the rest as well.

    Subclasses give `options`: `[(value, label, Q)]`, the first one being the start.
    """

    options = ()

    def lookups(self, request, model_admin):
        return [(value, label) for value, label, _condition in self.options]

    def value(self):
        return super().value() or self.options[0][0]

    def choices(self, changelist):
        for value, label, _condition in self.options:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": self.value() == value, "query_string": query, "display": label}
        yield {
            "selected": self.value() == "all",
            "query_string": changelist.get_query_string({self.parameter_name: "all"}),
            "display": _("All"),
        }

    def queryset(self, request, queryset):
        for value, _label, condition in self.options:
            if value == self.value():
                return queryset.filter(condition())
        return queryset


def as_text(value):
    """Stored JSON, to be read by people."""
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=str)
    return format_html('<pre class="whitespace-pre-wrap text-xs">{}</pre>', text)
