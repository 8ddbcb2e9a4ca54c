"""Sums and ratios of results: the one place that says what an ad brought and what it cost.

**Revenue** of a row is, in this order:

1. what the platform reported;
2. leads x value of a lead + purchases x value of a purchase, where the client says what they are worth. The
   value is the product's behind the funnel of the ad, of its ad set or of its campaign, else the client's;
3. 0 where there was neither lead nor purchase;
4. unknown (NULL): something was brought and nobody says what it is worth.

A sum in which only unknown rows brought something is unknown too, never 0: a ROI of 0 would stop ads that
may be doing well. Ratios are computed from sums, never averaged, and are None where the divisor is 0.
"""

from decimal import Decimal

from django.contrib.postgres.aggregates import BoolAnd
from django.db.models import Case, DecimalField, F, Sum, Value, When
from django.db.models.functions import Coalesce, NullIf
from django.db.models.lookups import IsNull

MONEY = DecimalField(max_digits=24, decimal_places=9)
HUNDRED, THOUSAND = Decimal(100), Decimal(1000)

# The same for raw SQL: `m` is a daily result, `v` a row of OBJECT_VALUES_SQL for its object.
REVENUE_SQL = (
    "coalesce(m.revenue, m.leads * v.per_lead + coalesce(m.purchases * v.per_purchase, 0), "
    "m.purchases * v.per_purchase, CASE WHEN m.leads = 0 AND m.purchases = 0 THEN 0 END)"
)
REVENUE_SUM_SQL = f"coalesce(nullif(sum({REVENUE_SQL}), 0), CASE WHEN bool_and(({REVENUE_SQL}) IS NOT NULL) THEN 0 END)"
# What a lead and a purchase of each object are worth. One parameter: the client's id.
OBJECT_VALUES_SQL = """
    SELECT o.id AS ad_object_id,
           coalesce(p0.value_per_lead, p1.value_per_lead, p2.value_per_lead, c.value_per_lead) AS per_lead,
           coalesce(p0.value_per_purchase, p1.value_per_purchase, p2.value_per_purchase, c.value_per_purchase)
               AS per_purchase
      FROM ads_adobject o
      JOIN clients_client c ON c.id = o.client_id
      LEFT JOIN ads_adobject o1 ON o1.id = o.parent_id
      LEFT JOIN ads_adobject o2 ON o2.id = o1.parent_id
      LEFT JOIN clients_funnel f0 ON f0.id = o.funnel_id
      LEFT JOIN clients_product p0 ON p0.id = f0.product_id
      LEFT JOIN clients_funnel f1 ON f1.id = o1.funnel_id
      LEFT JOIN clients_product p1 ON p1.id = f1.product_id
      LEFT JOIN clients_funnel f2 ON f2.id = o2.funnel_id
      LEFT JOIN clients_product p2 ON p2.id = f2.product_id
     WHERE o.client_id = %s
"""


def _value(name):
    return Coalesce(
        *(f"ad_object__{up}funnel__product__{name}" for up in ("", "parent__", "parent__parent__")),
        f"client__{name}",
    )


def revenue():
    """The revenue of one `PerformanceMetric` as an expression; NULL where it is unknown."""
    of_leads = F("leads") * _value("value_per_lead")
    of_purchases = F("purchases") * _value("value_per_purchase")
    nothing = Case(When(leads=0, purchases=0, then=Value(0)), output_field=MONEY)
    return Coalesce(
        F("revenue"),
        of_leads + Coalesce(of_purchases, Value(0), output_field=MONEY),
        of_purchases,
        nothing,
        output_field=MONEY,
    )


def revenue_sum():
    """The revenue of a group of `PerformanceMetric` rows as an aggregate; NULL where it is unknown."""
    known = BoolAnd(IsNull(revenue(), False))
    return Coalesce(
        NullIf(Sum(revenue()), Value(0), output_field=MONEY),
        Case(When(known, then=Value(0)), output_field=MONEY),
        output_field=MONEY,
    )


def sums():
    """Aggregates for `PerformanceMetric.objects…annotate(**sums())` or `.aggregate(**sums())`.

    Named `spend_sum`, … so that none hides a column. `reach_days` adds up daily reach: it counts a person once a
    day, so `impressions / reach_days` is how often somebody reached on a day saw the ad that day.
    """
    return {
        "spend_sum": Coalesce(Sum("spend"), Value(Decimal(0)), output_field=MONEY),
        "impressions_sum": Coalesce(Sum("impressions"), 0),
        "clicks_sum": Coalesce(Sum("clicks"), 0),
        "link_clicks_sum": Sum("link_clicks"),
        "reach_days": Sum("reach"),
        "leads_sum": Coalesce(Sum("leads"), Value(Decimal(0)), output_field=MONEY),
        "purchases_sum": Coalesce(Sum("purchases"), Value(Decimal(0)), output_field=MONEY),
        "revenue_sum": revenue_sum(),
    }


def roi(revenue, spend):
    """Revenue per unit of spend (3 means 3 € back for 1 €); None where either is unknown or nothing was spent."""
    return None if revenue is None or not spend else revenue / spend


def cost_per(spend, count):
    """Spend per lead or purchase; None without any."""
    return None if spend is None or not count else spend / count


def ctr(clicks, impressions):
    """Clicks in percent of impressions."""
    return None if clicks is None or not impressions else clicks * HUNDRED / impressions


def cpm(spend, impressions):
    """Spend per thousand impressions."""
    return None if spend is None or not impressions else spend * THOUSAND / impressions


def frequency(impressions, reach):
    """Impressions per person reached, in the meaning `reach` has."""
    return None if impressions is None or not reach else Decimal(impressions) / reach


def change(now, before):
    """The relative change from `before` to `now` (0.1 is +10 %); None where it means nothing."""
    return None if now is None or not before else now / before - 1
