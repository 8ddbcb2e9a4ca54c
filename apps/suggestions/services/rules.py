"""A client's rules change here, and every change is told to the audit trail."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.ads.benchmarks import PERCENTILES
from apps.clients import access
from apps.clients.models import Client
from apps.core import audit, clock
from apps.core.errors import Invalid
from apps.suggestions.models import AnalysisRule

MAY_CHANGE = frozenset(
    (
        *("name", "priority", "is_enabled", "window_days", "min_spend", "min_confidence"),
        *("roi_factor", "percentile", "change_percent", "frequency_rise", "ctr_drop"),
        *("cooldown_hours", "expires_after_hours"),
    )
)


@transaction.atomic
def add_rule(*, client_id, actor, kind, **fields):
    """One more rule for the client, used by the next daily cycle. Raises `Invalid` naming the fields."""
    client = Client.objects.get(pk=client_id)
    access.require(actor, "edit_rules", client)
    rule = AnalysisRule(client=client, kind=kind, **{name: fields[name] for name in fields if name in MAY_CHANGE})
    _check(rule)
    rule.save()
    audit.record(actor, "suggestions.rule.created", rule, kind=kind)
    return rule


@transaction.atomic
def change_rule(*, rule_id, actor, **fields):
    """Write the thresholds that differ; the next daily cycle uses them. Raises `Invalid` naming the fields."""
    if unknown := set(fields) - MAY_CHANGE:
        raise ValueError(f"not a threshold: {', '.join(sorted(unknown))}")
    rule = AnalysisRule.objects.select_for_update(of=("self",)).select_related("client").filter(pk=rule_id).first()
    if rule is None:
        raise Invalid(_("This rule does not exist (any more)."), code="not_found")
    access.require(actor, "edit_rules", rule.client)
    changes = {name: [getattr(rule, name), value] for name, value in fields.items() if getattr(rule, name) != value}
    if not changes:
        return rule
    for name, (_old, new) in changes.items():
        setattr(rule, name, new)
    rule.updated_at = clock.now()
    _check(rule)
    rule.save(update_fields=[*changes, "updated_at"])
    audit.record(actor, "suggestions.rule.changed", rule, **changes)
    return rule


def _check(rule):
    if rule.percentile is not None and rule.percentile not in PERCENTILES:
        offered = ", ".join(map(str, PERCENTILES))
        raise Invalid(
            _("The percentile is one of %(offered)s.") % {"offered": offered},
            fields={"percentile": [_("Not offered.")]},
        )
    try:
        rule.full_clean()
    except ValidationError as exc:
        raise Invalid(" ".join(exc.messages), fields=exc.message_dict) from exc
