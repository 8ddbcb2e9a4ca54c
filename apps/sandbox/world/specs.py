"""What the world needs to know of accounts, campaigns, ad sets and ads: plain values, no database.

Money is in major units of the account's currency; instants are epoch seconds.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo


class Timeline:
    """A value that changed at known instants: `at(t)` says what was in force."""

    __slots__ = ("steps", "times")

    def __init__(self, steps):
        self.steps = tuple(steps)
        self.times = [instant for instant, _ in self.steps]

    def at(self, instant):
        """The value in force at this instant; before the first step, the first value."""
        return self.steps[max(0, bisect_right(self.times, instant) - 1)][1]

    def __eq__(self, other):
        return isinstance(other, Timeline) and self.steps == other.steps

    def __hash__(self):
        return hash(self.steps)


@dataclass(frozen=True)
class Ad:
    """One ad: how well its creative works and how fast it tires."""

    id: str
    start: float
    status: Timeline
    appeal: float = 1.0
    persuasion: float = 1.0
    wear: float = 1.0
    video: bool = False


@dataclass(frozen=True)
class AdSet:
    """One ad set. At `reference` spend a day it makes `base_conversions` a day; elsewhere the power `alpha` rules."""

    id: str
    start: float
    status: Timeline
    budget: Timeline
    reference: float
    base_conversions: float
    alpha: float = 0.75
    cpm: float = 9.0
    ctr: float = 0.018
    audience: float = 120_000.0
    weight: float = 1.0
    ads: tuple[Ad, ...] = ()


@dataclass(frozen=True)
class Campaign:
    """One campaign; `budget` is None unless the money sits here (campaign budget)."""

    id: str
    status: Timeline
    budget: Timeline | None
    adsets: tuple[AdSet, ...] = ()


@dataclass(frozen=True)
class Account:
    """One ad account and the habits all its ad sets share."""

    id: str
    seed: str
    timezone: str
    conversion: str = "purchase"
    reports_revenue: bool = True
    order_value: float = 60.0
    noise: float = 1.0
    campaigns: tuple[Campaign, ...] = ()
    zone: ZoneInfo = field(init=False, compare=False)

    def __post_init__(self):
        object.__setattr__(self, "zone", ZoneInfo(self.timezone))
