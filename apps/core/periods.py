"""The stretch of days a page looks at, chosen the same way everywhere and kept in the address.

    period = periods.chosen(request, today)       # ?period=28d, or ?since=2026-10-01&until=2026-10-31
    {% period_control period %}                   # in the page's header or filter bar

`today` is the client's own day: `client.today()`. Ranges end yesterday, the last
complete day, and both ends count.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import ngettext

DAYS = {"7d": 7, "14d": 14, "28d": 28, "90d": 90}
DEFAULT = "28d"
LONGEST = 3 * 366
EARLIEST = date(2004, 1, 1)  # no ad account is older
CUSTOM = "custom"


@dataclass(frozen=True)
class Period:
    key: str
    since: date
    until: date

    @property
    def days(self):
        """How many days, both ends included."""
        return (self.until - self.since).days + 1

    @property
    def before(self):
        """The stretch of the same length just before, to compare with."""
        length = timedelta(days=self.days)
        return Period(CUSTOM, self.since - length, self.until - length)

    @property
    def dates(self):
        """Every day of it, oldest first."""
        return [self.since + timedelta(days=n) for n in range(self.days)]


def chosen(request, today, default=DEFAULT):
    """The period the address asks for; what cannot be read or runs backwards gives the default."""
    since, until = _date(request.GET.get("since")), _date(request.GET.get("until"))
    if since and until and EARLIEST <= since <= until and (until - since).days < LONGEST:
        return Period(CUSTOM, since, until)
    key = request.GET.get("period", default)
    if key not in DAYS:
        key = default
    return Period(key, today - timedelta(days=DAYS[key]), today - timedelta(days=1))


def choices():
    """(key, words) of the ready-made stretches."""
    return [(key, ngettext("%(count)d day", "%(count)d days", count) % {"count": count}) for key, count in DAYS.items()]


def _date(text):
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
