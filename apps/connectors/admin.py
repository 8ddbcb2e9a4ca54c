"""Connected accounts, runs and the files people brought."""

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget

from apps.clients import access
from apps.clients.admin_tables import RoleTable
from apps.core import audit
from apps.core.actors import Actor
from apps.core.admin_tables import ClientFilter, ClientTable, as_text

from .models import Channel, ColumnMapping, QualityFinding, RawFile, SlackIdentity, SyncRun
from .services import channels


class ChannelForm(forms.ModelForm):
    """The token goes in and never comes out."""

    new_token = forms.CharField(
        label=_("new token"),
        required=False,
        strip=True,
        widget=UnfoldAdminPasswordWidget(render_value=False, attrs={"autocomplete": "off"}),
        help_text=_("Replaces the stored one, which is never shown. Empty keeps it."),
    )

    class Meta:
        model = Channel
        fields = ["client", "platform", "external_id", "name", "state", "expires_at"]


@admin.register(Channel)
class ChannelAdmin(RoleTable):
    """Accounts that Durum reads and writes. One that is not used any more is switched off: its history stays."""

    verb = "connect"
    may_add = True
    form = ChannelForm
    list_display = ["name", "client", "platform", "external_id", "state", "last_ok_at", "expires_at", "last_error"]
    list_filter = [ClientFilter, "platform", "state"]
    search_fields = ["name", "external_id"]
    fields = [
        "client",
        "platform",
        "external_id",
        "name",
        "new_token",
        "state",
        "expires_at",
        "last_ok_at",
        "last_error",
    ]
    readonly_fields = ["last_ok_at", "last_error"]

    def get_readonly_fields(self, request, obj=None):
        fixed = ["platform", "external_id"] if obj else ["state", "expires_at"]
        return [*super().get_readonly_fields(request, obj), *fixed]

    def get_fields(self, request, obj=None):
        fields = super().get_fields(request, obj)
        writes = self.has_change_permission(request, obj)
        return fields if writes else [name for name in fields if name != "new_token"]

    def create(self, actor, fields):
        client, token = fields.pop("client"), fields.pop("new_token", "")
        wanted = {name: fields[name] for name in ("platform", "external_id", "name")}
        return channels.connect(client_id=client.pk, actor=actor, token=token, **wanted)

    def change(self, actor, row, fields):
        token = fields.pop("new_token", "")
        return channels.change(channel_id=row.pk, actor=actor, token=token, **fields)


@admin.register(SyncRun)
class SyncRunAdmin(ClientTable):
    """Fetches and imports: how far they are and how they ended."""

    list_display = ["created_at", "client", "kind", "channel", "state", "progress", "finished_at", "error"]
    list_select_related = ["client", "channel", "raw_file"]
    list_filter = [ClientFilter, "kind", "state"]
    search_fields = ["channel__name", "raw_file__name", "error"]
    date_hierarchy = "created_at"
    fields = [
        "client", "kind", "channel", "raw_file", "state", "stage", "progress", "numbers", "error", "error_detail",
        "attempts", "not_before", "created_at", "started_at", "finished_at", "created_by",
    ]  # fmt: skip

    @admin.display(description=_("progress"))
    def progress(self, run):
        if run.total is None:
            return run.done or "–"
        return format_html(
            '<progress value="{}" max="{}" aria-label="{}"></progress> {} / {}',
            *(run.done, max(run.total, 1), _("progress"), run.done, run.total),
        )

    @admin.display(description=SyncRun._meta.get_field("counts").verbose_name)
    def numbers(self, run):
        return as_text(run.counts)


@admin.register(RawFile)
class RawFileAdmin(ClientTable):
    """Files as they were brought, unchanged."""

    list_display = ["name", "client", "size", "uploaded_by", "created_at"]
    list_select_related = ["client", "uploaded_by"]
    list_filter = [ClientFilter]
    search_fields = ["name", "sha256"]
    date_hierarchy = "created_at"
    fields = ["name", "client", "size", "sha256", "uploaded_by", "created_at", "as_brought"]

    def get_urls(self):
        own = path(
            "<path:object_id>/download/",
            self.admin_site.admin_view(self.download),
            name="connectors_rawfile_download",
        )
        return [own, *super().get_urls()]

    @admin.display(description=_("file"))
    def as_brought(self, raw_file):
        address = reverse("admin:connectors_rawfile_download", args=[raw_file.pk])
        return format_html('<a href="{}">{}</a>', address, _("Download"))

    def download(self, request, object_id):
        """The file itself, for those who may bring files; told to the audit trail."""
        raw_file = self.get_object(request, object_id)
        if raw_file is None:
            raise Http404
        if not access.may(request.user, "import", raw_file.client):
            raise PermissionDenied
        try:
            content = raw_file.content.open("rb")
        except FileNotFoundError:
            raise Http404 from None
        audit.record(Actor(request.user, "admin"), "connectors.rawfile.downloaded", raw_file)
        return FileResponse(
            content, as_attachment=True, filename=raw_file.name, content_type="application/octet-stream"
        )


@admin.register(QualityFinding)
class QualityFindingAdmin(ClientTable):
    """Rows of files that could not be used, with where and why."""

    list_display = ["run", "client", "sheet", "line", "column", "value", "reason"]
    list_select_related = ["client", "run"]
    list_filter = [ClientFilter]
    search_fields = ["column", "value", "reason"]


@admin.register(ColumnMapping)
class ColumnMappingAdmin(ClientTable):
    """What people said the columns of their files mean."""

    list_display = ["fingerprint", "client", "kind", "confirmed_by", "updated_at"]
    list_select_related = ["client", "confirmed_by"]
    list_filter = [ClientFilter, "kind"]
    fields = ["client", "kind", "fingerprint", "columns", "confirmed_by", "updated_at"]

    @admin.display(description=_("columns"))
    def columns(self, mapping):
        return as_text(mapping.mapping)


@admin.register(SlackIdentity)
class SlackIdentityAdmin(ClientTable):
    """Which Slack account speaks for whom. People link their own; here a link can be cut."""

    list_display = ["user", "team_id", "slack_user_id", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email", "slack_user_id"]

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("connectors.view_slackidentity")

    def has_delete_permission(self, request, obj=None):
        return request.user.has_perm("connectors.delete_slackidentity")

    def delete_model(self, request, obj):
        audit.record(Actor(request.user, "admin"), "connectors.slackidentity.unlinked", obj)
        super().delete_model(request, obj)
