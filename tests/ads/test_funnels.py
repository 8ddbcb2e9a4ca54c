"""Choosing where ads lead: who may, what is refused, what it does to revenue, and that reading again keeps it."""

from decimal import Decimal

import pytest
from django.db.models import Sum
from django.urls import reverse

from apps.ads import ratios
from apps.ads.models import AdObject, CreativePerformance, PerformanceMetric
from apps.ads.services.funnels import set_funnel
from apps.clients.roles import Role
from apps.core.actors import SYSTEM, Actor
from apps.core.errors import Invalid
from apps.core.models import AuditEvent
from apps.core.tenancy import use_client
from tests.factories.ads import AdFactory, PerformanceMetricFactory
from tests.factories.clients import ClientFactory, FunnelFactory, ProductFactory, member

from .conftest import NOW, read
from .test_importing import do_import

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture
def tenant(as_client):
    row = ClientFactory(value_per_lead=Decimal(20))
    as_client(row)
    return row


@pytest.fixture
def operator(client, tenant):
    user = member(tenant)
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return user


@pytest.fixture
def ad(tenant):
    """An ad with 2 leads of unknown revenue."""
    row = AdFactory(client=tenant, parent__name="Lookalikes")
    PerformanceMetricFactory(client=tenant, ad_object=row, leads=2, revenue=None)
    return row


@pytest.fixture
def funnel(tenant):
    """It sells what makes a lead worth 35."""
    return FunnelFactory(
        client=tenant, name="Quiz", product=ProductFactory(client=tenant, name="Wine", value_per_lead=Decimal(35))
    )


def choose(client, thing, funnel):
    address = reverse("ads:funnel", args=[thing.client.key, thing.pk])
    return client.post(address, {"funnel": funnel.pk if funnel else ""})


def page_of(client, thing):
    return client.get(reverse("ads:object", args=[thing.client.key, thing.pk])).content.decode()


def revenue():
    return PerformanceMetric.objects.aggregate(**ratios.sums())["revenue_sum"]


@pytest.mark.parametrize("level", ["ad", "adset", "campaign"])
def test_choosing_a_funnel_changes_the_revenue_of_the_ad(client, operator, ad, funnel, level):
    thing = {"ad": ad, "adset": ad.parent, "campaign": ad.parent.parent}[level]
    assert revenue() == 40

    assert choose(client, thing, funnel).status_code == 302
    assert revenue() == 70
    assert CreativePerformance.objects.get(creative=ad.creative).revenue == 70

    choose(client, thing, None)
    assert revenue() == 40
    events = AuditEvent.objects.filter(verb="ads.adobject.funnel_set").order_by("pk")
    assert [(event.user, event.subject_id, event.changes) for event in events] == [
        (operator, str(thing.pk), {"funnel": [None, "Quiz"]}),
        (operator, str(thing.pk), {"funnel": ["Quiz", None]}),
    ]


def test_the_page_shows_the_choice_and_below_it_where_it_comes_from(client, operator, ad, funnel):
    choose(client, ad.parent, funnel)

    of_adset, of_ad, of_campaign = (page_of(client, thing) for thing in (ad.parent, ad, ad.parent.parent))

    assert f'<option value="{funnel.pk}" selected>Quiz' in of_adset
    assert "A lead counts €35.00." in of_adset
    assert "is taken from what is above" not in of_adset
    assert "“Quiz” is taken from what is above" in of_ad
    assert "A lead counts €35.00." in of_ad
    assert "A lead counts €20.00." in of_campaign


def test_the_nearest_choice_wins(client, operator, tenant, ad, funnel):
    other = FunnelFactory(client=tenant, product=ProductFactory(client=tenant, value_per_lead=Decimal(50)))
    choose(client, ad.parent.parent, other)
    choose(client, ad, funnel)

    assert revenue() == 70


def test_the_same_choice_again_is_no_deed(client, operator, ad, funnel):
    for _again in range(2):
        choose(client, ad, funnel)

    assert AuditEvent.objects.filter(verb="ads.adobject.funnel_set").count() == 1


def test_a_viewer_reads_it_and_may_not_choose(client, tenant, ad, funnel):
    set_funnel(ad_object_id=ad.pk, funnel_id=funnel.pk, actor=SYSTEM)
    client.force_login(member(tenant, Role.VIEWER))
    page = page_of(client, ad)

    assert "Quiz" in page
    assert 'name="funnel"' not in page
    assert choose(client, ad, None).status_code == 403
    ad.refresh_from_db()
    assert ad.funnel == funnel


def test_a_foreign_funnel_is_neither_offered_nor_taken(client, operator, ad, funnel):
    foreign = FunnelFactory(name="Secret")

    assert "Secret" not in page_of(client, ad)
    assert choose(client, ad, foreign).status_code == 409
    with pytest.raises(Invalid):
        set_funnel(ad_object_id=ad.pk, funnel_id=foreign.pk, actor=SYSTEM)
    ad.refresh_from_db()
    assert ad.funnel is None
    assert not AuditEvent.objects.exists()


def test_a_funnel_out_of_use_stays_where_it_is_and_is_chosen_nowhere_else(client, operator, ad, funnel):
    choose(client, ad, funnel)
    type(funnel).objects.update(is_active=False)

    assert choose(client, ad, funnel).status_code == 302
    assert choose(client, ad.parent, funnel).status_code == 409
    ad.refresh_from_db()
    ad.parent.refresh_from_db()
    assert (ad.funnel, ad.parent.funnel) == (funnel, None)
    assert "Quiz" not in page_of(client, ad.parent)
    assert revenue() == 70


def test_an_account_leads_nowhere(client, operator, ad, funnel):
    assert "Where it leads" not in page_of(client, ad.account)
    assert choose(client, ad.account, funnel).status_code == 409
    ad.account.refresh_from_db()
    assert ad.account.funnel is None


def test_without_any_funnel_the_page_says_what_it_is_for(client, operator, ad):
    assert "No funnel yet" in page_of(client, ad)


def test_reading_the_account_again_keeps_the_choice(sandbox, world, channel):
    world(now=NOW)
    read(channel)
    with use_client(channel.client_id):
        funnel = FunnelFactory(client=channel.client)
        chosen = list(AdObject.objects.exclude(level="account").values_list("pk", flat=True))
        for pk in chosen:
            set_funnel(ad_object_id=pk, funnel_id=funnel.pk, actor=SYSTEM)
    read(channel, full=True)

    with use_client(channel.client_id):
        kept = AdObject.objects.filter(funnel=funnel).values_list("pk", flat=True)
        assert len(chosen) == 2 + 4 + 8
        assert set(kept) == set(chosen)


def test_a_file_brought_again_keeps_the_choice(tenant, operator, funnel):
    rows = "Day,Ad set name,Impressions,Amount spent (EUR)\n2026-11-01,Autumn,100,{}\n"
    actor = Actor(operator, "web")
    do_import(tenant, actor, rows.format("5.00"))
    adset = AdObject.objects.get(level="adset")
    set_funnel(ad_object_id=adset.pk, funnel_id=funnel.pk, actor=actor)
    do_import(tenant, actor, rows.format("7.00"))
    adset.refresh_from_db()

    assert adset.funnel == funnel
    assert PerformanceMetric.objects.aggregate(spend=Sum("spend"))["spend"] == 7
