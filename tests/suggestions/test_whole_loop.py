"""One morning and what follows it, through every door: Meta and Slack are the sandbox, the server is live.

Both clocks stand where the test puts them: the sandbox's own, and the one all threads of Durum read.
"""

import datetime as dt
import html

import pytest
from django.test import Client as Browser
from django.utils import timezone

from apps.ads import tasks as ads_tasks
from apps.ads.models import PerformanceMetric
from apps.ads.services import fetching
from apps.clients.services.clients import create_client
from apps.connectors.models import Channel, SyncRun
from apps.connectors.services import channels
from apps.core.actors import Actor
from apps.core.tenancy import use_client
from apps.suggestions import tasks
from apps.suggestions.models import (
    CycleRun,
    Decision,
    DecisionArchive,
    ExecutionLog,
    FeedbackLoop,
    Hypothesis,
    SkippedCandidate,
    SlackMessage,
    Suggestion,
    SuggestionArchive,
    ValidationItem,
)
from tests.factories.clients import UserFactory
from tests.factories.connectors import SlackIdentityFactory
from tests.workspace import CHANNEL, NORA, SECRET, TEAM, TOKEN, Workspace, buttons, words

pytestmark = pytest.mark.django_db(transaction=True)

MORNING = dt.datetime(2026, 10, 5, 6, 30, tzinfo=dt.UTC)
GOOD, BAD, PLAIN = 2.0, 0.3, 1.0
REASON = "Stock is back on Monday"
ACCOUNT = {
    "id": "act_900300",
    "name": "Clos des Lys",
    "currency": "EUR",
    "timezone": "Europe/Paris",
    "order_value": 60,
    "roi": 4.0,
    "noise": 0.5,
    "history_days": 70,
    "campaigns": [
        {
            "name": "Acquisition",
            "adsets": [
                {
                    "name": name,
                    "daily_budget": 12000,
                    "reference": 120,
                    "quality": quality,
                    "ads": [{"appeal": 1, "persuasion": 1, "wear": 0.1}],
                    "age_days": 70,
                }
                for name, quality in [("Good", GOOD), ("Bad", BAD)] + [(f"Plain {n}", PLAIN) for n in range(1, 7)]
            ],
        }
    ],
}


class World:
    """The sandbox and Durum at one moment, moved on together; tasks run in this process as a worker would run them."""

    def __init__(self, sandbox, live_server, monkeypatch):
        self.moment = MORNING
        monkeypatch.setattr(timezone, "now", lambda: self.moment)
        self.slack = Workspace(sandbox)  # its own scenario makes room for the one below
        self.sandbox = sandbox
        sandbox.control(
            "scenario",
            {
                "seed": 11,
                "now": MORNING.isoformat(),
                "slack_rate_limit": False,
                "apps": [{"id": "77", "secret": "app-secret", "requires_proof": True}],
                "tokens": [{"token": "ads-token", "app": "77", "accounts": [ACCOUNT["id"]]}],
                "accounts": [ACCOUNT],
                "slack": {
                    "users": [{"id": NORA, "name": "Nora Vidal", "email": "nora@example.com"}],
                    "channels": ["clos-des-lys"],
                    "bot_token": TOKEN,
                    "signing_secret": SECRET,
                    "interactivity_url": f"{live_server.url}/slack/events/",
                },
            },
        )

    def go_on(self, **step):
        self.moment += dt.timedelta(**step)
        self.sandbox.control("clock", {"now": self.moment.isoformat()})

    def fetch(self, channel, actor):
        run = fetching.request_fetch(channel_id=channel.pk, actor=actor)
        ads_tasks.fetch(channel.client_id, run.pk)
        run.refresh_from_db()
        assert (run.state, run.error) == (SyncRun.State.DONE, "")

    def show(self):
        """A worker brings every message in Slack up to date."""
        self.go_on(seconds=30)
        for row in SlackMessage.objects.due(self.moment):
            tasks.refresh_slack_message(row.client_id, row.pk)

    def carry_out(self):
        for row in ExecutionLog.objects.due(self.moment):
            tasks.carry_out(row.client_id, row.pk)

    def written(self):
        """Every write the account really took: (object, field, old, new, by whom)."""
        rows = self.sandbox.truth("writes", account=ACCOUNT["id"])["writes"]
        return [(row["object_id"], row["field"], row["old"], row["new"], row["source"]) for row in rows]


@pytest.fixture
def world(sandbox, redis_client, live_server, settings, monkeypatch):
    settings.SLACK_SIGNING_SECRET = SECRET
    settings.SITE_URL = live_server.url
    settings.META_APP_ID, settings.META_APP_SECRET = "77", "app-secret"
    return World(sandbox, live_server, monkeypatch)


@pytest.fixture
def nora(db):
    """The owner of the client, linked to the person in Slack."""
    user = UserFactory(first_name="Nora", last_name="Vidal")
    SlackIdentityFactory(user=user, team_id=TEAM, slack_user_id=NORA)
    return user


def test_the_whole_loop(world, nora):
    client = create_client(actor=Actor(None, "command"), owner=nora, key="clos", name="Clos des Lys", roi_target=3)
    with use_client(client):
        account = connect(client, nora)
        world.fetch(account, Actor(nora, "web"))
        tasks.daily_cycle(client.pk)
        scale, pause = proposed()
        digest_in_slack(world)

        approve_one_refuse_one(world, nora, scale, pause)
        world.carry_out()
        applied_once_with_proof(world, scale)
        decided_in_slack(world)
        world.carry_out()
        assert len(world.written()) == 1

        world.go_on(days=17)
        world.fetch(account, Actor(nora, "web"))
        tasks.evaluate_of(client.pk)
        outcome_of_both(scale, pause)
        outcome_on_the_pages(nora, scale, pause)

        undo(world, nora, scale)
        put_away_and_readable(world, nora, client, scale, pause)


def connect(client, nora):
    by = {"client_id": client.pk, "actor": Actor(nora, "web")}
    channels.connect(
        platform=Channel.Platform.SLACK, external_id=f"{TEAM}/{CHANNEL}", name="#clos-des-lys", token=TOKEN, **by
    )
    return channels.connect(
        platform=Channel.Platform.META_ADS, external_id=ACCOUNT["id"], name="Clos des Lys", token="ads-token", **by
    )


def proposed():
    """The morning: one raise, one pause, and the one that was looked at and not proposed, with its reason."""
    days = PerformanceMetric.objects.order_by("day").values_list("day", flat=True)
    assert (days.first(), days.last()) == (dt.date(2026, 8, 7), dt.date(2026, 10, 5))
    assert PerformanceMetric.objects.count() == 8 * 60
    scale, pause = Suggestion.objects.order_by("kind").reverse()
    assert [(row.kind, row.ad_object.name, row.field, row.before, row.target) for row in (scale, pause)] == [
        ("scale", "Good", "daily_budget", "12000", "18000"),
        ("pause", "Bad", "status", "ACTIVE", "PAUSED"),
    ]
    assert [(row.ad_object.name, row.kind, row.reason) for row in SkippedCandidate.objects.all()] == [
        ("Plain 3", "scale", "below_percentile")
    ]
    assert CycleRun.objects.get().counts == {"proposed": 2, "skipped": 1}
    assert ValidationItem.objects.filter(closed_at=None).count() == 2
    assert not ExecutionLog.objects.exists()
    return scale, pause


def digest_in_slack(world):
    world.show()
    head, first, second = world.slack.messages()
    assert words(head).startswith("Clos des Lys · 5 Oct. 2026\n2 suggestions to decide.\n1 candidate was looked at")
    assert "*Pause*: Bad" in words(first)
    assert "€120.00 → €180.00 a day" in words(second)
    assert "*Confidence*\nover 99%" in words(second)
    for message in (first, second):
        assert buttons(message) == ["suggestion_approve", "suggestion_refuse", "suggestion_open"]


def approve_one_refuse_one(world, nora, scale, pause):
    """A button, and a button with its form; both as signed requests to the live server."""
    approved = world.slack.press(NORA, "suggestion_approve", ts=ts_of(scale))
    asked = world.slack.press(NORA, "suggestion_refuse", ts=ts_of(pause))
    refused = world.slack.submit(asked["opened_views"][0], REASON)

    assert (approved["status"], asked["status"], refused["status"]) == (200, 200, 200)
    assert refused["view_state"] == "closed"
    said = Decision.objects.order_by("pk").values_list("suggestion", "verdict", "user", "via", "reason")
    assert list(said) == [
        (scale.pk, "approve", nora.pk, "slack", ""),
        (pause.pk, "refuse", nora.pk, "slack", REASON),
    ]
    assert states(scale, pause) == ["approved", "refused"]
    assert world.written() == []


def applied_once_with_proof(world, scale):
    """Read, written once, read back; the account's own ledger says the same."""
    row = ExecutionLog.objects.get()
    object_id = scale.ad_object.external_id
    assert (row.state, row.expected, row.target, row.after) == ("done", "12000", "18000", "18000")
    running = {"status": "ACTIVE", "effective_status": "ACTIVE"}
    assert row.proof == {
        "read_before": running | {"daily_budget_minor": 12000},
        "read_after": running | {"daily_budget_minor": 18000},
        "read_at": world.moment.isoformat(),
    }
    assert world.written() == [(object_id, "daily_budget", 12000, 18000, "api")]
    scale.refresh_from_db()
    assert (scale.status, scale.closed_at) == ("done", world.moment)
    claim = Hypothesis.objects.get()
    assert (claim.execution, claim.state, claim.probability) == (row, "open", scale.confidence)
    assert (claim.baseline_start, claim.baseline_end) == (dt.date(2026, 9, 7), dt.date(2026, 9, 27))
    assert (claim.window_start, claim.window_end) == (dt.date(2026, 10, 6), dt.date(2026, 10, 19))
    assert not ValidationItem.objects.filter(closed_at=None).exists()


def decided_in_slack(world):
    world.show()
    _head, refused, approved = world.slack.messages()
    assert f":x: Refused by Nora Vidal, 5 Oct. 2026, 08:30 CEST in Slack: “{REASON}”" in words(refused)
    assert words(approved).splitlines()[-3:-1] == [
        ":white_check_mark: Approved by Nora Vidal, 5 Oct. 2026, 08:30 CEST in Slack.",
        ":checkered_flag: Done and read back at Meta, 5 Oct. 2026, 08:30 CEST.",
    ]
    assert buttons(refused) == buttons(approved) == ["suggestion_open"]


def outcome_of_both(scale, pause):
    """Seven brothers that nobody touched are the controls: grade C. The refused pause would have been right."""
    claim = Hypothesis.objects.get()
    assert (claim.state, claim.grade, claim.verdict, claim.controls) == ("evaluated", "C", "confirmed", 7)
    assert (claim.effect_low, claim.effect, claim.effect_high) == pytest.approx((0.1872, 0.3770, 0.5669), abs=5e-5)
    learned = FeedbackLoop.objects.get()
    assert (learned.hypothesis, learned.kind, learned.said) == (claim, "scale", scale.confidence)
    assert (learned.spend_before, learned.spend_after) == pytest.approx((119.31, 178.12), abs=5e-3)
    scale.refresh_from_db()
    pause.refresh_from_db()
    assert (scale.came_true, pause.came_true) == (True, True)


def outcome_on_the_pages(nora, scale, pause):
    said, refused = (read(nora, f"suggestions/{row.pk}/") for row in (scale, pause))
    assert "€120.00 → €180.00 a day" in said
    assert REASON in refused
    assert "Good" in read(nora, "outcomes/")


def undo(world, nora, scale):
    browser = signed_in(nora)
    answer = browser.post(f"/c/clos/suggestions/{scale.pk}/undo/", {"reason": "Test over"})
    assert answer.status_code == 302
    assert browser.post(f"/c/clos/suggestions/{scale.pk}/undo/", {"reason": "Twice"}).status_code in (302, 409)
    world.carry_out()

    object_id = scale.ad_object.external_id
    assert world.written() == [
        (object_id, "daily_budget", 12000, 18000, "api"),
        (object_id, "daily_budget", 18000, 12000, "api"),
    ]
    back = ExecutionLog.objects.get(undo_of__isnull=False)
    assert (back.state, back.after, back.proof["read_after"]["daily_budget_minor"]) == ("done", "12000", 12000)
    world.show()
    assert words(world.slack.messages()[2]).splitlines()[-5:-1] == [
        ":white_check_mark: Approved by Nora Vidal, 5 Oct. 2026, 08:30 CEST in Slack.",
        ":checkered_flag: Done and read back at Meta, 5 Oct. 2026, 08:30 CEST.",
        ":leftwards_arrow_with_hook: Undo asked by Nora Vidal, 22 Oct. 2026, 08:31 CEST on the web.",
        ":leftwards_arrow_with_hook: Put back and read back at Meta, 22 Oct. 2026, 08:31 CEST.",
    ]


def put_away_and_readable(world, nora, client, scale, pause):
    """Thirty days after they were closed the suggestions move, ninety days after they fell the decisions."""
    world.go_on(days=14)
    tasks.archive_of(client.pk)
    assert not Suggestion.objects.exists()
    kept = list(SuggestionArchive.objects.order_by("original_id").values_list("original_id", "kind", "came_true"))
    assert kept == sorted([(scale.pk, "scale", True), (pause.pk, "pause", True)])
    assert (Decision.objects.count(), ExecutionLog.objects.count(), Hypothesis.objects.count()) == (3, 2, 1)

    world.go_on(days=62)
    tasks.archive_of(client.pk)
    assert list(Decision.objects.values_list("verdict", flat=True)) == ["undo"]
    away = DecisionArchive.objects.order_by("pk").values_list("suggestion_number", "verdict", "user_label", "reason")
    assert sorted(away) == sorted([(scale.pk, "approve", "Nora Vidal", ""), (pause.pk, "refuse", "Nora Vidal", REASON)])
    pages = {row.kind: read(nora, f"suggestions/archive/{row.pk}/") for row in SuggestionArchive.objects.all()}
    assert REASON in pages["pause"]
    assert pages["scale"].count("Nora Vidal") >= 2
    assert "18000" in pages["scale"]
    assert "Good" in read(nora, "suggestions/?state=archive")
    world.show()
    assert len(world.slack.messages()) == 3
    tasks.archive_of(client.pk)
    assert SuggestionArchive.objects.count() == 2


def ts_of(suggestion):
    return SlackMessage.objects.get(suggestion=suggestion).ts


def states(*suggestions):
    for row in suggestions:
        row.refresh_from_db()
    return [row.status for row in suggestions]


def signed_in(user):
    browser = Browser()
    browser.force_login(user)
    return browser


def read(user, path):
    """A page of the client as the browser gets it."""
    answer = signed_in(user).get(f"/c/clos/{path}")
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())
