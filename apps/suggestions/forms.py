"""What people write: why they refuse, and the thresholds of rules."""

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.ads.benchmarks import PERCENTILES
from apps.clients.models import User
from apps.suggestions.models import AnalysisRule
from apps.suggestions.services.deciding import REASON_MAX

# Which thresholds mean something for which kind; the rest stays out of the form.
COMMON = ("name", "priority", "window_days", "min_confidence", "cooldown_hours", "expires_after_hours")
FIELDS_OF = {
    "scale": ("roi_factor", "percentile", "change_percent", "min_spend"),
    "pause": ("roi_factor", "min_spend"),
    "refresh": ("frequency_rise", "ctr_drop", "min_spend"),
}


class ReasonForm(forms.Form):
    """Why: required for a refusal, an offer for the rest."""

    reason = forms.CharField(
        label=_("Why?"),
        max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 3, "autofocus": True}),
        help_text=_("What the next proposals should learn from."),
        error_messages={"required": _("Say why: the reason is what the next proposals learn from.")},
    )

    def __init__(self, *args, required=True, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = required


class AssignForm(forms.Form):
    """Who looks after it: one of those who may decide, or nobody."""

    person = forms.ModelChoiceField(
        queryset=User.objects.none(), required=False, label=_("Given to"), empty_label=_("Nobody")
    )

    def __init__(self, *args, people, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = people


class RuleForm(forms.ModelForm):
    """The thresholds of one rule; the service writes them."""

    class Meta:
        model = AnalysisRule
        fields = [*COMMON, "roi_factor", "percentile", "change_percent", "min_spend", "frequency_rise", "ctr_drop"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        wanted = {*COMMON, *FIELDS_OF[self.instance.kind]}
        for name in set(self.fields) - wanted:
            del self.fields[name]
        for name in ("roi_factor", "change_percent", "frequency_rise", "ctr_drop"):
            if name in self.fields:
                self.fields[name].required = True
        if "percentile" in self.fields:
            self.fields["percentile"] = forms.TypedChoiceField(
                label=AnalysisRule._meta.get_field("percentile").verbose_name,
                help_text=AnalysisRule._meta.get_field("percentile").help_text,
                choices=[(value, f"p{value}") for value in PERCENTILES],
                coerce=int,
            )
