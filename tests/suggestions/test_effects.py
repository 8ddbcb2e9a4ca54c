"""Measured effects against simulations whose true effect is known, chosen as real ones are: by an extreme
week.
"""

from collections import defaultdict

import numpy as np
import pytest

from apps.suggestions import effects

DAYS = np.arange(-28, 15)
ACCOUNTS, AD_SETS, FIRED = 12, 40, 8


def simulated_account(rng, true_effect):
    """Daily conversions and spend of one account around day 0, who fired the rule and was executed, who
    fired and was not.

    Ad sets differ for good, drift from week to week (AR 0.5), share the account's shocks, and count
    Poisson. The rule picks the best returns of the last week; half of them, at random, are executed and
    have `true_effect` (log) from day 0.
    """
    week = (DAYS + 28) // 7
    drift = np.empty((AD_SETS, 7))
    drift[:, 0] = rng.normal(0, 0.25, AD_SETS)
    for number in range(1, 7):
        drift[:, number] = 0.5 * drift[:, number - 1] + rng.normal(0, 0.25 * 0.75**0.5, AD_SETS)
    shock = rng.normal(0, 0.1, 7).cumsum()
    rate = 0.03 * np.exp(rng.normal(0, 0.4, (AD_SETS, 1)) + drift[:, week] + shock[week])
    spend = rng.lognormal(3.5, 0.4, (AD_SETS, 1)) * rng.lognormal(0, 0.1, (AD_SETS, len(DAYS)))
    count = rng.poisson(rate * spend)
    trigger = (DAYS >= -7) & (DAYS <= -1)
    fired = np.argsort(-count[:, trigger].sum(axis=1) / spend[:, trigger].sum(axis=1))[:FIRED]
    rng.shuffle(fired)
    executed, refused = fired[: FIRED // 2], fired[FIRED // 2 :]
    after = np.ix_(executed, DAYS >= 0)
    count[after] = rng.poisson((rate * spend)[after] * np.exp(true_effect))
    return count, spend, executed, refused


def campaign_of_actions(rng, true_effect):
    """Evaluations of 48 actions over 12 accounts by the kind of control, their accounts, and what naive
    methods say.
    """
    found, naive = defaultdict(list), defaultdict(list)
    accounts = []
    for account in range(ACCOUNTS):
        count, spend, executed, refused = simulated_account(rng, true_effect)
        siblings = np.setdiff1d(np.arange(AD_SETS), np.concatenate([executed, refused]))
        for kind, chosen in (("same_trigger", refused), ("sibling", siblings)):
            others = effects.Traces(DAYS, count[chosen], spend[chosen])
            controls = [effects.Control(kind, budget_id=int(one)) for one in chosen]
            ordinary = others.log_changes(before=effects.TRIGGER).mean()
            for one in executed:
                treated = effects.Traces(DAYS, count[[one]], spend[[one]])
                measured = effects.evaluate(treated, others, controls, budget_id=int(one), direction=1)
                found[kind].append(measured)
                naive[kind].append(measured.naive - ordinary)
                naive["before_after"].append(measured.naive)
        accounts += [account] * len(executed)
    return found, accounts, naive


def repeated(true_effect, times, seed):
    rng = np.random.default_rng(seed)
    return [campaign_of_actions(rng, true_effect) for _ in range(times)]


@pytest.fixture(scope="module")
def nothing_happened():
    return repeated(0.0, 80, seed=1)


@pytest.fixture(scope="module")
def it_worked():
    return repeated(np.log(1.25), 40, seed=2)


def pooled(runs, kind):
    return [effects.pool([one.effect for one in found[kind]], accounts) for found, accounts, _ in runs]


def coverage(intervals, true_effect):
    return np.mean([one.low <= true_effect <= one.high for one in intervals])


@pytest.mark.parametrize(("kind", "grade"), [("same_trigger", "B"), ("sibling", "C")])
def test_an_effect_of_zero_is_found_to_be_zero(nothing_happened, kind, grade):
    pools = pooled(nothing_happened, kind)
    singles = [one.effect for found, _, _ in nothing_happened for one in found[kind]]

    assert abs(effects.percent(np.mean([one.mid for one in pools]))) < 5
    assert 0.85 <= coverage(pools, 0.0) <= 0.95
    assert 0.85 <= coverage(singles, 0.0) <= 0.95
    assert {one.grade for one in singles} == {grade}
    assert pools[0].grades == {grade: 48}
    assert (pools[0].actions, pools[0].clusters) == (48, 12)


def test_the_simulation_can_see_regression_to_the_mean(nothing_happened):
    said = {kind: [] for kind in ("before_after", "sibling", "same_trigger")}
    for _, _, naive in nothing_happened:
        for kind in said:
            said[kind] += naive[kind]
    percents = {kind: effects.percent(np.mean(collected)) for kind, collected in said.items()}

    assert percents["before_after"] < -15
    assert percents["sibling"] < -15  # ordinary siblings do not help while the trigger week is the baseline
    assert abs(percents["same_trigger"]) < 5  # those that fired too, do


def test_a_true_effect_is_recovered(it_worked):
    for kind in ("same_trigger", "sibling"):
        pools = pooled(it_worked, kind)

        assert effects.percent(np.mean([one.mid for one in pools])) == pytest.approx(25, abs=5)
        assert coverage(pools, np.log(1.25)) >= 0.80


def test_actions_that_share_controls_are_not_independent(nothing_happened):
    careless = [effects.pool([one.effect for one in found["same_trigger"]]) for found, _, _ in nothing_happened]

    assert coverage(careless, 0.0) < 0.83  # the control of the test above: clusters are what makes it cover


def test_no_single_action_gets_a_verdict_that_its_interval_does_not_give(nothing_happened):
    for found, _, _ in nothing_happened[:10]:
        for one in found["same_trigger"]:
            decided = one.effect.low > 0 or one.effect.high < 0
            assert (one.verdict != effects.INCONCLUSIVE) == decided
    verdicts = [one.verdict for found, _, _ in nothing_happened for one in found["same_trigger"]]
    assert verdicts.count(effects.INCONCLUSIVE) / len(verdicts) > 0.85


def test_shrunk_single_effects_are_nearer_to_the_truth_and_keep_their_coverage():
    rng = np.random.default_rng(6)
    plain, shrunk, covered = [], [], []
    for _ in range(30):
        truth = rng.normal(0.1, 0.2, 24)
        controls = rng.normal(0, 0.3, (24, 6))
        measured = []
        for true, theirs in zip(truth, controls, strict=True):
            spread = theirs.var(ddof=1)
            mid = true + rng.normal(0, 0.3) - theirs.mean()
            measured.append(effects.effect(mid, spread, spread / 6, 6, "B"))
        pool = effects.pool(measured)
        for true, one in zip(truth, measured, strict=True):
            mid, low, high = effects.shrink(one, pool)
            plain.append((one.mid - true) ** 2)
            shrunk.append((mid - true) ** 2)
            covered.append(low <= true <= high)

    assert np.mean(shrunk) < 0.5 * np.mean(plain)
    assert 0.85 <= np.mean(covered) <= 0.95


def flat(entities, after=1.0):
    """Traces of 30 events a day before the action, and `after` times that from day 1; one row per entity."""
    top = np.full((entities, len(DAYS)), 30.0)
    top[:, DAYS > 0] *= after
    return effects.Traces(DAYS, top, np.full_like(top, 10.0))


def test_the_trigger_week_and_the_day_itself_do_not_count():
    traces = flat(1)
    loud = np.where((DAYS >= -7) & (DAYS <= 0), 1_000.0, traces.top)

    assert effects.Traces(DAYS, loud, traces.bottom).log_changes()[0] == pytest.approx(0, abs=0.001)


def test_an_entity_that_spent_nothing_on_one_side_has_no_change():
    bottom = np.where(DAYS > 0, 0.0, 10.0)[None, :]
    traces = effects.Traces(DAYS, np.full_like(bottom, 3.0), bottom)

    assert np.isnan(traces.log_changes()[0])
    others = flat(4)
    controls = [effects.Control("sibling", budget_id=one) for one in range(4)]
    measured = effects.evaluate(traces, others, controls, budget_id=9, direction=1)
    assert (measured.grade, measured.effect, measured.verdict) == ("D", None, effects.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("kinds", "grade", "used"),
    [
        (["holdout"] * 3 + ["same_trigger"] * 3, "A", [0, 1, 2]),
        (["holdout"] * 2 + ["same_trigger"] * 3 + ["sibling"] * 9, "B", [2, 3, 4]),
        (["same_trigger"] * 2 + ["sibling"] * 3, "C", [2, 3, 4]),
        (["sibling"] * 2, "D", []),
        ([], "D", []),
    ],
)
def test_the_best_controls_of_which_there_are_three_set_the_grade(kinds, grade, used):
    controls = [effects.Control(kind, budget_id=place) for place, kind in enumerate(kinds)]

    assert effects.choose_controls(controls, np.zeros(len(kinds)), budget_id=99) == (grade, used)


def test_siblings_on_the_same_budget_or_acted_on_or_without_numbers_are_no_controls():
    controls = [effects.Control("sibling", budget_id=budget) for budget in (7, 7, 1, 2, 3, 4)]
    controls[5] = effects.Control("sibling", budget_id=4, acted=True)
    changes = np.array([0.0, 0, 0, 0, 0, 0])

    assert effects.choose_controls(controls, changes, budget_id=7) == ("C", [2, 3, 4])
    changes[2] = np.nan
    assert effects.choose_controls(controls, changes, budget_id=7) == ("D", [])


def test_an_ad_set_smaller_than_its_controls_gets_a_wider_interval():
    rng = np.random.default_rng(3)
    others = effects.Traces(DAYS, rng.poisson(30, (8, len(DAYS))), np.ones((8, len(DAYS))))
    controls = [effects.Control("sibling", budget_id=one) for one in range(8)]

    def width(mean):
        treated = effects.Traces(DAYS, rng.poisson(mean, (1, len(DAYS))), np.ones((1, len(DAYS))))
        found = effects.evaluate(treated, others, controls, budget_id=99, direction=1).effect
        return found.high - found.low

    assert width(0.5) > 3 * width(30)


@pytest.mark.parametrize(
    ("low", "high", "direction", "expected"),
    [
        (0.1, 0.3, 1, "confirmed"),
        (0.1, 0.3, -1, "contradicted"),
        (-0.3, -0.1, 1, "contradicted"),
        (-0.3, -0.1, -1, "confirmed"),
        (-0.1, 0.3, 1, "inconclusive"),
    ],
)
def test_verdict_needs_the_whole_interval_on_one_side(low, high, direction, expected):
    assert effects.verdict(low, high, direction) == expected


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        ([0.12, -0.05, 0.30, 0.08, 0.22], (0.12529250, 0.05283869, 0.022936)),
        ([0.62, -0.45, 0.60, -0.52, 0.92], (0.22949871, 0.29882292, 0.43001360**0.5)),
    ],
)
def test_combination_equals_that_of_statsmodels(means, expected):
    """Reference: statsmodels 0.14 combine_effects(method_re="pm"): mean_effect_re, sd_eff_w_re_hksj, tau2
    ** 0.5.
    """
    variances = np.array([0.010, 0.020, 0.015, 0.008, 0.030])

    assert effects.combine(np.array(means), variances) == pytest.approx(expected, rel=1e-4)


def test_pooling_nothing_says_nothing_and_one_action_keeps_its_own_interval():
    one = effects.effect(0.2, 0.04, 0.01, 5, "C")
    pool = effects.pool([one, None])

    assert effects.pool([]) is None
    assert effects.pool([None]) is None
    assert (pool.mid, pool.actions, pool.between) == (0.2, 1, 0.0)
    assert (pool.low, pool.high) == (pytest.approx(one.low), pytest.approx(one.high))


def test_noise_of_shared_controls_is_counted_once_not_averaged_away():
    four = [effects.effect(mid, 0.04, 0.01, 5, "C") for mid in (0.1, 0.2, 0.3, 0.4)]

    assert effects.pool(four, ["same week"] * 4).error == pytest.approx((0.04 / 4 + 0.01) ** 0.5)


def test_percent():
    assert effects.percent(np.log(1.5)) == pytest.approx(50)
