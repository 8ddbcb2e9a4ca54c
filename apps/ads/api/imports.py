"""A file of ads brought by a program: read as proposed, unless the call says otherwise."""

from dataclasses import replace

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser

from apps.ads import tasks
from apps.ads.filters import ImportFilter
from apps.ads.importing.columns import DATES, FIELDS, NUMBERS
from apps.ads.importing.plan import END_DAY, REFUSE
from apps.ads.importing.proposing import settle
from apps.ads.models import AdObject
from apps.ads.services import importing
from apps.clients.models import Client
from apps.core.errors import Invalid

from .runs import SyncRunSerializer, SyncRunViewSet

MEANINGS = {field.key for field in FIELDS}


class ImportRequest(serializers.Serializer):
    """The file, whose it is, and what its columns mean where Durum cannot tell."""

    client = serializers.CharField(help_text="Key of the client.")
    file = serializers.FileField(help_text="Export of Ads Manager, CSV or XLSX, by day.")
    account = serializers.IntegerField(
        required=False, help_text="Number of the account object. Default: the one named in the file, or the only one."
    )
    account_name = serializers.CharField(required=False, max_length=200, help_text="Name of a new account.")
    currency = serializers.CharField(required=False, max_length=3, help_text="Currency of a new account.")
    mapping = serializers.JSONField(
        required=False,
        help_text='What columns mean, by header: {"Spent": "spend"}. An empty meaning leaves a column out.',
    )
    date_order = serializers.ChoiceField(choices=["dmy", "mdy"], required=False)
    decimal = serializers.ChoiceField(choices=["comma", "point"], required=False)
    periods = serializers.ChoiceField(choices=[REFUSE, END_DAY], required=False, help_text="Rows of several days.")
    results = serializers.ChoiceField(choices=["leads", "purchases"], required=False, help_text="What Results counts.")
    sheet = serializers.CharField(required=False, default="", help_text="The sheet of a workbook.")

    def validate_mapping(self, mapping):
        if not isinstance(mapping, dict):
            raise serializers.ValidationError(_("Send an object: header of a column -> its meaning."))
        unknown = {str(meaning) for meaning in mapping.values()} - MEANINGS - {""}
        if unknown:
            raise serializers.ValidationError(
                _("%(unknown)s is no meaning of a column. There are: %(known)s.")
                % {"unknown": ", ".join(sorted(unknown)), "known": ", ".join(sorted(MEANINGS))}
            )
        return mapping


@extend_schema_view(
    list=extend_schema(summary="List imports", description="Imports of files, newest first."),
    retrieve=extend_schema(summary="One import", description="How far it is, and its report once it is over."),
)
class ImportViewSet(SyncRunViewSet):
    queryset = SyncRunViewSet.queryset.filter(kind=importing.KIND)
    filterset_class = ImportFilter
    parser_classes = [MultiPartParser]

    @extend_schema(
        summary="Import a file",
        description="Keeps the file, reads how it is written, and queues the import: 202 with its run. What Durum "
        "cannot tell by itself is asked for in the problem's `fields`. The same file twice changes nothing.",
        request={"multipart/form-data": ImportRequest},
        responses={202: SyncRunSerializer},
        examples=[
            OpenApiExample(
                "An export in French",
                value={"client": "clos-des-lys", "file": "export.csv", "decimal": "comma", "date_order": "dmy"},
                request_only=True,
                media_type="multipart/form-data",
            )
        ],
    )
    def create(self, request):
        asked = self.checked(ImportRequest)
        client = Client.objects.visible_to(request.user).filter(key=asked["client"]).first()
        if client is None:
            raise Http404
        brought = asked["file"]
        raw_file, _is_new = importing.receive(client=client, file=brought, name=brought.name, actor=self.actor)
        found = importing.proposal(raw_file, sheet=asked["sheet"])
        plan = plan_of(found, asked)
        account_id = self._account(client, found, plan, asked)
        run = importing.confirm(raw_file_id=raw_file.pk, plan=plan, account_id=account_id, actor=self.actor)
        tasks.nudge_import(run)
        return self.accepted(run)

    def _account(self, client, found, plan, asked):
        accounts = AdObject.objects.visible_to(self.request.user).filter(client=client, level=AdObject.Level.ACCOUNT)
        if "account" in asked:
            if not accounts.filter(pk=asked["account"]).exists():
                raise Http404
            return asked["account"]
        number, name = importing.account_in_file(found)
        if "account_name" not in asked:
            known = list(accounts.order_by("pk"))
            named = [row for row in known if number and row.external_id == number]
            chosen = named or ([] if number else known)
            if len(chosen) == 1:
                return chosen[0].pk
            if chosen:
                said = ", ".join(f"{row.pk} ({row.name})" for row in chosen)
                raise Invalid(
                    _("The client has several ad accounts. Say into which the file goes."),
                    fields={"account": _("One of: %(accounts)s.") % {"accounts": said}},
                )
        return importing.make_account(
            client=client,
            name=asked.get("account_name") or name or client.name,
            number=number,
            currency=asked.get("currency") or plan.currency,
            actor=self.actor,
        ).pk


def plan_of(found, asked):
    """The proposal with what the call says over it; `Invalid` names the columns that stay open."""
    before = found.plan
    fields = _meanings(before, asked.get("mapping") or {})
    orders, styles = dict(before.orders), dict(before.styles)
    for index, meaning in enumerate(fields):
        if meaning in DATES and "date_order" in asked:
            orders[str(index)] = asked["date_order"]
        if meaning in NUMBERS and "decimal" in asked:
            styles[str(index)] = asked["decimal"]
    plan = replace(
        before,
        fields=fields,
        orders=orders,
        styles=styles,
        periods=asked.get("periods") or before.periods,
        results_are=asked.get("results") or before.results_are,
    )
    still_open = settle(plan, found.columns)
    if still_open:
        said = _("The column “%(column)s” can be read in two ways.")
        wanted = {"date_order" if fields[index] in DATES else "decimal": index for index in still_open}
        raise Invalid(
            _("Some columns can be read in two ways: say how dates or decimals are written."),
            fields={name: said % {"column": plan.headers[index]} for name, index in wanted.items()},
            code="ambiguous_columns",
        )
    plan.check()
    return plan


def _meanings(plan, mapping):
    fields = list(plan.fields)
    for header, meaning in mapping.items():
        if header not in plan.headers:
            raise Invalid(
                _("The file has no column “%(column)s”.") % {"column": header},
                fields={"mapping": _("The file has: %(columns)s.") % {"columns": ", ".join(plan.headers)}},
            )
        if meaning and meaning != "breakdown" and meaning in fields:
            fields[fields.index(meaning)] = ""
        fields[plan.headers.index(header)] = meaning
    return fields
