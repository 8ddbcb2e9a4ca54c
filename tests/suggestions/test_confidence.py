"""Confidence against simulations whose truth is known."""

import numpy as np
import pytest
from scipy import special

from apps.ads import benchmarks as bench
from apps.suggestions import confidence

TARGET, PHI, WEEKS, AD_SETS = 2.0, 2.0, 8, 12


def simulated_account(rng):
    """One account of 12 ad sets: confidence by three methods for `return > 2`, and whether it is so."""
    rates = rng.gamma(4, 0.04 / 4, AD_SETS)
    values = 50 * rng.lognormal(-0.02, 0.2, AD_SETS)
    days = WEEKS * 7 + 7
    spend = rng.lognormal(3, 0.5, (AD_SETS, 1)) * rng.lognormal(0, 0.15, (AD_SETS, days))
    count = rng.poisson(rng.gamma(rates[:, None] * spend / (PHI - 1), PHI - 1))
    orders = np.where(count > 0, rng.gamma(np.maximum(count, 1) / 0.36, 0.36), 0)  # orders vary by 60 %
    revenue = orders * values[:, None]

    def weekly(daily):
        return daily[:, :-7].reshape(AD_SETS, WEEKS, 7).sum(axis=2).ravel()

    group = np.repeat(np.arange(AD_SETS), WEEKS)
    phi = bench.dispersion(count.ravel(), spend.ravel(), np.repeat(np.arange(AD_SETS), days))
    prior = bench.fit_prior(weekly(count), weekly(spend), phi, group)
    value = bench.fit_order_value(weekly(count), weekly(revenue), group)
    n, s, r = (daily[:, -7:].sum(axis=1) for daily in (count, spend, revenue))
    posterior = bench.return_posterior(n, s, r, prior=prior.widened(), value=value, phi=phi)

    raw = (r / s > TARGET).astype(float)
    own_value = np.where(n > 0, r / np.maximum(n, 1), value.mean)
    flat = special.gammaincc(n + 0.5, s * TARGET / own_value)
    return raw, flat, posterior.above(TARGET), rates * values > TARGET


@pytest.fixture(scope="module")
def simulated():
    rng = np.random.default_rng(3)
    return [np.concatenate(column) for column in zip(*(simulated_account(rng) for _ in range(250)), strict=True)]


def share_true(said, true):
    return true[said > 0.9].mean()


def brier(said, true):
    return np.mean((said - true) ** 2)


def test_of_claims_above_90_percent_that_many_are_true(simulated):
    raw, flat, ours, true = simulated

    assert share_true(raw, true) < 0.75  # the control: taking the return at its word misleads
    assert share_true(flat, true) < 0.88
    assert share_true(ours, true) > 0.92
    assert (ours > 0.9).sum() > 100


def test_brier_score_beats_the_raw_comparison_and_the_flat_prior(simulated):
    raw, flat, ours, true = simulated

    assert brier(ours, true) < 0.70 * brier(raw, true)
    assert brier(ours, true) < 0.92 * brier(flat, true)
    assert brier(ours, true) < 0.75 * true.mean() * (1 - true.mean())  # and says more than the base rate


def test_low_confidence_is_as_honest_as_high(simulated):
    *_, ours, true = simulated

    assert 1 - share_true(1 - ours, ~true) == pytest.approx(0.05, abs=0.05)


def simulated_raises(rng, exponent, raises):
    before = rng.lognormal(4, 0.4, raises)
    after = before * rng.uniform(1.3, 1.6, raises)
    expected = 120.0 * (before / 50), 120.0 * (before / 50) * (after / before) ** exponent
    counts = [rng.poisson(mean) for mean in expected]
    return before, after, *counts, 1 / counts[0] + 1 / counts[1]


def test_diminishing_return_is_learned_with_an_honest_error():
    rng = np.random.default_rng(4)
    found = []
    for _ in range(200):
        *amounts, variance = simulated_raises(rng, exponent=0.6, raises=12)
        found.append(confidence.learn_returns(*amounts, variance=variance))
    exponents = np.array([one.exponent for one in found])
    errors = np.array([one.error for one in found])

    assert exponents.mean() == pytest.approx(0.6, abs=0.02)
    assert np.mean(abs(exponents - 0.6) < 1.796 * errors) == pytest.approx(0.90, abs=0.06)


def test_drift_of_controls_is_taken_off():
    before, after = np.full(4, 100.0), np.full(4, 150.0)
    earned = np.array([300.0, 280.0, 310.0, 290.0])
    learned = confidence.learn_returns(before, after, earned, earned * 1.5**0.7 * 0.8, drift=np.full(4, np.log(0.8)))

    assert learned.exponent == pytest.approx(0.7)
    assert learned.raises == 4


@pytest.mark.parametrize(
    ("after", "earned_after"),
    [
        ([150.0, 150.0], [130.0, 130.0]),  # two raises only
        ([150.0] * 4, [900.0, 20.0, 400.0, 60.0]),  # too noisy
        ([101.0] * 4, [130.0] * 4),  # no raise among them
        ([150.0] * 4, [0.0] * 4),  # nothing earned
    ],
)
def test_nothing_is_learned_from_too_little(after, earned_after):
    size = len(after)

    assert confidence.learn_returns([100.0] * size, after, [100.0] * size, earned_after) is None


def test_impact_is_unknown_where_nothing_was_learned():
    assert confidence.raise_impacts(np.ones((10, 2)), [1.0, 2.0], 0.5, None, target=3) == [None, None]


def test_impact_of_a_raise_follows_from_return_spend_and_exponent():
    (impact,) = confidence.raise_impacts(np.full((2_000, 1), 4.0), [100.0], 0.5, np.full(2_000, 0.5), target=3)

    gained = 400 * (1.5**0.5 - 1)
    assert impact.spend == 50.0
    assert impact.revenue == confidence.Span(*[pytest.approx(gained)] * 3)
    assert impact.surplus.mid == pytest.approx(gained - 3 * 50)
    assert impact.roi_after.mid == pytest.approx((400 + gained) / 150)


def test_impact_interval_carries_what_is_not_known():
    rng = np.random.default_rng(5)
    draws = rng.gamma(20, 0.2, (2_000, 1))
    exponents = confidence.Returns(0.7, 0.15, 8, 9).draws(rng, 2_000)

    (impact,) = confidence.raise_impacts(draws, [100.0], 0.5, exponents, target=3)

    assert exponents.min() >= 0
    assert impact.revenue.low < 0.7 * impact.revenue.mid
    assert impact.revenue.high > 1.3 * impact.revenue.mid


def test_impact_of_a_pause_is_spend_saved_and_revenue_lost():
    (impact,) = confidence.pause_impacts(np.full((100, 1), 0.8), [600.0], target=3)

    assert (impact.spend, impact.roi_after) == (-600.0, None)
    assert impact.revenue.mid == pytest.approx(-480)
    assert impact.surplus.mid == pytest.approx(3 * 600 - 480)
    assert impact.as_dict()["surplus"]["mid"] == pytest.approx(1320)


def test_a_fall_of_the_whole_account_is_not_the_creatives_fault():
    clicks, shown = np.array([140.0]), np.array([10_000.0])
    before = np.array([200.0]), np.array([10_000.0])

    change, _, alone = confidence.confidence_of_fall(clicks, shown, *before, phi=2.0)
    *_, with_rest = confidence.confidence_of_fall(clicks, shown, *before, phi=2.0, drift=np.array([-0.35]))
    *_, rising = confidence.confidence_of_fall(clicks, shown, *before, phi=2.0, drift=np.array([0.35]))

    assert change[0] == pytest.approx(np.log(0.7), abs=0.01)
    assert alone[0] > 0.98
    assert with_rest[0] == pytest.approx(0.5, abs=0.05)
    assert rising[0] == alone[0]
