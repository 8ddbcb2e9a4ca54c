"""One suggestion's page, the rules and the outcomes."""

import datetime as dt

import pytest
from django.urls import reverse

from apps.clients.roles import Role
from apps.core.models import AuditEvent
from apps.suggestions.models import AnalysisRule, Decision, ExecutionLog
from tests.factories.clients import ClientFactory, member
from tests.factories.suggestions import (
    EVIDENCE,
    DecisionFactory,
    ExecutionFactory,
    HypothesisFactory,
    RuleFactory,
    SuggestionArchiveFactory,
    SuggestionFactory,
    ValidationItemFactory,
)

pytestmark = pytest.mark.django_db
WEEKS = [
    {"week": "2026-11-01", "spend": 700.0, "conversions": 30, "revenue": 2100.0, "roi": 3.0},
    {"week": "2026-11-08", "spend": 820.0, "conversions": 40, "revenue": 3444.0, "roi": 4.2},
]
MARKS = {
    "n": 12,
    "source": "posterior",
    "raw": {"75": 3.6},
    "estimate": {"25": 1.5, "75": 3.4},
    "low": {"75": 3.1},
    "high": {"75": 3.7},
}


@pytest.fixture
def tenant(as_client):
    client = ClientFactory(name="Avego")
    as_client(client)
    return client


@pytest.fixture
def sign_in(tenant, client):
    def as_role(role=Role.OPERATOR, **names):
        user = member(tenant, role, **names)
        client.force_login(user)
        client.cookies["django_language"] = "en"
        return user

    return as_role


def page_of(suggestion):
    return reverse("suggestions:detail", args=[suggestion.client.key, suggestion.pk])


def test_the_page_has_the_reason_the_chart_and_the_percentiles(client, tenant, sign_in):
    sign_in()
    row = SuggestionFactory(client=tenant, evidence=EVIDENCE | {"weeks": WEEKS, "benchmarks": MARKS})

    page = client.get(page_of(row)).content.decode()

    assert "Return of 4.20× on €820.00 spent over 7 days" in page
    assert 'data-chart="roi-data"' in page
    assert "12 ad sets over 7 days" in page
    assert "3.10× – 3.70×" in page
    assert "€50.00 → €75.00 a day" in page
    assert row.rule.name in page


def test_htmx_gets_the_changing_part_alone(client, tenant, sign_in):
    sign_in()
    row = SuggestionFactory(client=tenant)

    answer = client.get(page_of(row), headers={"HX-Request": "true"})

    assert answer.content.decode().startswith('<div id="suggestion"')
    assert "HX-Request" in answer["Vary"]


def test_approving_from_the_page_answers_with_its_part(client, tenant, sign_in):
    sign_in(first_name="Ada", last_name="First")
    row = SuggestionFactory(client=tenant)
    url = reverse("suggestions:approve", args=[tenant.key, row.pk])

    page = client.post(url, {"place": "page"}, headers={"HX-Request": "true"}).content.decode()

    assert page.startswith('<div id="suggestion"')
    assert "Approved by Ada First on the web" in page
    assert 'hx-trigger="every 2s"' in page


def test_a_stopped_execution_shows_what_was_found_and_goes_on(client, tenant, sign_in):
    sign_in()
    row = SuggestionFactory(client=tenant, status="stopped")
    execution = ExecutionFactory(
        client=tenant,
        decision__suggestion=row,
        state="conflict",
        reason="changed_meanwhile",
        proof={"found": "6000"},
    )

    page = client.get(page_of(row)).content.decode()
    again = client.post(
        reverse("suggestions:try_again", args=[tenant.key, row.pk]), {"place": "page"}, headers={"HX-Request": "true"}
    )

    assert "Found at the platform" in page
    assert "€60.00 a day" in page
    execution.refresh_from_db()
    assert (execution.state, execution.expected) == ("pending", "6000")
    assert "Durum tries again." in again.content.decode()


def test_giving_up_leaves_the_platform_as_it_is(client, tenant, sign_in):
    sign_in()
    row = SuggestionFactory(client=tenant, status="stopped")
    ExecutionFactory(client=tenant, decision__suggestion=row, state="failed", reason="rejected", detail="code 100")

    assert "code 100" in client.get(page_of(row)).content.decode()
    client.post(reverse("suggestions:give_up", args=[tenant.key, row.pk]))

    row.refresh_from_db()
    assert row.status == "cancelled"
    assert ExecutionLog.objects.get().state == "dropped"


def test_undo_is_for_managers_and_asks_with_the_amounts(client, tenant, sign_in):
    row = SuggestionFactory(client=tenant, status="done")
    ExecutionFactory(client=tenant, decision__suggestion=row, state="done", after="7500")
    url = reverse("suggestions:undo", args=[tenant.key, row.pk])

    sign_in()
    assert url not in client.get(page_of(row)).content.decode()
    assert client.post(url, {}, headers={"HX-Request": "true"}).status_code == 403

    sign_in(Role.MANAGER)
    assert "goes back from €75.00 a day to €50.00 a day" in client.get(url).content.decode()
    client.post(url, {"reason": ""})
    assert Decision.objects.filter(verdict="undo").count() == 1
    assert ExecutionLog.objects.filter(undo_of__isnull=False).get().target == "5000"


def test_the_outcome_stands_beside_the_prediction(client, tenant, sign_in):
    sign_in()
    row = SuggestionFactory(client=tenant, status="done", came_true=True, outcome_known_at=dt.datetime.now(dt.UTC))
    execution = ExecutionFactory(client=tenant, decision__suggestion=row, state="done")
    HypothesisFactory(
        client=tenant,
        execution=execution,
        state="evaluated",
        grade="B",
        controls=5,
        verdict="inconclusive",
        effect=0.0953,
        effect_low=-0.2231,
        effect_high=0.4055,
        effect_own=0.02,
        effect_shared=0.01,
        shrunk_effect=0.0488,
    )

    page = client.get(page_of(row)).content.decode()

    assert "The reason still held two weeks later." in page
    assert "B · same trigger, not carried out" in page
    assert "+10%" in page
    assert "+5%" in page
    assert "n = 1" in page


def test_at_grade_d_no_number_is_shown(client, tenant, sign_in):
    sign_in()
    row = SuggestionFactory(client=tenant, status="done")
    execution = ExecutionFactory(client=tenant, decision__suggestion=row, state="done")
    HypothesisFactory(client=tenant, execution=execution, state="evaluated", grade="D", verdict="inconclusive")

    assert "there is nothing fair to compare with" in client.get(page_of(row)).content.decode()


def test_history_names_everybody(client, tenant, sign_in):
    sign_in()
    decision = DecisionFactory(client=tenant, verdict="refuse", via="slack", reason="Too dear")

    page = client.get(page_of(decision.suggestion)).content.decode()

    assert f"{decision.user}, in Slack" in page
    assert "Proposed" in page


def test_outcomes_are_not_claimed_before_fifty(client, tenant, sign_in):
    sign_in()
    for _ in range(3):
        SuggestionArchiveFactory(client=tenant, came_true=True, outcome_known_at=dt.datetime.now(dt.UTC))

    page = client.get(reverse("suggestions:outcomes", args=[tenant.key])).content.decode()

    assert "Not checked yet (3 of 50 outcomes)" in page
    assert "Brier" not in page


def test_outcomes_from_fifty_on_have_a_score_and_skill(client, tenant, sign_in):
    sign_in()
    now = dt.datetime.now(dt.UTC)
    for n in range(60):
        SuggestionArchiveFactory(client=tenant, confidence=0.85, came_true=n % 5 != 0, outcome_known_at=now)
    row = SuggestionFactory(client=tenant, confidence=0.86)

    page = client.get(reverse("suggestions:outcomes", args=[tenant.key])).content.decode()
    detail = client.get(page_of(row)).content.decode()

    assert "Brier score" in page
    assert "48 of 60" in page
    assert "Said 80% to 90%: came true 48 of 60." in detail


def test_measured_executions_are_listed_with_their_interval(client, tenant, sign_in):
    sign_in()
    HypothesisFactory(client=tenant, state="open")

    page = client.get(reverse("suggestions:outcomes", args=[tenant.key])).content.decode()

    assert "Waiting for its days" in page


def test_managers_change_rules_and_the_audit_says_what(client, tenant, sign_in):
    rule = RuleFactory(client=tenant)
    manager = sign_in(Role.MANAGER)
    url = reverse("suggestions:rule", args=[tenant.key, rule.pk])
    form = client.get(url).context["form"]
    values = {name: form[name].value() for name in form.fields} | {"change_percent": 30}

    assert client.post(url, values).status_code == 302

    rule.refresh_from_db()
    event = AuditEvent.objects.get(verb="suggestions.rule.changed")
    assert rule.change_percent == 30
    assert event.user == manager
    assert event.changes == {"change_percent": [50, 30]}
    assert "50 → 30" in client.get(reverse("suggestions:rules", args=[tenant.key])).content.decode()


def test_a_wrong_threshold_changes_nothing_and_is_named(client, tenant, sign_in):
    rule = RuleFactory(client=tenant)
    sign_in(Role.MANAGER)
    url = reverse("suggestions:rule", args=[tenant.key, rule.pk])
    form = client.get(url).context["form"]
    values = {name: form[name].value() for name in form.fields} | {"window_days": 400}

    answer = client.post(url, values, headers={"HX-Request": "true"})

    assert answer.status_code == 422
    assert "28" in answer.content.decode()
    rule.refresh_from_db()
    assert rule.window_days == 7


def test_operators_see_rules_and_do_not_change_them(client, tenant, sign_in):
    rule = RuleFactory(client=tenant)
    sign_in()

    page = client.get(reverse("suggestions:rules", args=[tenant.key])).content.decode()
    switched = client.post(
        reverse("suggestions:switch_rule", args=[tenant.key, rule.pk]), {"on": "0"}, headers={"HX-Request": "true"}
    )

    assert rule.name in page
    assert "A manager of the client may change the rules." in page
    assert switched.status_code == 403
    assert client.get(reverse("suggestions:rule", args=[tenant.key, rule.pk])).status_code == 403
    assert AnalysisRule.objects.get().is_enabled


def test_a_rule_is_switched_where_it_stands(client, tenant, sign_in):
    rule = RuleFactory(client=tenant)
    sign_in(Role.MANAGER)

    answer = client.post(
        reverse("suggestions:switch_rule", args=[tenant.key, rule.pk]), {"on": "0"}, headers={"HX-Request": "true"}
    )

    assert answer.content.decode().startswith('<div id="rules"')
    assert not AnalysisRule.objects.get().is_enabled


def test_foreign_rules_are_not_there(client, tenant, sign_in):
    foreign = RuleFactory()
    sign_in(Role.OWNER)

    assert client.get(reverse("suggestions:rule", args=[tenant.key, foreign.pk])).status_code == 404


@pytest.mark.parametrize("name", ["outcomes", "rules"])
def test_the_pages_speak_french(client, tenant, sign_in, name):
    RuleFactory(client=tenant)
    sign_in()
    client.cookies["django_language"] = "fr"

    assert '<html lang="fr"' in client.get(reverse(f"suggestions:{name}", args=[tenant.key])).content.decode()


def test_what_waits_is_given_to_somebody_of_the_team(client, tenant, sign_in):
    me = sign_in(first_name="Ada", last_name="First")
    colleague, viewer = member(tenant, first_name="Ben"), member(tenant, Role.VIEWER)
    item = ValidationItemFactory(client=tenant)
    address = reverse("suggestions:assign", args=[tenant.key, item.suggestion_id])

    form = client.get(address).context["form"]
    assert set(form.fields["person"].queryset) == {me, colleague}
    assert form.initial["person"] == me
    refused = client.post(address, {"person": viewer.pk})
    client.post(address, {"person": colleague.pk})

    assert refused.status_code == 422
    item.refresh_from_db()
    assert item.assigned_to == colleague
    page = client.get(page_of(item.suggestion)).content.decode()
    assert f"given to {colleague}" in page
    assert "Given to" in page


def test_what_is_decided_already_is_given_to_nobody(client, tenant, sign_in):
    sign_in()
    row = SuggestionFactory(client=tenant, status="refused")

    answer = client.post(reverse("suggestions:assign", args=[tenant.key, row.pk]), headers={"HX-Request": "true"})

    assert answer.status_code == 409
