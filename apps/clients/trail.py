"""The audit trail in words: what a verb says, and what changed."""

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

VERBS = {
    "clients.client.created": gettext_lazy("created the client"),
    "clients.client.changed": gettext_lazy("changed the settings"),
    "clients.member.set": gettext_lazy("gave a role"),
    "clients.member.removed": gettext_lazy("took somebody off the team"),
    "clients.member.invited_again": gettext_lazy("renewed an invitation"),
    "clients.user.created": gettext_lazy("created a person"),
    "clients.user.changed": gettext_lazy("changed a person"),
    "clients.user.invited": gettext_lazy("invited a person"),
    "clients.apitoken.created": gettext_lazy("made an API token"),
    "clients.apitoken.revoked": gettext_lazy("revoked an API token"),
    "clients.product.created": gettext_lazy("made a product"),
    "clients.product.changed": gettext_lazy("changed a product"),
    "clients.funnel.created": gettext_lazy("made a funnel"),
    "clients.funnel.changed": gettext_lazy("changed a funnel"),
    "connectors.slackidentity.linked": gettext_lazy("linked a Slack account"),
    "connectors.slackidentity.unlinked": gettext_lazy("unlinked a Slack account"),
    "connectors.channel.connected": gettext_lazy("connected an account"),
    "connectors.channel.changed": gettext_lazy("changed a connected account"),
    "connectors.rawfile.received": gettext_lazy("brought a file"),
    "connectors.rawfile.downloaded": gettext_lazy("downloaded a file"),
    "connectors.syncrun.created": gettext_lazy("confirmed an import"),
    "connectors.syncrun.cancelled": gettext_lazy("cancelled an import"),
    "connectors.syncrun.finished": gettext_lazy("finished an import"),
    "ads.fetch.requested": gettext_lazy("asked for a fetch"),
    "ads.fetch.cancelled": gettext_lazy("cancelled a fetch"),
    "ads.adobject.created": gettext_lazy("made an ad account from a file"),
    "ads.creative.angle_set": gettext_lazy("set the angle of a creative"),
    "ads.adobject.funnel_set": gettext_lazy("chose where ads lead"),
    "suggestions.cycle.run": gettext_lazy("ran the daily cycle"),
    "suggestions.rule.created": gettext_lazy("made a rule"),
    "suggestions.rule.changed": gettext_lazy("changed a rule"),
    "suggestions.suggestion.approve": gettext_lazy("approved"),
    "suggestions.suggestion.refuse": gettext_lazy("refused"),
    "suggestions.suggestion.undo": gettext_lazy("decided to undo"),
    "suggestions.item.assigned": gettext_lazy("gave it to somebody"),
    "suggestions.execution.done": gettext_lazy("carried out"),
    "suggestions.execution.conflict": gettext_lazy("stopped: changed meanwhile"),
    "suggestions.execution.unknown": gettext_lazy("stopped: outcome unknown"),
    "suggestions.execution.blocked": gettext_lazy("stopped by a guard rail"),
    "suggestions.execution.failed": gettext_lazy("refused by the platform"),
    "suggestions.execution.retried": gettext_lazy("tried again"),
    "suggestions.execution.dropped": gettext_lazy("gave up"),
}
# What changes name that is no field of the subject.
NAMES = {
    "user": gettext_lazy("person"),
    "lifetime": gettext_lazy("lifetime in days"),
    "proposed": gettext_lazy("suggestions"),
    "skipped": gettext_lazy("skipped candidates"),
    "reason": gettext_lazy("reason"),
    "daily_budget": gettext_lazy("daily budget (minor unit)"),
    "status": gettext_lazy("switch"),
}
ABSENT = "–"


def said(event):
    """What was done, in a few words; the raw verb where nobody gave it any."""
    return str(VERBS.get(event.verb, event.verb))


def changes(event):
    """`[(field, text)]` of what changed, old and new where both are known."""
    found = []
    for name, value in event.changes.items():
        field = _field(event.subject_type, name)
        label = str(getattr(field, "verbose_name", "") or NAMES.get(name) or name.replace("_", " "))
        if isinstance(value, list) and len(value) == 2:
            steps = {"old": _text(value[0], field), "new": _text(value[1], field)}
            found.append((label, _("%(old)s → %(new)s") % steps))
        elif value not in (None, "", [], {}):
            found.append((label, _text(value, field)))
    return found


def _field(subject_type, name):
    """The model field a change is about; None where it is about something else."""
    try:
        return apps.get_model(subject_type)._meta.get_field(name)
    except (LookupError, ValueError, FieldDoesNotExist):
        return None


def _text(value, field=None):
    if value is None or value == "":
        return ABSENT
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(dict(getattr(field, "flatchoices", None) or ()).get(value, value))
