"""The daily cycle over stored results: what is proposed, what is skipped and why, and nothing twice."""

import datetime as dt
from decimal import Decimal

import pytest

from apps.ads.models import PerformanceMetric
from apps.core import clock
from apps.core.actors import SYSTEM, Actor
from apps.core.errors import Conflict
from apps.core.tenancy import use_client
from apps.suggestions import tasks
from apps.suggestions.models import (
    AnalysisRule,
    CycleRun,
    SkippedCandidate,
    SlackMessage,
    Suggestion,
    ValidationItem,
)
from apps.suggestions.services import deciding, generation
from tests.factories.ads import AccountFactory, AdFactory, AdsetFactory, CampaignFactory
from tests.factories.clients import ClientFactory, member
from tests.factories.connectors import SlackChannelFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 19, 6, 0, tzinfo=dt.UTC)
DAYS = [dt.date(2026, 11, 18) - dt.timedelta(days=back) for back in range(56)]


@pytest.fixture
def client(as_client):
    client = ClientFactory(roi_target=Decimal("3"))
    as_client(client)
    generation.install_rules(client)
    return client


def adset_with(client, campaign, *, roi, spend=120, orders=6, **fields):
    """An ad set whose only ad returned `roi` times its spend on each of eight weeks."""
    adset = AdsetFactory(client=client, parent=campaign, **fields)
    ad = AdFactory(client=client, parent=adset)
    PerformanceMetric.objects.bulk_create(
        PerformanceMetric(
            client=client,
            ad_object=ad,
            day=day,
            spend=Decimal(spend),
            impressions=6000,
            reach=5000,
            clicks=90,
            purchases=orders + (index % 3) - 1,
            revenue=Decimal(str(spend * roi)) * (orders + (index % 3) - 1) / orders,
        )
        for index, day in enumerate(DAYS)
    )
    return adset


@pytest.fixture
def account(client):
    """Eight ad sets around the target, one far above it and one far below."""
    campaign = CampaignFactory(client=client, parent=AccountFactory(client=client))
    usual = [adset_with(client, campaign, roi=2.2 + index / 10) for index in range(8)]
    return {
        "usual": usual,
        "star": adset_with(client, campaign, roi=5.5, orders=20),
        "sink": adset_with(client, campaign, roi=0.9, orders=3),
    }


def run(client, at=NOW):
    with clock.at(at):
        return generation.run_cycle(client=client, actor=SYSTEM)


def test_the_star_is_scaled_and_the_sink_is_paused(client, account):
    cycle = run(client)

    found = {row.ad_object_id: row for row in Suggestion.objects.all()}
    star, sink = found[account["star"].pk], found[account["sink"].pk]
    assert (star.kind, star.field, star.before, star.target) == ("scale", "daily_budget", "5000", "7500")
    assert (sink.kind, sink.field, sink.before, sink.target) == ("pause", "status", "ACTIVE", "PAUSED")
    assert star.confidence > 0.95
    assert star.impact_mid is None  # nothing was learned about raises yet: unknown, not a number
    assert star.evidence["roi"] == pytest.approx(5.5, rel=0.02)
    assert len(star.evidence["weeks"]) >= 7
    assert star.priority < sink.priority
    assert cycle.counts["proposed"] == len(found) == 2
    assert ValidationItem.objects.filter(kind="suggestion").count() == 2


def test_running_twice_proposes_nothing_twice(client, account):
    run(client)
    cycle = run(client)

    assert cycle.counts["proposed"] == Suggestion.objects.count() == 2  # what the day proposed
    assert CycleRun.objects.count() == 1
    reasons = dict(SkippedCandidate.objects.values_list("ad_object_id", "reason"))
    assert reasons[account["star"].pk] == "already_suggested"


def test_the_sweep_s_cycle_looks_once_a_day(client, account):
    with clock.at(NOW):
        done = generation.run_cycle(client=client, actor=SYSTEM, only_once=True)
    with clock.at(NOW + dt.timedelta(minutes=10)):
        again = generation.run_cycle(client=client, actor=SYSTEM, only_once=True)

    assert again.finished_at == done.finished_at


def test_nothing_is_proposed_for_a_client_that_is_switched_off(client, account):
    client.is_active = False

    with clock.at(NOW), pytest.raises(Conflict):
        generation.run_cycle(client=client, actor=SYSTEM)

    assert not CycleRun.objects.exists()


def test_a_refused_one_does_not_come_back_the_next_day_unchanged(client, account):
    run(client)
    person = member(client)
    star = Suggestion.objects.get(ad_object=account["star"])
    with clock.at(NOW + dt.timedelta(hours=1)):
        deciding.refuse(suggestion_id=star.pk, actor=Actor(person, "web"), reason="No stock")

    run(client, NOW + dt.timedelta(days=1))

    assert Suggestion.objects.filter(ad_object=account["star"]).count() == 1
    assert SkippedCandidate.objects.filter(ad_object=account["star"], reason="refused_unchanged").exists()


def test_an_ad_set_that_learns_is_skipped_with_the_reason(client, account):
    account["star"].learning_status = "LEARNING"
    account["star"].save()

    run(client)

    assert SkippedCandidate.objects.get(ad_object=account["star"]).reason == "in_learning"


def test_thresholds_are_the_client_s_own(client, account):
    AnalysisRule.objects.filter(kind="pause").update(min_spend=5000)

    run(client)

    assert not Suggestion.objects.filter(kind="pause").exists()
    assert SkippedCandidate.objects.filter(ad_object=account["sink"], reason="below_min_spend").exists()


def test_leads_have_the_value_the_client_gives_them(client):
    client.value_per_lead = Decimal("40")
    client.save()
    campaign = CampaignFactory(client=client, parent=AccountFactory(client=client))
    good = [adset_with(client, campaign, roi=1) for _ in range(6)]
    PerformanceMetric.objects.update(revenue=None, purchases=0, leads=4)
    PerformanceMetric.objects.filter(ad_object__parent=good[0]).update(leads=18)

    run(client)

    star = Suggestion.objects.get(kind="scale")
    assert star.ad_object == good[0]
    assert star.evidence["roi"] == pytest.approx(18 * 40 / 120, rel=0.01)


def test_without_any_value_nothing_is_proposed_and_it_is_said(client):
    campaign = CampaignFactory(client=client, parent=AccountFactory(client=client))
    adset = adset_with(client, campaign, roi=1)
    PerformanceMetric.objects.update(revenue=None, purchases=0, leads=4)

    run(client)

    assert not Suggestion.objects.exists()
    assert {row.reason for row in SkippedCandidate.objects.filter(ad_object=adset)} == {"no_revenue"}


def test_file_only_objects_are_proposed_for_people_without_a_change_to_write(client, account):
    for level in ("star", "sink"):
        account[level].channel = None
        account[level].save()

    run(client)

    assert set(Suggestion.objects.values_list("field", "target")) == {("", "")}


def test_currencies_are_never_added_up(client, account):
    yen = AccountFactory(client=client, currency="JPY")
    campaign = CampaignFactory(client=client, parent=yen)
    adset_with(client, campaign, roi=2.5, spend=12_000)

    cycle = run(client)

    assert set(cycle.benchmarks) == {"EUR", "JPY"}
    assert cycle.benchmarks["JPY"]["7"]["n"] == 1


def test_slack_gets_a_head_and_one_message_each(client, account):
    SlackChannelFactory(client=client)

    run(client)
    run(client)

    assert SlackMessage.objects.filter(suggestion=None).count() == 1
    assert SlackMessage.objects.exclude(suggestion=None).count() == 2


def test_a_client_s_cycle_reads_in_a_fixed_number_of_queries(client, account, django_assert_max_num_queries):
    campaign = account["star"].parent
    for _ in range(20):
        adset_with(client, campaign, roi=2.4)

    with django_assert_max_num_queries(60):
        run(client)


def test_another_client_s_rows_play_no_part(client, account):
    run(client)
    before = Suggestion.objects.get(ad_object=account["star"]).evidence["benchmarks"]
    other = ClientFactory()
    with use_client(other):
        campaign = CampaignFactory(client=other, parent=AccountFactory(client=other))
        for _ in range(10):
            adset_with(other, campaign, roi=9)
    Suggestion.objects.all().delete()

    run(client)

    assert Suggestion.objects.get(ad_object=account["star"]).evidence["benchmarks"] == before


def test_a_morning_that_breaks_off_is_seen_and_tried_again(client, account, monkeypatch):
    with monkeypatch.context() as broken, clock.at(NOW):
        broken.setattr(generation, "analyses", lambda _client: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tasks.daily_cycle(client.pk)

    failed = CycleRun.objects.get()
    assert (failed.state, failed.error) == (CycleRun.State.FAILED, "division by zero")
    assert run(client).state == CycleRun.State.DONE
