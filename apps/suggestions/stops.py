"""Why an execution stopped and what a person can do about it, in words."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.connectors.currencies import to_major
from apps.core.errors import Rejected
from apps.core.formats import ABSENT, money
from apps.suggestions.models import ExecutionLog
from apps.suggestions.wording import SWITCHES

WHY = {
    "changed_meanwhile": gettext_lazy("Somebody changed it at the platform after this was proposed."),
    "campaign_budget": gettext_lazy("Its budget was moved to the campaign: it has none of its own any more."),
    "no_connection": gettext_lazy("No account is connected for it: it is known from a file only."),
    "needs_reconnect": gettext_lazy("The account's connection has expired or was revoked."),
    "rejected": gettext_lazy("The platform refused the change."),
    "unknown": gettext_lazy("The platform never said whether the change was made."),
    "unavailable": gettext_lazy("The platform could not be reached, many times in a row."),
    "max_daily_budget": gettext_lazy("The new budget is above the client's highest daily budget."),
    "max_change": gettext_lazy("The change is larger than the client allows at once."),
    "daily_cap": gettext_lazy("The client's most actions a day were already done."),
    "cooldown": gettext_lazy("Durum changed it a short while ago: it rests between two changes."),
    "platform_hourly_limit": gettext_lazy("The platform allows four budget changes an hour."),
}
NEXT = {
    "changed_meanwhile": gettext_lazy("Compare the values. “Try again” starts from what stands there now."),
    "campaign_budget": gettext_lazy("Give up here, and change the campaign's budget instead."),
    "no_connection": gettext_lazy("Connect the account, or do it in Ads Manager and give up here."),
    "needs_reconnect": gettext_lazy("Connect the account again, then try again."),
    "rejected": gettext_lazy("Read the platform's answer below; correct the cause, then try again."),
    "unknown": gettext_lazy("Look in Ads Manager. “Try again” reads first and writes only what is missing."),
    "unavailable": gettext_lazy("Try again when the platform answers; see the status page."),
    "max_daily_budget": gettext_lazy("Raise the limit in the client's settings, or give up."),
    "max_change": gettext_lazy("Raise the limit in the client's settings, or give up."),
    "daily_cap": gettext_lazy("Try again tomorrow, or raise the limit in the client's settings."),
    "cooldown": gettext_lazy("Try again when the rest is over."),
}


def why(execution):
    """What stopped it, in one sentence."""
    return str(WHY.get(execution.reason) or execution.message or execution.get_state_display())


def next_step(execution):
    """What a person can do now."""
    return str(NEXT.get(execution.reason, ""))


def value(execution, raw):
    """A value of the execution's field as people read it: an amount a day, or the switch."""
    if execution.field != "daily_budget":
        return str(SWITCHES.get(raw, raw)) if raw else ABSENT
    currency = execution.ad_object.currency
    try:
        return _("%(amount)s a day") % {"amount": money(to_major(int(raw), currency), currency)}
    except (ValueError, TypeError, Rejected):
        return ABSENT


def values(execution):
    """[(label, value)]: what was there, what was wanted, what was found or read back."""
    found = execution.proof.get("found")
    pairs = [(_("Before"), value(execution, execution.expected)), (_("Target"), value(execution, execution.target))]
    if execution.state == ExecutionLog.State.DONE:
        pairs.append((_("Read back"), value(execution, execution.after)))
    elif found is not None:
        pairs.append((_("Found at the platform"), value(execution, found)))
    return pairs
