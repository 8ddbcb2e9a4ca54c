"""Slack's answers become our errors, a lost post is found again, and nothing too long or unescaped leaves."""

import datetime as dt

import pytest

from apps.connectors import registry
from apps.connectors.providers.slack import blocks
from apps.connectors.providers.slack.connector import SlackConnector
from apps.core import clock
from apps.core.errors import NeedsReconnect, OutcomeUnknown, Rejected, Unavailable
from apps.core.models import ApiCall
from tests.factories.connectors import SlackChannelFactory
from tests.workspace import CHANNEL, NORA, TEAM, TOKEN, Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace(sandbox, redis_client):
    return Workspace(sandbox)


@pytest.fixture
def slack(workspace, as_client):
    channel = SlackChannelFactory(external_id=f"{TEAM}/{CHANNEL}", token=TOKEN)
    as_client(channel.client)
    channel.refresh_from_db()  # as services have it: the token does not print itself
    return registry.slack(channel)


def post(slack, key="k1", text="Hello"):
    return slack.post_message(text, [blocks.section(text)], event_type="durum_suggestion", key=key)


def test_a_message_is_posted_changed_and_found_by_its_key(slack, workspace):
    posted = post(slack)
    slack.update(posted.ts, "Changed", [blocks.section("Changed")])

    (message,) = workspace.messages()
    assert message["text"] == "Changed"
    assert message["metadata"] == {"event_type": "durum_suggestion", "event_payload": {"key": "k1"}}
    since = clock.now() - dt.timedelta(minutes=1)
    assert slack.find_own(event_type="durum_suggestion", key="k1", since=since) == posted
    assert slack.find_own(event_type="durum_suggestion", key="k2", since=since) is None
    assert slack.find_own(event_type="other", key="k1", since=since) is None


def test_a_lost_message_is_found_on_a_later_page(slack, workspace, monkeypatch):
    monkeypatch.setattr("apps.connectors.providers.slack.connector.HISTORY_PAGE", 2)
    first = post(slack, key="first")
    for number in range(4):
        post(slack, key=f"later{number}")

    assert slack.find_own(event_type="durum_suggestion", key="first", since=clock.now()) == first


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "throttle"}, Unavailable),
        ({"kind": "error", "status": 500}, OutcomeUnknown),
        ({"kind": "error", "status": 503}, OutcomeUnknown),
        ({"kind": "drop"}, OutcomeUnknown),
        ({"kind": "drop", "when": "after"}, OutcomeUnknown),
        ({"kind": "html_body", "when": "after"}, OutcomeUnknown),
        ({"kind": "empty_body", "when": "after"}, OutcomeUnknown),
        ({"kind": "expired_token", "error": "token_revoked"}, NeedsReconnect),
    ],
)
def test_a_post_that_fails_says_what_may_be_done_next(slack, workspace, fault, expected):
    workspace.misbehave(fault.pop("kind"), "chat.postMessage", **fault)

    with pytest.raises(expected) as failed:
        post(slack)

    assert type(failed.value) is expected
    assert TOKEN not in failed.value.detail
    assert ApiCall.objects.filter(endpoint="chat.postMessage", error_kind=expected.__name__).count() == 1
    calls = workspace.sandbox._answer(workspace.sandbox._http.get("/_control/requests?path=postMessage"))
    assert calls["total"] == 1  # a write is never repeated by the wire


def test_a_rate_limit_names_the_seconds(slack, workspace):
    workspace.sandbox.control("switches", {"slack_rate_limit": True})
    post(slack, key="one")

    with pytest.raises(Unavailable) as limited:
        post(slack, key="two")

    assert limited.value.retry_after == 1
    assert len(workspace.messages()) == 1


def test_a_read_is_repeated_by_itself(slack, workspace):
    workspace.misbehave("error", "users.info", status=500)

    person = slack.users_info(NORA)

    assert (person.name, person.email, person.is_deleted) == ("Nora Vidal", "nora@example.com", False)


def test_people_and_workspace(slack):
    assert slack.users_lookup_by_email("nora@example.com").id == NORA
    with pytest.raises(Rejected) as nobody:
        slack.users_lookup_by_email("nobody@example.com")
    assert nobody.value.code == "users_not_found"
    assert slack.auth_test().team_id == TEAM


TEXT = [blocks.section("x")]
FORM = blocks.modal("Title", callback_id="c", submit="s", close="c")


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda s: s.update("1.000001", "x", TEXT), "message_not_found"),
        (lambda s: s.views_open("nonsense", FORM), "invalid_trigger_id"),
        (lambda s: s.post_message("x", TEXT, event_type="e", key="k", channel_id="C9"), "channel_not_found"),
    ],
)
def test_a_refusal_is_rejected_with_slacks_code(slack, call, code):
    with pytest.raises(Rejected) as refused:
        call(slack)

    assert refused.value.code == code


def test_a_dead_token_needs_a_new_connection(workspace, db):
    with pytest.raises(NeedsReconnect) as dead:
        SlackConnector("xoxb-nobody", team_id=TEAM).auth_test()

    assert "again" in str(dead.value)


def test_text_of_people_cannot_call_everybody():
    assert blocks.escape("<!channel> & <@U1>") == "&lt;!channel&gt; &amp; &lt;@U1&gt;"


@pytest.mark.parametrize("length", range(1, 14))
def test_a_cut_never_goes_through_an_escaped_character(length):
    cut = blocks.clip(blocks.escape("ab<<>>&&cd"), length)

    assert len(cut) <= length
    assert all(part.startswith(("lt;", "gt;", "amp;")) for part in cut.split("&")[1:])


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        ([blocks.section("x")] * 51, "51 blocks, 50 at most"),
        ([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}], "text is 3001, 3000 at most"),
        ([blocks.section("x", fields=["f"] * 11)], "fields is 11, 10 at most"),
        ([{"type": "section", "text": {"type": "mrkdwn", "text": ""}}], "empty text"),
        ([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], "text is 151, 150 at most"),
        ([blocks.actions(*[blocks.button("b", f"a{n}") for n in range(26)])], "elements is 26, 25 at most"),
        ([blocks.actions(blocks.button("b", "a", value="v" * 2001))], "value is 2001, 2000 at most"),
        ([blocks.actions(blocks.button("b", "a", url="https://x.example/" + "u" * 3000))], "url is 3018, 3000 at most"),
        ([blocks.context(*["x"] * 11)], "elements is 11, 10 at most"),
        ([blocks.section("x" * 2600)] * 4, "10400 characters in all, 10000 at most"),
        ([blocks.section("x", block_id="b" * 256)], "block_id over 255"),
    ],
)
def test_what_breaks_slacks_limits_is_not_sent(slack, workspace, made, problem):
    with pytest.raises(Rejected) as refused:
        slack.post_message("x", made, event_type="e", key="k")

    assert problem in refused.value.detail
    assert workspace.messages() == []


def test_builders_keep_within_the_limits_themselves():
    question = blocks.confirm_dialog("t" * 200, "x" * 400, "y" * 40, "n" * 40)
    made = [
        blocks.header("h" * 400),
        blocks.section("s" * 5000, fields=["f" * 3000]),
        blocks.actions(blocks.button("b" * 100, "a", confirm=question)),
    ]

    blocks.check_message("x", made)
    blocks.check_modal(blocks.modal("t" * 60, made[1], callback_id="c", submit="s" * 60, close="c" * 60))
