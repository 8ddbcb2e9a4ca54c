"""People decide in Slack: signed clicks reach the live server, the same rules hold, everybody sees the outcome."""

import datetime as dt

import pytest
from django.test import Client as Browser

from apps.clients.roles import Role
from apps.connectors import registry
from apps.connectors.models import SlackIdentity
from apps.core import clock
from apps.core.actors import Actor
from apps.core.tenancy import use_client
from apps.suggestions.models import Decision, ExecutionLog, SlackMessage, Suggestion
from apps.suggestions.services import deciding, digest
from tests.concurrency import at_once
from tests.factories.clients import ClientFactory, UserFactory, member
from tests.factories.connectors import SlackChannelFactory, SlackIdentityFactory
from tests.factories.suggestions import CycleFactory, PauseFactory, SuggestionFactory
from tests.workspace import ALI, CHANNEL, NORA, OTHER_CHANNEL, SECRET, STRANGER, TEAM, TOKEN, Workspace, buttons, words

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def workspace(sandbox, redis_client, live_server, settings):
    settings.SLACK_SIGNING_SECRET = SECRET
    settings.SITE_URL = live_server.url
    return Workspace(sandbox, interactivity_url=f"{live_server.url}/slack/events/")


@pytest.fixture
def client(as_client):
    client = ClientFactory(name="Clos des Lys", key="clos")
    as_client(client)
    return client


@pytest.fixture
def nora(client):
    user = member(client, first_name="Nora", last_name="Vidal", language="en")
    SlackIdentityFactory(user=user, team_id=TEAM, slack_user_id=NORA)
    return user


@pytest.fixture
def digested(workspace, client, nora):
    """Two suggestions that stand in the channel: a raise and a pause."""
    SlackChannelFactory(client=client, external_id=f"{TEAM}/{CHANNEL}", token=TOKEN)
    cycle = CycleFactory(client=client)
    scale = SuggestionFactory(client=client, cycle=cycle, priority=60)
    pause = PauseFactory(client=client, cycle=cycle, priority=50)
    digest.plan(cycle)
    work()
    return scale, pause


def work():
    """A worker that comes by a while later."""
    with clock.at(clock.now() + dt.timedelta(hours=2)):
        for pk in SlackMessage.objects.due(clock.now()).values_list("pk", flat=True):
            digest.show(message_id=pk, slack_for=registry.slack)


def ts_of(suggestion):
    return SlackMessage.objects.get(suggestion=suggestion).ts


def nothing_decided():
    return not Decision.objects.exists() and not ExecutionLog.objects.exists()


def test_approve_one_and_refuse_one_with_a_reason(workspace, digested, nora):
    scale, pause = digested

    approved = workspace.press(NORA, "suggestion_approve", ts=ts_of(scale))
    asked = workspace.press(NORA, "suggestion_refuse", ts=ts_of(pause))
    (view,) = asked["opened_views"]
    refused = workspace.submit(view, "It sells *again* <tomorrow>")
    work()

    assert (approved["status"], approved["body"]) == (200, "")
    assert (asked["status"], refused["status"], refused["view_state"]) == (200, 200, "closed")
    assert approved["millis"] < 3000
    said = {decision.verdict: decision for decision in Decision.objects.all()}
    assert (said["approve"].user, said["approve"].via, said["approve"].suggestion) == (nora, "slack", scale)
    assert (said["refuse"].suggestion, said["refuse"].reason) == (pause, "It sells *again* <tomorrow>")
    assert ExecutionLog.objects.get().suggestion == scale
    _head, first, second = workspace.messages()
    assert "Nora Vidal" in words(first)
    assert "It sells *again* &lt;tomorrow&gt;" in words(second)
    assert buttons(first) == buttons(second) == ["suggestion_open"]
    assert workspace.whispers(NORA) == []


def test_a_refusal_without_a_reason_is_asked_again_in_the_form(workspace, digested):
    asked = workspace.press(NORA, "suggestion_refuse", ts=ts_of(digested[1]))

    answer = workspace.submit(asked["opened_views"][0], "   ")

    assert answer["view_state"] == "open"
    assert "Say why" in answer["body"]
    assert nothing_decided()


def test_a_late_click_reads_what_everybody_reads(workspace, digested, client):
    scale, _pause = digested
    ada = member(client, first_name="Ada", last_name="First")
    deciding.approve(suggestion_id=scale.pk, actor=Actor(ada, "web"))

    workspace.press(NORA, "suggestion_approve", ts=ts_of(scale))

    (told,) = workspace.whispers(NORA)
    assert "Already approved by Ada First" in told
    assert Decision.objects.count() == 1
    work()
    assert "suggestion_approve" not in buttons(workspace.messages()[1])


def test_a_late_refusal_is_told_on_the_button_and_in_the_form(workspace, digested, client):
    scale, pause = digested
    ada = member(client, first_name="Ada", last_name="First")
    form = workspace.press(NORA, "suggestion_refuse", ts=ts_of(scale))["opened_views"][0]
    for row in digested:
        deciding.approve(suggestion_id=row.pk, actor=Actor(ada, "web"))

    answer = workspace.submit(form, "Too late")
    button = workspace.press(NORA, "suggestion_refuse", ts=ts_of(pause))

    assert answer["view_state"] == "open"
    assert "Already approved by Ada First" in answer["body"]
    assert button["opened_views"] == []
    assert "Already approved by Ada First" in workspace.whispers(NORA)[0]
    assert Decision.objects.count() == 2


def test_an_unlinked_person_is_told_how_and_can_then_decide(workspace, digested, client, live_server):
    scale, _pause = digested
    ali = member(client, username="ali", email="ali@example.com", language="en")

    workspace.press(ALI, "suggestion_approve", ts=ts_of(scale))
    (told,) = workspace.whispers(ALI)
    address = told.partition("<")[2].partition("|")[0]
    assert nothing_decided()

    browser = Browser()
    browser.force_login(ali)
    page = browser.get(address)
    assert "Ali Kaya" in page.content.decode()
    assert "Agence" in page.content.decode()  # Slack's name of the workspace
    assert SlackMessage.objects.first().channel.name not in page.content.decode()  # ours may be another client's
    token = address.partition("link=")[2]
    answer = browser.post("/me/slack/", {"link": token})
    assert (answer.status_code, answer["Location"]) == (302, "/me/slack/")
    workspace.press(ALI, "suggestion_approve", ts=ts_of(scale))

    assert Decision.objects.get().user == ali


def test_a_form_of_somebody_no_longer_linked_decides_nothing(workspace, digested, nora):
    form = workspace.press(NORA, "suggestion_refuse", ts=ts_of(digested[0]))["opened_views"][0]
    SlackIdentity.objects.all().delete()

    answer = workspace.submit(form, "Reason")

    assert answer["view_state"] == "open"
    assert "/me/slack/?link=" in answer["body"]
    assert nothing_decided()


def test_people_of_another_client_viewers_and_the_dismissed_decide_nothing(workspace, digested, client):
    scale, _pause = digested
    foreign = member(ClientFactory(), role=Role.OWNER, language="en")
    viewer = member(client, role=Role.VIEWER, language="en")
    for user, slack_user in ((foreign, ALI), (viewer, STRANGER)):
        SlackIdentityFactory(user=user, team_id=TEAM, slack_user_id=slack_user)

    workspace.press(ALI, "suggestion_approve", ts=ts_of(scale))
    workspace.press(ALI, "suggestion_refuse", ts=ts_of(scale))
    workspace.press(STRANGER, "suggestion_approve", ts=ts_of(scale))
    opened = workspace.press(STRANGER, "suggestion_refuse", ts=ts_of(scale))["opened_views"]

    assert opened == []
    assert all("a client you do not work for" in told for told in workspace.whispers(ALI))
    assert all("do not have the right" in told for told in workspace.whispers(STRANGER))
    assert (len(workspace.whispers(ALI)), len(workspace.whispers(STRANGER))) == (2, 2)
    foreign.is_active = False
    foreign.save()
    workspace.press(ALI, "suggestion_approve", ts=ts_of(scale))
    assert "Durum" in workspace.whispers(ALI)[2]
    assert nothing_decided()


def test_the_same_number_in_another_workspace_is_somebody_else(workspace, digested, nora):
    SlackIdentity.objects.update(team_id="T0OTHER")

    workspace.press(NORA, "suggestion_approve", ts=ts_of(digested[0]))
    workspace.press(NORA, "suggestion_approve", ts=ts_of(digested[0]), team_id_claimed="T0OTHER")

    assert nothing_decided()


def test_a_key_is_good_only_where_its_message_stands(workspace, digested, client, nora):
    scale, _pause = digested
    SlackChannelFactory(client=client, external_id=f"{TEAM}/{OTHER_CHANNEL}", token=TOKEN)
    cycle = CycleFactory(client=client)
    SuggestionFactory(client=client, cycle=cycle)
    digest.plan(cycle)
    work()
    key = str(SlackMessage.objects.get(suggestion=scale).key)

    for value in (key, "nonsense", "", "00000000-0000-0000-0000-000000000000"):
        order = {"channel": OTHER_CHANNEL, "value": value, "forged": True}
        assert workspace.press(NORA, "suggestion_approve", **order)["status"] == 200

    assert len(workspace.whispers(NORA, OTHER_CHANNEL)) == 4
    assert nothing_decided()


@pytest.mark.parametrize("signature", ["wrong", "missing", "stale", "garbled"])
def test_a_click_slack_did_not_sign_just_now_decides_nothing(workspace, digested, signature):
    answer = workspace.press(NORA, "suggestion_approve", ts=ts_of(digested[0]), signature=signature)

    assert answer["status"] == 401
    assert nothing_decided()


def test_a_replayed_click_decides_nothing_again(workspace, digested, nora):
    scale, _pause = digested
    first = workspace.press(NORA, "suggestion_approve", ts=ts_of(scale))
    ExecutionLog.objects.all().delete()
    Decision.objects.all().delete()
    Suggestion.objects.filter(pk=scale.pk).update(status=Suggestion.Status.WAITING)

    again = workspace.sandbox.control("slack/replay", {"delivery": first["delivery"]})

    assert again["status"] == 409
    assert nothing_decided()


def test_links_and_buttons_of_the_past_get_an_answer(workspace, digested):
    opened = workspace.press(NORA, "suggestion_open", ts=ts_of(digested[0]))
    old = workspace.press(NORA, "a_button_of_last_year", ts=ts_of(digested[0]), forged=True)

    assert (opened["status"], old["status"]) == (200, 200)
    assert nothing_decided()


def test_a_decision_stands_when_slack_cannot_be_told(workspace, digested):
    scale, _pause = digested
    workspace.misbehave("error", "slack/api/.*", status=500, count=50)

    workspace.press(NORA, "suggestion_approve", ts=ts_of(scale))
    late = workspace.press(NORA, "suggestion_approve", ts=ts_of(scale))

    assert late["status"] == 200
    assert Decision.objects.count() == 1


def test_slack_that_does_not_open_the_form_is_told_to_the_person(workspace, digested):
    workspace.misbehave("error", "views.open", body={"ok": False, "error": "expired_trigger_id"}, status=200)

    answer = workspace.press(NORA, "suggestion_refuse", ts=ts_of(digested[0]))

    assert answer["status"] == 200
    assert "Press the button again" in workspace.whispers(NORA)[0]


def decide_in_slack_and_on_the_web(workspace, scale, web_user, gap):
    ts, client_id = ts_of(scale), scale.client_id

    def on_the_web():
        with use_client(client_id):
            deciding.approve(suggestion_id=scale.pk, actor=Actor(web_user, "web"))

    return at_once(lambda: workspace.press(NORA, "suggestion_approve", ts=ts), on_the_web, gap=gap)


def test_slack_and_web_at_once_make_one_decision(workspace, digested, client, hold_open):
    scale, _pause = digested
    ada = member(client, first_name="Ada", last_name="First")
    gap = hold_open("apps.suggestions.services.deciding._decide")

    results = decide_in_slack_and_on_the_web(workspace, scale, ada, gap)

    assert not gap.met
    decision = Decision.objects.get()
    assert ExecutionLog.objects.count() == 1
    if decision.user == ada:
        assert results == ["ok", "ok"]
        assert "Already approved by Ada First" in workspace.whispers(NORA)[0]
    else:
        assert results == ["ok", "Conflict"]
        assert workspace.whispers(NORA) == []


def test_control_without_the_lock_both_get_through(workspace, digested, client, hold_open, monkeypatch):
    """The same race with the row lock taken away: both pass the check, only the unique key is left to stop one."""
    scale, _pause = digested
    ada = member(client)

    def unlocked(suggestion_id):
        return Suggestion.objects.select_related("client", "ad_object").get(pk=suggestion_id)

    monkeypatch.setattr(deciding, "_lock", unlocked)
    gap = hold_open("apps.suggestions.services.deciding._decide")

    decide_in_slack_and_on_the_web(workspace, scale, ada, gap)

    assert gap.met


def test_linking_needs_a_fresh_link_a_yes_and_an_account_nobody_has(workspace, digested, client, nora):
    from apps.connectors.services import slack_link

    other = UserFactory(email="other@example.com", language="en")
    browser = Browser()
    browser.force_login(other)
    address = slack_link.link_address(team_id=TEAM, slack_user_id=ALI)
    token = address.partition("link=")[2]

    asked = browser.post(
        "/me/slack/", {"link": token}
    )  # another e-mail address: the person has to say that it is theirs
    assert asked.status_code == 422
    assert browser.post("/me/slack/", {"link": token[:-2] + "xx", "is_mine": "on"}).status_code == 400
    taken = slack_link.link_address(team_id=TEAM, slack_user_id=NORA).partition("link=")[2]
    assert browser.post("/me/slack/", {"link": taken, "is_mine": "on"}).status_code == 409
    assert Browser().get(address).status_code == 302
    assert not SlackIdentity.objects.filter(user=other).exists()

    assert browser.post("/me/slack/", {"link": token, "is_mine": "on"}).status_code == 302
    identity = SlackIdentity.objects.get(user=other)
    assert (identity.team_id, identity.slack_user_id) == (TEAM, ALI)
    strangers = Browser()
    strangers.force_login(nora)
    strangers.post(f"/me/slack/{identity.pk}/unlink/")
    assert SlackIdentity.objects.filter(pk=identity.pk).exists()
    browser.post(f"/me/slack/{identity.pk}/unlink/")
    assert not SlackIdentity.objects.filter(pk=identity.pk).exists()
