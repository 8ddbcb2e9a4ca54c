"""What people fill in about ads: the file they bring, how it is to be read, and the angle of a creative."""

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.ads.importing.columns import DATES, FIELDS, IGNORE, NUMBERS
from apps.ads.importing.plan import END_DAY, REFUSE, Plan
from apps.ads.importing.problems import UnusableFile
from apps.ads.importing.proposing import settle
from apps.ads.importing.values import COMMA, POINT
from apps.ads.models import AdObject
from apps.clients.models import Funnel, valid_zone

NEW_ACCOUNT = "new"
MEANINGS = [(IGNORE, _("(leave out)")), *[(field.key, field.label) for field in FIELDS]]
READINGS = [
    ("", _("as found")),
    ("dmy", _("day before month (31/12)")),
    ("mdy", _("month before day (12/31)")),
    (COMMA, _("decimal comma (1 234,5)")),
    (POINT, _("decimal point (1,234.5)")),
]


class ImportFileForm(forms.Form):
    """The export of Ads Manager."""

    file = forms.FileField(
        label=_("Export of Ads Manager"),
        help_text=_("CSV or XLSX, in French or English, with the breakdown “By time: Day”."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.xlsm"}),
        error_messages={"empty": _("The file is empty. Export it again from Ads Manager.")},
    )


class MappingForm(forms.Form):
    """How one file is to be read, and into which account. `plan` is the outcome of a valid form."""

    account = forms.ChoiceField(label=_("Ad account"))
    account_name = forms.CharField(label=_("Name of the new account"), required=False, max_length=200)
    currency = forms.RegexField(
        r"^[A-Za-z]{3}$",
        label=_("Currency of the new account"),
        required=False,
        error_messages={"invalid": _("Three capitals, e.g. EUR.")},
    )
    time_zone = forms.CharField(
        label=_("Time zone of the new account"), required=False, validators=[valid_zone], max_length=60
    )
    periods = forms.ChoiceField(
        label=_("Rows that cover several days"),
        required=False,
        initial=REFUSE,
        widget=forms.RadioSelect,
        choices=[
            (REFUSE, _("Leave them out and report them (nobody can tell what happened on which day)")),
            (END_DAY, _("Store the whole amount on the last day of the period")),
        ],
    )
    results_are = forms.ChoiceField(
        label=_("The column “Results” counts"),
        required=False,
        choices=[
            ("", _("what the column “Result indicator” says")),
            ("leads", _("leads")),
            ("purchases", _("purchases")),
        ],
    )
    value_per_lead = forms.DecimalField(
        label=_("Value of a lead"), required=False, min_value=0, max_digits=12, decimal_places=2
    )
    value_per_purchase = forms.DecimalField(
        label=_("Value of a purchase"), required=False, min_value=0, max_digits=12, decimal_places=2
    )

    def __init__(self, *args, found, client, account=("", ""), may_set_values=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.found, self.client, self.plan = found, client, None
        self.account_number = account[0]
        self._accounts(account)
        for column in found.columns:
            self._column(column)
        if not found.has_periods:
            del self.fields["periods"]
        else:
            self.fields["periods"].initial = found.plan.periods
        self.fields["results_are"].initial = found.plan.results_are
        chosen = {self.data.get(self.add_prefix(f"field_{c.index}")) for c in found.columns} if self.is_bound else set()
        if "results" not in chosen | set(found.plan.fields):
            del self.fields["results_are"]
        if not may_set_values:
            del self.fields["value_per_lead"], self.fields["value_per_purchase"]

    def _accounts(self, account):
        number, name = account
        known = AdObject.objects.filter(client=self.client, level=AdObject.Level.ACCOUNT).order_by("name", "pk")
        choices = [(str(row.pk), f"{row.name} ({row.currency})") for row in known]
        self.fields["account"].choices = [*choices, (NEW_ACCOUNT, _("A new account, known from files only"))]
        same = [row for row in known if number and row.external_id == number]
        only = list(known) if len(known) == 1 and not number else []
        chosen = (same or only or [None])[0]
        self.fields["account"].initial = str(chosen.pk) if chosen else NEW_ACCOUNT
        self.fields["account_name"].initial = name or self.client.name
        self.fields["currency"].initial = self.found.plan.currency or self.client.currency
        self.fields["time_zone"].initial = self.client.time_zone

    def _column(self, column):
        index, plan = column.index, self.found.plan
        self.fields[f"field_{index}"] = forms.ChoiceField(
            choices=MEANINGS, required=False, initial=plan.fields[index], label=column.header
        )
        reading = plan.orders.get(str(index)) or plan.styles.get(str(index)) or ""
        proposed = reading if reading in dict(READINGS) and not self._shows_nothing(column) else ""
        self.fields[f"reading_{index}"] = forms.ChoiceField(
            choices=READINGS, required=False, initial=proposed, label=_("How it is written")
        )

    @staticmethod
    def _shows_nothing(column):
        return column.numbers.verdict == "none" and column.dates.verdict == "none"

    @property
    def columns(self):
        """For the page: each column with its two fields and whether a person must decide something."""
        return [
            {
                "column": column,
                "field": self[f"field_{column.index}"],
                "reading": self[f"reading_{column.index}"],
                "question": self.found.question(column),
            }
            for column in self.found.columns
        ]

    @property
    def general_fields(self):
        """The fields that are not about one column."""
        return [bound for bound in self if not bound.name.startswith(("field_", "reading_"))]

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("account") == NEW_ACCOUNT and not cleaned.get("account_name", "").strip():
            self.add_error("account_name", _("Give the ad account a name."))
        if not self.errors:
            self.plan = self._plan(cleaned)
            for index in settle(self.plan, self.found.columns):
                self.add_error(f"reading_{index}", _("The values can be read in two ways. Say which one is right."))
            if not self.errors:
                self._check_plan()
        return cleaned

    def _check_plan(self):
        try:
            self.plan.check()
        except UnusableFile as exc:
            self.add_error(None, str(exc))

    def _plan(self, cleaned):
        before = self.found.plan
        fields = [cleaned[f"field_{column.index}"] for column in self.found.columns]
        orders, styles = {}, {}
        for index, meaning in enumerate(fields):
            reading = cleaned[f"reading_{index}"]
            if meaning in DATES and reading in ("dmy", "mdy"):
                orders[str(index)] = reading
            if meaning in NUMBERS and reading in (COMMA, POINT):
                styles[str(index)] = reading
        return Plan(
            headers=before.headers,
            fields=fields,
            header_line=before.header_line,
            sheet=before.sheet,
            orders=orders,
            styles=styles,
            periods=cleaned.get("periods") or before.periods,
            results_are=cleaned.get("results_are", ""),
            currency=before.currency,
        )


class AngleForm(forms.Form):
    """The angle of a creative, in people's own words."""

    angle = forms.CharField(
        label=_("Angle"),
        max_length=80,
        required=False,
        help_text=_("The idea it sells with: price, proof, urgency… Reading the account again leaves it alone."),
        widget=forms.TextInput(attrs={"autofocus": True, "list": "angles"}),
    )


class FunnelChoiceForm(forms.Form):
    """Where a campaign, ad set or ad leads: the client's funnels in use, and the one it has."""

    funnel = forms.ModelChoiceField(
        label=_("Funnel"),
        queryset=Funnel.objects.none(),
        required=False,
        error_messages={
            "invalid_choice": _("This funnel is not one of the client's, or it is switched off. Choose another.")
        },
    )

    def __init__(self, *args, thing, **kwargs):
        super().__init__(*args, **kwargs)
        offered = Q(is_active=True) | Q(pk=thing.funnel_id)
        field = self.fields["funnel"]
        field.queryset = Funnel.objects.filter(offered, client_id=thing.client_id)
        is_campaign = thing.level == AdObject.Level.CAMPAIGN
        field.empty_label = _("none: the client's values count") if is_campaign else _("none of its own: as above it")
        field.initial = thing.funnel_id
