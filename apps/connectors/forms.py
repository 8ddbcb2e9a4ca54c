"""What people fill in to connect an account. Tokens go in and never come out."""

from django import forms
from django.utils.translation import gettext_lazy as _


class SecretText(forms.Textarea):
    """A text that goes in and never comes out: a refused form shows it empty."""

    def format_value(self, value):
        return ""


def _token_field(label, help_text):
    # Not a password field: a browser must neither remember it nor fill in another one.
    widget = SecretText(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"})
    return forms.CharField(label=label, help_text=help_text, widget=widget, max_length=2000)


class AdAccountForm(forms.Form):
    """A Meta ad account and the token of a system user that it is assigned to."""

    token = _token_field(
        _("Token of the system user"),
        _("Meta Business settings, System users, Generate token, with ads_read and ads_management."),
    )
    number = forms.CharField(
        label=_("Ad account"),
        max_length=40,
        required=False,
        help_text=_("Like act_123456789. Leave it empty to see which accounts the token reaches."),
    )
    name = forms.CharField(
        label=_("Name"), max_length=160, required=False, help_text=_("Empty: the name it has at Meta.")
    )


class SlackChannelForm(forms.Form):
    """A Slack channel and the token of the bot that posts into it."""

    token = _token_field(_("Token of the bot"), _("Starts with xoxb-. Your Slack app, OAuth & Permissions."))
    number = forms.CharField(
        label=_("Channel"), max_length=30, help_text=_("Its number, like C0123456789. Invite the bot to it first.")
    )
    name = forms.CharField(label=_("Name"), max_length=160, required=False)


class TokenForm(forms.Form):
    """A new token for an account that is connected already."""

    token = _token_field(_("New token"), _("It is tested before it takes the place of the old one."))
