"""What needs me now, over all clients and for one, and whether Durum works."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse

from apps.core import clock
from apps.core.models import ApiCall, SystemLog
from apps.core.tenancy import use_all_clients
from tests.factories.ads import DAY, PerformanceMetricFactory
from tests.factories.clients import ClientFactory, MembershipFactory, UserFactory, member
from tests.factories.connectors import ChannelFactory, SyncRunFactory
from tests.factories.suggestions import CycleFactory, DecisionFactory, ExecutionFactory, SuggestionFactory

pytestmark = pytest.mark.django_db
MORNING = dt.datetime(2026, 11, 19, 9, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _morning():
    with clock.at(MORNING):
        yield


@pytest.fixture
def tenant(as_client):
    client = ClientFactory(name="Avego", value_per_lead=Decimal(30))
    as_client(client)
    return client


@pytest.fixture
def nora(tenant, client):
    user = member(tenant)
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return user


def test_home_says_what_waits_and_leads_to_it(client, tenant, nora):
    SuggestionFactory(client=tenant, created_at=MORNING - dt.timedelta(hours=3))
    ExecutionFactory(client=tenant, state="conflict")
    SuggestionFactory()  # of a client of somebody else

    page = client.get("/").content.decode()

    assert "Suggestions to decide" in page
    assert "3 hours ago" in page
    assert reverse("suggestions:all") + "?state=waiting" in page
    assert reverse("suggestions:all") + "?state=stopped" in page
    assert "Avego" in page


def test_home_has_yesterday_beside_the_usual_day(client, tenant, nora):
    for back, spend in ((0, 80), (1, 40), (2, 40)):
        PerformanceMetricFactory(
            client=tenant, ad_object__client=tenant, day=DAY - dt.timedelta(days=back), spend=spend, leads=4
        )

    page = client.get("/").content.decode()

    assert "€80.00" in page
    assert "+100%" in page
    assert "1.50×" in page
    assert "target 3.00×" in page


def test_broken_things_are_told_with_their_state(client, tenant, nora):
    ChannelFactory(client=tenant, name="Gone", state="needs_reconnect")
    ChannelFactory(client=tenant, name="Soon", expires_at=MORNING + dt.timedelta(days=5))
    ChannelFactory(client=tenant, name="Later", expires_at=MORNING + dt.timedelta(days=40))
    failed = SyncRunFactory(client=tenant, state="failed", error="Meta refused the token.")
    mended = SyncRunFactory(client=tenant, state="failed", error="An old story.", created_at=MORNING - dt.timedelta(1))
    SyncRunFactory(client=tenant, channel=mended.channel, state="done")

    page = client.get(reverse("analytics:client_home", args=[tenant.key])).content.decode()

    assert "Gone" in page
    assert "in 5 days" in page
    assert reverse("connectors:channels", args=[tenant.key]) in page
    assert "Later" not in page
    assert failed.error in page
    assert mended.error not in page


def test_a_clients_home_has_the_first_cards_and_what_was_decided(client, tenant, nora):
    SuggestionFactory(client=tenant, ad_object__name="First in line")
    DecisionFactory(client=tenant, suggestion__ad_object__name="Decided one")
    CycleFactory(client=tenant, counts={"proposed": 5, "skipped": 12}, finished_at=MORNING)

    page = client.get(reverse("analytics:client_home", args=[tenant.key])).content.decode()

    assert "First in line" in page
    assert "Decided one" in page
    assert "5 proposed, 12 not" in page


def test_an_empty_client_is_told_what_to_do_first(client, tenant, nora):
    assert "Nothing is read yet" in client.get(reverse("analytics:client_home", args=[tenant.key])).content.decode()


def test_a_person_without_clients_is_told_whom_to_ask(client, tenant):
    client.force_login(UserFactory())
    client.cookies["django_language"] = "en"

    assert "You are not a member of any client" in client.get("/").content.decode()


def test_home_asks_the_same_number_of_questions_for_many_clients(client, tenant, nora):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries():
        with CaptureQueriesContext(connection) as caught:
            assert client.get("/").status_code == 200
        return len(caught)

    def another():
        other = MembershipFactory(user=nora).client
        PerformanceMetricFactory(client=other, ad_object__client=other)
        SuggestionFactory(client=other)

    another()
    few = queries()
    for _ in range(4):
        another()

    assert queries() == few


def test_status_is_for_staff_and_shows_what_runs(client, tenant, nora):
    ApiCall.objects.create(client=tenant, platform="meta", method="GET", endpoint="/x", duration_ms=120, status=200)
    ApiCall.objects.create(client=tenant, platform="meta", method="GET", endpoint="/x", duration_ms=80, error_kind="x")
    with use_all_clients("an error that concerns no client"):
        SystemLog.objects.create(module="apps.ads.tasks", exception_type="KeyError", message="spend")

    assert client.get(reverse("analytics:status")).status_code == 403
    staff = UserFactory(is_staff=True)
    client.force_login(staff)
    client.cookies["django_language"] = "en"
    page = client.get(reverse("analytics:status")).content.decode()

    assert "Approved changes" in page
    assert "1 (50.0%)" in page
    assert "KeyError" in page
    assert "Archive of what is old" in page
    fragment = client.get(reverse("analytics:status"), headers={"HX-Request": "true"}).content.decode()
    assert fragment.startswith('<div id="status"')


def test_home_and_status_speak_french(client, tenant, nora):
    SuggestionFactory(client=tenant)
    client.cookies["django_language"] = "fr"

    assert '<html lang="fr"' in client.get("/").content.decode()
    assert '<html lang="fr"' in client.get(reverse("analytics:client_home", args=[tenant.key])).content.decode()
