"""How sure may a suggestion be, and what would it bring?

Confidence is the probability that the action is right: P(return > target) for a raise, P(return < factor x
target) for a pause, P(the click rate fell) for a refresh. Returns and spends are in the client's currency.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

DRAWS = 2_000
FEWEST_RAISES = 3
WORST_ERROR = 0.35  # standard error of the exponent above which nothing was learned
EXPONENT_BOUNDS = (0.0, 1.25)
_INTERVAL = (5.0, 50.0, 95.0)


def confidence_of_fall(clicks, impressions, clicks_before, impressions_before, *, phi, drift=0.0):
    """Log change of each ad's click rate, its standard error, and P(it fell), three arrays (ads,).

    Log ratio of two quasi-Poisson rates; half a click is added to each count (Haldane-Anscombe). `phi` is
    the dispersion of daily clicks. `drift` is the log change of the rest of the account: an account that
    fell as a whole says nothing about one creative, so a fall of the rest is taken off; a rise is not held
    against the ad.
    """
    now = (np.asarray(clicks, float) + 0.5) / np.asarray(impressions, float)
    before = (np.asarray(clicks_before, float) + 0.5) / np.asarray(impressions_before, float)
    change = np.log(now / before)
    error = np.sqrt(phi / (np.asarray(clicks, float) + 0.5) + phi / (np.asarray(clicks_before, float) + 0.5))
    return change, error, special.ndtr((np.minimum(drift, 0.0) - change) / error)


@dataclass(frozen=True)
class Returns:
    """Diminishing return learned from earlier raises: revenue grows as spend ** `exponent`, known to a
    standard error `error` with `freedom` degrees of freedom, from `raises` raises.
    """

    exponent: float
    error: float
    freedom: int
    raises: int

    def draws(self, rng, size):
        """Array (size,) of possible exponents, Student t around the estimate, held between 0 and 1.25."""
        return np.clip(self.exponent + self.error * rng.standard_t(self.freedom, size), *EXPONENT_BOUNDS)


def learn_returns(spend_before, spend_after, revenue_before, revenue_after, *, variance=None, drift=None):
    """Learn the exponent of revenue ~ spend ** exponent from past raises, one row each; None when nothing
    was learned.

    All are amounts per day; *before* must be the weeks -4..-2, not the week that caused the raise, or
    regression to the mean is read as saturation. `variance` is the sampling variance of log(revenue after /
    before) (phi/N_before + phi/N_after), `drift` the log change of controls over the same days. Weighted
    least squares through the origin on log ratios, residual variance from the raises themselves. Nothing is
    learned from fewer than 3 raises or when the error exceeds 0.35.
    """
    columns = [np.asarray(c, float) for c in (spend_before, spend_after, revenue_before, revenue_after)]
    usable = np.all([column > 0 for column in columns], axis=0)
    before, after, earned_before, earned_after = (column[usable] for column in columns)
    x = np.log(after / before)
    y = np.log(earned_after / earned_before)
    if drift is not None:
        y = y - np.asarray(drift, float)[usable]
    weight = np.ones_like(x) if variance is None else 1 / np.asarray(variance, float)[usable]
    raised = x > np.log(1.05)
    x, y, weight = x[raised], y[raised], weight[raised]
    freedom = len(x) - 1
    if len(x) < FEWEST_RAISES:
        return None
    information = (weight * x * x).sum()
    exponent = (weight * x * y).sum() / information
    scale = (weight * (y - exponent * x) ** 2).sum() / freedom
    if variance is not None:
        scale = max(scale, 1.0)
    error = float(np.sqrt(scale / information))
    if error > WORST_ERROR:
        return None
    return Returns(float(np.clip(exponent, *EXPONENT_BOUNDS)), error, freedom, len(x))


@dataclass(frozen=True)
class Span:
    """A 90 % interval with its median."""

    low: float
    mid: float
    high: float


@dataclass(frozen=True)
class Impact:
    """What the action changes over one window, in currency: spend, revenue, and `surplus`, the revenue beyond
    what the client's target asks of the spend (revenue - target x spend). Plain revenue less spend would speak
    against every pause of an ad set that returns more than 1, however far below its target.
    `roi_after` is the return of the entity afterwards (None for a pause).
    """

    spend: float
    revenue: Span
    surplus: Span
    roi_after: Span | None

    def as_dict(self):
        """JSON-able: spans as {"low", "mid", "high"}."""
        spans_ = {name: getattr(self, name) for name in ("revenue", "surplus", "roi_after")}
        return {"spend": self.spend} | {name: span and dict(vars(span)) for name, span in spans_.items()}


def raise_impacts(draws, spend, change, exponents, *, target):
    """Impacts of raising each budget by `change` (0.5 = +50 %, one number or one per ad set); None for each
    while no diminishing return was learned (`exponents` None): unknown, not a number.

    `draws` is (size, ad sets) of possible returns now, `spend` the window's spend of each, `exponents`
    (size,) from `Returns.draws`. Revenue now is return x spend; after, it has grown by (1 + change) **
    exponent.
    """
    spend = np.asarray(spend, float)
    if exponents is None:
        return [None] * len(spend)
    change = np.broadcast_to(np.asarray(change, float), spend.shape)
    growth = (1 + change) ** np.asarray(exponents)[:, None]
    gained = draws * spend * (growth - 1)
    after = draws * growth / (1 + change)
    return _impacts(spend * change, gained, after, target)


def pause_impacts(draws, spend, *, target):
    """Impacts of pausing each ad set: its spend is saved, its revenue lost."""
    spend = np.asarray(spend, float)
    return _impacts(-spend, -draws * spend, None, target)


def _impacts(spend_change, revenue_change, after, target):
    if not len(spend_change):
        return []
    revenue = spans(revenue_change)
    roi = [None] * len(revenue) if after is None else spans(after)
    return [
        Impact(spend, earned, Span(*(value - target * spend for value in vars(earned).values())), level)
        for spend, earned, level in zip(spend_change.tolist(), revenue, roi, strict=True)
    ]


def spans(draws):
    """A Span per column of (size, columns) draws. Order statistics: at 2,000 draws as good as interpolating
    between two of them, and several times faster."""
    ordered = np.sort(draws, axis=0)
    places = [round(share / 100 * (len(draws) - 1)) for share in _INTERVAL]
    return [Span(*row) for row in ordered[places].T.tolist()]
