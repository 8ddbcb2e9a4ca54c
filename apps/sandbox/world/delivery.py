"""What is expected of an ad set, day by day: where the money goes and what it brings.

The response to money is concave. With x = daily rate / reference, conversions grow as x ** alpha: the lost
part (1 - alpha) is spread over dearer impressions (40 %), a lower click rate (20 %) and fewer conversions per
click (40 %). Creatives tire with the impressions they have had, so a bigger budget also wears them sooner.
"""

import math
import threading
from dataclasses import dataclass
from itertools import pairwise

from apps.sandbox.world import days, noise
from apps.sandbox.world.specs import Timeline

TIRED_FLOOR = 0.30
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(slots=True)
class AdDay:
    """Expected delivery of one ad on one day; `market` is the luck its ad set had that day (mean 1)."""

    spend: float = 0.0
    impressions: float = 0.0
    clicks: float = 0.0
    conversions: float = 0.0
    market: float = 1.0
    seen: float = 0.0


@dataclass(frozen=True)
class Piece:
    """A stretch of time in which nothing changed: the daily rate and who was delivering."""

    start: float
    end: float
    rate: float
    ads: tuple[int, ...]


def weekday_factors(seed):
    """Seven factors around 1 for the conversion rate, one account's habit of the week."""
    raw = [noise.between(noise.uniform(seed, "weekday", name), 0.82, 1.18) for name in _WEEKDAYS]
    mean = sum(raw) / 7
    return tuple(value / mean for value in raw)


def pieces(campaign, adset, until):
    """The ad set's life from its start to `until`, cut wherever a budget or a status changed."""
    cuts = {adset.start, until}
    timelines = [campaign.status, adset.status, adset.budget, *(ad.status for ad in adset.ads)]
    if campaign.budget is not None:
        timelines += [campaign.budget, *(sibling.status for sibling in campaign.adsets)]
        cuts.update(sibling.start for sibling in campaign.adsets)
    for timeline in timelines:
        cuts.update(timeline.times)
    cuts.update(ad.start for ad in adset.ads)
    marks = sorted(cut for cut in cuts if adset.start <= cut <= until)
    return [Piece(start, end, *_state_at(campaign, adset, start)) for start, end in pairwise(marks) if end > start]


def _state_at(campaign, adset, instant):
    running = tuple(
        index for index, ad in enumerate(adset.ads) if ad.start <= instant and ad.status.at(instant) == "ACTIVE"
    )
    on = campaign.status.at(instant) == "ACTIVE" and adset.status.at(instant) == "ACTIVE"
    if not (on and running):
        return 0.0, ()
    if campaign.budget is None:
        return adset.budget.at(instant), running
    total = sum(
        sibling.weight
        for sibling in campaign.adsets
        if sibling.start <= instant and sibling.status.at(instant) == "ACTIVE"
    )
    return campaign.budget.at(instant) * adset.weight / total, running


class Series:
    """Expected delivery of one ad set, grown day by day and kept.

    Whole days are computed once; the day that is still running is computed on request and not kept.
    """

    def __init__(self, account, campaign, adset):
        self.account = account
        self.adset = adset
        self.campaign = campaign
        self.first = days.ordinal_of(account.zone, adset.start)
        self._weekday = weekday_factors(account.seed)
        self._kept: list[list[AdDay | None]] = []
        self._seen = [0.0] * len(adset.ads)
        self._growing = threading.Lock()

    def day(self, ordinal, as_of):
        """One `AdDay` or None per ad, for this day as far as `as_of` has come."""
        index = ordinal - self.first
        if index < 0:
            return [None] * len(self.adset.ads)
        start, end = days.bounds(self.account.timezone, ordinal)
        if as_of <= start:
            return [None] * len(self.adset.ads)
        whole = index if as_of < end else index + 1
        with self._growing:
            if whole > len(self._kept):
                self._grow(whole)
        if as_of >= end:
            return self._kept[index]
        seen = self._seen_before(index)
        return self._compute(ordinal, start, as_of, pieces(self.campaign, self.adset, as_of), seen)

    def _seen_before(self, index):
        seen = [0.0] * len(self.adset.ads)
        for number in range(len(seen)):
            for row in reversed(self._kept[:index]):
                if row[number] is not None:
                    seen[number] = row[number].seen + row[number].impressions
                    break
        return seen

    def _grow(self, whole):
        _, until = days.bounds(self.account.timezone, self.first + whole - 1)
        life = pieces(self.campaign, self.adset, until)
        while len(self._kept) < whole:
            ordinal = self.first + len(self._kept)
            start, end = days.bounds(self.account.timezone, ordinal)
            row = self._compute(ordinal, start, end, life, self._seen)
            self._kept.append(row)
            for number, ad_day in enumerate(row):
                if ad_day is not None:
                    self._seen[number] += ad_day.impressions

    def _compute(self, ordinal, start, end, life, seen):
        adset, account = self.adset, self.account
        full = days.bounds(account.timezone, ordinal)
        length = full[1] - full[0]
        row: list[AdDay | None] = [None] * len(adset.ads)
        fresh = [freshness(ad, seen[number], adset.audience) for number, ad in enumerate(adset.ads)]
        luck = market(account, adset, ordinal)
        habit = self._weekday[(ordinal - 1) % 7] * drift(account, adset, ordinal)
        lost = 1.0 - adset.alpha
        clicks_at_reference = adset.reference / adset.cpm * 1000 * adset.ctr
        conversion_rate = adset.base_conversions / clicks_at_reference
        for piece in life:
            if piece.end <= start or piece.start >= end or piece.rate <= 0:
                continue
            share = (min(piece.end, end) - max(piece.start, start)) / length
            x = piece.rate / adset.reference
            thinner = x**-lost
            weights = [adset.ads[number].appeal * fresh[number] for number in piece.ads]
            total = sum(weights)
            for number, weight in zip(piece.ads, weights, strict=True):
                ad_day = row[number]
                if ad_day is None:
                    ad_day = row[number] = AdDay(market=luck, seen=seen[number])
                ad = adset.ads[number]
                spend = piece.rate * share * weight / total
                shown = spend / adset.cpm * 1000 * thinner**0.4
                clicked = shown * adset.ctr * thinner**0.2 * ad.appeal * fresh[number]
                ad_day.spend += spend
                ad_day.impressions += shown
                ad_day.clicks += clicked
                ad_day.conversions += clicked * conversion_rate * thinner**0.4 * ad.persuasion * habit
        return row


def freshness(ad, seen, audience):
    """What is left of a creative's pull after so many impressions: 1 when new, never under the floor."""
    return TIRED_FLOOR + (1 - TIRED_FLOOR) * math.exp(-ad.wear * seen / (audience * 2))


def market(account, adset, ordinal):
    """The luck of the day, shared by account and ad set: mean 1, no memory."""
    common = noise.lognormal(noise.uniform(account.seed, "day", ordinal), 0.08 * account.noise)
    own = noise.lognormal(noise.uniform(account.seed, adset.id, "day", ordinal), 0.14 * account.noise)
    return common * own


def drift(account, adset, ordinal):
    """A slow wave of the ad set's market, straight lines between weekly knots; part of the expectation."""
    week, offset = divmod(ordinal, 7)
    sigma = 0.10 * account.noise
    here, there = (noise.lognormal(noise.uniform(account.seed, adset.id, "week", w), sigma) for w in (week, week + 1))
    return here + (there - here) * offset / 7


def without(timeline, instant, value):
    """The timeline as if the step at this instant to this value had never been made."""
    steps = list(timeline.steps)
    for index, (when, what) in enumerate(steps):
        if index and when == instant and what == value:
            del steps[index]
            break
    return Timeline(steps)


def frozen_since(timeline, instant):
    """The timeline as if nothing had been changed from this instant on."""
    return Timeline(step for index, step in enumerate(timeline.steps) if index == 0 or step[0] < instant)


def expected(account, campaign, adset, first, last):
    """Expected totals of an ad set over whole days: spend, impressions, clicks, conversions and revenue."""
    series = Series(account, campaign, adset)
    _, until = days.bounds(account.timezone, last)
    totals = {"spend": 0.0, "impressions": 0.0, "clicks": 0.0, "conversions": 0.0}
    for ordinal in range(first, last + 1):
        for ad_day in series.day(ordinal, until):
            if ad_day is not None:
                for name in totals:
                    totals[name] += getattr(ad_day, name)
    return totals | {"revenue": totals["conversions"] * account.order_value}
