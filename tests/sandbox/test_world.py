"""The pure world: deterministic, concave, tiring, noisy, and still counting for a few days."""

import datetime as dt
import statistics

import pytest

from apps.sandbox.world import days, noise
from apps.sandbox.world.delivery import Series, expected, frozen_since, without
from apps.sandbox.world.observed import attributed_share, observe, part
from apps.sandbox.world.specs import Account, Ad, AdSet, Campaign, Timeline

DAY = 86_400
START = dt.datetime(2026, 9, 1, 22, tzinfo=dt.UTC).timestamp()  # midnight in Paris
FIRST = dt.date(2026, 9, 2).toordinal()
ON = Timeline([(START, "ACTIVE")])


def an_ad(name="ad1", **more):
    return Ad(**({"id": name, "start": START, "status": ON} | more))


def an_adset(name="set1", *, budget=50.0, **more):
    steps = budget if isinstance(budget, list) else [(START, budget)]
    known = {"id": name, "start": START, "status": ON, "budget": Timeline(steps), "reference": 50.0}
    return AdSet(**(known | {"base_conversions": 8.0, "ads": (an_ad(f"{name}-a"), an_ad(f"{name}-b"))} | more))


def a_world(*adsets, budget=None, **more):
    account = Account(**({"id": "1", "seed": "s", "timezone": "Europe/Paris"} | more))
    return account, Campaign("c1", ON, budget, tuple(adsets))


def seen(account, campaign, adset, ordinal, as_of):
    series = Series(account, campaign, adset)
    return [
        observe(account, adset, ad, ordinal, ad_day, as_of=as_of) if ad_day else None
        for ad, ad_day in zip(adset.ads, series.day(ordinal, as_of), strict=True)
    ]


def test_the_same_key_gives_the_same_chance_and_another_key_another():
    assert noise.uniforms("a", 1) == noise.uniforms("a", 1)
    assert noise.uniforms("a", 1) != noise.uniforms("a", 2)
    assert all(0 < u < 1 for u in noise.uniforms("a", 1))


def test_poisson_quantiles_have_the_right_mean_and_only_grow_with_the_mean():
    draws = [noise.poisson(6.0, noise.uniform("p", n)) for n in range(4000)]
    assert statistics.mean(draws) == pytest.approx(6.0, abs=0.15)
    for n in range(200):
        u = noise.uniform("q", n)
        counts = [noise.poisson(mean / 4, u) for mean in range(120)]
        assert counts == sorted(counts)


def test_doubling_the_budget_brings_two_to_the_three_quarters_as_much_on_a_fresh_ad_set():
    once, twice = an_adset(audience=1e12), an_adset(budget=100.0, audience=1e12)
    low = expected(*a_world(once), once, FIRST, FIRST + 6)
    high = expected(*a_world(twice), twice, FIRST, FIRST + 6)
    assert high["spend"] == pytest.approx(2 * low["spend"])
    assert high["conversions"] / low["conversions"] == pytest.approx(2**0.75, rel=1e-6)


def test_at_the_reference_budget_a_fresh_ad_set_makes_its_base_conversions():
    adset = an_adset(audience=1e12)
    total = expected(*a_world(adset, noise=0.0), adset, FIRST, FIRST + 6)
    assert total["conversions"] / 7 == pytest.approx(8.0, rel=1e-6)
    assert total["spend"] == pytest.approx(350.0)


def test_creatives_tire_and_a_bigger_budget_tires_them_sooner():
    def click_rate(adset, week):
        total = expected(*a_world(adset), adset, FIRST + 7 * week, FIRST + 7 * week + 6)
        return total["clicks"] / total["impressions"]

    small, big = an_adset(), an_adset(budget=150.0)
    assert click_rate(small, 7) < 0.8 * click_rate(small, 0)
    assert click_rate(big, 3) / click_rate(big, 0) < click_rate(small, 3) / click_rate(small, 0)


def test_frequency_rises_as_the_audience_has_seen_the_ad():
    adset = an_adset()
    account, campaign = a_world(adset)
    late = START + 90 * DAY

    def frequency(ordinal):
        figures = seen(account, campaign, adset, ordinal, late)[0]
        return figures.impressions / figures.reach

    early = statistics.mean(frequency(FIRST + n) for n in range(7))
    tired = statistics.mean(frequency(FIRST + 60 + n) for n in range(7))
    assert tired > early * 1.1


def test_a_budget_changed_at_noon_is_spent_half_and_half():
    noon = START + 10 * DAY + DAY / 2
    adset = an_adset(budget=[(START, 40.0), (noon, 80.0)])
    series = Series(*a_world(adset), adset)
    spend = sum(row.spend for row in series.day(FIRST + 10, START + 20 * DAY))
    assert spend == pytest.approx(60.0)


def test_a_paused_ad_set_has_no_day_and_a_paused_ad_leaves_the_money_to_its_sibling():
    pause = START + 3 * DAY
    off = Timeline([(START, "ACTIVE"), (pause, "PAUSED")])
    adset = an_adset(status=off)
    late = START + 20 * DAY
    assert seen(*a_world(adset), adset, FIRST + 3, late) == [None, None]
    adset = an_adset(ads=(an_ad("a", status=off), an_ad("b")))
    first, second = Series(*a_world(adset), adset).day(FIRST + 4, late)
    assert first is None
    assert second.spend == pytest.approx(50.0)


def test_a_campaign_budget_is_shared_by_weight_among_those_that_run():
    stop = START + 5 * DAY
    one = an_adset("one", weight=3.0)
    two = an_adset("two", weight=1.0, status=Timeline([(START, "ACTIVE"), (stop, "PAUSED")]))
    account, campaign = a_world(one, two, budget=Timeline([(START, 80.0)]))
    spend = [sum(row.spend for row in Series(account, campaign, one).day(FIRST + n, START + 9 * DAY)) for n in (1, 6)]
    assert spend == pytest.approx([60.0, 80.0])


def test_any_order_of_asking_gives_the_same_answer():
    adset = an_adset()
    account, campaign = a_world(adset)
    late = START + 40 * DAY
    forward, backward = Series(account, campaign, adset), Series(account, campaign, adset)
    ahead = [forward.day(FIRST + n, late) for n in range(40)]
    behind = [backward.day(FIRST + n, late) for n in reversed(range(40))]
    assert ahead == behind[::-1]
    partial = Series(account, campaign, adset)
    noon = START + 20 * DAY + DAY / 2
    assert partial.day(FIRST + 20, noon) == forward.day(FIRST + 20, noon)


def test_counts_of_a_day_grow_to_their_final_value_and_stay_there():
    adset = an_adset(base_conversions=25.0)
    account, campaign = a_world(adset)
    ordinal = FIRST + 5
    end = days.bounds("Europe/Paris", ordinal)[1]
    path = [seen(account, campaign, adset, ordinal, end + age * DAY / 4)[0].conversions for age in range(60)]
    assert path == sorted(path)
    assert path[0] < path[-1]
    assert len(set(path[28:])) == 1


def test_today_is_partial():
    adset = an_adset()
    account, campaign = a_world(adset)
    ordinal = FIRST + 5
    start, end = days.bounds("Europe/Paris", ordinal)
    spends = [seen(account, campaign, adset, ordinal, start + hours * 3600)[0].spend for hours in (3, 12, 23)]
    assert spends == sorted(spends)
    assert spends[0] < 0.2 * seen(account, campaign, adset, ordinal, end + DAY)[0].spend


def test_daily_counts_scatter_more_than_poisson():
    adset = an_adset(base_conversions=60.0, ads=(an_ad(wear=0.0),))
    account, campaign = a_world(adset)
    late = START + 400 * DAY
    series = Series(account, campaign, adset)
    pearson = []
    for n in range(300):
        row = series.day(FIRST + n, late)[0]
        count = observe(account, adset, adset.ads[0], FIRST + n, row, as_of=late).conversions
        pearson.append((count - row.conversions) ** 2 / row.conversions)
    assert 1.5 < statistics.mean(pearson) < 8


def test_attribution_and_parts_end_at_the_whole():
    assert attributed_share(-0.2) < attributed_share(0) < attributed_share(3.5) < attributed_share(6.9) < 1
    assert attributed_share(7) == attributed_share(300) == 1.0
    assert part(9, 1.0, 0.999) == 9


def test_undoing_a_change_gives_the_world_without_it():
    timeline = Timeline([(START, 50.0), (START + DAY, 60.0), (START + 2 * DAY, 70.0)])
    assert without(timeline, START + DAY, 60.0).at(START + 1.5 * DAY) == 50.0
    assert without(timeline, START + DAY, 60.0).at(START + 2.5 * DAY) == 70.0
    assert frozen_since(timeline, START + 2 * DAY).at(START + 9 * DAY) == 60.0


def test_days_follow_the_clocks_of_the_account():
    lengths = [
        (end - start) / 3600
        for start, end in (
            days.bounds("Europe/Paris", dt.date(*day).toordinal()) for day in ((2026, 3, 29), (2026, 10, 25))
        )
    ]
    assert lengths == [23, 25]
