"""Percentile benchmarks against simulations whose truth is known."""

import numpy as np
import pytest
from scipy import stats

from apps.ads import benchmarks as bench

RATE, SHAPE = 0.03, 4.0  # conversions per euro; rates differ by 50 %
ONE_EURO = bench.OrderValue(mean=1.0, spread=0.0, pseudo_orders=0.0)


def rates(rng, size):
    return rng.gamma(SHAPE, RATE / SHAPE, size)


def history(rng, ad_sets=24, weeks=8):
    """Conversions and spend by ad-set-week, about three conversions each."""
    spend = rng.lognormal(4.5, 0.5, (ad_sets, weeks))
    return rng.poisson(rates(rng, (ad_sets, 1)) * spend).ravel(), spend.ravel()


def overdispersed(rng, mean, phi):
    return rng.poisson(rng.gamma(mean / (phi - 1), phi - 1))


def test_p90_of_six_ad_sets_is_about_twice_as_near_to_the_truth_as_the_raw_one():
    rng = np.random.default_rng(11)
    raw_errors, errors, covered = [], [], []
    for _ in range(300):
        prior = bench.fit_prior(*history(rng), group=np.repeat(np.arange(24), 8))
        truth = rates(rng, 6)
        spend = rng.lognormal(4.5, 0.5, 6)
        count = rng.poisson(truth * spend)
        posterior = bench.return_posterior(count, spend, count, prior=prior, value=ONE_EURO)
        found = bench.benchmarks(posterior, spend, count, prior=prior, value=ONE_EURO, seed=1)
        true_p90 = np.percentile(truth, 90)
        raw_errors.append(abs(found.raw[90] / true_p90 - 1))
        errors.append(abs(found.estimate[90] / true_p90 - 1))
        covered.append(found.low[90] <= true_p90 <= found.high[90])

    assert np.mean(raw_errors) > 0.28  # the control: the simulation shows the problem
    assert np.mean(errors) < 0.60 * np.mean(raw_errors)
    assert 0.86 < np.mean(covered) < 0.96


def test_under_five_ad_sets_only_the_prior_speaks():
    prior = bench.Prior(4.0, 100.0, 80, True, 0.1, 0.05)
    value = bench.OrderValue(mean=50.0, spread=0.0, pseudo_orders=0.0)
    spend, count = np.array([10.0, 20.0, 5.0, 0.0]), np.array([9, 9, 9, 0])
    posterior = bench.return_posterior(count, spend, count * 50.0, prior=prior, value=value)

    found = bench.benchmarks(posterior, spend, count * 50.0, prior=prior, value=value, seed=1)

    assert (found.source, found.n) == ("prior", 3)
    assert found.estimate[90] == pytest.approx(stats.gamma.ppf(0.9, 4.0) / 100 * 50)
    assert found.low[90] < found.estimate[90] < found.high[90]
    assert found.raw[50] == pytest.approx(45.0)


def test_raw_percentiles_are_the_plain_ones_and_leave_out_what_spent_nothing():
    spend, revenue = np.array([10.0, 10, 10, 10, 10, 0]), np.array([10.0, 20, 30, 40, 50, 99])

    assert bench.raw_percentiles(spend, revenue) == {25: 2.0, 50: 3.0, 75: 4.0, 90: pytest.approx(4.6)}
    assert bench.raw_percentiles(np.zeros(2), np.zeros(2)) == {}


def test_prior_fit_is_the_maximum_of_the_negative_binomial_likelihood():
    count, spend = history(np.random.default_rng(5), ad_sets=40)

    prior = bench.fit_prior(count, spend)

    def likelihood(shape, pseudo_spend):
        return stats.nbinom.logpmf(count, shape, pseudo_spend / (pseudo_spend + spend)).sum()

    best = likelihood(prior.shape, prior.pseudo_spend)
    for shape, pseudo_spend in ((1.02, 1), (0.98, 1), (1, 1.02), (1, 0.98), (1.02, 1.02), (0.98, 0.98)):
        assert best > likelihood(prior.shape * shape, prior.pseudo_spend * pseudo_spend)
    assert prior.fitted
    assert prior.rows == 320


def test_prior_recovers_the_truth_from_many_independent_weeks():
    rng = np.random.default_rng(6)
    spend = rng.lognormal(5, 0.5, 3_000)
    prior = bench.fit_prior(rng.poisson(rates(rng, 3_000) * spend), spend)

    assert prior.mean == pytest.approx(RATE, rel=0.05)
    assert prior.shape == pytest.approx(SHAPE, rel=0.10)
    assert abs(np.log(prior.mean / RATE)) < 3 * prior.log_mean_error
    assert abs(np.log(prior.shape / SHAPE)) < 3 * prior.log_shape_error


def test_short_history_gives_a_weak_prior_around_the_pooled_rate():
    prior = bench.fit_prior(np.array([3, 5, 4]), np.array([100.0, 100.0, 200.0]))

    assert not prior.fitted
    assert prior.mean == pytest.approx(12 / 400)
    assert 1 <= prior.shape <= 10
    assert bench.fit_prior(np.array([0]), np.array([200.0])).mean == pytest.approx(0.5 / 200)
    assert bench.fit_prior(np.array([]), np.array([])) is None
    assert bench.fit_prior(np.array([0, 0]), np.array([0.0, 0.0])) is None


def test_identical_ad_sets_and_single_outliers_do_not_break_the_fit():
    same = bench.fit_prior(np.full(80, 3), np.full(80, 100.0))
    outlier = bench.fit_prior(np.r_[np.zeros(79), 500], np.full(80, 100.0))

    assert (same.shape, same.mean) == (pytest.approx(200), pytest.approx(0.03))
    assert np.isfinite([outlier.shape, outlier.pseudo_spend, outlier.log_shape_error]).all()


@pytest.mark.parametrize("phi", [1.0, 2.0, 3.0])
def test_dispersion_is_found_although_most_days_have_no_conversion(phi):
    rng = np.random.default_rng(7)
    spend = rng.lognormal(3, 0.3, (40, 56))
    mean = rates(rng, (40, 1)) * spend  # about 0.6 a day
    count = rng.poisson(mean) if phi == 1 else overdispersed(rng, mean, phi)
    group = np.repeat(np.arange(40), 56)

    found = bench.dispersion(count.ravel(), spend.ravel(), group)

    assert found == pytest.approx(phi, rel=0.12)


def test_a_lucky_order_on_a_day_of_a_few_cents_does_not_look_like_over_dispersion():
    """Uneven budgets: where next to nothing was expected, one conversion alone gives a huge Pearson
    residual.
    """
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        spend = rng.lognormal(np.log(2), 2.0, (15, 56))
        count = rng.poisson(rates(rng, (15, 1)) * spend)
        found.append(bench.dispersion(count.ravel(), spend.ravel(), np.repeat(np.arange(15), 56)))

    assert max(found) < 1.25


def test_dispersion_is_never_below_one_and_is_one_when_there_is_too_little_to_tell():
    assert bench.dispersion(np.tile([2, 2], 30), np.ones(60), np.repeat(np.arange(6), 10)) == 1.0
    assert bench.dispersion(np.array([0, 9, 0]), np.ones(3), np.zeros(3)) == 1.0
    assert bench.dispersion(np.array([]), np.array([]), np.array([])) == 1.0


def test_order_value_separates_single_orders_from_ad_sets():
    rng = np.random.default_rng(8)
    group = np.repeat(np.arange(60), 12)
    own = 40 * rng.lognormal(-0.02, 0.2, 60)
    count = rng.poisson(5, 720)
    revenue = np.where(count > 0, rng.gamma(np.maximum(count, 1) * 4.0, 1 / 4.0), 0.0) * own[group]  # spread 0.5

    value = bench.fit_order_value(count, revenue, group)

    assert value.mean == pytest.approx(40, rel=0.05)
    assert value.spread == pytest.approx(0.5, rel=0.1)
    assert value.pseudo_orders == pytest.approx(0.25 / 0.04, rel=0.5)


def test_order_value_of_leads_at_a_fixed_price_is_exact_and_unknown_without_any():
    group = np.repeat(np.arange(5), 8)

    assert bench.fit_order_value(np.full(40, 2), np.full(40, 60.0), group) == bench.OrderValue(30.0, 0.0, 0.0)
    assert bench.fit_order_value(np.full(40, 2), np.zeros(40), group) is None
    assert bench.fit_order_value(np.zeros(40), np.zeros(40), group, hint=25).mean == 25.0


def test_the_worth_of_few_orders_is_the_accounts_and_that_of_many_their_own():
    value = bench.OrderValue(mean=50.0, spread=0.6, pseudo_orders=5.0)
    prior = bench.Prior(3.0, 60.0, 80, True, 0.1, 0.1)
    count = np.array([0, 1, 400])

    posterior = bench.return_posterior(count, np.full(3, 100.0), count * 90.0, prior=prior, value=value)

    assert posterior.value == pytest.approx([50, (90 + 5 * 50) / 6, (36_000 + 250) / 405])
    assert posterior.value_error == pytest.approx(0.6 / np.sqrt([5, 6, 405]))


def test_probability_is_the_limit_of_the_draws():
    posterior = bench.ReturnPosterior(
        shape=np.array([0.6, 5.0, 80.0]),
        pseudo_spend=np.array([10.0, 100.0, 1_000.0]),
        value=np.array([40.0, 60.0, 30.0]),
        value_error=np.array([0.5, 0.2, 0.05]),
    )
    draws = posterior.draws(np.random.default_rng(9), 200_000)

    assert posterior.above(2.5) == pytest.approx((draws > 2.5).mean(axis=0), abs=0.005)
    assert posterior.mean() == pytest.approx(draws.mean(axis=0), rel=0.02)


def test_same_seed_same_numbers():
    rng = np.random.default_rng(10)
    count, spend = history(rng)
    prior = bench.fit_prior(count, spend)
    posterior = bench.return_posterior(count, spend, count, prior=prior, value=ONE_EURO)

    def once(seed):
        return bench.benchmarks(posterior, spend, count, prior=prior, value=ONE_EURO, seed=seed)

    assert once(3) == once(3)
    assert once(3) != once(4)


def test_weeks_of_the_same_ad_sets_do_not_pass_for_independent_evidence():
    count, spend = history(np.random.default_rng(12))

    alone = bench.fit_prior(count, spend)
    grouped = bench.fit_prior(count, spend, group=np.repeat(np.arange(24), 8))

    assert (grouped.shape, grouped.mean) == (alone.shape, alone.mean)
    assert grouped.log_mean_error == pytest.approx(alone.log_mean_error * 8**0.5)
