"""What was done at the platform, what it was expected to bring and what came of it."""

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action

from apps.core import formats
from apps.core.admin_tables import ClientFilter, ClientTable, OpenFirstFilter, as_text
from apps.suggestions import stops, tasks, wording
from apps.suggestions.models import ExecutionLog, FeedbackLoop, Hypothesis
from apps.suggestions.services import deciding

from .asking import AskingMixin, Question


def _try_again(row, actor, reason):
    tasks.nudge_execution(deciding.try_again(execution_id=row.pk, actor=actor))


def _give_up(row, actor, reason):
    tasks.nudge_execution(deciding.give_up(execution_id=row.pk, actor=actor, reason=reason))


def _described(row):
    return {"client": row.client, "what": str(row), "why": row.message or row.get_state_display()}


TRY_AGAIN = Question(
    action="try_again_selected",
    title=_("Try again"),
    button=_("Try again"),
    act=_try_again,
    done=lambda n: ngettext("%(n)d change is tried again.", "%(n)d changes are tried again.", n) % {"n": n},
    describe=_described,
    is_spending=True,
)
GIVE_UP = Question(
    action="give_up_selected",
    title=_("Give up"),
    button=_("Give up"),
    act=_give_up,
    done=lambda n: ngettext("%(n)d change was given up.", "%(n)d changes were given up.", n) % {"n": n},
    describe=_described,
    needs_reason=True,
)


class StoppedFilter(OpenFirstFilter):
    title = _("state")
    parameter_name = "state"
    options = [
        ("stopped", _("Stopped, needs a person"), lambda: Q(state__in=ExecutionLog.ASKING)),
        *((value, label, lambda value=value: Q(state=value)) for value, label in ExecutionLog.State.choices),
    ]


@admin.register(ExecutionLog)
class ExecutionLogAdmin(AskingMixin, ClientTable):
    """Every change at the platform with its proof. The list opens on those that stopped and ask."""

    list_display = ["created_at", "client", "ad_object", "change", "state", "why", "message", "done_at"]
    list_select_related = ["client", "ad_object", "suggestion__ad_object", "decision__user"]
    list_filter = [ClientFilter, StoppedFilter]
    search_fields = ["ad_object__name", "ad_object__external_id", "message", "reason"]
    date_hierarchy = "created_at"
    actions = ["try_again_selected", "give_up_selected"]
    actions_detail = ["try_this_again", "give_this_up"]
    fields = [
        "client", "ad_object", "suggestion", "archived_suggestion", "decision", "undo_of", "change", "state", "why",
        "message", "detail", "attempts", "not_before", "created_at", "sent_at", "done_at", "after", "proven",
    ]  # fmt: skip

    @admin.display(description=_("change"))
    def change(self, row):
        return wording.before_after(_Step(row)) or formats.ABSENT

    @admin.display(description=_("reason"))
    def why(self, row):
        return stops.why(row) if row.reason else formats.ABSENT

    @admin.display(description=_("proof"))
    def proven(self, row):
        return as_text(row.proof)

    @admin.action(description=_("Try the selected ones again"), permissions=["decide"])
    def try_again_selected(self, request, queryset):
        return self.ask(request, queryset, TRY_AGAIN)

    @admin.action(description=_("Give the selected ones up"), permissions=["decide"])
    def give_up_selected(self, request, queryset):
        return self.ask(request, queryset, GIVE_UP)

    @action(description=_("Try again"), url_path="try-again", permissions=["decide"])
    def try_this_again(self, request, object_id):
        return self.ask_one(request, object_id, TRY_AGAIN)

    @action(description=_("Give up"), url_path="give-up", permissions=["decide"])
    def give_this_up(self, request, object_id):
        return self.ask_one(request, object_id, GIVE_UP)


class _Step:
    """An execution as the wording of suggestions reads it."""

    def __init__(self, execution):
        self.field, self.ad_object = execution.field, execution.ad_object
        self.before, self.target = execution.expected, execution.target


@admin.register(Hypothesis)
class HypothesisAdmin(ClientTable):
    """Predictions frozen when the change was made, and what was measured."""

    list_display = [
        "created_at", "client", "about", "kind", "probability", "window_end", "state", "grade", "effect", "verdict",
    ]  # fmt: skip
    list_select_related = ["client", "execution__ad_object"]
    list_filter = [ClientFilter, "state", "kind", "grade", "verdict"]
    search_fields = ["execution__ad_object__name"]
    date_hierarchy = "created_at"
    exclude = ["predicted", "measured"]
    readonly_fields = ["was_predicted", "was_measured"]

    @admin.display(description=_("about"))
    def about(self, row):
        return str(row.execution.ad_object)

    @admin.display(description=_("predicted"))
    def was_predicted(self, row):
        return as_text(row.predicted)

    @admin.display(description=_("measured"))
    def was_measured(self, row):
        return as_text(row.measured)


@admin.register(FeedbackLoop)
class FeedbackLoopAdmin(ClientTable):
    """Outcomes on their way back into what is proposed."""

    list_display = ["created_at", "client", "hypothesis", "kind", "said", "effect", "control_change"]
    list_select_related = ["client", "hypothesis__execution__ad_object"]
    list_filter = [ClientFilter, "kind"]
    date_hierarchy = "created_at"
