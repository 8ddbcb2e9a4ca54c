"""What an execution brought: measured when its days are over, against those not acted on, once."""

import datetime as dt
from decimal import Decimal

import pytest

from apps.ads.models import PerformanceMetric
from apps.core import clock
from apps.suggestions.models import ExecutionLog, FeedbackLoop, Hypothesis, Suggestion
from apps.suggestions.services import hypotheses
from tests.factories.ads import AccountFactory, AdFactory, AdsetFactory, CampaignFactory
from tests.factories.clients import ClientFactory
from tests.factories.suggestions import EVIDENCE, ExecutionFactory, SuggestionFactory

pytestmark = pytest.mark.django_db

DONE = dt.datetime(2026, 10, 20, 9, 0, tzinfo=dt.UTC)
DAY = DONE.date()
AFTER_ALL = DONE + dt.timedelta(days=16)


@pytest.fixture
def client(as_client):
    client = ClientFactory()
    as_client(client)
    return client


@pytest.fixture
def campaign(client):
    return CampaignFactory(client=client, parent=AccountFactory(client=client))


def adset_earning(client, campaign, before, after, *, wobble=0):
    """An ad set that earned `before` a day until the action and `after` from the day after it."""
    adset = AdsetFactory(client=client, parent=campaign)
    ad = AdFactory(client=client, parent=adset)
    days = [DAY + dt.timedelta(days=offset) for offset in range(-28, 15)]
    PerformanceMetric.objects.bulk_create(
        PerformanceMetric(
            client=client,
            ad_object=ad,
            day=day,
            spend=Decimal(100 if day <= DAY or before == after else 150),
            purchases=10,
            revenue=Decimal((before if day <= DAY else after) + (wobble if day.toordinal() % 2 else -wobble)),
        )
        for day in days
    )
    return adset


def raised(client, adset):
    """A raise of this ad set, carried out on DONE, with its hypothesis."""
    suggestion = SuggestionFactory(
        client=client,
        ad_object=adset,
        status="done",
        created_at=DONE,
        closed_at=DONE,
        evidence=EVIDENCE | {"order_value": 30.0, "phi": 1.0},
    )
    execution = ExecutionFactory(
        client=client,
        decision__suggestion=suggestion,
        decision__decided_at=DONE,
        state=ExecutionLog.State.DONE,
        sent_at=DONE,
        done_at=DONE,
    )
    return hypotheses.open_for(execution)


def evaluate(client, at=AFTER_ALL):
    with clock.at(at):
        return hypotheses.evaluate_due(client)


def test_the_prediction_is_frozen_with_its_windows(client, campaign):
    hypothesis = raised(client, adset_earning(client, campaign, 300, 360))

    assert (hypothesis.baseline_start, hypothesis.baseline_end) == (dt.date(2026, 9, 22), dt.date(2026, 10, 12))
    assert (hypothesis.window_start, hypothesis.window_end) == (dt.date(2026, 10, 21), dt.date(2026, 11, 3))
    assert hypothesis.probability == 0.93


def test_nothing_is_measured_before_its_days_are_over(client, campaign):
    raised(client, adset_earning(client, campaign, 300, 360))

    assert evaluate(client, DONE + dt.timedelta(days=10))[0] == 0
    assert Hypothesis.objects.get().state == Hypothesis.State.OPEN


def test_a_raise_is_measured_against_untouched_siblings(client, campaign):
    adset = adset_earning(client, campaign, 300, 360)
    for level in (200, 250, 300, 350):
        adset_earning(client, campaign, level, level, wobble=5)
    raised(client, adset)

    assert evaluate(client)[0] == 1

    found = Hypothesis.objects.get()
    assert (found.grade, found.controls) == ("C", 4)
    assert found.effect == pytest.approx(0.182, abs=0.02)  # log(360 / 300)
    assert found.effect_low < found.effect < found.effect_high
    row = FeedbackLoop.objects.get()
    assert (row.spend_before, row.spend_after) == (100, 150)
    assert (row.value_before, row.value_after) == (300, 360)


def test_a_market_that_rises_for_everybody_is_no_effect(client, campaign):
    adset = adset_earning(client, campaign, 300, 390)
    for level in (200, 250, 300, 350):
        adset_earning(client, campaign, level, level * 1.3)
    raised(client, adset)

    evaluate(client)

    assert Hypothesis.objects.get().effect == pytest.approx(0, abs=0.02)


def test_those_that_fired_the_same_rule_and_were_refused_are_better_controls(client, campaign):
    adset = adset_earning(client, campaign, 300, 360)
    for level in (200, 250, 300):
        refused = adset_earning(client, campaign, level, level * 0.9)
        SuggestionFactory(client=client, ad_object=refused, status="refused", created_at=DONE, closed_at=DONE)
    for level in (220, 240, 260):
        adset_earning(client, campaign, level, level)
    raised(client, adset)

    evaluate(client)

    found = Hypothesis.objects.get()
    assert (found.grade, found.controls) == ("B", 3)
    assert found.effect == pytest.approx(0.182 + 0.105, abs=0.03)


def test_ad_sets_that_were_acted_on_are_no_controls(client, campaign):
    adset = adset_earning(client, campaign, 300, 360)
    for level in (200, 250, 300):
        other = adset_earning(client, campaign, level, level * 2)
        other.changed_elsewhere_at = DONE
        other.save()
    raised(client, adset)

    evaluate(client)

    found = Hypothesis.objects.get()
    assert (found.grade, found.effect, found.verdict) == ("D", None, "inconclusive")


def test_what_was_undone_meanwhile_shows_no_effect(client, campaign):
    adset = adset_earning(client, campaign, 300, 360)
    for level in (200, 250, 300):
        adset_earning(client, campaign, level, level)
    hypothesis = raised(client, adset)
    ExecutionFactory(
        client=client,
        decision__suggestion=hypothesis.execution.suggestion,
        decision__verdict="undo",
        undo_of=hypothesis.execution,
        state=ExecutionLog.State.DONE,
        sent_at=DONE + dt.timedelta(days=5),
    )

    evaluate(client)

    hypothesis.refresh_from_db()
    assert (hypothesis.effect, hypothesis.verdict) == (None, "inconclusive")
    assert FeedbackLoop.objects.get().control_change is None


def test_an_outcome_waits_for_the_fortnight_of_the_client_s_own_days(as_client):
    client = ClientFactory(time_zone="Pacific/Auckland")
    as_client(client)
    adset = adset_earning(client, CampaignFactory(client=client, parent=AccountFactory(client=client)), 500, 500)
    evening = DONE.replace(hour=20)  # the 21st already in Auckland
    SuggestionFactory(client=client, ad_object=adset, status="refused", created_at=evening, closed_at=evening)

    assert evaluate(client, DONE + dt.timedelta(days=15))[1] == 0  # known until the 3rd: one day short
    assert evaluate(client, DONE + dt.timedelta(days=16))[1] == 1


def test_measuring_twice_changes_nothing(client, campaign):
    raised(client, adset_earning(client, campaign, 300, 360))
    evaluate(client)
    first = Hypothesis.objects.values().get()

    assert evaluate(client, AFTER_ALL + dt.timedelta(days=3))[0] == 0
    assert Hypothesis.objects.values().get() == first
    assert FeedbackLoop.objects.count() == 1


def test_what_was_said_is_checked_whatever_people_decided(client, campaign):
    good = adset_earning(client, campaign, 500, 500)
    bad = adset_earning(client, campaign, 500, 100)
    for adset in (good, bad):
        SuggestionFactory(client=client, ad_object=adset, status="refused", created_at=DONE, closed_at=DONE)

    assert evaluate(client)[1] == 2

    outcomes = dict(Suggestion.objects.values_list("ad_object_id", "came_true"))
    assert outcomes == {good.pk: True, bad.pk: False}  # the bar is 3: 500 on 100 a day holds, 100 does not


def test_a_pause_that_was_carried_out_shows_no_outcome(client, campaign):
    adset = adset_earning(client, campaign, 90, 0)
    SuggestionFactory(
        client=client, ad_object=adset, kind="pause", status="done", field="status", created_at=DONE, closed_at=DONE
    )

    evaluate(client)

    row = Suggestion.objects.get()
    assert row.came_true is None
    assert row.outcome_known_at is not None


def test_a_diminishing_return_is_learned_from_one_s_own_raises(client, campaign):
    assert hypotheses.returns_of(client) is None
    for number in range(6):
        FeedbackLoop.objects.create(
            client=client,
            hypothesis=raised(client, adset_earning(client, campaign, 300, 360)),
            kind="scale",
            said=0.9,
            spend_before=100,
            spend_after=150,
            value_before=300,
            value_after=300 * 1.5**0.7 * (1 + number / 200),
            control_change=0.0,
        )

    assert hypotheses.returns_of(client).exponent == pytest.approx(0.7, abs=0.05)
