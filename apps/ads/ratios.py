"""What a result is worth and what it cost: one definition for pages, exports and the daily cycle.

Value of a row: the revenue the platform reports, or its purchases at the value the client gave where it
reports none; plus its leads at the client's value of a lead. A product's own values come before the client's.
Conversions are those that carry a value. ROI = value / spend; CPL = spend / leads; CTR = clicks / impressions;
CPM = spend / impressions x 1000. Ratios are computed from sums, never averaged; without a divisor they are None.
"""

from decimal import Decimal

# For SQL in which `metric` is ads_performancemetric and `object` the ads_adobject it belongs to.
VALUE_JOINS_SQL = """
    JOIN clients_client owner ON owner.id = metric.client_id
    LEFT JOIN clients_funnel funnel ON funnel.id = object.funnel_id
    LEFT JOIN clients_product product ON product.id = funnel.product_id
"""
_PER_LEAD = "coalesce(product.value_per_lead, owner.value_per_lead)"
_PER_PURCHASE = "coalesce(product.value_per_purchase, owner.value_per_purchase)"
VALUE_SQL = (
    f"(coalesce(metric.revenue, metric.purchases * {_PER_PURCHASE}, 0) + metric.leads * coalesce({_PER_LEAD}, 0))"
)
CONVERSIONS_SQL = (
    f"(CASE WHEN metric.revenue IS NOT NULL OR {_PER_PURCHASE} IS NOT NULL THEN metric.purchases ELSE 0 END"
    f" + CASE WHEN {_PER_LEAD} IS NOT NULL THEN metric.leads ELSE 0 END)"
)


def ratio(top, bottom, factor=1):
    """`top / bottom x factor` as Decimal, or None where there is nothing to divide by."""
    if not bottom or top is None:
        return None
    return Decimal(top) * factor / Decimal(bottom)
