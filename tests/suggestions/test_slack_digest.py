"""What must stand in Slack stands there once, whatever got lost on the way, and says what is true."""

import contextlib
import datetime as dt
import itertools
import os
import signal
import subprocess
import sys

import pytest
from celery.signals import before_task_publish
from django.db import connection
from django.utils import timezone, translation

from apps.connectors import registry
from apps.connectors.models import Channel
from apps.core import clock
from apps.core.actors import Actor
from apps.suggestions import tasks
from apps.suggestions.models import SlackMessage, Suggestion
from apps.suggestions.services import deciding, digest
from tests.factories.clients import ClientFactory, member
from tests.factories.connectors import SlackChannelFactory
from tests.factories.suggestions import CycleFactory, PauseFactory, SkippedFactory, SuggestionFactory
from tests.outside import free_port
from tests.workspace import CHANNEL, OTHER_CHANNEL, TEAM, TOKEN, Workspace, buttons, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace(sandbox, redis_client):
    return Workspace(sandbox)


@pytest.fixture
def client(as_client):
    client = ClientFactory(name="Clos & <Lys>", key="clos")
    as_client(client)
    return client


@pytest.fixture
def channel(client):
    return SlackChannelFactory(client=client, external_id=f"{TEAM}/{CHANNEL}", token=TOKEN)


@pytest.fixture
def cycle(client, channel):
    return CycleFactory(client=client, day=dt.date(2026, 11, 20))


def work(*, after=dt.timedelta(hours=2)):
    """A worker that comes by when everything is due."""
    with clock.at(clock.now() + after):
        for pk in SlackMessage.objects.due(clock.now()).values_list("pk", flat=True):
            digest.show(message_id=pk, slack_for=registry.slack)


def test_a_digest_is_a_head_and_one_message_per_suggestion(workspace, client, cycle):
    SkippedFactory(client=client, cycle=cycle)
    SuggestionFactory(client=client, cycle=cycle, ad_object__name="<!channel> & co", priority=60)
    PauseFactory(client=client, cycle=cycle, impact_low=-20, impact_mid=50, impact_high=120, priority=50)

    assert digest.plan(cycle) == 3
    assert digest.plan(cycle) == 3  # again changes nothing
    with translation.override("en"):
        work()

    head, scale, pause = workspace.messages()
    assert "Clos & <Lys>" in words(head, kind="plain_text")
    assert head["text"].startswith("Clos &amp; &lt;Lys&gt;")
    assert "2" in words(head)
    assert "/c/clos/suggestions/" in words(head)
    assert "&lt;!channel&gt; &amp; co" in words(scale)
    assert "<!channel>" not in words(scale, kind="mrkdwn") + scale["text"]
    assert buttons(scale) == buttons(pause) == ["suggestion_approve", "suggestion_refuse", "suggestion_open"]
    assert SlackMessage.objects.filter(shown=1, wanted=1).count() == 3


def test_the_channel_reads_the_language_of_the_installation(workspace, client, cycle, settings):
    SuggestionFactory(client=client, cycle=cycle)
    digest.plan(cycle)
    settings.LANGUAGE_CODE = "en"

    with translation.override("fr"):
        work()

    text = words(workspace.messages()[1])
    assert "€50.00 → €75.00 a day" in text
    assert "Return of 4.20× on €820.00 spent over 7 days (40 conversions)." in text
    assert "above p75 of the client's 12 ad sets, 3.40×" in text
    assert "Once chance is taken off" in text
    assert "93%" in text
    assert "Unknown: no earlier raise" in text


def test_a_morning_without_suggestions_is_silent(workspace, cycle):
    assert digest.plan(cycle) == 0
    work()

    assert workspace.messages() == []


def test_many_suggestions_are_cut_and_the_rest_is_a_link(workspace, client, cycle, settings):
    settings.LANGUAGE_CODE = "en"
    for _ in range(digest.MOST + 3):
        SuggestionFactory(client=client, cycle=cycle)

    assert digest.plan(cycle) == digest.MOST + 1
    due = list(SlackMessage.objects.order_by("not_before").values_list("not_before", flat=True))
    work()

    assert all(later - sooner >= dt.timedelta(seconds=1) for sooner, later in itertools.pairwise(due))
    assert len(workspace.messages()) == digest.MOST + 1
    assert "3 more are on the page" in words(workspace.messages()[0])


def test_a_client_with_two_channels_reads_it_in_both_and_another_client_in_none(workspace, client, cycle):
    SlackChannelFactory(client=client, external_id=f"{TEAM}/{OTHER_CHANNEL}", token=TOKEN)
    SlackChannelFactory(external_id=f"{TEAM}/C000000009", token=TOKEN)
    SuggestionFactory(client=client, cycle=cycle)

    assert digest.plan(cycle) == 4
    work()

    assert len(workspace.messages()) == len(workspace.messages(OTHER_CHANNEL)) == 2


def test_a_decision_made_elsewhere_changes_every_copy(workspace, client, cycle, settings):
    settings.LANGUAGE_CODE = "en"
    SlackChannelFactory(client=client, external_id=f"{TEAM}/{OTHER_CHANNEL}", token=TOKEN)
    suggestion = SuggestionFactory(client=client, cycle=cycle)
    digest.plan(cycle)
    work()

    ada = member(client, first_name="Ada", last_name="<Web>")
    deciding.refuse(suggestion_id=suggestion.pk, actor=Actor(ada, "web"), reason="No *stock* <https://x.example>")
    work()

    for copy in (workspace.messages()[1], workspace.messages(OTHER_CHANNEL)[1]):
        assert "Refused by Ada &lt;Web&gt;" in words(copy)
        assert "on the web" in words(copy)
        assert "No *stock* &lt;https://x.example&gt;" in words(copy)
        assert buttons(copy) == ["suggestion_open"]
        assert len(copy["edits"]) == 1


@pytest.mark.parametrize(
    ("status", "says"),
    [("expired", "Expired without a decision"), ("done", "work for the team"), ("approved", "To decide")],
)
def test_every_fate_is_told(workspace, client, cycle, settings, status, says):
    settings.LANGUAGE_CODE = "en"
    suggestion = SuggestionFactory(client=client, cycle=cycle)
    digest.plan(cycle)
    work()
    Suggestion.objects.filter(pk=suggestion.pk).update(status=status)
    deciding.refresh_copies(suggestion)
    work()

    shown = workspace.messages()[1]
    assert (says in words(shown)) is (status != "approved")
    assert "suggestion_approve" not in buttons(shown)


def test_what_was_decided_before_it_could_be_posted_is_not_announced(workspace, client, cycle):
    suggestion = SuggestionFactory(client=client, cycle=cycle)
    digest.plan(cycle)
    deciding.approve(suggestion_id=suggestion.pk, actor=Actor(member(client), "web"))
    work()

    assert len(workspace.messages()) == 1
    assert not SlackMessage.objects.due(clock.now() + dt.timedelta(days=1)).exists()


@pytest.mark.parametrize("fault", ["drop", "empty_body", "html_body", "error"])
def test_a_post_whose_answer_was_lost_stands_once(workspace, client, cycle, fault):
    SuggestionFactory(client=client, cycle=cycle)
    digest.plan(cycle)
    workspace.misbehave(fault, "chat.postMessage", when="after", count=2)

    work(after=dt.timedelta(minutes=1))
    assert SlackMessage.objects.filter(ts="", sending_since__isnull=False).count() == 2
    work(after=dt.timedelta(minutes=1))  # not yet: the request may still be on its way
    work(after=dt.timedelta(minutes=3))

    assert len(workspace.messages()) == 2
    assert SlackMessage.objects.filter(shown=1).exclude(ts="").count() == 2


def test_a_post_that_never_arrived_is_sent_again(workspace, client, cycle):
    SuggestionFactory(client=client, cycle=cycle)
    digest.plan(cycle)
    workspace.misbehave("drop", "chat.postMessage", when="before", count=2)

    work(after=dt.timedelta(minutes=1))
    work(after=dt.timedelta(minutes=5))

    assert len(workspace.messages()) == 2


def test_nothing_is_sent_again_while_the_channel_cannot_be_read(workspace, client, cycle):
    SuggestionFactory(client=client, cycle=cycle)
    digest.plan(cycle)
    workspace.misbehave("drop", "chat.postMessage", when="after", count=2)
    workspace.misbehave("error", "conversations.history", count=100)
    for minutes in (1, 5, 30, 120):
        work(after=dt.timedelta(minutes=minutes))

    assert len(workspace.messages()) == 2
    assert SlackMessage.objects.filter(shown=0).count() == 2


def test_a_rate_limit_moves_the_whole_channel_back(workspace, client, cycle):
    workspace.sandbox.control("switches", {"slack_rate_limit": True})
    for _ in range(3):
        SuggestionFactory(client=client, cycle=cycle)
    digest.plan(cycle)

    work(after=dt.timedelta(minutes=1))

    waiting = list(SlackMessage.objects.filter(shown=0).order_by("not_before").values_list("not_before", flat=True))
    assert len(workspace.messages()) == 1
    assert len(waiting) == 3
    assert all(later - sooner >= dt.timedelta(seconds=1) for sooner, later in itertools.pairwise(waiting))


def test_a_message_removed_in_slack_is_given_up(workspace, client, cycle):
    suggestion = SuggestionFactory(client=client, cycle=cycle)
    digest.plan(cycle)
    work()
    SlackMessage.objects.filter(suggestion=suggestion).update(ts="1.000001")
    deciding.refresh_copies(suggestion)
    work()

    message = SlackMessage.objects.get(suggestion=suggestion)
    assert message.is_dead
    assert message.error
    assert not SlackMessage.objects.due(clock.now() + dt.timedelta(days=1)).exists()


def test_a_dead_token_breaks_the_channel_and_loses_nothing(workspace, client, channel, cycle):
    SuggestionFactory(client=client, cycle=cycle)
    digest.plan(cycle)
    workspace.sandbox.control("slack/team", {"token_state": "token_revoked"})
    work()
    channel.refresh_from_db()
    assert channel.state == Channel.State.NEEDS_RECONNECT

    workspace.sandbox.control("slack/team", {"token_state": ""})
    Channel.objects.update(state=Channel.State.CONNECTED)
    work(after=dt.timedelta(hours=4))

    assert len(workspace.messages()) == 2


def test_what_happens_while_slack_is_slow_is_shown_at_once(workspace, client, cycle):
    suggestion = SuggestionFactory(client=client, cycle=cycle)
    digest.plan(cycle)
    message = SlackMessage.objects.get(suggestion=suggestion)

    class Slow:
        def __init__(self, channel):
            self.real = registry.slack(channel)

        def post_message(self, *args, **kwargs):
            posted = self.real.post_message(*args, **kwargs)
            deciding.approve(suggestion_id=suggestion.pk, actor=Actor(member(client), "web"))
            return posted

    with clock.at(clock.now() + dt.timedelta(minutes=1)):
        assert digest.show(message_id=message.pk, slack_for=Slow) is True
        assert digest.show(message_id=message.pk, slack_for=registry.slack) is False

    assert buttons(workspace.messages()[0]) == ["suggestion_open"]


def test_the_sweep_enqueues_every_due_message_a_second_apart_in_its_channel(workspace, client, cycle):
    SlackChannelFactory(client=client, external_id=f"{TEAM}/{OTHER_CHANNEL}", token=TOKEN)
    SuggestionFactory(client=client, cycle=cycle)
    digest.plan(cycle)
    sent = []

    def note(headers, body, **_):
        sent.append((tuple(body[0]), headers["eta"]))

    before_task_publish.connect(note)
    started = timezone.now()
    with clock.at(clock.now() + dt.timedelta(minutes=1)):
        tasks.sweep_slack_messages()
    before_task_publish.disconnect(note)

    assert sorted(args for args, _ in sent) == sorted(SlackMessage.objects.values_list("client_id", "pk"))
    at_once, later = [eta for _, eta in sent if not eta], [eta for _, eta in sent if eta]
    assert (len(at_once), len(later)) == (2, 2)
    assert all(dt.datetime.fromisoformat(eta) - started >= digest.PACE for eta in later)


def test_a_decision_stands_while_the_broker_is_away(client, cycle, caplog, django_capture_on_commit_callbacks):
    suggestion = SuggestionFactory(client=client, cycle=cycle)
    digest.plan(cycle)
    decision = deciding.approve(suggestion_id=suggestion.pk, actor=Actor(member(client), "web"))

    with nowhere_to_send(), django_capture_on_commit_callbacks(execute=True) as nudges:
        tasks.nudge(decision)

    assert len(nudges) == 2
    assert caplog.text.count("the broker is away") == 2


@contextlib.contextmanager
def nowhere_to_send():
    """Celery whose broker listens nowhere."""
    from durum.celery import app

    def forget_connections():
        app._pool = app.amqp._producer_pool = None

    usual, app.conf.broker_url = app.conf.broker_url, f"redis://127.0.0.1:{free_port()}/0"
    forget_connections()
    try:
        yield
    finally:
        app.conf.broker_url = usual
        forget_connections()


SCRIPT = """
import datetime as dt, sys
import django
django.setup()
from apps.connectors import registry
from apps.core import clock
from apps.core.tenancy import use_client
from apps.suggestions.services import digest
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
client_id, pk, minutes = map(int, sys.argv[2:])
with use_client(client_id), clock.at(clock.now() + dt.timedelta(minutes=minutes)):
    digest.show(message_id=pk, slack_for=registry.slack)
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["slack.before_post", "slack.after_post"])
def test_a_worker_killed_around_the_post_leaves_one_message(workspace, client, cycle, point):
    suggestion = SuggestionFactory(client=client, cycle=cycle)
    digest.plan(cycle)
    message = SlackMessage.objects.get(suggestion=suggestion)
    environment = os.environ | {
        "DURUM_CRASH_AT": point,
        "SLACK_API_URL": workspace.sandbox.slack_url,
        "DJANGO_SETTINGS_MODULE": "durum.settings.test",
    }

    asked = [connection.settings_dict["NAME"], str(client.pk), str(message.pk), "1"]
    died = subprocess.run([sys.executable, "-c", SCRIPT, *asked], env=environment, check=False)
    assert died.returncode == -signal.SIGKILL
    assert len(workspace.messages()) == (point == "slack.after_post")
    message.refresh_from_db()
    assert (message.ts, message.shown) == ("", 0)

    with clock.at(clock.now() + dt.timedelta(minutes=2)):
        assert digest.show(message_id=message.pk, slack_for=registry.slack) is False  # the dead worker's lease holds
    with clock.at(clock.now() + dt.timedelta(minutes=5)):
        digest.show(message_id=message.pk, slack_for=registry.slack)

    message.refresh_from_db()
    assert [row["ts"] for row in workspace.messages()] == [message.ts]
    assert message.shown == 1
