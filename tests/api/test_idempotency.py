"""The same call sent twice takes effect once: replayed, refused while it runs, free again after a crash."""

from datetime import timedelta

import pytest

from apps.clients.roles import Role
from apps.core import clock, idempotency
from apps.core.models import IdempotencyKey
from apps.core.tasks import sweep_idempotency_keys
from apps.core.tenancy import use_all_clients
from apps.suggestions.models import Decision, Suggestion
from apps.suggestions.services import deciding
from tests.concurrency import at_once
from tests.factories.clients import ClientFactory, member
from tests.factories.connectors import ChannelFactory
from tests.factories.suggestions import SuggestionFactory

KEY = "6e1f4c2a"
DECIDE = "apps.suggestions.services.deciding._decide"


@pytest.fixture
def ours():
    return ClientFactory(key="ours")


@pytest.fixture
def user(ours):
    return member(ours)


@pytest.fixture
def caller(user, program):
    return program(user)


@pytest.fixture
def suggestion(ours):
    return SuggestionFactory(client=ours)


def approve(caller, suggestion, key=KEY, **body):
    return caller.send(f"suggestions/{suggestion.pk}/approve/", body, key=key)


def decisions():
    with use_all_clients("the test looks"):
        return Decision.objects.count()


@pytest.mark.django_db
def test_the_second_call_gets_the_first_answer(caller, suggestion):
    first, second = approve(caller, suggestion), approve(caller, suggestion)

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.content == first.content
    assert (first.get("Idempotent-Replayed"), second["Idempotent-Replayed"]) == (None, "true")
    assert decisions() == 1


@pytest.mark.django_db
def test_a_replay_brings_the_address_along(caller, ours):
    body = {"channel": ChannelFactory(client=ours).pk}
    first, second = (caller.send("sync-runs/", body, key=KEY) for _ in range(2))

    assert (second.status_code, second["Location"]) == (202, first["Location"])


@pytest.mark.django_db
def test_without_a_key_a_second_call_is_a_second_call(caller, suggestion):
    assert approve(caller, suggestion, key=None).status_code == 200
    assert approve(caller, suggestion, key=None).status_code == 409


@pytest.mark.django_db
def test_a_key_belongs_to_one_call(caller, suggestion, ours):
    approve(caller, suggestion)
    other = SuggestionFactory(client=ours)

    assert approve(caller, suggestion, reason="Another word").json()["code"] == "key_reused"
    assert approve(caller, other).status_code == 422
    assert decisions() == 1


@pytest.mark.django_db
def test_a_key_belongs_to_one_caller(caller, suggestion, ours, program):
    approve(caller, suggestion)
    answer = approve(program(member(ours)), suggestion)

    assert (answer.status_code, answer.json()["code"]) == (409, "already_decided")


@pytest.mark.django_db
def test_after_a_refusal_the_key_is_free_for_the_corrected_call(caller, suggestion):
    address = f"suggestions/{suggestion.pk}/refuse/"

    assert caller.send(address, {"reason": ""}, key=KEY).status_code == 400
    assert caller.send(address, {"reason": "Stock is low."}, key=KEY).status_code == 200
    assert decisions() == 1


@pytest.mark.django_db
def test_whoever_may_not_takes_no_key(ours, program, suggestion):
    assert approve(program(member(ours, Role.VIEWER)), suggestion).status_code == 403
    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", " ", "x" * 201, "clé"])
def test_a_key_that_is_none_is_refused(key, caller, suggestion):
    answer = approve(caller, suggestion, key=key)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_key")
    assert decisions() == 0


@pytest.mark.django_db
def test_reading_takes_no_key(caller, suggestion):
    caller.get("/api/v1/suggestions/", headers={"Idempotency-Key": KEY})

    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db
def test_a_crash_leaves_neither_effect_nor_key(caller, suggestion, monkeypatch):
    monkeypatch.setattr("apps.suggestions.api.tasks.nudge", lambda decision: 1 / 0)
    caller.raise_request_exception = False
    assert approve(caller, suggestion).status_code == 500
    assert decisions() == 0
    monkeypatch.undo()

    assert approve(caller, suggestion).status_code == 200


@pytest.mark.django_db
def test_a_dead_call_blocks_its_key_for_the_lease_only(caller, suggestion, user):
    now = clock.now()
    IdempotencyKey.objects.create(user=user, key=KEY, fingerprint="f", lease_until=now + timedelta(minutes=1))
    assert approve(caller, suggestion).status_code == 422  # the dead call was another one
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(idempotency, "fingerprint_of", lambda request: "f")
        running = approve(caller, suggestion)
        assert (running.status_code, running.json()["code"]) == (409, "still_running")
        assert int(running["Retry-After"]) > 0
        with clock.at(now + timedelta(minutes=2)):
            assert approve(caller, suggestion).status_code == 200
    assert decisions() == 1


@pytest.mark.django_db
def test_answers_are_forgotten_after_a_day(caller, suggestion):
    now = clock.now()
    approve(caller, suggestion)
    with clock.at(now + timedelta(hours=23)):
        sweep_idempotency_keys()
        assert IdempotencyKey.objects.count() == 1
    with clock.at(now + timedelta(hours=25)):
        sweep_idempotency_keys()
    assert not IdempotencyKey.objects.exists()


def test_the_sweep_is_scheduled():
    from apps.core.scheduling import jobs

    assert "apps.core.tasks.sweep_idempotency_keys" in {job.task for job in jobs.values()}


# --- at once ---


def _sent(caller, suggestion, answers, **options):
    def send():
        answers.append(approve(caller, suggestion, **options))

    return send


@pytest.mark.django_db(transaction=True)
def test_two_at_once_with_one_key_make_one_decision(user, program, suggestion, hold_open):
    answers = []
    calls = [_sent(program(user), suggestion, answers) for _ in range(2)]
    at_once(*calls, gap=hold_open(DECIDE))

    codes = sorted((answer.status_code, answer.json().get("code")) for answer in answers)
    assert codes == [(200, None), (409, "still_running")]
    assert decisions() == 1


@pytest.mark.django_db(transaction=True)
def test_the_control_two_keys_race_to_the_door_itself(user, program, suggestion, hold_open):
    """Without a shared key both calls run: only the service's own lock keeps them apart."""
    answers = []
    calls = [_sent(program(user), suggestion, answers, key=key) for key in ("one", "two")]
    at_once(*calls, gap=hold_open(DECIDE))

    assert sorted(answer.json().get("code") or "ok" for answer in answers) == ["already_decided", "ok"]
    assert decisions() == 1


@pytest.mark.django_db(transaction=True)
def test_whoever_lost_the_lease_commits_nothing(user, caller, suggestion, monkeypatch):
    """The first call outlives its lease inside the service, and another attempt takes the key meanwhile."""
    real = deciding._decide

    def take_over():
        row = IdempotencyKey.objects.get(user=user, key=KEY)
        with clock.at(row.lease_until + timedelta(seconds=1)):
            idempotency.take(user=user, key=KEY, fingerprint=row.fingerprint)

    def late(*args, **kwargs):
        assert at_once(take_over) == ["ok"]
        return real(*args, **kwargs)

    monkeypatch.setattr(deciding, "_decide", late)
    answer = approve(caller, suggestion)

    assert (answer.status_code, answer.json()["code"]) == (409, "still_running")
    assert decisions() == 0
    with use_all_clients("the test looks"):
        assert Suggestion.objects.get(pk=suggestion.pk).status == "waiting"
