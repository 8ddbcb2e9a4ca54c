"""The Meta connector against the sandbox over HTTP."""

import datetime as dt

import pytest
from django.core.management import CommandError, call_command

from apps.connectors import checks, registry
from apps.connectors.models import Channel
from apps.connectors.providers.meta_ads.connector import MetaAds
from apps.core.errors import NeedsReconnect, OutcomeUnknown, Rejected, Unavailable
from apps.core.models import ApiCall
from apps.core.tenancy import use_client
from tests.factories.clients import ClientFactory
from tests.factories.connectors import ChannelFactory

pytestmark = pytest.mark.django_db
TOKEN = "EAAsandboxtoken1234567890"
SECRET = "app-secret"


@pytest.fixture
def world(sandbox, redis_client, settings):
    """Two accounts behind an app that insists on the proof."""

    def plant(**account):
        settings.META_APP_ID, settings.META_APP_SECRET = "77", SECRET
        described = {"id": "900", "name": "Durum France", "campaigns": 1, "adsets": 1, "ads": 1, "history_days": 10}
        return sandbox.control(
            "scenario",
            {
                "seed": "connector",
                "now": "2026-11-19T12:00:00+00:00",
                "accounts": [described | account, {"id": "901", "name": "Two", "campaigns": 1, "adsets": 1, "ads": 1}],
                "apps": [{"id": "77", "secret": SECRET, "requires_proof": True}],
                "tokens": [{"token": TOKEN, "app": "77"}],
            },
        )["accounts"][0]

    return plant


@pytest.fixture
def channel(db):
    row = ChannelFactory(external_id="act_900", token=TOKEN, client=ClientFactory(key="maison"))
    with use_client(row.client):
        yield row


@pytest.fixture
def connector(channel):
    return registry.ads(channel)


def test_every_call_proves_the_app_and_leaves_a_line_without_secrets(world, connector, settings):
    world()
    assert connector.account().name == "Durum France"

    row = ApiCall.objects.get()
    assert (row.endpoint, row.status, row.cost, row.error_kind) == ("act_{id}", 200, 1, "")
    assert row.usage_percent is not None
    settings.META_APP_SECRET = "wrong"
    with pytest.raises(Rejected):
        MetaAds(TOKEN, "act_900", client_id=connector.graph.http.client_id).account()


def test_accounts_are_listed_with_currency_and_zone(world, connector):
    world(currency="JPY", timezone="Asia/Tokyo")

    assert [(a.id, a.currency, a.time_zone) for a in connector.accounts()] == [
        ("act_900", "JPY", "Asia/Tokyo"),
        ("act_901", "EUR", "Europe/Paris"),
    ]


def test_a_budget_is_set_absolutely_and_read_back(world, connector, sandbox):
    adset = world()["campaigns"][0]["adsets"][0]

    connector.set_daily_budget(adset["id"], 7700)

    state = connector.read_object(adset["id"])
    assert (state.daily_budget, state.currency, state.status) == (7700, "EUR", "ACTIVE")
    assert [w["new"] for w in sandbox.truth("writes", object=adset["id"])["writes"]] == [7700]


def test_a_switch_shows_in_delivery_below_it(world, connector):
    made = world()
    connector.set_status(made["campaigns"][0]["id"], "PAUSED")

    below = connector.read_object(made["campaigns"][0]["adsets"][0]["id"])
    assert (below.status, below.effective_status) == ("ACTIVE", "CAMPAIGN_PAUSED")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["error", "drop", "empty_body", "html_body"])
def test_a_write_whose_answer_is_lost_is_unknown_and_never_sent_twice(world, connector, sandbox, when, kind):
    adset = world()["campaigns"][0]["adsets"][0]
    connector.account()
    sandbox.control("faults", {"kind": kind, "method": "POST", "when": when, "count": 9})

    with pytest.raises(OutcomeUnknown):
        connector.set_daily_budget(adset["id"], 7700)

    assert len(sandbox.truth("writes", object=adset["id"])["writes"]) == (when == "after")
    assert ApiCall.objects.filter(method="POST").count() == 1


def test_a_throttled_write_did_nothing_and_says_when_to_come_back(world, connector, sandbox):
    adset = world()["campaigns"][0]["adsets"][0]
    connector.account()
    sandbox.control("faults", {"kind": "throttle", "method": "POST", "params": {"code": 80004, "minutes": 3}})

    with pytest.raises(Unavailable) as caught:
        connector.set_daily_budget(adset["id"], 7700)

    assert caught.value.retry_after == 180
    assert sandbox.truth("writes", object=adset["id"])["writes"] == []


def test_meta_s_own_rules_come_back_as_a_sentence(world, connector, sandbox):
    adset = world()["campaigns"][0]["adsets"][0]

    with pytest.raises(Rejected, match="minimum budget is 100"):
        connector.set_daily_budget(adset["id"], 5)
    for step in range(4):
        connector.set_daily_budget(adset["id"], 7700 + step)
    with pytest.raises(Rejected, match="budget changes") as caught:
        connector.set_daily_budget(adset["id"], 9900)
    assert caught.value.code == "too_many_changes"


def test_an_unknown_currency_is_not_written(world, connector, sandbox):
    adset = world()["campaigns"][0]["adsets"][0]
    connector._account = connector.account().__class__("act_900", "x", "XAU", "UTC", True)

    with pytest.raises(Rejected, match="XAU"):
        connector.set_daily_budget(adset["id"], 5000)

    assert sandbox.truth("writes", object=adset["id"])["writes"] == []


def test_a_read_is_repeated_through_a_short_trouble(world, connector, sandbox):
    world()
    sandbox.control("faults", {"kind": "error", "path": "act_900", "count": 2})

    assert connector.account().currency == "EUR"
    assert [row.status for row in ApiCall.objects.order_by("pk")] == [500, 500, 200]


def test_a_batch_answers_item_by_item(world, connector, sandbox):
    made = world()
    ad = made["campaigns"][0]["adsets"][0]["ads"][0]
    sandbox.control("faults", {"kind": "batch_null", "count": 1, "params": {"items": [0]}})

    found = connector.read_nodes({"campaign": [made["campaigns"][0]["id"]], "ad": [ad, "404404"]})

    assert found["404404"] is None
    assert found[ad].level == "ad"
    assert found[made["campaigns"][0]["id"]].level == "campaign"


def test_an_asynchronous_report_brings_the_same_rows(world, connector, sandbox):
    world()
    sandbox.control("switches", {"async_first_read_missing": True})
    day = dt.date(2026, 11, 18)
    report = connector.start_report(day, day)

    states = [connector.report(report).state]
    while states[-1] == "running":
        states.append(connector.report(report).state)

    assert states[-1] == "done"
    assert len(states) > 2
    assert connector.report_page(report).rows == connector.insights_page(day, day).rows


@pytest.mark.parametrize(
    ("name", "kept"), [("a\\u0000b", "ab"), ("cut \\ud83d", "cut \ufffd"), ("\\ud83c\\udf77 ok", "🍷 ok")]
)
def test_what_postgresql_cannot_store_is_taken_out_of_names(world, connector, sandbox, name, kept):
    world()
    body = f'{{"id": "act_900", "account_id": "900", "name": "{name}", "currency": "EUR"}}'
    sandbox.control("faults", {"kind": "error", "path": "act_900", "params": {"status": 200, "body": body}})

    assert connector.account().name == kept


def test_a_dead_token_is_told_by_every_call(world, connector, sandbox):
    world()
    sandbox.control("tokens", {"token": TOKEN, "dead_subcode": 460})

    with pytest.raises(NeedsReconnect):
        connector.account()
    with pytest.raises(NeedsReconnect):
        connector.check()


def test_the_check_warns_of_missing_rights_and_a_token_near_its_end(world, channel, sandbox):
    world()
    assert checks.check_channel(channel).text == "Durum France · EUR · Europe/Paris"
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(days=3)).isoformat()
    sandbox.control("tokens", {"token": TOKEN, "scopes": ["ads_read"], "expires_at": soon})

    line = checks.check_channel(channel)

    assert line.state == "warning"
    assert "ads_management" in line.text
    assert "expires in 2 days" in line.text


def test_check_connections_prints_a_table_and_fails_when_something_is_broken(world, channel, sandbox, capsys):
    world()
    call_command("check_connections")
    assert "OK     Durum France · EUR · Europe/Paris" in capsys.readouterr().out
    sandbox.control("tokens", {"token": TOKEN, "dead_subcode": 463})

    with pytest.raises(CommandError, match="1 of 3 connections"):
        call_command("check_connections")

    assert "BROKEN  Meta does not accept the token" in capsys.readouterr().out
    assert Channel.objects.get().state == "needs_reconnect"


def test_check_connections_says_which_client_it_does_not_know(db):
    with pytest.raises(CommandError, match="no client with the key nobody"):
        call_command("check_connections", client="nobody")


def test_an_unreachable_meta_is_broken_not_a_crash(channel, settings, redis_client, capsys):
    settings.META_GRAPH_URL = "http://127.0.0.1:9"

    line = checks.check_channel(channel)

    assert line.state == "broken"
    assert "cannot be reached" in line.text
    assert Channel.objects.get().state == "connected"
