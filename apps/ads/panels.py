"""What higher floors add to the pages of ads: percentiles to compare with, and what was proposed about an object.

panels.register_marks(marks_of)   # marks_of(client, currency) -> Marks or None
panels.register_about(about)      # about(request, ad_object) -> (template, context)
"""

from dataclasses import dataclass
from datetime import date

_marks_of = []
_about = []


@dataclass(frozen=True)
class Marks:
    """A client's own percentiles of ROI over its ad sets, keyed 25, 50, 75, 90, as computed on `day` over
    `window_days`. `estimate` has chance taken off, between `low` and `high` (90 %); `raw` are the plain ones.
    `source` is "prior" where too few ad sets spent and only the client's history speaks.
    """

    day: date
    window_days: int
    n: int
    source: str
    estimate: dict[int, float]
    low: dict[int, float]
    high: dict[int, float]
    raw: dict[int, float]

    @property
    def line(self):
        """The estimates in order, for a bar."""
        return [self.estimate[key] for key in sorted(self.estimate)]

    @property
    def scale(self):
        """How far the bars of a table reach: what returns more than twice the last percentile ends there."""
        return 2 * max(self.estimate.values())

    @property
    def rows(self):
        """(percentile, estimate, low, high, raw), for a table."""
        return [
            (key, value, self.low.get(key), self.high.get(key), self.raw.get(key))
            for key, value in sorted(self.estimate.items())
        ]


def register_marks(function):
    """Let `function(client, currency)` say the percentiles."""
    _marks_of[:] = [function]


def register_about(function):
    """Add a panel to the page of every ad object."""
    if function not in _about:
        _about.append(function)


def marks_of(client, currency):
    """The client's latest percentiles in a currency, None where there are none."""
    return _marks_of[0](client, currency) if _marks_of else None


def about(request, ad_object):
    """`[(template, context)]` of the panels beside an object's results."""
    return [function(request, ad_object) for function in _about]
