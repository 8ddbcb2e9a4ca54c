"""Slack: the Web API's shapes and limits, and people who press and submit, signed."""

import hashlib
import hmac
import time

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier

BUTTONS = {
    "type": "actions",
    "block_id": "decide",
    "elements": [
        {"type": "button", "action_id": "approve", "value": "s-1", "text": {"type": "plain_text", "text": "Oui"}},
        {"type": "button", "action_id": "refuse", "value": "s-1", "text": {"type": "plain_text", "text": "Non"}},
    ],
}
MODAL = {
    "type": "modal",
    "callback_id": "reason",
    "private_metadata": "s-1",
    "title": {"type": "plain_text", "text": "Refuser"},
    "submit": {"type": "plain_text", "text": "Envoyer"},
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": {"type": "plain_text", "text": "Raison"},
            "element": {"type": "plain_text_input", "action_id": "text", "multiline": True},
        }
    ],
}
SECRET = "shh"


@pytest.fixture
def office(world, receiver):
    """A workspace with one channel and two people; messages may come as fast as they like."""
    world.load(
        slack_rate_limit=False,
        slack={
            "signing_secret": SECRET,
            "interactivity_url": receiver.url,
            "channels": [{"id": "C1", "name": "pub"}, {"id": "C2", "name": "vieux", "archived": True}],
            "users": [{"id": "U1", "email": "anne@agence.fr", "name": "Anne"}, {"id": "U2", "email": "bob@agence.fr"}],
        },
    )
    return world


def signed(headers, body):
    expected = hmac.new(SECRET.encode(), f"v0:{headers['X-Slack-Request-Timestamp']}:{body}".encode(), hashlib.sha256)
    return headers["X-Slack-Signature"] == f"v0={expected.hexdigest()}"


def test_who_am_i_and_who_are_they(office):
    assert office.slack("auth.test").json()["team_id"] == "T0SANDBOX1"
    assert office.slack("auth.test", token="xoxb-no").json() == {"ok": False, "error": "invalid_auth"}
    assert office.slack("users.lookupByEmail", email="ANNE@agence.fr").json()["user"]["id"] == "U1"
    assert office.slack("users.lookupByEmail", email="nobody@x.fr").json()["error"] == "users_not_found"
    assert office.slack("conversations.open", users="U1").json()["channel"]["id"] == "D1"
    office.control("slack/team", {"token_state": "token_revoked"})
    assert office.slack("auth.test").json()["error"] == "token_revoked"


def test_a_message_is_kept_with_its_history_and_found_again_by_metadata(office):
    meta = {"event_type": "suggestion", "event_payload": {"id": "s-1"}}
    ts = office.slack("chat.postMessage", channel="C1", text="Deux idées", blocks=[BUTTONS], metadata=meta).json()["ts"]
    assert office.slack("chat.update", channel="C1", ts=ts, text="Approuvé", blocks=[]).json()["ok"]
    [message] = office.control("slack/messages?channel=C1", method="GET")["messages"]
    assert (message["text"], message["blocks"]) == ("Approuvé", [])
    assert [edit["text"] for edit in message["edits"]] == ["Deux idées"]
    found = office.slack("conversations.history", channel="C1", include_all_metadata=True).json()["messages"]
    assert [(one["ts"], one["metadata"]) for one in found] == [(ts, meta)]
    assert "metadata" not in office.slack("conversations.history", channel="C1").json()["messages"][0]


def test_the_usual_refusals(office):
    post = lambda **body: office.slack("chat.postMessage", **body).json().get("error")  # noqa: E731 - a table of calls
    assert post(channel="C9", text="x") == "channel_not_found"
    assert post(channel="C2", text="x") == "is_archived"
    assert post(channel="C1") == "no_text"
    assert post(channel="C1", text="x" * 40_001) == "msg_too_long"
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}
    assert post(channel="C1", text="x", blocks=[section] * 51) == "invalid_blocks"
    assert post(
        channel="C1", text="x", blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]
    ) == ("invalid_blocks")
    long = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2900}}] * 5
    assert post(channel="C1", text="x", blocks=long) == "msg_blocks_too_long"
    crowded = BUTTONS | {"elements": [BUTTONS["elements"][0] | {"action_id": f"a{n}"} for n in range(26)]}
    assert post(channel="C1", text="x", blocks=[crowded]) == "invalid_blocks"
    assert office.slack("chat.update", channel="C1", ts="1.0", text="x").json()["error"] == "message_not_found"


def test_one_message_a_second(office):
    office.control("switches", {"slack_rate_limit": True})
    assert office.slack("chat.postMessage", channel="C1", text="1").json()["ok"]
    second = office.slack("chat.postMessage", channel="C1", text="2")
    assert (second.status_code, second.headers["retry-after"]) == (429, "1")
    assert len(office.control("slack/messages", method="GET")["messages"]) == 1


def test_a_press_arrives_signed_and_opens_a_modal_whose_submission_arrives_too(office, receiver):
    office.slack("chat.postMessage", channel="C1", text="?", blocks=[BUTTONS])
    opened = []

    def durum(payload):
        if payload["type"] == "block_actions":
            opened.append(office.slack("views.open", trigger_id=payload["trigger_id"], view=MODAL).json())
            opened.append(office.slack("views.open", trigger_id=payload["trigger_id"], view=MODAL).json())
        return ""

    receiver.answer = durum
    answer = office.control("slack/press", {"user_id": "U1", "action_id": "refuse"})
    assert answer["status"] == 200
    headers, body, payload = receiver.received[0]
    assert signed(headers, body)
    assert payload["user"]["id"] == "U1"
    assert payload["actions"][0] | {"action_ts": ""} == {
        **BUTTONS["elements"][1],
        "text": {"type": "plain_text", "text": "Non"},
        "block_id": "decide",
        "action_ts": "",
    }
    assert (opened[0]["ok"], opened[1]["error"]) == (True, "exchanged_trigger_id")
    assert answer["opened_views"] == [opened[0]["view"]["id"]]
    sent = office.control("slack/submit", {"user_id": "U1", "values": {"why": "Trop cher"}})
    view = receiver.received[1][2]["view"]
    assert (sent["status"], sent["view_state"]) == (200, "closed")
    assert (view["callback_id"], view["private_metadata"]) == ("reason", "s-1")
    assert view["state"]["values"]["why"]["text"]["value"] == "Trop cher"


def test_a_modal_stays_open_when_durum_answers_with_errors(office, receiver):
    office.slack("chat.postMessage", channel="C1", text="?", blocks=[BUTTONS])
    press = office.control("slack/press", {"user_id": "U1", "action_id": "refuse"})
    assert office.slack("views.open", trigger_id=press["trigger_id"], view=MODAL).json()["ok"]
    receiver.answer = lambda _payload: {"response_action": "errors", "errors": {"why": "Dites-en plus"}}
    assert office.control("slack/submit", {"values": {"why": ""}})["view_state"] == "open"


def test_a_trigger_dies_after_three_seconds(office):
    office.slack("chat.postMessage", channel="C1", text="?", blocks=[BUTTONS])
    press = office.control("slack/press", {"user_id": "U1", "action_id": "approve", "trigger_age": 3.1})
    assert (
        office.slack("views.open", trigger_id=press["trigger_id"], view=MODAL).json()["error"] == "expired_trigger_id"
    )


def test_the_real_client_and_the_real_verifier_accept_it(office, receiver):
    client = WebClient(token="xoxb-sandbox", base_url=f"{office.url}/slack/api/", retry_handlers=[])
    assert client.auth_test()["team_id"] == "T0SANDBOX1"
    assert client.users_lookupByEmail(email="anne@agence.fr")["user"]["id"] == "U1"
    sent = client.chat_postMessage(channel="C1", text="?", blocks=[BUTTONS])
    with pytest.raises(SlackApiError, match="message_not_found"):
        client.chat_update(channel="C1", ts="1.000000", text="x")
    client.chat_update(channel="C1", ts=sent["ts"], text="x", blocks=[BUTTONS])
    assert client.conversations_history(channel="C1", oldest=sent["ts"], inclusive=True)["messages"][0]["text"] == "x"
    press = office.control("slack/press", {"user_id": "U1", "action_id": "approve"})
    assert client.views_open(trigger_id=press["trigger_id"], view=MODAL)["view"]["callback_id"] == "reason"
    headers, body, _ = receiver.received[0]
    assert SignatureVerifier(SECRET).is_valid_request(body, headers)


@pytest.mark.parametrize("signature", ["wrong", "missing", "stale", "garbled"])
def test_bad_signatures_can_be_ordered(office, receiver, signature):
    office.slack("chat.postMessage", channel="C1", text="?", blocks=[BUTTONS])
    office.control("slack/press", {"user_id": "U1", "action_id": "approve", "signature": signature})
    headers, body, _ = receiver.received[0]
    if signature == "missing":
        assert "X-Slack-Signature" not in headers
    elif signature == "wrong":
        assert not signed(headers, body)
    elif signature == "stale":
        assert signed(headers, body)
        assert int(headers["X-Slack-Request-Timestamp"]) < time.time() - 300
    else:
        assert headers["X-Slack-Request-Timestamp"] == "abc"


def test_a_replay_is_the_same_to_the_byte(office, receiver):
    office.slack("chat.postMessage", channel="C1", text="?", blocks=[BUTTONS])
    office.control("slack/press", {"user_id": "U1", "action_id": "approve"})
    office.control("slack/replay", {})
    first, second = receiver.received
    assert first == second


def test_events_and_the_challenge(office, receiver):
    office.control("slack/event", {"event": {"type": "app_uninstalled"}, "event_id": "Ev1", "retry_num": 2})
    office.control("slack/verify", {"challenge": "abc"})
    (headers, _, event), (_, _, challenge) = receiver.received
    assert (event["event_id"], headers["X-Slack-Retry-Num"]) == ("Ev1", "2")
    assert (challenge["type"], challenge["challenge"]) == ("url_verification", "abc")


def test_the_response_url_works_five_times(office, receiver):
    office.slack("chat.postMessage", channel="C1", text="?", blocks=[BUTTONS])
    office.control("slack/press", {"user_id": "U1", "action_id": "approve"})
    url = receiver.received[0][2]["response_url"]
    body = {"replace_original": True, "text": "C'est fait"}
    answers = [httpx.post(url, json=body, trust_env=False).status_code for _ in range(6)]
    assert answers == [200] * 5 + [404]
    assert office.control("slack/messages", method="GET")["messages"][0]["text"] == "C'est fait"


def test_faults_speak_slack_on_slack(office):
    office.control(
        "faults", {"faults": [{"kind": "throttle", "retry_after": 7}, {"kind": "error", "when": "after", "skip": 1}]}
    )
    limited = office.slack("chat.postMessage", channel="C1", text="x")
    assert (limited.status_code, limited.headers["retry-after"], limited.json()["error"]) == (429, "7", "ratelimited")
    assert office.slack("chat.postMessage", channel="C1", text="x").status_code == 500
    assert len(office.control("slack/messages", method="GET")["messages"]) == 1
