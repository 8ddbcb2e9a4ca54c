"""How one file is to be read, as a person confirmed it: what ColumnMapping remembers and a run carries."""

from dataclasses import asdict, dataclass, field

from django.utils.translation import gettext as _

from .columns import AMOUNTS, BREAKDOWN, COUNTS, DATES, NUMBERS
from .problems import UnusableFile
from .values import COMMA, POINT

REFUSE, END_DAY = "refuse", "end_day"


@dataclass(frozen=True)
class Plan:
    """Everything needed to read a table the same way again.

    `fields[i]` is what column i means; `orders` and `styles` map a column (as text, the plan is kept as
    JSON) to its date order and decimal sign. `periods` says what becomes of rows of several days.
    """

    headers: list[str]
    fields: list[str]
    header_line: int = 1
    sheet: str = ""
    orders: dict[str, str] = field(default_factory=dict)
    styles: dict[str, str] = field(default_factory=dict)
    periods: str = REFUSE
    results_are: str = ""
    currency: str = ""

    def as_json(self):
        """The plan as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values):
        """The plan from `as_json()`; fields a newer version added keep their defaults."""
        return cls(**{k: v for k, v in values.items() if k in cls.__dataclass_fields__})

    def column(self, meaning):
        """The position of the column with this meaning, or None."""
        return self.fields.index(meaning) if meaning in self.fields else None

    @property
    def level(self):
        """How far down the rows go: ad, else ad set, else campaign; "" when no object is named."""
        for level in ("ad", "adset", "campaign"):
            if f"{level}_id" in self.fields or f"{level}_name" in self.fields:
                return level
        return ""

    @property
    def measures(self):
        """The figures this file has: only these may be written over what is stored."""
        found = [m for m in (*COUNTS, *AMOUNTS, "leads", "purchases") if m in self.fields]
        if "results" in self.fields:
            found += [m for m in ("leads", "purchases") if m not in found and self.results_are in ("", m)]
        return found

    def check(self):
        """Raise `UnusableFile` naming the first thing that is missing or contradictory."""
        meanings = [f for f in self.fields if f and f != BREAKDOWN]
        twice = sorted({f for f in meanings if meanings.count(f) > 1})
        if twice:
            raise UnusableFile(
                _("Two columns have the same meaning (%(field)s). Keep one.") % {"field": twice[0]},
                code="column_twice",
            )
        if not self.level:
            raise UnusableFile(
                _("No column names a campaign, an ad set or an ad. Add that column to the export."),
                code="no_usable_columns",
            )
        if not any(f in DATES for f in self.fields):
            raise UnusableFile(
                _("No column gives the day. Export with the breakdown “By time: Day”."), code="no_usable_columns"
            )
        if not self.measures:
            raise UnusableFile(
                _("No column gives spend, impressions, clicks or results. Add them to the export."),
                code="no_usable_columns",
            )
        if "results" in self.fields and "result_kind" not in self.fields and not self.results_are:
            raise UnusableFile(
                _("Say whether the results are leads or purchases, or leave that column out."), code="results_open"
            )
        for index, meaning in enumerate(self.fields):
            order, style = self.orders.get(str(index), "dmy"), self.styles.get(str(index), POINT)
            if (meaning in DATES and order not in ("dmy", "mdy", "ymd")) or (
                meaning in NUMBERS and style not in (COMMA, POINT)
            ):
                raise UnusableFile(
                    _("The values of the column “%(column)s” can be read in two ways. Say which one is right.")
                    % {"column": self.headers[index]},
                    code="style_open",
                )
