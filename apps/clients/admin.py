"""Clients, their people and what they sell."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Count, OuterRef, Subquery
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from apps.core import audit
from apps.core.actors import Actor
from apps.core.admin_tables import CappedPaginator, ClientFilter

from .admin_tables import RoleTable
from .models import Client, Funnel, Membership, Product, User
from .services import catalogue, clients


@admin.register(Client)
class ClientAdmin(RoleTable):
    """The brands the agency runs. A client is switched off, never deleted: its history stays."""

    verb = "edit_client"
    list_display = ["name", "key", "is_active", "currency", "time_zone", "roi_target", "members"]
    list_select_related = False
    list_filter = ["is_active", "currency"]
    search_fields = ["name", "key"]
    readonly_fields = ["created_at"]
    fieldsets = [
        (None, {"fields": ["key", "name", "is_active", "currency", "time_zone", "brand_color", "created_at"]}),
        (_("Return"), {"fields": ["roi_target", "value_per_lead", "value_per_purchase"]}),
        (
            _("Guard rails"),
            {
                "fields": [
                    "max_daily_budget",
                    "max_change_percent",
                    "max_actions_per_day",
                    "cooldown_hours",
                    "holdout_percent",
                    "cycle_hour",
                ]
            },
        ),
    ]

    def get_queryset(self, request):
        members = Membership.objects.filter(client=OuterRef("pk")).order_by().values("client").annotate(n=Count("pk"))
        return super().get_queryset(request).annotate(members_count=Subquery(members.values("n")))

    def get_readonly_fields(self, request, obj=None):
        fixed = ["key"] if obj else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    def has_add_permission(self, request):
        return request.user.has_perm("clients.add_client")

    @admin.display(description=_("members"), ordering="members_count")
    def members(self, client):
        return client.members_count or 0

    def create(self, actor, fields):
        return clients.create_client(actor=actor, owner=actor.user, **fields)

    def change(self, actor, row, fields):
        return clients.change_client(client_id=row.pk, actor=actor, **fields)


@admin.register(Membership)
class MembershipAdmin(RoleTable):
    """Who works for which client, and as what."""

    verb = "edit_team"
    may_add = True
    list_display = ["user", "client", "role", "created_at"]
    list_select_related = ["client", "user"]
    list_filter = [ClientFilter, "role"]
    search_fields = ["user__username", "user__email", "user__last_name", "client__name"]
    fields = ["client", "user", "role", "created_at"]
    readonly_fields = ["created_at"]

    def get_readonly_fields(self, request, obj=None):
        return [*super().get_readonly_fields(request, obj), *(["user"] if obj else [])]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "user" and not request.user.has_perm("clients.view_user"):
            colleagues = Membership.objects.visible_to(request.user).values("user_id")
            kwargs["queryset"] = User.objects.filter(pk__in=colleagues)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_delete_permission(self, request, obj=None):
        return self.has_change_permission(request, obj)

    def create(self, actor, fields):
        return clients.set_member(client_id=fields["client"].pk, user=fields["user"], role=fields["role"], actor=actor)

    def change(self, actor, row, fields):
        if "role" in fields:
            clients.set_member(client_id=row.client_id, user=row.user, role=fields["role"], actor=actor)

    def remove(self, actor, row):
        clients.remove_member(membership_id=row.pk, actor=actor)


class CatalogueAdmin(RoleTable):
    """Rows that a client's manager keeps."""

    verb = "edit_client"
    may_add = True
    list_filter = [ClientFilter, "is_active"]
    search_fields = ["name", "key"]

    def create(self, actor, fields):
        client = fields.pop("client")
        return catalogue.add(self.model, client_id=client.pk, actor=actor, **fields)

    def change(self, actor, row, fields):
        return catalogue.change(self.model, row_id=row.pk, actor=actor, **fields)


@admin.register(Product)
class ProductAdmin(CatalogueAdmin):
    list_display = ["name", "key", "client", "price", "value_per_lead", "value_per_purchase", "is_active"]


@admin.register(Funnel)
class FunnelAdmin(CatalogueAdmin):
    list_display = ["name", "key", "client", "product", "landing_url", "is_active"]
    list_select_related = ["client", "product"]


@admin.register(User)
class PersonAdmin(UserAdmin, ModelAdmin):
    """People who sign in. Whoever decided something stays in the history: people are switched off, not deleted."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    paginator = CappedPaginator
    show_full_result_count = False
    list_display = ["username", "email", "first_name", "last_name", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email", "language"]}),
        (_("Rights"), {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["username", "email", "password1", "password2"]})]

    def get_readonly_fields(self, request, obj=None):
        # Otherwise whoever may edit people could make himself everything.
        rights = [] if request.user.is_superuser else ["is_staff", "is_superuser", "groups", "user_permissions"]
        return [*super().get_readonly_fields(request, obj), *rights]

    def has_change_permission(self, request, obj=None):
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        named = [name for name in form.changed_data if "password" not in name]
        verb = "clients.user.changed" if change else "clients.user.created"
        audit.record(Actor(request.user, "admin"), verb, obj, fields=named)
