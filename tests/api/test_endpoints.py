"""Every endpoint and action: whose rows it shows, who may act, and how many questions it asks the database."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.clients.roles import RANK, Role
from apps.core.tenancy import use_all_clients
from apps.suggestions.models import Decision, ExecutionLog
from durum.api import router
from tests.factories.ads import AccountFactory, AdFactory, AdsetFactory, CampaignFactory, PerformanceMetricFactory
from tests.factories.clients import ClientFactory, UserFactory, member
from tests.factories.connectors import ChannelFactory

from .endpoints import ACTIONS, ROWS, WITHOUT_ROWS, address_of

pytestmark = pytest.mark.django_db
LISTS = sorted(ROWS)


@pytest.fixture
def ours():
    return ClientFactory(key="ours", name="Ours")


@pytest.fixture
def theirs():
    return ClientFactory(key="theirs", name="Theirs")


def test_every_endpoint_and_action_has_its_line():
    routes = {(prefix, view): view for prefix, view, _name in router.registry}
    actions = {
        f"{prefix}/{extra.url_path}" for prefix, view in routes for extra in view.get_extra_actions() if extra.detail
    }

    assert {prefix for prefix, _view in routes} == set(ROWS) | WITHOUT_ROWS
    assert actions == {action.path for action in ACTIONS}


@pytest.mark.parametrize("endpoint", LISTS)
def test_another_clients_rows_do_not_exist(endpoint, ours, theirs, program):
    mine, foreign = ROWS[endpoint](ours), ROWS[endpoint](theirs)
    caller = program(member(ours, Role.OWNER))

    listed = caller.read(f"{endpoint}/").json()
    seen = [row.get("key" if endpoint == "clients" else "id") for row in listed["results"]]
    assert (mine.key if endpoint == "clients" else mine.pk) in seen
    assert (foreign.key if endpoint == "clients" else foreign.pk) not in seen
    assert caller.read(address_of(endpoint, mine)).status_code == 200
    assert caller.read(address_of(endpoint, foreign)).status_code == 404
    assert caller.read(f"{endpoint}/", client="theirs").status_code == 404
    assert caller.read(f"{endpoint}/", client="ours").json()["count"] == listed["count"]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.path)
def test_an_action_on_a_foreign_row_finds_nothing_and_changes_nothing(action, ours, theirs, program):
    row = action.row(theirs)
    answer = program(member(ours, Role.OWNER)).send(action.address(row), action.body)

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    with use_all_clients("the test looks"):
        assert vars_of(row) == vars_of(type(row).objects.get(pk=row.pk))


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.path)
def test_an_action_takes_its_role(action, role, ours, program):
    row = action.row(ours)
    answer = program(member(ours, role)).send(action.address(row), action.body)

    if RANK[role] >= RANK[action.role]:
        assert answer.status_code == 200, answer.json()
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
        with use_all_clients("the test looks"):
            assert vars_of(row) == vars_of(type(row).objects.get(pk=row.pk))


def vars_of(row):
    return {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if f.attname != "evidence"}


@pytest.mark.parametrize("endpoint", LISTS)
def test_a_list_asks_the_same_number_of_questions_for_any_number_of_rows(endpoint, ours, program):
    # The same account may not be connected twice, and one client is one row: their lists grow otherwise.
    user = member(ours)
    caller = program(user)
    make = (lambda _client: member_of_one_more(user)) if endpoint == "clients" else ROWS[endpoint]

    def questions():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert caller.read(f"{endpoint}/").status_code == 200
        return [q["sql"] for q in asked if "idempotency" not in q["sql"]]

    make(ours)
    questions()
    few = questions()
    for _ in range(4):
        make(ours)
    many = questions()

    assert len(many) == len(few), "\n".join(many)
    assert len(many) <= 14, "\n".join(many)


def member_of_one_more(user):
    from tests.factories.clients import MembershipFactory

    return MembershipFactory(client=ClientFactory(), user=user)


@pytest.mark.parametrize("endpoint", LISTS)
def test_no_answer_holds_a_secret(endpoint, ours, program):
    ROWS[endpoint](ours)
    text = program(member(ours, Role.OWNER)).read(f"{endpoint}/").content.decode()

    assert "test-token" not in text
    assert '"token"' not in text
    assert "password" not in text


def test_pages_follow_each_other_by_the_key_when_the_order_says_nothing(ours, program):
    campaign = CampaignFactory(client=ours)
    rows = [AdsetFactory(client=ours, parent=campaign, name="Same") for _ in range(5)]
    caller = program(member(ours))
    seen = []
    for page in (1, 2, 3):
        seen += caller.read("ad-objects/", level="adset", sort="-name", page=page, page_size=2).json()["results"]

    assert [row["id"] for row in seen] == sorted((row.pk for row in rows), reverse=True)


def test_what_was_done_through_the_api_is_told_so(ours, program):
    user = member(ours)
    row = ROWS["suggestions"](ours)
    answer = program(user).send(f"suggestions/{row.pk}/approve/", {"reason": "Yes."})

    assert answer.json()["status"] == "approved"
    assert answer.json()["decisions"][0]["user"] == str(user)
    with use_all_clients("the test looks"):
        decision = Decision.objects.get(suggestion=row)
        assert (decision.user, decision.via, decision.reason) == (user, "api", "Yes.")
        assert ExecutionLog.objects.get(decision=decision).target == "7500"


def test_the_second_decider_is_told_who_was_faster(ours, program):
    first, second = member(ours), member(ours)
    row = ROWS["suggestions"](ours)
    program(first).send(f"suggestions/{row.pk}/approve/")
    answer = program(second).send(f"suggestions/{row.pk}/refuse/", {"reason": "No."})

    assert (answer.status_code, answer.json()["code"]) == (409, "already_decided")
    assert str(first) in answer.json()["detail"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_a_fetch_is_queued_once_and_told_where_to_look(role, ours, program):
    channel = ChannelFactory(client=ours)
    caller = program(member(ours, role))
    first = caller.send("sync-runs/", {"channel": channel.pk, "days": 7})

    if role == Role.VIEWER:
        assert first.status_code == 403
        return
    assert first.status_code == 202
    assert first["Location"].endswith(f"/api/v1/sync-runs/{first.json()['id']}/")
    assert caller.send("sync-runs/", {"channel": channel.pk}).json()["id"] == first.json()["id"]


def test_a_foreign_account_cannot_be_fetched(ours, theirs, program):
    answer = program(member(ours, Role.OWNER)).send("sync-runs/", {"channel": ChannelFactory(client=theirs).pk})

    assert answer.status_code == 404


# --- results ---


@pytest.fixture
def tree(ours):
    account = AccountFactory(client=ours)
    campaign = CampaignFactory(client=ours, parent=account)
    first, second = (AdsetFactory(client=ours, parent=campaign) for _ in range(2))
    for adset, spend in ((first, 30), (first, 20), (second, 50)):
        ad = AdFactory(client=ours, parent=adset)
        PerformanceMetricFactory(client=ours, ad_object=ad, spend=spend, revenue=100, leads=2, impressions=1000)
    return account, campaign, first, second


DAYS = {"client": "ours", "since": "2026-11-17", "until": "2026-11-19"}


def test_results_are_summed_at_any_level(tree, ours, program):
    account, campaign, first, second = tree
    caller = program(member(ours))
    found = {
        level: [(row["object"]["id"], row["spend"], row["roi"]) for row in answer["results"]]
        for level in ("account", "campaign", "adset")
        for answer in [caller.read("metrics/sums/", level=level, **DAYS).json()]
    }

    assert found["account"] == [(account.pk, "100.0000", "3.0000")]
    assert found["campaign"] == [(campaign.pk, "100.0000", "3.0000")]
    assert sorted(found["adset"]) == [(first.pk, "50.0000", "4.0000"), (second.pk, "50.0000", "2.0000")]


def test_results_by_day_below_one_object(tree, ours, program):
    _account, _campaign, first, _second = tree
    answer = program(member(ours)).read("metrics/daily/", level="ad", object=first.pk, **DAYS).json()

    assert [(row["day"], row["spend"]) for row in answer["results"]] == [
        ("2026-11-18", "30.0000"),
        ("2026-11-18", "20.0000"),
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"client": None}, "client"),
        ({"since": "yesterday"}, "since"),
        ({"until": None}, "until"),
        ({"until": "2026-11-01"}, "until"),
        ({"since": "2001-01-01"}, "since"),
        ({"level": "planet"}, "level"),
        ({"object": "x"}, "object"),
    ],
)
def test_a_question_about_results_that_makes_no_sense_names_its_field(query, field, ours, program):
    asked = {k: v for k, v in (DAYS | query).items() if v is not None}
    answer = program(member(ours)).read("metrics/sums/", **asked)

    assert answer.status_code == 400
    assert field in answer.json()["fields"]


def test_results_of_another_client_are_not_found(ours, theirs, tree, program):
    caller = program(member(theirs))

    assert caller.read("metrics/sums/", **DAYS).status_code == 404
    assert caller.read("metrics/sums/", **DAYS | {"client": "theirs", "object": tree[0].pk}).status_code == 404


def test_results_ask_the_same_number_of_questions_for_any_tree(tree, ours, program):
    caller = program(member(ours))

    def count():
        with CaptureQueriesContext(connection) as asked:
            caller.read("metrics/daily/", level="ad", **DAYS)
        return len(asked)

    count()
    few = count()
    for _ in range(5):
        PerformanceMetricFactory(client=ours, ad_object__account=tree[0])

    assert count() == few


def test_agency_staff_see_every_client_and_decide_for_their_own(ours, theirs, program):
    from django.contrib.auth.models import Permission

    staff = UserFactory()
    staff.user_permissions.add(Permission.objects.get(codename="view_all_clients"))
    row = ROWS["suggestions"](theirs)
    caller = program(staff)

    assert {row["key"] for row in caller.read("clients/").json()["results"]} == {"ours", "theirs"}
    assert caller.send(f"suggestions/{row.pk}/approve/").status_code == 403
