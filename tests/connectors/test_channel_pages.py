"""Connecting accounts through the pages, against the sandbox: a token is stored once it worked, and never shown."""

import pytest

from apps.clients.roles import Role
from apps.connectors.models import Channel
from apps.core.models import AuditEvent
from apps.core.tenancy import use_all_clients
from tests.factories.clients import ClientFactory, member
from tests.factories.connectors import ChannelFactory
from tests.workspace import CHANNEL, TEAM, TOKEN, USERS

pytestmark = pytest.mark.django_db
GOOD, DEAD = "good-token", "dead-token"
State = Channel.State


@pytest.fixture
def ours(settings, sandbox, redis_client):
    settings.LANGUAGE_CODE = "en"
    sandbox.control(
        "scenario",
        {
            "seed": 3,
            "apps": [{"id": "77", "secret": "app-secret", "requires_proof": False}],
            "tokens": [{"token": GOOD}],
            "accounts": [{"id": "act_900200", "name": "Lys", "currency": "EUR", "campaigns": []}],
            "slack_rate_limit": False,
            "slack": {"users": USERS, "channels": ["lys"], "signing_secret": "s", "bot_token": TOKEN},
        },
    )
    return ClientFactory(key="ours")


@pytest.fixture
def manager(client, ours):
    user = member(ours, Role.MANAGER)
    client.force_login(user)
    return user


def connect(client, platform="meta", **fields):
    return client.post(f"/c/ours/settings/accounts/connect/{platform}/", {"token": GOOD, "number": ""} | fields)


def channel():
    with use_all_clients("the test looks"):
        return Channel.objects.get()


def count():
    with use_all_clients("the test looks"):
        return Channel.objects.count()


def deeds():
    with use_all_clients("the test looks"):
        return list(AuditEvent.objects.order_by("pk"))


def test_an_ad_account_is_connected_with_a_token_that_works(client, manager):
    answer = connect(client, number="900200")

    assert answer.status_code == 302
    row = channel()
    assert (row.external_id, row.state, row.token.reveal()) == ("act_900200", State.CONNECTED, GOOD)
    page = client.get("/c/ours/settings/accounts/").content.decode()
    assert row.name in page
    assert GOOD not in page
    [event] = deeds()
    assert event.verb == "connectors.channel.connected"
    assert GOOD not in str(event.changes)


def test_without_a_number_the_page_shows_what_the_token_reaches(client, manager):
    page = connect(client).content.decode()

    assert "act_900200" in page
    assert GOOD not in page
    assert count() == 0


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"token": DEAD, "number": "act_900200"}, ""),
        ({"token": DEAD}, ""),
        ({"token": "two words", "number": "900200"}, "paste it whole"),
        ({"token": ""}, "required"),
        ({"number": "act_x"}, "has a number like"),
        ({"number": "act_900999"}, ""),
    ],
)
def test_what_does_not_work_is_not_stored_and_not_shown(fields, sentence, client, manager):
    answer = connect(client, **fields)
    page = answer.content.decode()

    assert answer.status_code == 422
    assert sentence in page
    assert "data-error-sentence" in page or "invalid-feedback" in page
    assert DEAD not in page
    assert GOOD not in page
    assert count() == 0


def test_an_account_has_one_client_and_nobody_learns_whose(client, manager):
    ChannelFactory(client=ClientFactory(name="Elsewhere"), external_id="act_900200")
    page = connect(client, number="900200")

    assert page.status_code == 422
    assert "already connected" in page.content.decode()
    assert "Elsewhere" not in page.content.decode()
    assert count() == 1


def test_meta_unreachable_is_said_and_nothing_stored(client, manager, settings):
    settings.META_GRAPH_URL = "http://127.0.0.1:1/graph"
    answer = connect(client, number="900200")

    assert answer.status_code == 422
    assert "cannot be reached" in answer.content.decode()
    assert count() == 0


def test_a_slack_channel_is_connected_and_its_workspace_asked(client, manager):
    answer = connect(client, "slack", token=TOKEN, number=CHANNEL.lower())

    assert answer.status_code == 302
    assert channel().external_id == f"{TEAM}/{CHANNEL}"
    assert connect(client, "slack", token=TOKEN, number="general").status_code == 422
    assert connect(client, "slack", token="xoxb-wrong", number="C000000002").status_code == 422
    assert count() == 1


@pytest.fixture
def account(ours):
    return ChannelFactory(client=ours, external_id="act_900200", token=DEAD, state=State.NEEDS_RECONNECT)


def address(row, verb):
    return f"/c/ours/settings/accounts/{row.pk}/{verb}/"


def test_a_new_token_takes_the_place_of_the_old_once_it_works(client, manager, account):
    assert client.post(address(account, "reconnect"), {"token": "also-dead"}).status_code == 422
    assert channel().token.reveal() == DEAD
    assert client.post(address(account, "reconnect"), {"token": GOOD}).status_code == 302
    assert (channel().token.reveal(), channel().state, channel().last_error) == (GOOD, State.CONNECTED, "")


def test_a_test_tells_what_is_wrong_and_keeps_it(client, manager, account):
    with use_all_clients("the test breaks it unseen"):
        Channel.objects.update(state=State.CONNECTED)
    page = client.post(address(account, "test"), follow=True).content.decode()

    assert channel().state == State.NEEDS_RECONNECT
    assert channel().last_error
    assert channel().last_error in page.replace("&#x27;", "'")


def test_an_account_is_switched_off_and_on(client, manager, account):
    client.post(address(account, "switch"))
    assert channel().state == State.DISABLED
    client.post(address(account, "switch"))
    assert channel().state == State.CONNECTED
    assert [event.changes["state"] for event in deeds()] == [["needs_reconnect", "disabled"], ["disabled", "connected"]]


@pytest.mark.parametrize("verb", ["reconnect", "switch", "test"])
@pytest.mark.parametrize("role", Role.values)
def test_accounts_take_their_role(role, verb, client, ours, account):
    client.force_login(member(ours, role))
    allowed = role in (Role.MANAGER, Role.OWNER) or (verb == "test" and role == Role.OPERATOR)
    answer = client.post(address(account, verb), {"token": GOOD})

    assert (answer.status_code == 302) is allowed
    if not allowed:
        assert answer.status_code == 403
        assert (channel().state, channel().token.reveal()) == (State.NEEDS_RECONNECT, DEAD)


@pytest.mark.parametrize("verb", ["reconnect", "switch", "test"])
def test_another_clients_account_is_not_found(verb, client, manager):
    foreign = ChannelFactory(client=ClientFactory())

    assert client.post(address(foreign, verb), {"token": GOOD}).status_code == 404
