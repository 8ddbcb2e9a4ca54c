"""What is a good return for this client? Percentiles that small ad sets cannot inflate.

Model (Gamma-Poisson, Robbins/Efron-Morris empirical Bayes): ad set i brings N_i ~ Poisson(rate_i x S_i)
conversions for S_i of spend, rate_i ~ Gamma(shape a, pseudo-spend b), each conversion is worth v_i. Return
(ROI) = rate_i x v_i: currency back per currency spent. Over-dispersed counts enter by quasi-likelihood:
N/phi and S/phi take the place of N and S.

Units everywhere: spend and revenue in the client's currency, conversions in counts, rates in conversions
per unit of currency. Arrays are one-dimensional, one entry per ad set (or ad-set-week), unless a docstring
says otherwise.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

PERCENTILES = (25, 50, 75, 90)
HISTORY_ROWS = 60  # ad-set-weeks from which the prior may be fitted by maximum likelihood
FEWEST_AD_SETS = 5  # below this the prior alone speaks
INTERVAL = (5.0, 95.0)  # every interval of this module covers 90 %
DRAW_BUDGET = 20_000  # draws x ad sets: 2,000 draws for 10 ad sets, 100 for 200, whose percentiles are steadier

_WEAK_SHAPE = 2.0
_SHAPE_BOUNDS = (0.05, 200.0)
_WORST_SHAPE_ERROR = 1.0
_DEFAULT_SPREAD = 0.7  # coefficient of variation of one order, where history cannot tell
_DEFAULT_PSEUDO_ORDERS = 20.0
_MOST_PSEUDO_ORDERS = 200.0
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(11)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class Prior:
    """Gamma prior of conversions per unit of spend: `shape` a, `pseudo_spend` b, so the mean rate is a / b.

    `fitted` says whether it came by maximum likelihood from `rows` ad-set-weeks or is the weak one. The
    errors are standard errors of log(a) and log(mean); the two are orthogonal in the negative binomial
    (Lawless 1987).
    """

    shape: float
    pseudo_spend: float
    rows: int
    fitted: bool
    log_shape_error: float
    log_mean_error: float

    @property
    def mean(self):
        return self.shape / self.pseudo_spend

    def widened(self):
        """The prior of one ad set with the errors taken in: same mean, wider. For judging ad sets one by
        one.

        A fit to few or very noisy weeks may say that all ad sets are alike; without its errors everybody
        would then be as sure as the average seems to be.
        """
        squared_variation = np.exp(self.log_shape_error**2 / 2) / self.shape + np.expm1(self.log_mean_error**2)
        shape = float(1 / squared_variation)
        return replace(self, shape=shape, pseudo_spend=shape / self.mean, log_shape_error=0.0, log_mean_error=0.0)

    def draws(self, rng, size):
        """Possible shapes and mean rates within the errors, two arrays (size, 1)."""
        shapes = self.shape * np.exp(self.log_shape_error * rng.standard_normal((size, 1)))
        means = self.mean * np.exp(self.log_mean_error * rng.standard_normal((size, 1)))
        return np.clip(shapes, *_SHAPE_BOUNDS), means


@dataclass(frozen=True)
class OrderValue:
    """Worth of one conversion over the account: `mean` in currency, `spread` the coefficient of variation
    of one order, `pseudo_orders` how many orders of its own an ad set needs to weigh as much as the
    account.
    """

    mean: float
    spread: float
    pseudo_orders: float


@dataclass(frozen=True)
class DailySums:
    """Per ad set, over its days with exposure, what the dispersion needs; a database computes each in one
    pass.

    `count` = sum n, `exposure` = sum s, `days` = number of days with s > 0, `square_ratio` = sum n*n/s,
    `ratio` = sum n/s. With n conversions and s spend (or n clicks and s impressions). Four weeks or more
    are best.
    """

    count: np.ndarray
    exposure: np.ndarray
    days: np.ndarray
    square_ratio: np.ndarray
    ratio: np.ndarray

    @classmethod
    def from_days(cls, count, exposure, group):
        """The same sums from daily rows; `group` holds the ad set of each row."""
        count, exposure = np.asarray(count, float), np.asarray(exposure, float)
        keep = exposure > 0
        count, exposure = count[keep], exposure[keep]
        labels, index = np.unique(np.asarray(group)[keep], return_inverse=True)
        size = len(labels)

        def total(weights):
            return np.bincount(index, weights, minlength=size)

        return cls(total(count), total(exposure), total(None), total(count**2 / exposure), total(count / exposure))

    def dispersion(self):
        """Over-dispersion phi: variance of a daily count over its mean, pooled over ad sets; at least 1.

        Pearson chi2 / df around each ad set's own rate, divided by the mean of n / expected, which keeps it
        steady when daily counts are mostly 0 and 1 (Fletcher 2012, Biometrika 99:230). 1.0 when there is
        too little to tell (df < 10).
        """
        counted = np.asarray(self.count) > 0
        count, days = np.asarray(self.count, float)[counted], np.asarray(self.days, float)[counted]
        freedom = days.sum() - counted.sum()
        if freedom < 10:
            return 1.0
        per_rate = np.asarray(self.exposure, float)[counted] / count
        chi2 = (per_rate * np.asarray(self.square_ratio, float)[counted] - count).sum()
        sparse = (per_rate * np.asarray(self.ratio, float)[counted]).sum() / days.sum()
        return float(max(1.0, chi2 / freedom / sparse))


def dispersion(conversions, spend, group):
    """Over-dispersion phi of daily rows; `group` holds the ad set of each row. See `DailySums.dispersion`."""
    return DailySums.from_days(conversions, spend, group).dispersion()


def fit_prior(conversions, spend, phi=1.0, group=None):
    """Prior of the client's rates from its history, one row per ad set and week. None when nothing was ever
    spent.

    From 60 rows: maximum likelihood of the negative binomial, Newton on (log shape, log mean). Below: a
    weak prior by moments: the pooled rate (half a conversion where there was none) with a shape of 2 (rates
    vary by 70 %), drawn linearly towards the moment estimate as rows approach 60, and held between 1 and
    10.

    `group` names the ad set of each row. Weeks of one ad set repeat each other, so the errors are widened
    as if only ad sets counted (design effect of full clustering).
    """
    conversions, spend = np.asarray(conversions, float), np.asarray(spend, float)
    spent = spend > 0
    count, exposure = conversions[spent] / phi, spend[spent] / phi
    rows = len(count)
    if rows == 0:
        return None
    repeats = 1.0 if group is None else rows / len(np.unique(np.asarray(group)[spent]))
    mean = max(count.sum(), 0.5) / exposure.sum()
    expected = mean * exposure
    excess = float(((count - expected) ** 2 - expected).sum() / (expected**2).sum())
    shape = float(np.clip(1 / max(excess, 1e-9), *_SHAPE_BOUNDS))
    if rows < HISTORY_ROWS or count.sum() < 5:
        share = min(rows / HISTORY_ROWS, 1.0)
        shape = float(np.clip(_WEAK_SHAPE + share * (shape - _WEAK_SHAPE), 1.0, 10.0))
        mean_error = float(np.sqrt(1 / max(count.sum(), 0.5) + repeats / (rows * shape)))
        return Prior(shape, shape / mean, rows, False, 0.7, mean_error)
    shape, mean, shape_error, mean_error = _fit_negative_binomial(count, exposure, shape, mean)
    widen = repeats**0.5
    return Prior(shape, shape / mean, rows, True, min(_WORST_SHAPE_ERROR, widen * shape_error), widen * mean_error)


def _fit_negative_binomial(count, exposure, shape, mean):
    """(shape, mean, standard errors of their logs) that maximise the likelihood, from a start."""
    log_shape, log_mean = np.log(shape), np.log(mean)
    for _ in range(30):
        shape, expected = np.exp(log_shape), np.exp(log_mean) * exposure
        weight = shape / (shape + expected)
        mean_information = (weight * expected).sum()
        mean_step = np.clip((weight * (count - expected)).sum() / mean_information, -1, 1)

        both = shape + expected
        slope = (
            special.digamma(count + shape) - special.digamma(shape) + np.log(weight) + 1 - (count + shape) / both
        ).sum()
        curve = (
            special.zeta(2, count + shape) - special.zeta(2, shape) + 1 / shape - 2 / both + (count + shape) / both**2
        ).sum()
        slope, curve = shape * slope, shape**2 * curve + shape * slope
        shape_step = np.clip(slope / -curve, -1, 1) if curve < 0 else np.sign(slope) * 0.5
        moved = np.clip(log_shape + shape_step, *np.log(_SHAPE_BOUNDS)) - log_shape
        log_shape, log_mean = log_shape + moved, log_mean + mean_step
        if abs(moved) < 1e-5 and abs(mean_step) < 1e-6:
            break
    shape_error = 1 / np.sqrt(-curve) if curve < 0 else _WORST_SHAPE_ERROR
    return float(np.exp(log_shape)), float(np.exp(log_mean)), float(shape_error), float(mean_information**-0.5)


def fit_order_value(conversions, revenue, group, hint=None):
    """Worth of a conversion over the account, and how much ad sets differ in it. One row per ad set and
    week.

    Variance components by moments: the spread of weeks inside an ad set is that of single orders, what
    remains between ad sets is theirs. `hint` (currency) is used where nothing was sold yet. None when the
    worth of a conversion is unknown.
    """
    conversions, revenue = np.asarray(conversions, float), np.asarray(revenue, float)
    sold = conversions > 0
    count, money = conversions[sold], revenue[sold]
    if not len(count) or money.sum() <= 0:
        return OrderValue(float(hint), _DEFAULT_SPREAD, _DEFAULT_PSEUDO_ORDERS) if hint else None
    mean = money.sum() / count.sum()
    labels, index = np.unique(np.asarray(group)[sold], return_inverse=True)
    freedom = len(count) - len(labels)
    if freedom < 10:
        return OrderValue(float(mean), _DEFAULT_SPREAD, _DEFAULT_PSEUDO_ORDERS)
    orders = np.bincount(index, count)
    own = np.bincount(index, money) / orders
    within = (count * (money / count - own[index]) ** 2).sum() / mean**2 / freedom
    if within < 1e-9:
        return OrderValue(float(mean), 0.0, 0.0)
    between_sum = (orders * (own - mean) ** 2).sum() / mean**2
    spare = orders.sum() - (orders**2).sum() / orders.sum()
    between = (between_sum - (len(labels) - 1) * within) / spare if spare > 0 else 0.0
    pseudo = within / between if between > 0 else _MOST_PSEUDO_ORDERS
    return OrderValue(float(mean), float(np.sqrt(within)), float(np.clip(pseudo, 1.0, _MOST_PSEUDO_ORDERS)))


@dataclass(frozen=True)
class ReturnPosterior:
    """What is known of each ad set's return: Gamma(`shape`, `pseudo_spend`) conversions per spend, times a
    log-normal order value with mean `value` and standard deviation `value_error` on the log scale. Four
    arrays of equal length.
    """

    shape: np.ndarray
    pseudo_spend: np.ndarray
    value: np.ndarray
    value_error: np.ndarray

    def mean(self):
        """Expected return of each ad set, shrunk to the client's."""
        return self.shape / self.pseudo_spend * self.value

    def above(self, threshold):
        """P(return > threshold) of each ad set; `threshold` is one number or one per ad set.

        Exact in the Gamma and Gauss-Hermite over the order value: the limit that 2,000 draws scatter around
        by 1 %, at a tenth of the time.
        """
        scale = np.exp(np.outer(self.value_error, _NODES) - self.value_error[:, None] ** 2 / 2)
        needed = self.pseudo_spend * threshold / self.value
        return special.gammaincc(self.shape[:, None], needed[:, None] / scale) @ _WEIGHTS

    def draws(self, rng, size, prior=None):
        """Array (size, ad sets) of possible returns; with `prior`, the one it was made with, its errors
        count too.
        """
        shape, pseudo_spend = self.shape, self.pseudo_spend
        if prior:
            shapes, means = prior.draws(rng, size)
            shape = shape + (shapes - prior.shape)
            pseudo_spend = pseudo_spend + (shapes / means - prior.pseudo_spend)
        rates = rng.standard_gamma(shape, (size, len(self.shape))) / pseudo_spend
        if not self.value_error.any():
            return rates * self.value
        noise = rng.standard_normal((size, len(self.shape)))
        return rates * self.value * np.exp(noise * self.value_error - self.value_error**2 / 2)

    def take(self, index):
        return ReturnPosterior(self.shape[index], self.pseudo_spend[index], self.value[index], self.value_error[index])


def return_posterior(conversions, spend, revenue, *, prior, value, phi=1.0):
    """Posterior of each ad set's return from its window sums; the order value is shrunk to the account's."""
    conversions, spend, revenue = (np.asarray(column, float) for column in (conversions, spend, revenue))
    orders = conversions + value.pseudo_orders
    known = np.where(orders > 0, orders, 1.0)
    worth = np.where(orders > 0, (revenue + value.pseudo_orders * value.mean) / known, value.mean)
    worth = np.maximum(worth, 1e-3 * value.mean)
    error = value.spread / np.sqrt(np.maximum(orders, 1.0))
    return ReturnPosterior(prior.shape + conversions / phi, prior.pseudo_spend + spend / phi, worth, error)


@dataclass(frozen=True)
class Benchmarks:
    """Percentiles of the return over a client's ad sets, keyed 25, 50, 75, 90.

    `raw` are the plain ones, as printed in people's spreadsheets; `estimate` with `low` and `high` (90 %
    interval) are the ones to compare with. `source` is "posterior", or "prior" under 5 ad sets. `n` counts
    the ad sets that spent anything.
    """

    n: int
    raw: dict[int, float]
    estimate: dict[int, float]
    low: dict[int, float]
    high: dict[int, float]
    source: str


def raw_percentiles(spend, revenue):
    """Plain p25, p50, p75, p90 of revenue / spend over ad sets that spent; empty when none did."""
    spend, revenue = np.asarray(spend, float), np.asarray(revenue, float)
    spent = spend > 0
    if not spent.any():
        return {}
    values = np.percentile(revenue[spent] / spend[spent], PERCENTILES)
    return dict(zip(PERCENTILES, values.tolist(), strict=True))


def benchmarks(posterior, spend, revenue, *, prior, value, seed):
    """Percentiles of the true returns behind these ad sets; the same seed gives the same numbers.

    Each draw is one possible account: its percentiles are taken, then the median of them and the middle 90 %.
    """
    spend = np.asarray(spend, float)
    spent = np.flatnonzero(spend > 0)
    rng = np.random.default_rng(seed)
    if len(spent) < FEWEST_AD_SETS:
        possible, centre = _prior_percentiles(prior, value, rng)
        source = "prior"
    else:
        size = int(np.clip(DRAW_BUDGET // len(spent), 100, 2_000))
        possible = _percentiles_by_row(posterior.take(spent).draws(rng, size, prior))
        centre = np.median(possible, axis=0)
        source = "posterior"
    low, high = np.percentile(possible, INTERVAL, axis=0)
    keyed = (dict(zip(PERCENTILES, row.tolist(), strict=True)) for row in (centre, low, high))
    return Benchmarks(len(spent), raw_percentiles(spend, revenue), *keyed, source)


def _percentiles_by_row(draws):
    """np.percentile along axis 1, by one partition instead of four."""
    place = np.array(PERCENTILES) / 100 * (draws.shape[1] - 1)
    floor = np.floor(place).astype(int)
    ceiling = np.minimum(floor + 1, draws.shape[1] - 1)
    ordered = np.partition(draws, np.unique(np.concatenate([floor, ceiling])), axis=1)
    return ordered[:, floor] + (place - floor) * (ordered[:, ceiling] - ordered[:, floor])


def _prior_percentiles(prior, value, rng):
    levels = np.array(PERCENTILES) / 100
    shapes, means = prior.draws(rng, 200)
    possible = special.gammaincinv(shapes, levels) / shapes * means * value.mean
    return possible, special.gammaincinv(prior.shape, levels) / prior.pseudo_spend * value.mean
