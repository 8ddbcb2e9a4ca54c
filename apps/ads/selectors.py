"""Reads of the ad tree that more than one page or service asks."""

from datetime import timedelta

from django.db import connection
from django.db.models import Max, Min

from . import ratios
from .models import AdObject, PerformanceMetric


def last_day(client):
    """The last whole day to look at: yesterday where the client lives, or where its files end.

    A client without a connected account lives from imported files: the newest day in them counts.
    """
    yesterday = yesterday_of(client)
    if AdObject.objects.filter(client=client, level=AdObject.Level.ACCOUNT, channel__isnull=False).exists():
        return yesterday
    newest = PerformanceMetric.objects.filter(client=client).aggregate(newest=Max("day"))["newest"]
    return min(newest, yesterday) if newest else yesterday


def first_day(client):
    """The first day anything is known of, None without any."""
    return PerformanceMetric.objects.filter(client=client).aggregate(oldest=Min("day"))["oldest"]


def yesterday_of(client):
    """The last complete day where the client lives."""
    return client.today() - timedelta(days=1)


def currencies_of(client):
    """The currencies of the client's accounts, its own first. Amounts of two of them are never added up."""
    found = set(AdObject.objects.filter(client=client, level=AdObject.Level.ACCOUNT).values_list("currency", flat=True))
    return sorted(found, key=lambda currency: (currency != client.currency, currency))


def family_of(ad_object):
    """Ids of an object and everything below it, as a subquery."""
    family = AdObject.objects.filter(client_id=ad_object.client_id)
    if ad_object.level == AdObject.Level.ACCOUNT:
        return (family.filter(pk=ad_object.pk) | family.filter(account=ad_object)).values("pk")
    inside = family.filter(pk=ad_object.pk) | family.filter(parent=ad_object)
    if ad_object.level == AdObject.Level.CAMPAIGN:
        inside |= family.filter(parent__parent=ad_object)
    return inside.values("pk")


def route_of(ad_object):
    """Where a campaign, ad set or ad leads, and what a lead and a purchase count there (`ratios` decides that).

    `funnel` is its own or the nearest above; `inherited_from` is the object it then comes from, else None.
    """
    holder = ad_object
    while holder is not None and (holder.funnel_id is None or holder.level == AdObject.Level.ACCOUNT):
        holder = holder.parent
    with connection.cursor() as cursor:
        cursor.execute(_VALUES_OF_ONE, [ad_object.client_id, ad_object.pk])
        per_lead, per_purchase = cursor.fetchone()
    return {
        "funnel": holder and holder.funnel,
        "inherited_from": holder if holder is not None and holder.pk != ad_object.pk else None,
        "per_lead": per_lead,
        "per_purchase": per_purchase,
    }


_VALUES_OF_ONE = f"""
    SELECT v.per_lead, v.per_purchase FROM ({ratios.OBJECT_VALUES_SQL}) v WHERE v.ad_object_id = %s
"""  # noqa: S608  (constants of this app)
