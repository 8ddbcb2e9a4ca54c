"""A suggestion as people meet it: its words, its record and what they may do with it."""

from dataclasses import dataclass

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from apps.clients.access import allows, roles_in
from apps.core import clock
from apps.core.formats import ago, moment
from apps.suggestions import outcomes, stops, wording
from apps.suggestions.models import Decision, ExecutionLog, Suggestion, ValidationItem
from apps.suggestions.services.deciding import VIA_NAMES

Status = Suggestion.Status


@dataclass(frozen=True)
class Rights:
    """What one person may do for one client."""

    decide: bool = False
    undo: bool = False

    @classmethod
    def of(cls, role):
        return cls(allows(role, "decide"), allows(role, "undo"))


@dataclass
class Card:
    """One suggestion with everything its card shows. `notice` is what just happened to it."""

    suggestion: Suggestion
    rights: Rights = Rights()
    record: outcomes.Record = outcomes.NO_RECORD
    notice: str = ""
    notice_tone: str = "warning"

    @property
    def title(self):
        return wording.title(self.suggestion.kind)

    @property
    def reason(self):
        return wording.reason(self.suggestion.kind, self.suggestion.evidence)

    @property
    def step(self):
        return wording.before_after(self.suggestion)

    @property
    def impact(self):
        return wording.impact(self.suggestion)

    @property
    def place(self):
        """The names above the object: campaign › ad set."""
        names, above = [], self.suggestion.ad_object.parent
        while above is not None and above.level != "account":
            names.insert(0, above.name)
            above = above.parent
        return " › ".join(names)

    @property
    def record_n(self):
        return self.record.like(self.suggestion.confidence)[0]

    @property
    def record_true(self):
        return self.record.like(self.suggestion.confidence)[1]

    @property
    def is_waiting(self):
        return self.suggestion.status == Status.WAITING

    @property
    def is_overdue(self):
        return self.is_waiting and self.suggestion.expires_at <= clock.now()

    @property
    def can_decide(self):
        return self.is_waiting and self.rights.decide and not self.is_overdue

    @property
    def executions(self):
        return list(self.suggestion.executions.all())

    @property
    def execution(self):
        """The change itself, not its undoing."""
        return next((one for one in self.executions if one.undo_of_id is None), None)

    @property
    def undoing(self):
        return next((one for one in self.executions if one.undo_of_id is not None), None)

    @property
    def stopped(self):
        """The execution that asks a person, if one does."""
        return next((one for one in self.executions if one.state in ExecutionLog.ASKING), None)

    @property
    def stopped_why(self):
        return stops.why(self.stopped) if self.stopped else ""

    @property
    def stopped_next(self):
        return stops.next_step(self.stopped) if self.stopped else ""

    @property
    def stopped_values(self):
        return stops.values(self.stopped) if self.stopped else []

    @property
    def is_moving(self):
        """Whether a worker has something to do for it: then the page keeps looking."""
        return any(one.state in ExecutionLog.OPEN for one in self.executions)

    @property
    def can_undo(self):
        done = self.execution and self.execution.state == ExecutionLog.State.DONE
        return bool(done and self.undoing is None and self.rights.undo)

    @property
    def decision(self):
        """The yes or the no."""
        found = [one for one in self.suggestion.decisions.all() if one.verdict != Decision.Verdict.UNDO]
        return found[0] if found else None

    @property
    def decision_icon(self):
        approved = self.decision and self.decision.verdict == Decision.Verdict.APPROVE
        return "thumb-up" if approved else "thumb-down"

    @property
    def decision_sentence(self):
        """Who said yes or no, where and when."""
        one = self.decision
        named = {"who": one.user, "where": VIA_NAMES.get(one.via, one.via), "when": moment(one.decided_at, short=True)}
        if one.verdict == Decision.Verdict.APPROVE:
            return _("Approved by %(who)s %(where)s, %(when)s") % named
        return _("Refused by %(who)s %(where)s, %(when)s") % named

    @property
    def moving_sentence(self):
        """What a worker is about to do."""
        one = next(one for one in self.executions if one.state in ExecutionLog.OPEN)
        if one.attempts and one.not_before > clock.now():
            named = {"why": one.message or _("The platform did not answer."), "when": ago(one.not_before)}
            return _("%(why)s Durum tries again %(when)s.") % named
        if one.undo_of_id:
            return _("Durum is putting it back at the platform.")
        return _("Durum is changing it at the platform.")

    @property
    def tone(self):
        """The colour of the state where the word alone would mislead."""
        return "bad" if self.suggestion.status == Status.STOPPED else ""

    @property
    def item(self):
        """Its place in the queue while it waits for a person."""
        return next((item for item in self.suggestion.queue_items.all() if item.closed_at is None), None)

    @property
    def given_to(self):
        return self.item and self.item.assigned_to

    @property
    def can_assign(self):
        return self.item is not None and self.rights.decide

    @property
    def approve_question(self):
        """What is asked once before it is approved: the thing and the amount by name."""
        named = {"action": self.title, "object": self.suggestion.ad_object, "change": self.step}
        if self.step:
            return _("%(action)s for “%(object)s”: %(change)s. Durum changes it at the platform right away.") % named
        return _("%(action)s for “%(object)s”. Nothing is changed at the platform: it is work for the team.") % named

    @property
    def again_question(self):
        """What trying again does, from what stands at the platform now."""
        one = self.stopped
        named = {
            "object": self.suggestion.ad_object,
            "from": stops.value(one, one.proof.get("found") or one.expected),
            "to": stops.value(one, one.target),
        }
        return _("“%(object)s” goes from %(from)s to %(to)s.") % named

    @property
    def undo_question(self):
        done = self.execution
        named = {
            "object": self.suggestion.ad_object,
            "from": stops.value(done, done.target),
            "to": stops.value(done, done.expected),
        }
        return _("“%(object)s” goes back from %(from)s to %(to)s.") % named


def for_cards(rows):
    """`rows` with everything cards read, in a number of queries that does not grow with them."""
    decisions = Decision.objects.select_related("user").order_by("decided_at", "pk")
    executions = ExecutionLog.objects.select_related("ad_object").order_by("created_at", "pk")
    items = ValidationItem.objects.filter(closed_at__isnull=True).select_related("assigned_to")
    return rows.select_related("client", "rule", "ad_object__parent__parent__parent").prefetch_related(
        Prefetch("decisions", decisions), Prefetch("executions", executions), Prefetch("queue_items", items)
    )


def cards(suggestions, user):
    """Cards of already loaded suggestions, with the rights of `user` for each client."""
    suggestions = list(suggestions)
    client_ids = {one.client_id for one in suggestions}
    known = outcomes.records(client_ids)
    rights = {pk: Rights.of(role) for pk, role in roles_in(user, client_ids).items()}
    return [Card(one, rights[one.client_id], known.get(one.client_id, outcomes.NO_RECORD)) for one in suggestions]


def card_of(suggestion_id, request, *, notice="", tone="warning"):
    """One card as it stands now; None when this person cannot see it."""
    rows = Suggestion.objects.visible_to(request.user).filter(client=request.client, pk=suggestion_id)
    found = cards(for_cards(rows), request.user)
    if not found:
        return None
    found[0].notice, found[0].notice_tone = notice, tone
    return found[0]
