"""What suggestions add to the registries of lower floors."""

from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.ads import panels
from apps.clients.hooks import on_new_client
from apps.connectors.providers.slack import inbound
from apps.core import clock, health, navigation, queues, scheduling
from apps.suggestions import about_object, slack
from apps.suggestions.models import ExecutionLog, SlackMessage, Suggestion
from apps.suggestions.services.generation import install_rules

LATE_AFTER = timedelta(minutes=10)


def register():
    """Called once, when the app is ready."""
    on_new_client(install_rules)
    queues.register(
        queues.Queue(
            key="suggestions",
            label=_("Suggestions to decide"),
            rows=lambda user, client: _of(Suggestion.objects.visible_to(user), client).waiting(),
            url=lambda client: _board(client, "waiting"),
            admin_url="admin:suggestions_suggestion_changelist",
            order=10,
        )
    )
    queues.register(
        queues.Queue(
            key="stopped",
            label=_("Executions that stopped and ask"),
            rows=lambda user, client: _of(ExecutionLog.objects.visible_to(user), client).needing_a_person(),
            url=lambda client: _board(client, "stopped"),
            admin_url="admin:suggestions_executionlog_changelist",
            order=5,
        )
    )
    inbound.listen(slack.register)
    menu = (
        navigation.NavItem(_("Suggestions"), "suggestions:board", "bulb", order=20, key="s"),
        navigation.NavItem(_("Outcomes"), "suggestions:outcomes", "target-arrow", order=24, key="o"),
        navigation.NavItem(_("Rules"), "suggestions:rules", "adjustments", order=26, key="r"),
    )
    for item in menu:
        navigation.register(item)
    panels.register_marks(about_object.marks_of)
    panels.register_about(about_object.about)
    health.register("executions", executions_health)
    health.register("slack_messages", slack_health)
    tasks = "apps.suggestions.tasks"
    scheduling.register(
        scheduling.Job(
            "execute due changes", f"{tasks}.sweep_executions", every=60, label=_("Approved changes that are due")
        )
    )
    scheduling.register(
        scheduling.Job(
            "write Slack messages", f"{tasks}.sweep_slack_messages", every=60, label=_("Messages in Slack that are due")
        )
    )
    scheduling.register(
        scheduling.Job("daily cycles", f"{tasks}.sweep_cycles", every=600, label=_("Daily cycles that are due"))
    )
    scheduling.register(
        scheduling.Job(
            "expire suggestions", f"{tasks}.close_overdue", every=900, label=_("Suggestions nobody decided in time")
        )
    )
    scheduling.register(
        scheduling.Job(
            "evaluate hypotheses",
            f"{tasks}.evaluate",
            crontab={"hour": "6", "minute": "15"},
            label=_("Outcomes to measure"),
        )
    )
    scheduling.register(
        scheduling.Job(
            "archive", f"{tasks}.archive", crontab={"hour": "2", "minute": "0"}, label=_("Archive of what is old")
        )
    )


def executions_health():
    """Late when an approved change has been due for long: nobody is working."""
    return _age("executions", _("Approved changes"), ExecutionLog.objects.due(clock.now()))


def slack_health():
    """Late when messages in Slack no longer say what is true."""
    return _age("slack_messages", _("Messages in Slack"), SlackMessage.objects.due(clock.now()))


def _age(key, label, due):
    oldest = due.order_by("not_before").values_list("not_before", flat=True).first()
    if oldest is None:
        return health.Reading(key, label, health.OK, _("Nothing is due."))
    age = clock.now() - oldest
    minutes = int(age.total_seconds() // 60)
    text = ngettext("Oldest due for %(n)d minute.", "Oldest due for %(n)d minutes.", minutes) % {"n": minutes}
    late = age > LATE_AFTER
    return health.Reading(
        key, label, health.LATE if late else health.OK, text, _("See that a worker is running.") if late else ""
    )


def _of(rows, client):
    return rows.filter(client=client) if client else rows


def _board(client, state):
    if client is None:
        return reverse("suggestions:all") + f"?state={state}"
    return reverse("suggestions:board", args=[client.key]) + f"?state={state}"
