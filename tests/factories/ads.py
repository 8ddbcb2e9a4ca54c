"""The ad tree and its days. `AdFactory()` makes the whole branch above it, in one client and account."""

import datetime as dt
from decimal import Decimal

import factory

from apps.ads.models import (
    AdObject,
    Creative,
    CreativePerformance,
    PerformanceMetric,
    RawSnapshot,
    SpendHistory,
    TestedAngle,
)

from .connectors import ChannelFactory, SyncRunFactory
from .tenant import ClientOwnedFactory

DAY = dt.date(2026, 11, 18)
same_client = factory.SelfAttribute("..client")


class CreativeFactory(ClientOwnedFactory):
    class Meta:
        model = Creative

    external_id = factory.Sequence(lambda n: f"7000{n}")
    name = factory.Sequence(lambda n: f"Creative {n}")
    format = Creative.Format.IMAGE
    angle = "price"
    first_seen = DAY - dt.timedelta(days=30)
    last_seen = DAY


class AccountFactory(ClientOwnedFactory):
    """The top of a tree, with the channel it is read through."""

    class Meta:
        model = AdObject

    level = AdObject.Level.ACCOUNT
    channel = factory.SubFactory(ChannelFactory, client=same_client)
    external_id = factory.LazyAttribute(lambda o: o.channel.external_id if o.channel else "act_file")
    name = factory.Sequence(lambda n: f"Account {n}")
    status = AdObject.Status.ACTIVE
    effective_status = "ACTIVE"
    currency = factory.SelfAttribute("client.currency")
    time_zone = factory.SelfAttribute("client.time_zone")


class BelowFactory(AccountFactory):
    class Meta:
        abstract = True

    account = factory.LazyAttribute(lambda o: o.parent.account or o.parent)
    channel = factory.SelfAttribute("account.channel")
    currency = factory.SelfAttribute("account.currency")
    time_zone = ""


class CampaignFactory(BelowFactory):
    level = AdObject.Level.CAMPAIGN
    parent = factory.SubFactory(AccountFactory, client=same_client)
    external_id = factory.Sequence(lambda n: f"1000{n}")
    name = factory.Sequence(lambda n: f"Campaign {n}")
    objective = "OUTCOME_LEADS"


class AdsetFactory(BelowFactory):
    """An ad set with 50.00 a day of its own."""

    level = AdObject.Level.ADSET
    parent = factory.SubFactory(CampaignFactory, client=same_client)
    external_id = factory.Sequence(lambda n: f"2000{n}")
    name = factory.Sequence(lambda n: f"Ad set {n}")
    daily_budget_minor = 5000
    optimization_goal = "LEAD_GENERATION"


class AdFactory(BelowFactory):
    level = AdObject.Level.AD
    parent = factory.SubFactory(AdsetFactory, client=same_client)
    external_id = factory.Sequence(lambda n: f"3000{n}")
    name = factory.Sequence(lambda n: f"Ad {n}")
    creative = factory.SubFactory(CreativeFactory, client=same_client)


class PerformanceMetricFactory(ClientOwnedFactory):
    """One day of one ad."""

    class Meta:
        model = PerformanceMetric

    ad_object = factory.SubFactory(AdFactory, client=same_client)
    day = DAY
    spend = Decimal("50")
    impressions = 5000
    reach = 4000
    clicks = 100
    link_clicks = 80
    leads = Decimal("5")
    purchases = Decimal("0")


class SpendHistoryFactory(ClientOwnedFactory):
    class Meta:
        model = SpendHistory

    ad_object = factory.SubFactory(AdsetFactory, client=same_client)
    day = DAY
    daily_budget_minor = 5000
    spend = Decimal("50")


class CreativePerformanceFactory(ClientOwnedFactory):
    class Meta:
        model = CreativePerformance

    creative = factory.SubFactory(CreativeFactory, client=same_client)


class TestedAngleFactory(ClientOwnedFactory):
    __test__ = False  # the name looks like a test to pytest

    class Meta:
        model = TestedAngle

    angle = factory.Sequence(lambda n: f"angle {n}")


class RawSnapshotFactory(ClientOwnedFactory):
    class Meta:
        model = RawSnapshot

    run = factory.SubFactory(SyncRunFactory, client=same_client)
    kind = "insights"
    page = factory.Sequence(int)
    payload = {"data": []}
    sha256 = "0" * 64
