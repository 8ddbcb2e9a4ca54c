"""Dates and numbers as people and spreadsheets write them, and how a column writes them.

A single "1,234" or "03/04/2026" cannot be understood alone: the decimal style and the date order are
decided from the whole column (`NumberStyle`, `DateOrder`), and a column that leaves it open says so.
"""

import re
import unicodedata
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from .problems import CellProblem

COMMA, POINT = "comma", "point"
NONE, OPEN, MIXED = "none", "open", "mixed"

_ABSENT = {"", "-", "--", "—", "–", "−", "n/a", "na", "null", "none", "nan", "s.o.", "s/o", "nd", "n.d."}
_SPREADSHEET_ERRORS = {"#n/a", "#ref!", "#value!", "#div/0!", "#name?", "#null!", "#num!", "#valeur!", "#nom?"}
_CURRENCY = re.compile(r"^(?:[A-Z]{1,3}(?=[\s$-]*[\d.,]))?[\s$€£¥₹₩]*|[\s$€£¥₹₩%]*(?:[A-Z]{3})?[\s$€£¥₹₩%]*$")
_SPACES = re.compile(r"(?<=\d)[\s'’](?=\d{3}(?!\d))")
_DIGITS = re.compile(r"^\d+(?:[.,]\d+)*$|^[.,]\d+$")
_SCIENTIFIC = re.compile(r"^(\d+)(?:[.,](\d+))?[eE]([+-]?\d{1,2})$")

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "janvier janv jan january",
            "fevrier fevr fev february feb",
            "mars mar march",
            "avril avr april apr",
            "mai may",
            "juin june jun",
            "juillet juil july jul",
            "aout aou august aug",
            "septembre sept sep september",
            "octobre oct october",
            "novembre nov november",
            "decembre dec december",
        ),
        start=1,
    )
    for name in names.split()
}
_NUMERIC_DATE = re.compile(r"^(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{1,4})$")
_COMPACT_DATE = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
_TIME = re.compile(r"[T ,]+\d{1,2}[:h]\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?\s*(?:Z|[+-]\d{2}:?\d{2})?$")
# "mar." is Tuesday before 17/08/2026 and March before 17 2026: a weekday is one only before a whole date.
_WEEKDAY = re.compile(r"^[^\W\d_]+\.?,?\s+(?=\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}$)")
_WEEKDAYS = ("lun", "mar", "mer", "jeu", "ven", "sam", "dim", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EXCEL_EPOCH = date(1899, 12, 30)


def is_absent(cell):
    """Whether a cell says "nothing here"; an absent figure is not a wrong one."""
    if cell is None:
        return True
    if not isinstance(cell, str):
        return False
    # No word for "nothing" is longer; most cells are asked and most are longer or seen before.
    return _says_nothing(cell) if len(cell) <= 6 else not cell.strip()


@lru_cache(maxsize=8192)
def _says_nothing(text):
    return fold(text) in _ABSENT


def fold(text):
    """Lower case, without accents or doubled spaces: how headers and month names are compared."""
    if text.isascii():
        return " ".join(text.casefold().split())
    plain = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).casefold().replace("’", "'").split())


def number_evidence(cell):
    """What one cell tells about its column's decimal sign: `comma`, `point`, `open` or `none`."""
    if not isinstance(cell, str) or is_absent(cell):
        return NONE
    text = _bare_number(cell)[0]
    if not _DIGITS.match(text):
        return NONE
    commas, points = text.count(","), text.count(".")
    if not commas and not points:
        return NONE
    if commas and points:
        return COMMA if text.rfind(",") > text.rfind(".") else POINT
    sign, other = (COMMA, POINT) if commas else (POINT, COMMA)
    if commas + points > 1:
        return other
    whole, _, decimals = text.partition("," if commas else ".")
    grouped = len(decimals) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0")
    # A space already groups thousands ("1 234,500"): the remaining sign must be the decimal one.
    return OPEN if grouped and not _SPACES.search(cell.strip()) else sign


def parse_number(cell, style=POINT):
    """A cell as an exact Decimal, None when absent; raises `CellProblem`. `style`: comma or point."""
    if is_absent(cell):
        return None
    if isinstance(cell, (int, float, Decimal)) and not isinstance(cell, bool):
        # repr() of a float is the shortest text that means it: what the spreadsheet showed, not its binary tail.
        number = Decimal(repr(cell)) if isinstance(cell, float) else Decimal(cell)
        if not number.is_finite():
            raise CellProblem("number_unreadable")
        return number
    if not isinstance(cell, str):
        raise CellProblem("number_unreadable")
    if fold(cell) in _SPREADSHEET_ERRORS:
        raise CellProblem("spreadsheet_error")
    text, negative = _bare_number(cell)
    return -_positive(text, style) if negative else _positive(text, style)


def _bare_number(cell):
    """The digits and separators of a written number, and whether it is negative."""
    text = cell.strip().replace("−", "-").replace("–", "-")
    negative = False
    if text.startswith("(") and text.endswith(")"):
        text, negative = text[1:-1].strip(), True
    if text.startswith(("-", "+")):
        negative, text = text[0] == "-", text[1:]
    text = _CURRENCY.sub("", text)
    if not negative and text.startswith(("-", "+")):
        negative, text = text[0] == "-", text[1:].strip()
    return _SPACES.sub("", text), negative


def _positive(text, style):
    scientific = _SCIENTIFIC.match(text)
    if scientific:
        whole, decimals, exponent = scientific.groups()
        return Decimal(f"{whole}.{decimals or 0}E{exponent}")
    if not _DIGITS.match(text) or not text.isascii():
        raise CellProblem("number_unreadable")
    decimal, thousands = (",", ".") if style == COMMA else (".", ",")
    whole, _, decimals = text.partition(decimal)
    if decimal in decimals or thousands in decimals:
        raise CellProblem("number_unreadable")
    groups = whole.split(thousands)
    if len(groups) > 1 and (not 1 <= len(groups[0]) <= 3 or any(len(g) != 3 for g in groups[1:])):
        raise CellProblem("number_unreadable")
    return Decimal("".join(groups) + (f".{decimals}" if decimals else ""))


class NumberStyle:
    """Collects what the cells of a column say about its decimal sign."""

    def __init__(self):
        self.seen = {COMMA: 0, POINT: 0, OPEN: 0}
        self._open_sign = ""

    def add(self, cell):
        """Take one cell into account."""
        evidence = number_evidence(cell)
        if evidence != NONE:
            self.seen[evidence] += 1
        if evidence == OPEN:
            self._open_sign = COMMA if "," in cell else POINT

    @property
    def for_counts(self):
        """The style where only whole numbers can stand: there "1,234" is one thousand and more."""
        if self.verdict in (COMMA, POINT):
            return self.verdict
        return COMMA if self._open_sign == POINT else POINT

    @property
    def verdict(self):
        """`comma`, `point`, `none` (no sign in the column), `open` (cannot be told) or `mixed`."""
        if self.seen[COMMA] and self.seen[POINT]:
            return MIXED
        if self.seen[COMMA] or self.seen[POINT]:
            return COMMA if self.seen[COMMA] else POINT
        return OPEN if self.seen[OPEN] else NONE


def date_evidence(cell):
    """What one cell tells about its column's order of day and month: an order, `open` or `none`."""
    if not isinstance(cell, str) or is_absent(cell):
        return NONE
    return _text_date_evidence(cell)


@lru_cache(maxsize=8192)
def _text_date_evidence(cell):
    match = _NUMERIC_DATE.match(_bare_date(cell))
    if not match or len(match[1]) > 2:
        return NONE
    first, second = int(match[1]), int(match[2])
    if first > 12 >= second:
        return "dmy"
    if second > 12 >= first:
        return "mdy"
    # 05/05 reads the same either way, and 40/50 reads neither way.
    return NONE if first == second or max(first, second) > 12 else OPEN


class DateOrder:
    """Collects what the cells of a column say about day before month."""

    def __init__(self):
        self.seen = {"dmy": 0, "mdy": 0, OPEN: 0}

    def add(self, cell):
        """Take one cell into account."""
        evidence = date_evidence(cell)
        if evidence != NONE:
            self.seen[evidence] += 1

    @property
    def verdict(self):
        """`dmy`, `mdy`, `none` (the order does not matter), `open` or `mixed`."""
        if self.seen["dmy"] and self.seen["mdy"]:
            return MIXED
        if self.seen["dmy"] or self.seen["mdy"]:
            return "dmy" if self.seen["dmy"] else "mdy"
        return OPEN if self.seen[OPEN] else NONE


def parse_date(cell, order="dmy"):
    """A cell as a date, None when absent; raises `CellProblem`. `order` is used only for 03/04/2026."""
    if is_absent(cell):
        return None
    if isinstance(cell, datetime):
        return _plausible(cell.date())
    if isinstance(cell, date):
        return _plausible(cell)
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        if not 30_000 <= cell < 80_000:
            raise CellProblem("date_unreadable")
        return _plausible(_EXCEL_EPOCH + timedelta(days=int(cell)))
    if not isinstance(cell, str):
        raise CellProblem("date_unreadable")
    text = _bare_date(cell)
    compact = _COMPACT_DATE.match(text)
    if compact:
        return _date(*compact.groups())
    numeric = _NUMERIC_DATE.match(text)
    if numeric:
        first, second, third = numeric.groups()
        if len(first) == 4:
            return _date(first, second, third)
        if len(first) > 2 or len(third) == 3 or len(third) == 1:
            raise CellProblem("date_unreadable")
        month, day = (first, second) if order == "mdy" else (second, first)
        if int(month) > 12:
            raise CellProblem("date_unreadable")
        return _date(third, month, day)
    return _written_date(text)


def _bare_date(cell):
    text = " ".join(cell.split())
    return _WEEKDAY.sub("", _TIME.sub("", text))


def _written_date(text):
    """17 août 2026, 1er août 2026, Aug 17, 2026, 17-août-26."""
    words = [w for w in re.split(r"[\s,./-]+", fold(text)) if w and w != "de"]
    if len(words) == 4 and words[0].startswith(_WEEKDAYS):
        words = words[1:]
    if len(words) != 3:
        raise CellProblem("date_unreadable")
    if words[0] in _MONTHS:
        words[0], words[1] = words[1], words[0]
    day, month, year = re.sub(r"^(\d{1,2})(?:er|st|nd|rd|th)$", r"\1", words[0]), _MONTHS.get(words[1]), words[2]
    if month is None or not day.isdecimal() or not year.isdecimal() or len(year) not in (2, 4) or len(day) > 2:
        raise CellProblem("date_unreadable")
    return _date(year, month, day)


def _date(year, month, day):
    year = int(year)
    try:
        return _plausible(date(year + 2000 if year < 100 else year, int(month), int(day)))
    except ValueError as exc:
        raise exc if isinstance(exc, CellProblem) else CellProblem("date_impossible") from exc


def _plausible(day):
    """Facebook opened in 2004; a day two years ahead is a typing error. The caller knows today better."""
    if not 2004 <= day.year <= 2100:
        raise CellProblem("date_impossible")
    return day
