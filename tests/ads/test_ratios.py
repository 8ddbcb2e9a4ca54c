"""What an ad brought: reported, valued, nothing, or unknown; in Python and in raw SQL alike."""

from decimal import Decimal

import pytest
from django.db import connection

from apps.ads import ratios
from apps.ads.models import PerformanceMetric
from apps.core.tenancy import use_client
from tests.factories.ads import AdFactory, PerformanceMetricFactory
from tests.factories.clients import ClientFactory, FunnelFactory, ProductFactory

pytestmark = pytest.mark.django_db
RAW = f"""
    SELECT {ratios.REVENUE_SUM_SQL} FROM ads_performancemetric m
      JOIN ({ratios.OBJECT_VALUES_SQL}) v ON v.ad_object_id = m.ad_object_id
"""


def totals(client):
    """The revenue of all rows, which both spellings must agree on."""
    with use_client(client):
        by_orm = PerformanceMetric.objects.aggregate(**ratios.sums())["revenue_sum"]
        with connection.cursor() as cursor:
            cursor.execute(RAW, [client.pk])
            assert cursor.fetchone()[0] == by_orm
    return by_orm


@pytest.mark.parametrize(
    ("values", "rows", "revenue"),
    [
        ({}, [{"revenue": 120, "leads": 3}], 120),
        ({"value_per_lead": 20}, [{"revenue": None, "leads": 3}], 60),
        ({"value_per_lead": 20}, [{"revenue": 100, "leads": 3}], 100),
        ({"value_per_purchase": 50}, [{"revenue": None, "leads": 3, "purchases": 2}], 100),
        ({"value_per_lead": 20, "value_per_purchase": 50}, [{"revenue": None, "leads": 3, "purchases": 2}], 160),
        ({}, [{"revenue": None, "leads": 3}], None),
        ({}, [{"revenue": None, "leads": 3}, {"revenue": None, "leads": 0}], None),
        ({}, [{"revenue": None, "leads": 0}], 0),
        ({}, [{"revenue": 80, "leads": 0}, {"revenue": None, "leads": 3}], 80),
        ({"value_per_lead": 20}, [{"revenue": None, "leads": 0}], 0),
    ],
)
def test_revenue_is_reported_valued_nothing_or_unknown(values, rows, revenue):
    client = ClientFactory(**values)
    for row in rows:
        PerformanceMetricFactory(client=client, **({"purchases": 0} | row))

    assert totals(client) == revenue


@pytest.mark.parametrize("level", ["ad", "adset", "campaign"])
def test_the_product_behind_the_nearest_funnel_beats_the_client(level):
    client = ClientFactory(value_per_lead=20)
    ad = AdFactory(client=client)
    pointing = {"ad": ad, "adset": ad.parent, "campaign": ad.parent.parent}[level]
    with use_client(client):
        pointing.funnel = FunnelFactory(client=client, product=ProductFactory(client=client, value_per_lead=35))
        pointing.save()
    PerformanceMetricFactory(client=client, ad_object=ad, leads=2, revenue=None)

    assert totals(client) == 70


def test_ratios_divide_sums_and_are_none_without_a_divisor():
    assert ratios.roi(Decimal(300), Decimal(100)) == 3
    assert ratios.roi(None, Decimal(100)) is None
    assert ratios.roi(Decimal(0), Decimal(0)) is None
    assert ratios.cost_per(Decimal(90), 9) == 10
    assert ratios.cost_per(Decimal(90), 0) is None
    assert ratios.ctr(25, 1000) == Decimal("2.5")
    assert ratios.cpm(Decimal(8), 1000) == 8
    assert ratios.frequency(6000, 4000) == Decimal("1.5")
    assert ratios.frequency(6000, None) is None
    assert ratios.change(Decimal(110), Decimal(100)) == Decimal("0.1")
