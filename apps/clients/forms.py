"""What people fill in under Settings."""

import zoneinfo

from django import forms
from django.db.models import Q
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from .models import Client, Funnel, Product
from .roles import Role
from .tokens import LIFETIMES

SETTINGS = [
    (_("The client"), ["name", "currency", "time_zone", "brand_color", "is_active"]),
    (_("What results are worth"), ["roi_target", "value_per_lead", "value_per_purchase"]),
    (_("Guard rails"), ["max_daily_budget", "max_change_percent", "max_actions_per_day", "cooldown_hours"]),
    (_("The daily cycle"), ["cycle_hour", "holdout_percent"]),
]


class ClientForm(forms.ModelForm):
    """A client's settings; the key stays what it is."""

    class Meta:
        model = Client
        fields = [name for _title, names in SETTINGS for name in names]
        widgets = {
            "brand_color": forms.TextInput(attrs={"type": "color", "class": "form-control-color"}),
            "time_zone": forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
        }
        help_texts = {
            "is_active": _("Switched off: nothing is read, proposed or changed for this client."),
            "max_daily_budget": _("Durum never sets a daily budget above this, in the client's currency."),
            "max_change_percent": _("How much a budget may change in one step."),
            "max_actions_per_day": _("Counted from midnight where the client lives."),
            "cooldown_hours": _("How long an ad set is left alone after a change."),
            "cycle_hour": _("0 to 23, where the client lives."),
            "value_per_lead": _("Used where the platform reports no revenue."),
        }

    def sections(self):
        """The fields as the page groups them."""
        return [(title, [self[name] for name in names]) for title, names in SETTINGS]

    @staticmethod
    def zones():
        """What the field of the zone suggests."""
        return sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))

    @classmethod
    def labels_and_values(cls, client):
        """The same for somebody who may only look."""
        return [
            (title, [(client._meta.get_field(name).verbose_name, getattr(client, name)) for name in names])
            for title, names in SETTINGS
        ]


class InvitationForm(forms.Form):
    """Who comes to the team, and as what."""

    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    name = forms.CharField(label=_("Name"), required=False, max_length=200)
    role = forms.ChoiceField(
        label=_("Role"),
        choices=Role.choices,
        initial=Role.OPERATOR,
        help_text=_("Viewers look; operators decide and import; managers change settings; owners choose the team."),
    )


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, widget=forms.Select(attrs={"class": "w-auto"}))


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("Where it will be used, so that you know which one to revoke.")
    )
    lifetime = forms.ChoiceField(
        label=_("Works for"), choices=[(key, label) for key, (label, _span) in LIFETIMES.items()], initial="90"
    )


class CatalogueForm(forms.ModelForm):
    """What a `Product` and a `Funnel` have in common: the key is given once and stays."""

    def __init__(self, *args, client, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["key"]
        else:
            # A form's own slug field: keys that came with an import may be written otherwise.
            self.fields["key"] = forms.SlugField(
                label=_("Key"),
                max_length=60,
                required=False,
                help_text=_("Stable short name for files and the API. Left empty, it is made of the name."),
            )
            self.order_fields(["name", "key"])

    def clean(self):
        cleaned = super().clean()
        if "key" in self.fields and not cleaned.get("key") and "key" not in self.errors:
            cleaned["key"] = slugify(cleaned.get("name", ""))[:60].strip("-_")
            if not cleaned["key"] and cleaned.get("name"):
                self.add_error("key", _("Give it a key of letters and digits."))
        return cleaned


class ProductForm(CatalogueForm):
    """Something the client sells."""

    class Meta:
        model = Product
        fields = ["name", "key", "price", "value_per_lead", "value_per_purchase", "is_active"]
        help_texts = {
            "price": _("For information."),
            "value_per_lead": _("Used where the platform reports no revenue. Left empty, the client's own counts."),
            "value_per_purchase": _("The same for a purchase, in the client's currency."),
            "is_active": _("Switched off: no longer offered for funnels. Those that have it keep it, and its values."),
        }


class FunnelForm(CatalogueForm):
    """A way from an ad to a sale. Offers the client's products in use, and the one it has."""

    landing_url = forms.URLField(label=_("Landing page"), max_length=500, required=False, assume_scheme="https")

    class Meta:
        model = Funnel
        fields = ["name", "key", "product", "landing_url", "is_active"]
        help_texts = {
            "product": _("What is sold at the end; its values count for the ads that point here."),
            "is_active": _("Switched off: no longer offered for ads. Those that point here stay as they are."),
        }

    def __init__(self, *args, client, **kwargs):
        super().__init__(*args, client=client, **kwargs)
        offered = Q(is_active=True) | Q(pk=self.instance.product_id)
        self.fields["product"].queryset = Product.objects.filter(offered, client=client)
        self.fields["product"].empty_label = _("none: the client's own values count")
