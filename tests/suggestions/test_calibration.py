"""Calibration: what was said against what came true, in time order."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy import special

from apps.suggestions import calibration
from apps.suggestions.calibration import Forecast

START = datetime(2026, 1, 1, tzinfo=UTC)


def forecasts(size, seed, *, slope=1.0, intercept=0.0, wait_days=7):
    """Six a day; the truth is `intercept + slope x logit(said)`."""
    rng = np.random.default_rng(seed)
    said = rng.uniform(0.5, 0.98, size)
    true = rng.uniform(size=size) < special.expit(intercept + slope * special.logit(said))
    made = [START + timedelta(hours=4 * place) for place in range(size)]
    return [
        Forecast(float(p), bool(t), at, at + timedelta(days=wait_days))
        for p, t, at in zip(said, true, made, strict=True)
    ]


def test_under_fifty_outcomes_nothing_is_claimed():
    found = calibration.calibrate(forecasts(49, seed=1))

    assert (found.state, found.n) == ("not_checked", 49)
    assert (found.brier, found.skill, found.error) == (None, None, None)
    assert found.correction == calibration.Recalibration(0.0, 1.0)
    assert calibration.calibrate([]).n == 0


def test_from_fifty_it_is_checked_and_from_a_hundred_recalibrated():
    checked = calibration.calibrate(forecasts(50, seed=1))
    recalibrated = calibration.calibrate(forecasts(100, seed=1))

    assert (checked.state, checked.correction) == ("checked", calibration.Recalibration())
    assert checked.brier is not None
    assert recalibrated.state == "recalibrated"
    assert recalibrated.correction != calibration.Recalibration()


def test_the_table_says_how_many_of_how_many_came_true():
    bins = calibration.reliability([0.81, 0.85, 0.80, 0.9, 1.0, 0.2], [1, 0, 1, 1, 1, 0])

    found = {(one.low, one.high): (one.true, one.n) for one in bins if one.n}
    assert found == {(0.8, 0.9): (2, 3), (0.9, 1.0): (2, 2), (0.0, 0.5): (0, 1)}
    assert bins[4].said == pytest.approx(0.82)
    assert bins[1].said is None


def test_the_expected_error_is_shown_only_when_it_means_something():
    few, many = calibration.calibrate(forecasts(499, seed=2)), calibration.calibrate(forecasts(2_000, seed=2))

    assert few.error is None
    assert many.error < 0.05  # these forecasts are honest


def test_overconfidence_is_found_and_corrected():
    found = calibration.calibrate(forecasts(1_500, seed=3, slope=0.4))

    assert found.correction.slope == pytest.approx(0.4, abs=0.12)
    assert found.correction.apply(0.95) == pytest.approx(special.expit(0.4 * special.logit(0.95)), abs=0.05)
    assert found.brier_recalibrated < found.brier - 0.005  # on forecasts it had not seen


def test_honest_forecasts_are_left_nearly_alone_even_by_chance():
    corrections = [calibration.calibrate(forecasts(100, seed=seed)).correction for seed in range(40)]
    moved = [abs(one.apply(0.9) - 0.9) for one in corrections]

    assert np.mean(moved) < 0.04
    assert max(abs(one.slope - 1) for one in corrections) < 0.9


def test_the_pull_to_identity_tames_an_unbroken_series():
    said, true = np.full(100, 0.9), np.ones(100)

    corrected = calibration.fit_recalibration(said, true).apply(0.9)

    assert 0.9 < corrected < 0.995


def test_skill_is_positive_for_forecasts_that_sort_and_negative_for_those_that_mislead():
    assert calibration.calibrate(forecasts(800, seed=4)).skill > 0.02
    assert calibration.calibrate(forecasts(800, seed=4, slope=-1.0)).skill < -0.1


def test_base_rate_and_correction_use_only_what_was_known_at_the_time():
    """The truth turns in the middle; whoever could see ahead would score better than is possible."""
    half = forecasts(300, seed=5)
    turned = [
        Forecast(one.confidence, False, one.made_at + timedelta(days=60), one.known_at + timedelta(days=60))
        for one in half
    ]
    always = [Forecast(one.confidence, True, one.made_at, one.known_at) for one in half]

    found = calibration.calibrate(always + turned)

    assert found.brier_base > 0.25  # 0.25 is the score of the base rate over everything, known only afterwards
    assert found.brier_recalibrated > 0.25


def test_outcomes_that_come_too_late_teach_nothing():
    late = calibration.calibrate(forecasts(400, seed=3, slope=0.4, wait_days=365))

    assert late.brier_recalibrated == late.brier
    assert late.brier_base == pytest.approx(0.25)  # no outcome known yet: one half


def test_order_of_the_input_does_not_matter():
    one = forecasts(200, seed=6)

    assert calibration.calibrate(one) == calibration.calibrate(one[::-1])


@pytest.mark.parametrize(
    ("kind", "roi_after", "executed", "expected"),
    [
        ("scale", 3.5, True, True),
        ("scale", 2.5, True, False),
        ("scale", 2.5, False, False),
        ("pause", 1.0, False, True),
        ("pause", 3.5, False, False),
        ("pause", 0.0, True, None),
        ("refresh", 1.0, False, None),
        ("scale", None, True, None),
    ],
)
def test_what_came_true_and_what_cannot_be_known(kind, roi_after, executed, expected):
    assert calibration.came_true(kind, roi_after, 3.0, executed=executed) is expected
