"""Every code of the analysis has a sentence, with its numbers, in both languages."""

from types import SimpleNamespace

import numpy as np
import pytest
from django.utils import translation

from apps.suggestions import wording
from apps.suggestions.analysis import SKIP_CODES
from apps.suggestions.confidence import Returns
from apps.suggestions.models import Suggestion
from tests.suggestions.test_analysis import POOR, STAR, account, ad_sets, run

TIRED = 1001


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def found(entity, **parts):
    return next(one for one in run(account(**parts)).candidates if one.entity_id == entity)


def said(entity, **parts):
    candidate = found(entity, **parts)
    return wording.reason(candidate.kind, candidate.evidence)


def test_why_a_raise():
    text = said(STAR)

    assert text.startswith("Return of 8.00× on €1,000.00 spent over 7 days (160 conversions). ")
    assert "above the 3.00× needed (target 3.00×) and above p75 of the client's 8 ad sets" in text
    assert "Once chance is taken off: " in text
    assert wording.ABSENT not in text


def test_why_a_raise_of_a_campaign():
    whole = ad_sets(budget_level=np.full(8, "campaign"))

    assert "The budget sits on the campaign, so the whole campaign was judged." in said(11, table=whole)


def test_why_a_pause():
    text = said(POOR)

    assert "Return of 1.00× on €1,000.00 spent" in text
    assert "under the limit of 1.80× (target 3.00×), with more than €500.00 spent." in text
    assert wording.ABSENT not in text


def test_why_a_new_creative():
    text = said(TIRED)

    assert "each person saw it 3.0 times (1.5 before)" in text
    assert "the click rate went from 1.00% to 0.50%" in text
    assert "That is \u221250%" in text
    assert wording.ABSENT not in text


def test_what_is_expected():
    impact = found(STAR, returns=Returns(0.7, 0.1, 8, 9)).impact
    known = Suggestion(
        kind="scale", impact_low=impact.surplus.low, impact_mid=impact.surplus.mid, impact_high=impact.surplus.high,
        evidence={"currency": "EUR", "window_days": 7},
    )  # fmt: skip

    assert wording.impact(known).startswith("+€")
    assert "over 7 days, between " in wording.impact(known)
    assert wording.impact(Suggestion(kind="scale", evidence={})).startswith("Unknown")
    assert wording.impact(Suggestion(kind="refresh", evidence={})).startswith("Not estimated")


@pytest.mark.parametrize(
    ("field", "before", "target", "currency", "text"),
    [
        ("daily_budget", "5000", "7500", "EUR", "€50.00 → €75.00 a day"),
        ("daily_budget", "5000", "7500", "JPY", "¥5,000 → ¥7,500 a day"),
        ("daily_budget", "5000", "7500", "XXX", "– → – a day"),
        ("status", "ACTIVE", "PAUSED", "EUR", "active → paused"),
        ("", "", "", "EUR", ""),
    ],
)
def test_what_changes(field, before, target, currency, text):
    one = SimpleNamespace(field=field, before=before, target=target, ad_object=SimpleNamespace(currency=currency))

    assert wording.before_after(one) == text


NUMBERS = {
    "status": "PAUSED", "spend": 120.5, "min_spend": 500, "roi_target": 3.0, "campaign_roi": 2.1, "bar": 3.0,
    "hours_ago": 5.2, "cooldown_hours": 24, "kind": "pause", "roi_expected": 3.1, "percentile": 75, "benchmark": 3.4,
    "confidence": 0.61, "min_confidence": 0.7, "days_ago": 2.2, "max_change_percent": 5.0, "daily_actions": 10,
}  # fmt: skip


@pytest.mark.parametrize("code", SKIP_CODES)
def test_every_reason_to_skip_is_a_sentence(code):
    text = wording.skipped(code, NUMBERS, "EUR")

    assert text.endswith(".")
    assert text[0].isupper()
    assert wording.ABSENT not in text
    assert wording.skipped(code, {}, "EUR")  # old rows may lack numbers


def test_skipped_numbers_are_read_with_their_units():
    assert (
        wording.skipped("below_min_spend", NUMBERS) == "Too little spent to judge: €120.50, more than €500.00 needed."
    )
    assert wording.skipped("low_confidence", NUMBERS) == "Too uncertain: 61% sure, 70% needed."
    assert wording.skipped("cooldown", NUMBERS) == "Changed 5 h ago; it rests for 24 h after a change."
    assert wording.skipped("max_change", NUMBERS).startswith("The client allows changes of 5 % at most")
    assert wording.skipped("conflicts_with", NUMBERS) == "It would contradict another suggestion: Pause."


@pytest.mark.parametrize("column", [{"learning": "LEARNING"}, {"status": "PAUSED"}, {"budget_level": "campaign"}])
def test_all_that_a_run_skips_can_be_said(column):
    ((name, value),) = column.items()
    result = run(account(table=ad_sets(**{name: np.full(8, value)})))

    assert result.skipped
    for one in result.skipped:
        assert wording.ABSENT not in wording.skipped(one.code, one.numbers)


def test_evidence_that_lacks_numbers_still_reads():
    for kind in ("scale", "pause", "refresh"):
        assert wording.ABSENT in wording.reason(kind, {})
    assert wording.reason("unheard_of", {}) == ""
