"""Days as an ad account lives them: local midnight to local midnight."""

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=20_000)
def bounds(zone_name, ordinal):
    """Epoch seconds of the start and the end of a local day (23, 24 or 25 hours apart)."""
    zone = ZoneInfo(zone_name)
    day = dt.date.fromordinal(ordinal)
    start = dt.datetime.combine(day, dt.time.min, tzinfo=zone)
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time.min, tzinfo=zone)
    return start.timestamp(), end.timestamp()


def ordinal_of(zone, instant):
    """The ordinal of the local day in which the instant falls."""
    return dt.datetime.fromtimestamp(instant, zone).date().toordinal()


def iso(ordinal):
    """The day as Insights writes it, `2026-11-19`."""
    return dt.date.fromordinal(ordinal).isoformat()
