"""Approved changes reach Meta once, or stop and ask."""

import datetime as dt

import pytest

from apps.clients.roles import Role
from apps.connectors.models import Channel
from apps.core import clock
from apps.core.actors import Actor
from apps.core.errors import NeedsReconnect
from apps.core.models import ApiCall
from apps.suggestions.models import ExecutionLog, Hypothesis, Suggestion, ValidationItem
from apps.suggestions.services import deciding
from tests.factories.clients import member
from tests.factories.suggestions import ExecutionFactory, PauseFactory, SuggestionFactory

State = ExecutionLog.State


def later(seconds=3600):
    """When every pause written on a row is over."""
    return clock.at(clock.now() + dt.timedelta(seconds=seconds))


def test_a_raise_is_written_read_back_and_proved(account):
    row = account.carry_out(account.raise_to(7500))

    assert row.state == State.DONE
    assert row.after == "7500"
    assert row.proof["read_before"]["daily_budget_minor"] == 5000
    assert row.proof["read_after"]["daily_budget_minor"] == 7500
    assert account.truth() == [("daily_budget", 7500)]
    assert row.suggestion.status == Suggestion.Status.DONE
    account.adset.refresh_from_db()
    assert account.adset.daily_budget_minor == 7500
    assert Hypothesis.objects.get(execution=row).probability == row.suggestion.confidence
    assert ApiCall.objects.filter(client=account.client, method="POST", status=200).count() == 1


def test_a_pause_is_written_once_however_often_it_is_asked_for(account):
    row = account.pause()
    for _ in range(3):
        account.carry_out(row)

    assert row.state == State.DONE
    assert account.truth() == [("status", "PAUSED")]


@pytest.mark.parametrize(
    ("fault", "writes_it"),
    [
        ({"kind": "error", "status": 500, "when": "before"}, False),
        ({"kind": "error", "status": 500, "when": "after"}, True),
        ({"kind": "drop", "when": "before"}, False),
        ({"kind": "drop", "when": "after"}, True),
        ({"kind": "empty_body", "when": "after"}, True),
        ({"kind": "html_body", "when": "before", "status": 502}, False),
    ],
)
def test_a_lost_answer_is_resolved_by_reading_and_never_doubles(account, fault, writes_it):
    row = account.raise_to(7500)
    account.sandbox.control("faults", fault | {"method": "POST", "count": 1})

    account.carry_out(row)
    assert row.state == State.SENT
    assert len(account.truth()) == (1 if writes_it else 0)

    with later():
        account.carry_out(row)
    assert row.state == State.DONE
    assert account.truth() == [("daily_budget", 7500)]


def test_a_throttle_waits_on_the_row_and_changes_nothing(account):
    row = account.raise_to(7500)
    account.sandbox.fault("throttle", method="GET", minutes=7)

    account.carry_out(row)

    assert row.state == State.PENDING
    assert row.not_before > clock.now() + dt.timedelta(minutes=5)
    assert account.truth() == []


def test_what_somebody_changed_meanwhile_is_a_conflict_for_people(account):
    row = account.raise_to(7500)
    account.sandbox.control("people", {"object": account.adset.external_id, "daily_budget": 9900})

    account.carry_out(row)

    assert (row.state, row.reason, row.proof["found"]) == (State.CONFLICT, "changed_meanwhile", "9900")
    assert row.suggestion.status == Suggestion.Status.STOPPED
    assert ValidationItem.objects.get(closed_at=None).kind == ValidationItem.Kind.CONFLICT
    assert ("daily_budget", 7500) not in account.truth()


def test_a_person_may_have_it_done_all_the_same(account):
    row = account.raise_to(7500)
    account.sandbox.control("people", {"object": account.adset.external_id, "daily_budget": 6900})
    account.carry_out(row)

    deciding.try_again(execution_id=row.pk, actor=Actor(account.operator, "web"))
    account.carry_out(row)

    assert row.state == State.DONE
    assert not ValidationItem.objects.filter(closed_at=None).exists()


def test_a_budget_that_moved_to_the_campaign_is_not_forced(account):
    made = account.sandbox.truth("params", account="act_900100")
    assert made
    row = account.raise_to(7500)
    reader = FixedReader(daily_budget=None)

    account.carry_out(row, connector_for=lambda channel: reader)

    assert (row.state, row.reason) == (State.CONFLICT, "campaign_budget")
    assert reader.written == []


@pytest.mark.parametrize(
    ("limits", "target", "reason"),
    [
        ({"max_daily_budget": 70}, 7500, "max_daily_budget"),
        ({"max_change_percent": 40}, 7500, "max_change"),
        ({"max_actions_per_day": 0}, 7500, "daily_cap"),
    ],
)
def test_a_guard_rail_stops_the_change_and_asks(account, limits, target, reason):
    for name, value in limits.items():
        setattr(account.client, name, value)
    account.client.save()

    row = account.carry_out(account.raise_to(target))

    assert (row.state, row.reason) == (State.BLOCKED, reason)
    assert account.truth() == []
    assert ValidationItem.objects.get(closed_at=None).kind == ValidationItem.Kind.BLOCKED


def test_an_approved_change_waits_while_its_client_is_switched_off(account):
    row = account.raise_to(7500)
    account.client.is_active = False
    account.client.save()

    row = account.carry_out(row)

    assert (row.state, row.attempts) == (State.PENDING, 0)
    assert account.truth() == []

    account.client.is_active = True
    account.client.save()
    assert account.carry_out(row).state == State.DONE


def test_an_account_that_was_switched_off_stays_off_when_its_token_dies(account):
    row = account.raise_to(7500)

    class SwitchedOffMeanwhile:
        def read_object(self, _external_id):
            account.channel.state = account.channel.State.DISABLED
            account.channel.save()
            raise NeedsReconnect()

    account.carry_out(row, connector_for=lambda channel: SwitchedOffMeanwhile())

    account.channel.refresh_from_db()
    assert account.channel.state == account.channel.State.DISABLED


def test_an_object_rests_between_changes(account):
    account.carry_out(account.raise_to(7500))
    account.adset.refresh_from_db()

    second = account.carry_out(account.raise_to(9000, before="7500"))

    assert (second.state, second.reason) == (State.BLOCKED, "cooldown")
    assert account.truth() == [("daily_budget", 7500)]


def test_an_undo_puts_the_budget_back(account):
    row = account.carry_out(account.raise_to(7500))
    manager = member(account.client, role=Role.MANAGER)

    back = deciding.undo(suggestion_id=row.suggestion_id, actor=Actor(manager, "web")).execution
    account.carry_out(back)

    assert back.state == State.DONE
    assert account.truth() == [("daily_budget", 7500), ("daily_budget", 5000)]
    assert Hypothesis.objects.count() == 1


def test_a_dead_token_is_not_tried_twice_and_the_account_says_reconnect(account):
    row = account.raise_to(7500)
    account.sandbox.fault("expired_token", method="GET")

    account.carry_out(row)

    account.channel.refresh_from_db()
    assert account.channel.state == Channel.State.NEEDS_RECONNECT
    assert (row.state, row.reason) == (State.BLOCKED, "needs_reconnect")
    assert ApiCall.objects.filter(error_kind="NeedsReconnect").count() == 1
    assert account.truth() == []


def test_what_meta_refuses_goes_to_people_in_meta_s_words(account):
    account.client.max_change_percent = 100
    account.client.save()
    row = account.carry_out(account.raise_to(1))  # under Meta's smallest budget

    assert (row.state, row.reason) == (State.FAILED, "rejected")
    assert row.message
    assert row.sent_at is None  # it takes nothing from the day's cap
    assert account.truth() == []


def test_nobody_is_asked_before_many_tries(account):
    row = account.raise_to(7500)
    account.sandbox.fault("error", method="POST", status=500, when="before", count=1000)
    moment = clock.now()
    for _ in range(40):
        moment += dt.timedelta(minutes=20)
        with clock.at(moment):
            account.carry_out(row)
        if row.state not in ExecutionLog.OPEN:
            break

    assert (row.state, row.reason) == (State.UNKNOWN, "unknown")
    assert row.attempts == 12
    assert ValidationItem.objects.get(closed_at=None).kind == ValidationItem.Kind.UNKNOWN


def test_an_object_without_a_connection_is_left_to_people(account):
    account.adset.channel = None
    account.adset.save()

    row = account.carry_out(account.raise_to(7500))

    assert (row.state, row.reason) == (State.BLOCKED, "no_connection")


def test_a_lost_lease_writes_nothing(account):
    row = account.raise_to(7500)
    thief = FixedReader(daily_budget=5000, on_read=lambda: ExecutionLog.objects.update(claimed_by="somebody else"))

    account.carry_out(row, connector_for=lambda channel: thief)

    assert thief.written == []
    assert row.state == State.PENDING


def test_only_so_many_actions_a_day_even_when_many_are_approved(account):
    account.client.max_actions_per_day = 1
    account.client.save()
    first = account.carry_out(account.pause())
    other = ExecutionFactory(
        client=account.client,
        decision__suggestion=SuggestionFactory(client=account.client, ad_object=account.adset, status="approved"),
    )

    account.carry_out(other, connector_for=lambda channel: FixedReader(daily_budget=5000))

    assert first.state == State.DONE
    assert (other.state, other.reason) == (State.BLOCKED, "daily_cap")


def test_a_pause_of_what_is_paused_already_is_done(account):
    account.sandbox.control("people", {"object": account.adset.external_id, "status": "PAUSED"})

    row = account.carry_out(account.approve(PauseFactory(client=account.client, ad_object=account.adset)))

    assert row.state == State.DONE
    assert [write for write in account.truth() if write == ("status", "PAUSED")] == [("status", "PAUSED")]


class FixedReader:
    """Stands where the platform cannot be brought into a state: answers one reading, notes what is written."""

    def __init__(self, daily_budget, on_read=None):
        self.daily_budget, self.on_read, self.written = daily_budget, on_read, []
        self.status = self.effective_status = "ACTIVE"

    def read_object(self, external_id):
        if self.on_read:
            self.on_read()
        return self

    def set_daily_budget(self, external_id, minor):
        self.written.append(minor)
