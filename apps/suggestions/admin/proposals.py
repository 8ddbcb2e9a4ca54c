"""Suggestions to decide, the queue they wait in, the rules they come from and what was left out."""

from datetime import timedelta

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action

from apps.clients.admin_tables import RoleTable
from apps.core import clock, formats
from apps.core.admin_tables import ClientFilter, ClientTable, OpenFirstFilter, as_text, listed
from apps.suggestions import tasks, wording
from apps.suggestions.models import (
    AnalysisRule,
    CycleRun,
    Decision,
    SkippedCandidate,
    SlackMessage,
    Suggestion,
    ValidationItem,
)
from apps.suggestions.services import deciding, rules

from .asking import AskingMixin, Question


def _approve(row, actor, reason):
    tasks.nudge(deciding.approve(suggestion_id=_suggestion_id(row), actor=actor, reason=reason))


def _refuse(row, actor, reason):
    tasks.nudge(deciding.refuse(suggestion_id=_suggestion_id(row), actor=actor, reason=reason))


def _suggestion_id(row):
    return row.pk if isinstance(row, Suggestion) else row.suggestion_id


def _described(row):
    suggestion = row if isinstance(row, Suggestion) else row.suggestion
    return {
        "client": suggestion.client,
        "what": wording.summary(suggestion),
        "why": wording.reason(suggestion.kind, suggestion.evidence),
    }


APPROVE = Question(
    action="approve_selected",
    title=_("Approve"),
    button=_("Approve"),
    act=_approve,
    done=lambda n: ngettext("%(n)d suggestion was approved.", "%(n)d suggestions were approved.", n) % {"n": n},
    describe=_described,
    is_spending=True,
)
REFUSE = Question(
    action="refuse_selected",
    title=_("Refuse"),
    button=_("Refuse"),
    act=_refuse,
    done=lambda n: ngettext("%(n)d suggestion was refused.", "%(n)d suggestions were refused.", n) % {"n": n},
    describe=_described,
    needs_reason=True,
)


class DecidingMixin(AskingMixin):
    """Approve and refuse, from the list and from the page of a row."""

    actions = ["approve_selected", "refuse_selected"]
    actions_detail = ["approve_this", "refuse_this"]

    @admin.action(description=_("Approve the selected ones"), permissions=["decide"])
    def approve_selected(self, request, queryset):
        return self.ask(request, queryset, APPROVE)

    @admin.action(description=_("Refuse the selected ones"), permissions=["decide"])
    def refuse_selected(self, request, queryset):
        return self.ask(request, queryset, REFUSE)

    @action(description=_("Approve"), url_path="approve", permissions=["decide"])
    def approve_this(self, request, object_id):
        return self.ask_one(request, object_id, APPROVE)

    @action(description=_("Refuse"), url_path="refuse", permissions=["decide"])
    def refuse_this(self, request, object_id):
        return self.ask_one(request, object_id, REFUSE)


class StateFilter(OpenFirstFilter):
    title = _("state")
    parameter_name = "state"
    options = [(value, label, lambda value=value: Q(status=value)) for value, label in Suggestion.Status.choices]


class ConfidenceFilter(admin.SimpleListFilter):
    title = _("confidence")
    parameter_name = "confidence"
    bounds = {"low": (0, 0.8), "middle": (0.8, 0.9), "high": (0.9, 1.01)}

    def lookups(self, request, model_admin):
        return [("high", _("over 90 %")), ("middle", _("80 to 90 %")), ("low", _("under 80 %"))]

    def queryset(self, request, queryset):
        if self.value() not in self.bounds:
            return queryset
        low, high = self.bounds[self.value()]
        return queryset.filter(confidence__gte=low, confidence__lt=high)


class SinceFilter(admin.SimpleListFilter):
    """Since when a row waits; `column` says where that is written."""

    title = _("waiting since")
    parameter_name = "since"
    column = "created_at"
    hours = {"day": 24, "two_days": 48, "week": 168}

    def lookups(self, request, model_admin):
        return [("day", _("more than a day")), ("two_days", _("more than two days")), ("week", _("more than a week"))]

    def queryset(self, request, queryset):
        hours = self.hours.get(self.value())
        return queryset.filter(**{f"{self.column}__lt": clock.now() - timedelta(hours=hours)}) if hours else queryset


@admin.register(Suggestion)
class SuggestionAdmin(DecidingMixin, ClientTable):
    """What the daily cycle proposes. The list opens on those that wait for a decision."""

    list_display = ["what", "client", "why", "change", "sure", "status", "created_at", "expires_at"]
    list_display_links = ["what"]
    list_select_related = ["client", "ad_object"]
    list_filter = [ClientFilter, StateFilter, "kind", ConfidenceFilter, SinceFilter]
    search_fields = ["ad_object__name", "ad_object__external_id"]
    date_hierarchy = "created_at"
    ordering = ["-priority", "created_at", "pk"]
    fieldsets = [
        (None, {"fields": ["what", "client", "ad_object", "status", "priority", "settled"]}),
        (_("Why"), {"fields": ["why", "change", "expected", "sure", "rule"]}),
        (
            _("History"),
            {"fields": ["created_at", "expires_at", "closed_at", "decided", "came_true", "outcome_known_at"]},
        ),
        (_("Numbers"), {"classes": ["collapse"], "fields": ["numbers"]}),
    ]

    @admin.display(description=_("suggestion"), ordering="kind")
    def what(self, row):
        return _("%(action)s: %(object)s") % {"action": wording.title(row.kind), "object": row.ad_object}

    @admin.display(description=_("reason"))
    def why(self, row):
        return wording.reason(row.kind, row.evidence)

    @admin.display(description=_("change"))
    def change(self, row):
        return wording.before_after(row) or formats.ABSENT

    @admin.display(description=_("confidence"), ordering="confidence")
    def sure(self, row):
        return formats.percent(row.confidence)

    @admin.display(description=_("expected impact"))
    def expected(self, row):
        return wording.impact(row)

    @admin.display(description=_("what became of it"))
    def settled(self, row):
        return deciding.settled_text(row) or formats.ABSENT

    @admin.display(description=_("decisions"))
    def decided(self, row):
        said = Decision.objects.filter(suggestion=row).select_related("user").order_by("decided_at", "pk")
        lines = [
            (d.get_verdict_display(), d.user, deciding.VIA_NAMES.get(d.via, d.via), d.decided_at, d.reason)
            for d in said
        ]
        return format_html_join("", "<div>{} · {} · {} · {} {}</div>", lines) or formats.ABSENT

    @admin.display(description=_("numbers"))
    def numbers(self, row):
        return as_text(row.evidence)


class OpenFilter(OpenFirstFilter):
    title = _("state")
    parameter_name = "state"
    options = [
        ("open", _("Waiting"), lambda: Q(closed_at__isnull=True)),
        ("closed", _("Closed"), lambda: Q(closed_at__isnull=False)),
    ]


class GivenToFilter(admin.SimpleListFilter):
    title = _("given to")
    parameter_name = "given"

    def lookups(self, request, model_admin):
        return [("me", _("me")), ("nobody", _("nobody")), ("others", _("others"))]

    def queryset(self, request, queryset):
        me = Q(assigned_to=request.user)
        conditions = {"me": me, "nobody": Q(assigned_to=None), "others": Q(assigned_to__isnull=False) & ~me}
        return queryset.filter(conditions[self.value()]) if self.value() in conditions else queryset


class ItemSinceFilter(SinceFilter):
    column = "since"


def _take(row, actor, reason):
    deciding.assign(item_id=row.pk, user=actor.user, actor=actor)


def _let_go(row, actor, reason):
    deciding.assign(item_id=row.pk, user=None, actor=actor)


@admin.register(ValidationItem)
class ValidationItemAdmin(DecidingMixin, ClientTable):
    """Everything that waits for a person: since when, until when and whom it was given to."""

    list_display = ["kind", "about", "client", "why", "assigned_to", "since", "due_at", "closed_at", "outcome"]
    list_select_related = ["client", "suggestion__ad_object", "suggestion__client", "assigned_to"]
    list_filter = [ClientFilter, OpenFilter, "kind", GivenToFilter, ItemSinceFilter]
    search_fields = ["suggestion__ad_object__name"]
    date_hierarchy = "since"
    actions = [*DecidingMixin.actions, "take", "let_go"]
    fields = ["client", "kind", "about", "why", "assigned_to", "since", "due_at", "closed_at", "outcome"]

    @admin.display(description=_("about"))
    def about(self, item):
        return wording.summary(item.suggestion)

    @admin.display(description=_("reason"))
    def why(self, item):
        return wording.reason(item.suggestion.kind, item.suggestion.evidence)

    @admin.action(description=_("Give to me"), permissions=["decide"])
    def take(self, request, queryset):
        self._act(request, list(queryset), TAKE, "")

    @admin.action(description=_("Give to nobody"), permissions=["decide"])
    def let_go(self, request, queryset):
        self._act(request, list(queryset), LET_GO, "")


TAKE = Question(
    action="take",
    title=_("Give to me"),
    button=_("Give to me"),
    act=_take,
    done=lambda n: ngettext("%(n)d is yours now.", "%(n)d are yours now.", n) % {"n": n},
    describe=_described,
)
LET_GO = Question(
    action="let_go",
    title=_("Give to nobody"),
    button=_("Give to nobody"),
    act=_let_go,
    done=lambda n: ngettext("%(n)d is free again.", "%(n)d are free again.", n) % {"n": n},
    describe=_described,
)


@admin.register(AnalysisRule)
class AnalysisRuleAdmin(RoleTable):
    """The thresholds of the daily cycle, per client. A rule is switched off, not deleted: suggestions name it."""

    verb = "edit_rules"
    may_add = True
    list_display = ["name", "client", "kind", "is_enabled", "priority", "window_days", "min_spend", "min_confidence"]
    list_filter = [ClientFilter, "kind", "is_enabled"]
    search_fields = ["name"]
    readonly_fields = ["updated_at"]

    def get_readonly_fields(self, request, obj=None):
        return [*super().get_readonly_fields(request, obj), *(["kind"] if obj else [])]

    def create(self, actor, fields):
        client = fields.pop("client")
        return rules.add_rule(client_id=client.pk, actor=actor, **fields)

    def change(self, actor, row, fields):
        return rules.change_rule(rule_id=row.pk, actor=actor, **fields)


@admin.register(CycleRun)
class CycleRunAdmin(ClientTable):
    """Every morning's look at a client."""

    list_display = ["day", "client", "state", "proposed", "skipped", "started_at", "finished_at", "error"]
    list_filter = [ClientFilter, "state"]
    date_hierarchy = "day"
    fields = ["client", "day", "state", "error", "started_at", "finished_at", "counted", "marks"]

    @admin.display(description=_("proposed"))
    def proposed(self, cycle):
        return cycle.counts.get("proposed", formats.ABSENT)

    @admin.display(description=_("skipped"))
    def skipped(self, cycle):
        return cycle.counts.get("skipped", formats.ABSENT)

    @admin.display(description=_("counts"))
    def counted(self, cycle):
        return as_text(cycle.counts)

    @admin.display(description=_("benchmarks"))
    def marks(self, cycle):
        return as_text(cycle.benchmarks)


@admin.register(SkippedCandidate)
class SkippedCandidateAdmin(ClientTable):
    """What a rule pointed at and was not proposed, and why."""

    list_display = ["cycle", "client", "ad_object", "kind", "why"]
    list_select_related = ["client", "cycle__client", "ad_object"]
    list_filter = [ClientFilter, "kind"]
    search_fields = ["ad_object__name", "ad_object__external_id", "reason"]
    fields = ["client", "cycle", "ad_object", "kind", "why", "all_numbers"]

    @admin.display(description=_("reason"), ordering="reason")
    def why(self, row):
        return wording.skipped(row.reason, row.numbers, row.ad_object.currency)

    @admin.display(description=_("numbers"))
    def all_numbers(self, row):
        return as_text(row.numbers)


@admin.register(Decision)
class DecisionAdmin(ClientTable):
    """Who said what, when, where and why."""

    list_display = ["decided_at", "client", "about", "verdict", "user", "via", "reason"]
    list_select_related = ["client", "suggestion__ad_object", "archived_suggestion", "user"]
    list_filter = [ClientFilter, "verdict", listed("via", _("from"), deciding.VIA_NAMES.items())]
    search_fields = ["suggestion__ad_object__name", "reason", "user__last_name", "user__username"]
    date_hierarchy = "decided_at"

    @admin.display(description=_("suggestion"))
    def about(self, decision):
        return str(decision.suggestion or decision.archived_suggestion or formats.ABSENT)


@admin.register(SlackMessage)
class SlackMessageAdmin(ClientTable):
    """The copies of suggestions in Slack: which are up to date, which cannot be shown."""

    list_display = ["created_at", "client", "channel", "suggestion", "shown", "wanted", "is_dead", "error"]
    list_select_related = ["client", "channel", "suggestion__ad_object"]
    list_filter = [ClientFilter, "is_dead"]
    date_hierarchy = "created_at"
    exclude = ["key"]
