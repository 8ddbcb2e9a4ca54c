"""The evidence a suggestion rests on, and whether it has changed since somebody refused it."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

STRONGER_WHEN = {"scale": "up", "pause": "down", "refresh": "down"}
MOVED_BY = 0.25  # relative move of the measured value
MORE_SPENT = 1.5  # times the spend of the refused evidence
FORGOTTEN_AFTER = timedelta(days=14)


@dataclass(frozen=True)
class Fingerprint:
    """The few numbers by which two pieces of evidence are compared.

    `value` is the measured quantity (return for scale and pause, click rate for refresh) with its 90 %
    interval; `spend` is that of the window in currency; `bar` is what it was held against (threshold on the
    return; the earlier click rate).
    """

    kind: str
    value: float
    low: float
    high: float
    spend: float
    bar: float

    def as_dict(self):
        return asdict(self)

    @classmethod
    def from_dict(cls, stored):
        return cls(**{name: stored[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Refusal:
    """A suggestion that people refused: when, and on what evidence."""

    at: datetime
    evidence: Fingerprint


def material_change(refusal, now_evidence, now):
    """Why a refused suggestion may be made again, as a code; None while its evidence is in substance the
    same.

    - "bar_moved": what it is held against moved by more than 10 % (the client changed its target, say);
    - "intervals_apart": the two 90 % intervals no longer overlap, and the case is stronger;
    - "stronger_and_more_spend": the value moved by more than 25 % towards the action, on at least 1.5 times
      the spend;
    - "two_weeks_on": 14 days passed and money was spent since.

    A weaker case never returns by moving: somebody already said no to a better one.
    """
    then = refusal.evidence
    if then.bar > 0 and then.kind != "refresh" and abs(now_evidence.bar / then.bar - 1) > 0.10:
        return "bar_moved"
    sign = 1 if STRONGER_WHEN[then.kind] == "up" else -1
    stronger = sign * (now_evidence.value - then.value) > 0
    if stronger and (now_evidence.low > then.high or now_evidence.high < then.low):
        return "intervals_apart"
    moved = sign * (now_evidence.value - then.value) > MOVED_BY * abs(then.value)
    if moved and now_evidence.spend >= MORE_SPENT * then.spend:
        return "stronger_and_more_spend"
    if now - refusal.at >= FORGOTTEN_AFTER and now_evidence.spend > 0:
        return "two_weeks_on"
    return None


def plain(value):
    """A JSON-able copy: floats rounded to 6 significant digits, NaN and infinities as None, numpy scalars as
    Python's, keys as text.
    """
    if isinstance(value, float):
        return float(f"{value:.6g}") if abs(value) < float("inf") else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return plain(value.item())
