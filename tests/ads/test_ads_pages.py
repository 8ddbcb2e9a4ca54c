"""The dashboard, the tree, an object's page and the gallery."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import translation

from apps.ads.models import Creative
from apps.clients.roles import Role
from apps.core import clock
from tests.factories.ads import (
    DAY,
    AccountFactory,
    AdFactory,
    AdsetFactory,
    CampaignFactory,
    CreativeFactory,
    PerformanceMetricFactory,
    SpendHistoryFactory,
)
from tests.factories.clients import ClientFactory, member
from tests.factories.suggestions import CycleFactory, SuggestionFactory

pytestmark = pytest.mark.django_db
MORNING = dt.datetime(2026, 11, 19, 9, tzinfo=dt.UTC)
BENCHMARKS = {
    "EUR": {
        "7": {
            "n": 12,
            "source": "posterior",
            "estimate": {"25": 1.1, "50": 2.2, "75": 3.3, "90": 4.4},
            "low": {"25": 1.0, "50": 2.0, "75": 3.0, "90": 4.0},
            "high": {"25": 1.2, "50": 2.4, "75": 3.6, "90": 4.8},
            "raw": {"25": 0.9, "50": 2.1, "75": 3.9, "90": 6.6},
        }
    }
}


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


@pytest.fixture
def ad(tenant):
    """An ad with two days of 50.00 and 5 leads, 10.00 on the day before the period."""
    ad = AdFactory(client=tenant, name="Blue bottle", parent__name="Lookalikes", parent__parent__name="Autumn")
    for day in (DAY, DAY - dt.timedelta(days=1)):
        PerformanceMetricFactory(client=tenant, ad_object=ad, day=day)
    PerformanceMetricFactory(client=tenant, ad_object=ad, day=DAY - dt.timedelta(days=7), spend=10, leads=1)
    PerformanceMetricFactory(client=tenant, ad_object=ad, day=DAY - dt.timedelta(days=30), spend=10, leads=1)
    return ad


def dashboard(tenant, **query):
    return reverse("ads:dashboard", args=[tenant.key], query={"period": "7d"} | query)


def test_cards_sum_the_period_and_compare_with_the_one_before(client, tenant, nora, ad):
    page = client.get(dashboard(tenant)).content.decode()

    assert "€100.00" in page  # spend
    assert "+900%" in page  # against 10.00
    assert "€10.00" in page  # cost per lead
    assert "3.00×" in page  # 10 leads at 30.00 on 100.00
    assert "Compared with" in page


def test_half_a_period_is_nothing_to_compare_with(client, tenant, nora):
    ad = AdFactory(client=tenant)
    for back in (0, 7):
        PerformanceMetricFactory(client=tenant, ad_object=ad, day=DAY - dt.timedelta(days=back))

    page = client.get(dashboard(tenant)).content.decode()

    assert "Nothing to compare with: the data begin on" in page
    assert "Compared with" not in page
    assert "The period before" not in page


def test_the_tree_starts_with_campaigns_and_gives_their_children_on_demand(client, tenant, nora, ad):
    page = client.get(dashboard(tenant)).content.decode()
    campaign = ad.parent.parent
    below = client.get(
        reverse("ads:children", args=[tenant.key, campaign.pk], query={"period": "7d"}),
        headers={"HX-Request": "true"},
    ).content.decode()

    assert "Autumn" in page
    assert "Lookalikes" not in page
    assert "Lookalikes" in below
    assert "€100.00" in below


def test_a_browser_asking_for_children_gets_the_objects_page(client, tenant, nora, ad):
    answer = client.get(reverse("ads:children", args=[tenant.key, ad.parent_id]))

    assert answer.status_code == 302
    assert answer["Location"] == reverse("ads:object", args=[tenant.key, ad.parent_id])


def test_htmx_gets_the_tree_or_the_chart_alone(client, tenant, nora, ad):
    tree = client.get(dashboard(tenant), headers={"HX-Request": "true", "HX-Target": "results"})
    chart = client.get(dashboard(tenant, metric="leads"), headers={"HX-Request": "true", "HX-Target": "chart"})

    assert tree.content.decode().lstrip().startswith('<div id="results"')
    assert chart.content.decode().lstrip().startswith('<section class="card mb-3" id="chart"')
    assert "Leads" in chart.content.decode()


@pytest.mark.parametrize(
    ("query", "there", "absent"),
    [
        ({"level": "ad"}, "Blue bottle", "Nothing fits"),
        ({"level": "adset"}, "Lookalikes", "Nothing fits"),
        ({"level": "ad", "q": "bottle"}, "Blue bottle", "Nothing fits"),
        ({"q": "nowhere"}, "Nothing fits", "Autumn"),
        ({"status": "PAUSED"}, "Nothing fits", "Autumn"),
    ],
)
def test_levels_search_and_status(client, tenant, nora, ad, query, there, absent):
    page = client.get(dashboard(tenant, **query), headers={"HX-Request": "true"}).content.decode()

    assert there in page
    assert absent not in page


def test_sorting_puts_the_unknown_last_both_ways(client, tenant, nora, ad):
    CampaignFactory(client=tenant, parent=ad.account, name="Silent")
    for sort in ("roi", "-roi"):
        page = client.get(dashboard(tenant, sort=sort), headers={"HX-Request": "true"}).content.decode()
        assert page.index("Autumn") < page.index("Silent")


def test_currencies_are_never_added_up(client, tenant, nora, ad):
    dollars = AccountFactory(client=tenant, currency="USD")
    other = AdFactory(client=tenant, parent__parent__parent=dollars, parent__client=tenant)
    PerformanceMetricFactory(client=tenant, ad_object=other, spend=999)

    euros = client.get(dashboard(tenant)).content.decode()
    dollars = client.get(dashboard(tenant, currency="USD")).content.decode()

    assert "€100.00" in euros
    assert "999" not in euros
    assert "$999.00" in dollars
    assert "never added up" in euros


def test_the_bars_name_the_clients_percentiles_with_n_and_interval(client, tenant, nora, ad):
    CycleFactory(client=tenant, day=DAY, benchmarks=BENCHMARKS)

    page = client.get(dashboard(tenant)).content.decode()

    assert "ROI of 12 ad sets over 7 days" in page
    assert "3.00× – 3.60×" in page
    assert "3.90×" in page
    assert "durum-percentile" in page


def test_an_unknown_return_is_said_and_not_shown_as_zero(client, as_client):
    tenant = ClientFactory()
    as_client(tenant)
    client.force_login(member(tenant))
    client.cookies["django_language"] = "en"
    PerformanceMetricFactory(client=tenant)

    page = client.get(dashboard(tenant)).content.decode()

    assert "The return is unknown" in page
    assert "0.00×" not in page


def test_a_client_known_from_files_starts_at_its_newest_day(client, tenant, nora):
    account = AccountFactory(client=tenant, channel=None)
    ad = AdFactory(client=tenant, parent__client=tenant, parent__parent__client=tenant, parent__parent__parent=account)
    PerformanceMetricFactory(client=tenant, ad_object=ad, day=dt.date(2026, 3, 31), spend=77)

    page = client.get(dashboard(tenant)).content.decode()

    assert "€77.00" in page
    assert "The newest day with data is" in page
    assert "31" in page


def test_without_ads_the_page_says_what_to_do_first(client, tenant, nora):
    assert "No ads yet" in client.get(dashboard(tenant)).content.decode()


def test_the_export_has_the_filtered_rows_with_their_place(client, tenant, nora, ad):
    answer = client.get(dashboard(tenant, level="ad", format="csv"))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")

    header, row = text.splitlines()
    assert header.startswith("Level,Campaign,Ad set,Name")
    assert "Autumn,Lookalikes,Blue bottle" in row


def test_the_number_of_queries_does_not_grow_with_the_tree(client, tenant, nora, ad, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries():
        with CaptureQueriesContext(connection) as caught:
            assert client.get(dashboard(tenant, level="ad")).status_code == 200
        return len(caught)

    def another():
        PerformanceMetricFactory(client=tenant, ad_object__client=tenant, ad_object__parent=ad.parent)

    another()
    few = queries()
    for _ in range(10):
        another()

    assert queries() == few


def test_an_objects_page_has_its_days_its_budget_and_what_was_proposed(client, tenant, nora, ad):
    adset = ad.parent
    SpendHistoryFactory(client=tenant, ad_object=adset, day=DAY - dt.timedelta(days=1), daily_budget_minor=5000)
    SpendHistoryFactory(client=tenant, ad_object=adset, day=DAY, daily_budget_minor=7500)
    SuggestionFactory(client=tenant, ad_object=adset)

    page = client.get(reverse("ads:object", args=[tenant.key, adset.pk], query={"period": "7d"})).content.decode()

    assert "€100.00" in page
    assert "€50.00 → €75.00" in page
    assert "Proposed about it" in page
    assert "Blue bottle" in page
    assert "Autumn" in page


def test_every_level_has_a_page(client, tenant, nora, ad):
    for thing in (ad, ad.parent, ad.parent.parent, ad.account):
        assert client.get(reverse("ads:object", args=[tenant.key, thing.pk])).status_code == 200


def test_foreign_objects_are_not_there(client, tenant, nora):
    foreign = AdsetFactory()

    for name in ("ads:object", "ads:children"):
        assert client.get(reverse(name, args=[tenant.key, foreign.pk])).status_code == 404
    assert client.get(reverse("ads:dashboard", args=[foreign.client.key])).status_code == 404


def test_the_gallery_shows_what_each_creative_brought(client, tenant, nora, ad):
    creative = ad.creative
    Creative.objects.filter(pk=creative.pk).update(hook="A great wine at 9 €", angle="price")

    page = client.get(reverse("ads:creatives", args=[tenant.key], query={"period": "7d"})).content.decode()

    assert "A great wine at 9 €" in page
    assert "€100.00" in page


def test_the_gallery_is_narrowed_by_angle_and_words(client, tenant, nora):
    CreativeFactory(client=tenant, name="Cheap one", angle="price")
    CreativeFactory(client=tenant, name="Proven one", angle="proof")

    url = reverse("ads:creatives", args=[tenant.key])
    by_angle = client.get(url, {"angle": "proof"}, headers={"HX-Request": "true"}).content.decode()
    by_words = client.get(url, {"q": "cheap"}, headers={"HX-Request": "true"}).content.decode()

    assert "Proven one" in by_angle
    assert "Cheap one" not in by_angle
    assert "Cheap one" in by_words
    assert "Proven one" not in by_words


def test_an_operator_writes_an_angle_and_a_viewer_does_not(client, tenant, nora):
    creative = CreativeFactory(client=tenant)
    url = reverse("ads:angle", args=[tenant.key, creative.pk])

    assert client.post(url, {"angle": "urgency"}).status_code == 302
    client.force_login(member(tenant, Role.VIEWER))
    refused = client.post(url, {"angle": "other"}, headers={"HX-Request": "true"})

    creative.refresh_from_db()
    assert (creative.angle, creative.angle_by_person) == ("urgency", True)
    assert refused.status_code == 403


def test_the_pages_speak_french(client, tenant, nora, ad):
    client.cookies["django_language"] = "fr"

    page = client.get(dashboard(tenant)).content.decode()

    with translation.override("fr"):
        assert '<html lang="fr"' in page
        assert "100,00" in page
