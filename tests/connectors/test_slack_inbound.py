"""Who may knock at /slack/events/: signed by Slack just now, once."""

import datetime as dt
import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import pytest
from django.test import Client as Browser

from apps.connectors.models import SeenRequest
from apps.connectors.services import seen
from apps.core import clock
from apps.core.tenancy import use_client
from tests.factories.connectors import SlackChannelFactory
from tests.workspace import SECRET

pytestmark = pytest.mark.django_db
URL = "/slack/events/"
CLICK = {
    "type": "block_actions",
    "team": {"id": "T1"},
    "user": {"id": "U1", "team_id": "T1"},
    "channel": {"id": "C1"},
    "actions": [{"action_id": "old_button", "block_id": "b", "type": "button", "value": "x"}],
}


@pytest.fixture(autouse=True)
def _secret(settings):
    settings.SLACK_SIGNING_SECRET = SECRET


def signed(body, *, secret=SECRET, stamp=None, **changed):
    stamp = str(int(time.time())) if stamp is None else stamp
    base = b"v0:" + stamp.encode() + b":" + body
    signature = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature} | changed


def knock(body, headers, content_type="application/x-www-form-urlencoded"):
    return Browser(enforce_csrf_checks=True).post(URL, data=body, content_type=content_type, headers=headers)


def click(payload=None):
    return urlencode({"payload": json.dumps(payload or CLICK)}).encode()


def event(**fields):
    return json.dumps(
        {"type": "event_callback", "event": {"type": "app_home_opened"}, "team_id": "T1"} | fields
    ).encode()


def test_a_signed_click_is_let_in():
    answer = knock(click(), signed(click()))

    assert (answer.status_code, answer.content) == (200, b"")
    assert SeenRequest.objects.count() == 1


def test_slack_may_check_the_address():
    body = json.dumps({"type": "url_verification", "challenge": "c0ffee"}).encode()

    answer = knock(body, signed(body), "application/json")

    assert answer.json() == {"challenge": "c0ffee"}


NOW = str(int(time.time()))


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="missing"),
        pytest.param({"X-Slack-Request-Timestamp": NOW}, id="no signature"),
        pytest.param(signed(click(), secret="another"), id="wrong secret"),
        pytest.param(signed(b"payload=other"), id="another body"),
        pytest.param(signed(click(), stamp=str(int(time.time()) - 3601)), id="stale"),
        pytest.param(signed(click(), stamp=str(int(time.time()) + 3601)), id="from the future"),
        pytest.param(signed(click(), stamp="abc"), id="timestamp no number"),
        pytest.param(signed(click(), stamp="²"), id="timestamp a number to Python only"),
        pytest.param(signed(click(), stamp="9" * 5000), id="timestamp endless"),
        pytest.param(signed(click(), stamp="-5"), id="timestamp negative"),
        pytest.param(signed(click()) | {"X-Slack-Signature": "v0=é"}, id="signature not ascii"),
        pytest.param(signed(click()) | {"X-Slack-Signature": ""}, id="signature empty"),
    ],
)
def test_what_slack_did_not_sign_just_now_is_refused(headers):
    answer = knock(click(), headers)

    assert (answer.status_code, answer.json()) == (401, {"error": "invalid request"})
    assert not SeenRequest.objects.exists()


def test_without_a_secret_nobody_comes_in(settings):
    settings.SLACK_SIGNING_SECRET = ""

    assert knock(click(), signed(click(), secret="")).status_code == 401


def test_five_minutes_are_fresh_and_one_second_more_is_not(monkeypatch):
    now = int(time.time())
    monkeypatch.setattr("apps.connectors.providers.slack.inbound.time.time", lambda: now)

    assert knock(click(), signed(click(), stamp=str(now - 300))).status_code == 200
    assert knock(click(), signed(click(), stamp=str(now - 301))).status_code == 401


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"payload=\xff\xfe", "application/x-www-form-urlencoded"),
        (b"payload=%7Bnot+json", "application/x-www-form-urlencoded"),
        (b"payload=%5B%5D", "application/x-www-form-urlencoded"),
        (b"[]", "application/json"),
        (b"{", "application/json"),
        (b"\x00", "application/json"),
    ],
)
def test_a_signed_body_that_cannot_be_read_is_no_server_error(body, content_type):
    assert knock(body, signed(body), content_type).status_code == 400


def test_a_body_too_large_is_refused_unread():
    body = b"payload=" + b"x" * 1_000_001

    assert knock(body, signed(body)).status_code == 401


def test_the_same_signed_click_again_is_refused():
    headers = signed(click())
    knock(click(), headers)

    answer = knock(click(), headers)

    assert (answer.status_code, answer.json()) == (409, {"error": "replayed request"})


def test_an_event_sent_again_is_acknowledged_and_has_no_effect():
    body, other = event(event_id="Ev1"), event(event_id="Ev2")

    assert knock(body, signed(body), "application/json").status_code == 200
    assert knock(body, signed(body, stamp=str(int(time.time()) - 60)), "application/json").status_code == 200
    assert knock(other, signed(other), "application/json").status_code == 200
    assert SeenRequest.objects.filter(provider="slack_event").count() == 2


def test_only_post_is_answered():
    assert Browser().get(URL).status_code == 405


def test_marks_of_requests_are_dropped_when_they_cannot_be_replayed():
    with clock.at(clock.now() - dt.timedelta(days=3)):
        seen.first_time("slack", "old")
    seen.first_time("slack", "new")

    assert seen.forget_old() == 1
    assert seen.first_time("slack", "new") is None


@pytest.mark.parametrize("kind", ["app_uninstalled", "tokens_revoked"])
def test_a_workspace_that_removed_durum_needs_a_person(kind):
    ours = SlackChannelFactory(external_id="T1/C1")
    others = SlackChannelFactory(external_id="T2/C1")
    body = event(event={"type": kind, "tokens": {"bot": ["U0"]}}, event_id="Ev1")

    assert knock(body, signed(body), "application/json").status_code == 200

    for channel, state in ((ours, "needs_reconnect"), (others, "connected")):
        with use_client(channel.client):
            channel.refresh_from_db()
        assert channel.state == state
