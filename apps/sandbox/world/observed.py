"""What Insights shows of the expectation: counts with noise, attribution that is still coming in, coverage.

Everything is a pure function of the seed, the ad, the day, the history and the moment of asking.
"""

import math
from dataclasses import dataclass

from apps.sandbox.world import days, noise

# Share of a day's conversions that Meta has attributed so many days after the day's end.
ATTRIBUTED = (0.70, 0.84, 0.91, 0.95, 0.97, 0.985, 0.995, 1.0)
STILL_RUNNING = 0.62


@dataclass(slots=True)
class Figures:
    """Observed figures of one or many ad-days; sums of these are what higher levels report."""

    spend: float = 0.0
    impressions: int = 0
    clicks: int = 0
    link_clicks: int = 0
    landings: int = 0
    conversions: int = 0
    by_form: int = 0
    click_7d: int = 0
    click_1d: int = 0
    revenue: float = 0.0
    video_plays: int = 0
    reactions: int = 0
    comments: int = 0
    carts: int = 0
    reach: int = 0

    def add(self, other):
        """Sum another ad-day into this one. A sum of `reach` counts people twice: `coverage` corrects it."""
        self.spend += other.spend
        self.impressions += other.impressions
        self.clicks += other.clicks
        self.link_clicks += other.link_clicks
        self.landings += other.landings
        self.conversions += other.conversions
        self.by_form += other.by_form
        self.click_7d += other.click_7d
        self.click_1d += other.click_1d
        self.revenue += other.revenue
        self.video_plays += other.video_plays
        self.reactions += other.reactions
        self.comments += other.comments
        self.carts += other.carts
        self.reach += other.reach


def attributed_share(age_days):
    """Share of the final conversions visible `age_days` after the end of the day (negative: still running)."""
    if age_days < 0:
        return STILL_RUNNING
    whole = int(age_days)
    if whole >= len(ATTRIBUTED) - 1:
        return 1.0
    here, there = ATTRIBUTED[whole], ATTRIBUTED[whole + 1]
    return here + (there - here) * (age_days - whole)


def part(count, share, u):
    """A whole part of a count; grows with the share, reaches the count at 1, never shrinks."""
    return min(count, math.floor(count * share + u))


def observe(account, adset, ad, ordinal, expected, *, as_of):
    """The figures of one ad on one day as seen at `as_of`, or None when nothing was delivered."""
    u = noise.uniforms(account.seed, ad.id, ordinal)
    wobble = account.noise
    ratio = min(1.2, max(0.8, math.exp(0.06 * wobble * noise.normal(u[0]))))
    spend = expected.spend * ratio
    shown = round(expected.impressions * ratio * noise.lognormal(u[1], 0.07 * wobble))
    if shown < 1 or spend < 0.005:
        return None
    clicks = min(shown, noise.poisson(expected.clicks * ratio * noise.lognormal(u[2], 0.10 * wobble), u[3]))
    link = part(clicks, 0.76, u[4])
    mean = expected.conversions * ratio * expected.market * noise.lognormal(u[5], 0.16 * wobble)
    final = noise.poisson(mean, u[6])
    end = days.bounds(account.timezone, ordinal)[1]
    count = part(final, attributed_share((as_of - end) / 86_400), u[7])
    click_7d = part(count, 0.86, u[3])
    figures = Figures(
        spend=spend,
        impressions=shown,
        clicks=clicks,
        link_clicks=link,
        landings=part(link, 0.81, u[1]),
        conversions=count,
        by_form=part(count, 0.35, u[2]),
        click_7d=click_7d,
        click_1d=part(click_7d, 0.78, u[5]),
        video_plays=part(shown, 0.24 * min(1.4, ad.appeal), u[0]) if ad.video else 0,
        reactions=part(shown, 0.0035, u[2]),
        comments=part(shown, 0.0004, u[4]),
        carts=part(count * 3, 0.9, u[3]),
    )
    if account.reports_revenue and account.conversion == "purchase" and count:
        spread = 0.45 * wobble / math.sqrt(count)
        figures.revenue = count * account.order_value * noise.lognormal(u[4], spread)
    figures.reach = coverage(shown, room(adset, expected.seen))
    return figures


def room(adset, seen):
    """People an ad can still newly meet in a day: shrinks as it has been shown, so frequency rises."""
    return max(400.0, adset.audience * 0.12 / (1 + 3 * seen / adset.audience))


def coverage(meetings, people):
    """Distinct people among so many chance meetings in a crowd of `people`; at least 1."""
    return max(1, min(meetings, round(people * -math.expm1(-meetings / people))))
