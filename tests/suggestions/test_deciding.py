"""One door for every decision: the first wins, the second is told, silence is never a yes."""

import datetime as dt

import pytest

from apps.clients.roles import Role
from apps.core import clock
from apps.core.actors import SYSTEM, Actor
from apps.core.errors import Conflict, Invalid, NotAllowed
from apps.core.models import AuditEvent
from apps.suggestions.models import Decision, ExecutionLog, Suggestion, ValidationItem
from apps.suggestions.services import deciding
from tests.concurrency import at_once
from tests.factories.clients import ClientFactory, member
from tests.factories.suggestions import (
    ExecutionFactory,
    SlackMessageFactory,
    SuggestionFactory,
    ValidationItemFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def suggestion(as_client):
    item = ValidationItemFactory()
    as_client(item.client)
    return item.suggestion


@pytest.fixture
def operator(suggestion):
    return member(suggestion.client, first_name="Ada", last_name="First")


def test_a_yes_queues_the_absolute_change_and_closes_the_waiting_item(suggestion, operator):
    decision = deciding.approve(suggestion_id=suggestion.pk, actor=Actor(operator, "web"))

    suggestion.refresh_from_db()
    execution = ExecutionLog.objects.get()
    assert suggestion.status == Suggestion.Status.APPROVED
    assert (execution.decision, execution.expected, execution.target) == (decision, "5000", "7500")
    assert execution.state == ExecutionLog.State.PENDING
    assert ValidationItem.objects.get().outcome == "approve"
    event = AuditEvent.objects.get(verb="suggestions.suggestion.approve")
    assert (event.user, event.via) == (operator, "web")


def test_a_no_needs_a_reason(suggestion, operator):
    with pytest.raises(Invalid) as refused:
        deciding.refuse(suggestion_id=suggestion.pk, actor=Actor(operator, "web"), reason="  \x00 ")

    assert "reason" in refused.value.fields
    assert not Decision.objects.exists()


def test_a_no_executes_nothing(suggestion, operator):
    deciding.refuse(suggestion_id=suggestion.pk, actor=Actor(operator, "slack"), reason="The season is over")

    suggestion.refresh_from_db()
    assert suggestion.status == Suggestion.Status.REFUSED
    assert suggestion.closed_at is not None
    assert not ExecutionLog.objects.exists()


def test_the_second_is_told_who_was_faster_when_and_where(suggestion, operator):
    other = member(suggestion.client)
    deciding.approve(suggestion_id=suggestion.pk, actor=Actor(operator, "slack"))

    with pytest.raises(Conflict) as late:
        deciding.refuse(suggestion_id=suggestion.pk, actor=Actor(other, "web"), reason="No")

    assert "Ada First" in str(late.value)
    assert "Slack" in str(late.value)
    assert Decision.objects.count() == 1


def test_an_expired_suggestion_cannot_be_approved(suggestion, operator):
    with clock.at(suggestion.expires_at + dt.timedelta(seconds=1)), pytest.raises(Conflict):
        deciding.approve(suggestion_id=suggestion.pk, actor=Actor(operator, "web"))

    assert not ExecutionLog.objects.exists()


def test_silence_expires_and_never_executes(suggestion):
    with clock.at(suggestion.expires_at):
        assert deciding.expire_overdue(client=suggestion.client) == 1
        assert deciding.expire_overdue(client=suggestion.client) == 0

    suggestion.refresh_from_db()
    assert suggestion.status == Suggestion.Status.EXPIRED
    assert not ExecutionLog.objects.exists()
    assert not Decision.objects.exists()


def test_a_viewer_and_a_stranger_and_the_machine_may_not_decide(suggestion):
    viewer = member(suggestion.client, role=Role.VIEWER)
    stranger = member(ClientFactory())

    for person in (viewer, stranger):
        with pytest.raises(NotAllowed):
            deciding.approve(suggestion_id=suggestion.pk, actor=Actor(person, "api"))
    with pytest.raises(Invalid):
        deciding.approve(suggestion_id=suggestion.pk, actor=SYSTEM)
    assert not Decision.objects.exists()


def test_every_copy_in_slack_is_asked_to_change(suggestion, operator):
    message = SlackMessageFactory(client=suggestion.client, suggestion=suggestion, shown=1)

    deciding.approve(suggestion_id=suggestion.pk, actor=Actor(operator, "web"))

    message.refresh_from_db()
    assert message.wanted == 2


def test_a_no_is_told_to_slack_once(suggestion, operator):
    message = SlackMessageFactory(client=suggestion.client, suggestion=suggestion, shown=1)

    deciding.refuse(suggestion_id=suggestion.pk, actor=Actor(operator, "web"), reason="No stock")

    message.refresh_from_db()
    assert message.wanted == 2


def test_nothing_is_decided_for_a_client_that_is_switched_off(as_client):
    stopped = ExecutionFactory(state="conflict", decision__suggestion__status="stopped")
    client = stopped.client
    done = ExecutionFactory(client=client, state="done", decision__suggestion__status="done")
    waiting = SuggestionFactory(client=client)
    as_client(client)
    client.is_active = False
    client.save()
    actor = Actor(member(client, role=Role.MANAGER), "web")

    for act in (
        lambda: deciding.approve(suggestion_id=waiting.pk, actor=actor),
        lambda: deciding.refuse(suggestion_id=waiting.pk, actor=actor, reason="No"),
        lambda: deciding.undo(suggestion_id=done.suggestion_id, actor=actor),
        lambda: deciding.try_again(execution_id=stopped.pk, actor=actor),
    ):
        with pytest.raises(Conflict):
            act()
    assert not ExecutionLog.objects.filter(state=ExecutionLog.State.PENDING).exists()
    assert Decision.objects.count() == 2


def test_a_refresh_is_work_for_people(as_client):
    refresh = SuggestionFactory(kind="refresh", field="", before="", target="")
    as_client(refresh.client)

    deciding.approve(suggestion_id=refresh.pk, actor=Actor(member(refresh.client), "web"))

    refresh.refresh_from_db()
    assert refresh.status == Suggestion.Status.DONE
    assert not ExecutionLog.objects.exists()


def test_a_holdout_leaves_raises_undone_but_never_a_pause(as_client):
    client = ClientFactory(holdout_percent=50)
    as_client(client)
    operator = member(client)
    raises = [SuggestionFactory(client=client) for _ in range(40)]
    pauses = [SuggestionFactory(client=client, kind="pause", field="status", target="PAUSED") for _ in range(40)]

    for row in raises + pauses:
        deciding.approve(suggestion_id=row.pk, actor=Actor(operator, "web"))

    held = ExecutionLog.objects.filter(state=ExecutionLog.State.HELD_OUT)
    assert 8 <= held.count() <= 32
    assert set(held.values_list("suggestion__kind", flat=True)) == {"scale"}
    assert set(held.values_list("suggestion__status", flat=True)) == {"cancelled"}


def test_an_undo_is_a_decision_of_its_own_and_happens_once(as_client):
    execution = ExecutionFactory(state="done", decision__suggestion__status="done")
    as_client(execution.client)
    manager = member(execution.client, role=Role.MANAGER)

    with pytest.raises(NotAllowed):
        deciding.undo(suggestion_id=execution.suggestion_id, actor=Actor(member(execution.client), "web"))
    deciding.undo(suggestion_id=execution.suggestion_id, actor=Actor(manager, "web"))
    with pytest.raises(Conflict):
        deciding.undo(suggestion_id=execution.suggestion_id, actor=Actor(manager, "web"))

    back = ExecutionLog.objects.get(undo_of=execution)
    assert (back.expected, back.target) == ("7500", "5000")


def test_an_undo_that_was_given_up_may_be_asked_for_again_by_whoever_may_undo(as_client):
    execution = ExecutionFactory(state="done", decision__suggestion__status="done")
    as_client(execution.client)
    manager = Actor(member(execution.client, role=Role.MANAGER), "web")
    stopped = deciding.undo(suggestion_id=execution.suggestion_id, actor=manager).execution
    ExecutionLog.objects.filter(pk=stopped.pk).update(state="conflict")

    with pytest.raises(NotAllowed):
        deciding.give_up(execution_id=stopped.pk, actor=Actor(member(execution.client), "web"))
    deciding.give_up(execution_id=stopped.pk, actor=manager)
    again = deciding.undo(suggestion_id=execution.suggestion_id, actor=manager).execution

    assert again.undo_of == execution
    execution.suggestion.refresh_from_db()
    assert execution.suggestion.status == Suggestion.Status.DONE


def test_giving_up_a_stopped_change_closes_it(as_client):
    execution = ExecutionFactory(state="conflict", decision__suggestion__status="stopped")
    as_client(execution.client)

    deciding.give_up(execution_id=execution.pk, actor=Actor(member(execution.client), "web"), reason="Leave it")

    execution.refresh_from_db()
    assert execution.state == ExecutionLog.State.DROPPED
    assert execution.suggestion.status == Suggestion.Status.CANCELLED


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def both(self, suggestion, gap):
        first, second = member(suggestion.client), member(suggestion.client)
        return at_once(
            lambda: deciding.approve(suggestion_id=suggestion.pk, actor=Actor(first, "web")),
            lambda: deciding.refuse(suggestion_id=suggestion.pk, actor=Actor(second, "slack"), reason="No"),
            gap=gap,
        )

    def test_one_decision_comes_of_two_clicks(self, suggestion, hold_open):
        gap = hold_open("apps.suggestions.services.deciding._decide")

        assert sorted(self.both(suggestion, gap)) == ["Conflict", "ok"]
        assert not gap.met
        assert Decision.objects.count() == 1

    def test_without_the_lock_both_get_in(self, suggestion, hold_open, monkeypatch):
        """The control: it shows that the test above can see the race."""

        def unlocked(suggestion_id):
            return Suggestion.objects.select_related("client", "ad_object").get(pk=suggestion_id)

        monkeypatch.setattr(deciding, "_lock", unlocked)
        gap = hold_open("apps.suggestions.services.deciding._decide")

        results = self.both(suggestion, gap)

        assert gap.met
        assert "IntegrityError" in results  # the constraint is the last line: one of the two crashes into it
