"""Was what we said true as often as we said? Confidence against outcomes.

A forecast is a confidence frozen when the suggestion was made, and an outcome known later. Everything that
judges is computed in time order: only what was already known when a forecast was made may serve to correct
it.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from scipy import special

FEWEST = 50  # below: "not checked yet (n)"
RECALIBRATED_FROM = 100
GATED_FROM = 500  # a perfect forecaster shows a calibration error of 0.14 at 50 outcomes; below this it is not shown
BINS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_REFIT_EVERY = 10  # outcomes
_PULL = 4.0  # precision of the normal priors on intercept (at 0) and slope (at 1): standard deviation 0.5

NOT_CHECKED, CHECKED, RECALIBRATED = "not_checked", "checked", "recalibrated"


@dataclass(frozen=True)
class Forecast:
    """`confidence` (0..1) as said at `made_at`, and whether it came `true`, known since `known_at`."""

    confidence: float
    true: bool
    made_at: datetime
    known_at: datetime


def came_true(kind, roi_after, bar, *, executed):
    """Did a suggestion's claim hold? None where it cannot be seen.

    scale claims that the return is above the bar, and it must still be there afterwards, executed or not.
    pause claims that the return is below: visible only where it was not executed (refused, expired), for a
    paused ad set earns nothing. A refresh claims a tired creative: no counterfactual is visible.
    """
    if roi_after is None or bar is None:
        return None
    if kind == "scale":
        return roi_after > bar
    if kind == "pause" and not executed:
        return roi_after < bar
    return None


@dataclass(frozen=True)
class Bin:
    """ "Said `low`-`high`, came true `true` of `n`"; `said` is the mean confidence in it (None when empty)."""

    low: float
    high: float
    n: int
    true: int
    said: float | None


@dataclass(frozen=True)
class Recalibration:
    """logit(p') = intercept + slope x logit(p); (0, 1) is the identity."""

    intercept: float = 0.0
    slope: float = 1.0

    def apply(self, confidence):
        """Corrected confidence, same shape as given."""
        return special.expit(self.intercept + self.slope * _logit(confidence))


@dataclass(frozen=True)
class Calibration:
    """What may be said of the confidences so far.

    `state`: "not_checked" under 50 outcomes, when only `n` is meant to be shown; "checked"; "recalibrated"
    from 100, when `correction` is not the identity. `brier` is the mean squared error of what was said,
    `skill` 1 - brier / that of the base rate known at the time; `brier_recalibrated` is scored on forecasts
    the correction had not seen. `error` is the expected calibration error, from 500.
    """

    n: int
    true: int
    state: str
    bins: tuple[Bin, ...]
    brier: float | None
    brier_base: float | None
    skill: float | None
    brier_recalibrated: float | None
    error: float | None
    correction: Recalibration


def calibrate(forecasts):
    """The calibration of these forecasts, any order. Forecasts whose outcome is not known yet do not belong
    in.
    """
    ordered = sorted(forecasts, key=lambda forecast: (forecast.made_at, forecast.known_at))
    said = np.array([forecast.confidence for forecast in ordered], float)
    true = np.array([forecast.true for forecast in ordered], float)
    n, bins = len(ordered), reliability(said, true)
    if n < FEWEST:
        return Calibration(n, int(true.sum()), NOT_CHECKED, bins, *[None] * 5, Recalibration())
    made = np.array([forecast.made_at.timestamp() for forecast in ordered])
    known = np.array([forecast.known_at.timestamp() for forecast in ordered])
    base, corrected = _in_time_order(said, true, made, known)
    brier, brier_base = _brier(said, true), _brier(base, true)
    recalibrated = n >= RECALIBRATED_FROM
    return Calibration(
        n=n,
        true=int(true.sum()),
        state=RECALIBRATED if recalibrated else CHECKED,
        bins=bins,
        brier=brier,
        brier_base=brier_base,
        skill=1 - brier / brier_base,
        brier_recalibrated=_brier(corrected, true) if recalibrated else None,
        error=expected_error(bins) if n >= GATED_FROM else None,
        correction=fit_recalibration(said, true) if recalibrated else Recalibration(),
    )


def reliability(said, true, edges=BINS):
    """Bins over `edges`, a confidence on an edge belonging to the bin above it (1.0 to the last)."""
    said, true = np.asarray(said, float), np.asarray(true, float)
    index = np.clip(np.searchsorted(edges, said, side="right") - 1, 0, len(edges) - 2)
    bins = []
    for place in range(len(edges) - 1):
        inside = index == place
        n = int(inside.sum())
        mean = float(said[inside].mean()) if n else None
        bins.append(Bin(edges[place], edges[place + 1], n, int(true[inside].sum()), mean))
    return tuple(bins)


def expected_error(bins):
    """Expected calibration error: mean gap between said and seen, weighted by forecasts. Biased upwards in
    small samples.
    """
    total = sum(one.n for one in bins)
    return sum(abs(one.true - one.n * one.said) for one in bins if one.n) / total


def fit_recalibration(said, true):
    """Logistic recalibration (Cox 1958) pulled to the identity: maximum posterior under intercept ~ N(0,
    0.5 ** 2) and slope ~ N(1, 0.5 ** 2), by Newton.
    """
    features = np.column_stack([np.ones(len(said)), _logit(said)])
    true = np.asarray(true, float)
    identity = np.array([0.0, 1.0])
    weights = identity.copy()
    for _ in range(25):
        fitted = special.expit(features @ weights)
        gradient = features.T @ (true - fitted) - _PULL * (weights - identity)
        curvature = (features * (fitted * (1 - fitted))[:, None]).T @ features + _PULL * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights = weights + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-8:
            break
    return Recalibration(float(weights[0]), float(weights[1]))


def _in_time_order(said, true, made, known):
    """For each forecast the base rate and the corrected confidence that could have been given when it was
    made.

    Base rate (k + 1) / (n + 2). The correction is the identity until 100 outcomes were known, then refitted
    every 10.
    """
    by_known = np.argsort(known, kind="stable")
    seen = np.searchsorted(known[by_known], made, side="right")  # outcomes known when each was made
    hits = np.concatenate([[0.0], np.cumsum(true[by_known])])
    base = (hits[seen] + 1) / (seen + 2)
    corrected = said.copy()
    rounds = np.where(seen >= RECALIBRATED_FROM, seen // _REFIT_EVERY * _REFIT_EVERY, 0)
    for known_then in np.unique(rounds[rounds > 0]):
        past = by_known[:known_then]
        now = rounds == known_then
        corrected[now] = fit_recalibration(said[past], true[past]).apply(said[now])
    return base, corrected


def _brier(said, true):
    return float(np.mean((said - true) ** 2))


def _logit(confidence):
    return special.logit(np.clip(np.asarray(confidence, float), 1e-4, 1 - 1e-4))
