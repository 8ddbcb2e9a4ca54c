"""Turns the rows of a table into results of a day, or into the problems that keep them out."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from .columns import BREAKDOWN, COUNTS, NUMBERS
from .plan import END_DAY
from .problems import CellProblem, Problem
from .reading import Formula
from .values import POINT, fold, is_absent, parse_date, parse_number

LEVELS = ("campaign", "adset", "ad")
_PREFIX = re.compile(r"^(?:[a-z]{1,2}:|act_)(?=\d)")
_SCIENTIFIC = re.compile(r"^\d(?:[.,]\d+)?e\+?\d+$", re.IGNORECASE)
_ID = re.compile(r"^[\w.:-]{1,60}$")
_TOTAL = re.compile(
    r"^(?:grand |sub|sous-)?(?:total|totaux|totals|total general)\b(?: .*)?$|^(?:results from|resultats? (?:de|pour))\b"
)
_EVERYTHING = {"all", "tous", "toutes", "tout", "total"}
# What the store holds: whole digits before the point, and decimals that are kept.
_ROOM = {"spend": (9, 9), "revenue": (14, 4), "leads": (12, 2), "purchases": (12, 2)}
_MOST_COUNT = 10**15


@dataclass(frozen=True)
class DayResult:
    """What one row says: the object (ids and names from campaign down to its level), the day, the figures.

    `measures` maps a figure to its value, None when the row leaves it empty. `subtotal` marks a row that
    sums the breakdown rows beside it; `mark` is the same for two rows with the same cells.
    """

    line: int
    level: str
    path: tuple[tuple[str, str], ...]
    day: date
    measures: dict
    delivery: str = ""
    subtotal: bool = False
    mark: int = 0


@dataclass(frozen=True)
class TotalRow:
    """A row that sums up others; passed over."""

    line: int


class RowReader:
    """Reads rows after the header by a plan."""

    def __init__(self, plan, *, account_id="", currency="", latest_day=None):
        self.plan, self.account_id, self.currency, self.latest_day = plan, account_id, currency, latest_day
        self.at = {meaning: i for i, meaning in enumerate(plan.fields) if meaning and meaning != BREAKDOWN}
        self.breakdowns = [i for i, meaning in enumerate(plan.fields) if meaning == BREAKDOWN]
        self.numbers = [(m, self.at[m], plan.styles.get(str(self.at[m]), POINT)) for m in NUMBERS if m in self.at]
        self.depth = LEVELS.index(plan.level) + 1
        self.identities = [(self.at.get(f"{level}_id"), self.at.get(f"{level}_name")) for level in LEVELS[: self.depth]]

    def read_all(self, table):
        """For each row below the header: a `DayResult`, a `TotalRow`, or a list of `Problem`s."""
        waiting, first = None, True
        for row in table.rows():
            if row.line <= self.plan.header_line:
                continue
            if waiting is not None:
                yield self.read(waiting, may_be_total=first)
                first = False
            waiting = row
        if waiting is not None:
            yield self.read(waiting, may_be_total=True)

    def read(self, row, *, may_be_total=False):
        """One row; a nameless one is a total only where exporters put totals: first or last."""
        width = len(self.plan.fields)
        cells = row.cells + [None] * (width - len(row.cells))
        if row.problem:
            return [self._problem(row, row.problem, cells[0], 0)]
        if any(not is_absent(c) for c in cells[width:]):
            return [self._problem(row, "too_many_cells", cells[width], None)]
        total = self._is_total(cells)
        if total or (may_be_total and total is None):
            return TotalRow(row.line)
        problems = []
        path = self._path(row, cells, problems)
        day = self._day(row, cells, problems)
        measures = self._measures(row, cells, problems)
        self._same_account(row, cells, problems)
        if problems:
            return problems
        return DayResult(
            line=row.line,
            level=self.plan.level,
            path=path,
            day=day,
            measures=measures,
            delivery=self._text(cells, "delivery"),
            subtotal=bool(self.breakdowns) and all(_everything(cells[i]) for i in self.breakdowns),
            mark=_mark(cells),
        )

    def _is_total(self, cells):
        """True for a row that says so, None for one that names nothing, else False."""
        named = [cells[i] for pair in self.identities for i in pair if i is not None and not is_absent(cells[i])]
        if not named:
            return None
        leaf = [cells[i] for i in self.identities[-1] if i is not None and not is_absent(cells[i])]
        if leaf and all(isinstance(c, str) and fold(c) in _EVERYTHING for c in leaf):
            return True
        ids = [cells[i] for i, _name in self.identities if i is not None and not is_absent(cells[i])]
        return not ids and isinstance(named[0], str) and bool(_TOTAL.match(fold(named[0])))

    def _path(self, row, cells, problems):
        path = []
        for id_at, name_at in self.identities:
            name = "" if name_at is None or is_absent(cells[name_at]) else _plain_text(cells[name_at])
            number = ""
            if id_at is not None and not is_absent(cells[id_at]):
                try:
                    number = parse_id(cells[id_at])
                except CellProblem as exc:
                    problems.append(self._problem(row, exc.reason, cells[id_at], id_at))
            path.append((number, name[:400]))
        if not any(path[-1]) and not problems:
            where = next(i for i in self.identities[-1] if i is not None)
            problems.append(self._problem(row, "no_object", cells[where], where))
        return tuple(path)

    def _day(self, row, cells, problems):
        if "day" in self.at:
            return self._date(row, cells, "day", problems)
        starts = self._date(row, cells, "starts", problems) if "starts" in self.at else None
        ends = self._date(row, cells, "ends", problems) if "ends" in self.at else starts
        if "starts" not in self.at:
            starts = ends
        if starts is None or ends is None or starts == ends:
            return ends
        if ends < starts:
            problems.append(self._problem(row, "period_reversed", cells[self.at["ends"]], self.at["ends"]))
        elif self.plan.periods != END_DAY:
            problems.append(self._problem(row, "period_not_a_day", f"{starts} – {ends}", self.at["ends"]))
        return ends

    def _date(self, row, cells, meaning, problems):
        index = self.at[meaning]
        cell = cells[index]
        try:
            if isinstance(cell, Formula):
                raise CellProblem("formula_without_value")
            day = _date_of_text(cell, self._order(index)) if isinstance(cell, str) else parse_date(cell)
            if day is None:
                raise CellProblem("date_missing")
            if self.latest_day and day > self.latest_day:
                raise CellProblem("date_impossible")
        except CellProblem as exc:
            problems.append(self._problem(row, exc.reason, cell, index))
            return None
        return day

    def _order(self, index):
        return self.plan.orders.get(str(index), "dmy")

    def _measures(self, row, cells, problems):
        found = {}
        for meaning, index, style in self.numbers:
            try:
                found[meaning] = measure(cells[index], meaning, style)
            except CellProblem as exc:
                problems.append(self._problem(row, exc.reason, cells[index], index))
        if "results" in found:
            self._sort_results(row, cells, found, problems)
        return found

    def _sort_results(self, row, cells, found, problems):
        """Put the results where they belong: by the row's own indicator, else as the person said."""
        value = found.pop("results")
        if value is None:
            return
        kind = result_kind(self._text(cells, "result_kind")) or self.plan.results_are
        if kind in ("leads", "purchases"):
            if found.get(kind) is None:
                found[kind] = value
        elif not kind and value:
            problems.append(self._problem(row, "result_kind_unknown", cells[self.at["results"]], self.at["results"]))

    def _same_account(self, row, cells, problems):
        currency = self._text(cells, "currency").upper()
        if self.currency and currency and currency != self.currency:
            problems.append(self._problem(row, "currency_differs", currency, self.at["currency"]))
        number = self._text(cells, "account_id").removeprefix("act_")
        known = self.account_id.removeprefix("act_")
        if number and known.isdecimal() and number != known:
            problems.append(self._problem(row, "account_differs", number, self.at["account_id"]))

    def _text(self, cells, meaning):
        index = self.at.get(meaning)
        return "" if index is None or is_absent(cells[index]) else _plain_text(cells[index])

    def _problem(self, row, reason, value, index):
        header = "" if index is None or index >= len(self.plan.headers) else self.plan.headers[index]
        text = "" if value is None else str(value).replace("\x00", "")
        return Problem(row.line, reason, header[:120], text[:500], self.plan.sheet[:80])


def parse_id(cell):
    """An identification number as text; raises `CellProblem` for one a spreadsheet has rounded."""
    if isinstance(cell, Formula):
        raise CellProblem("formula_without_value")
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        if cell != int(cell) or cell < 0:
            raise CellProblem("id_unreadable")
        if cell >= 10**15:
            raise CellProblem("id_rounded")
        return str(int(cell))
    text = _PREFIX.sub("", str(cell).strip().strip("'")).removesuffix(".0")
    if _SCIENTIFIC.match(text):
        raise CellProblem("id_rounded")
    if not _ID.match(text):
        raise CellProblem("id_unreadable")
    return text


def measure(cell, meaning, style):
    """A figure as the store keeps it (whole for counts, exact decimals else), None when absent."""
    if isinstance(cell, Formula):
        raise CellProblem("formula_without_value")
    number = parse_number(cell, style)
    if number is None:
        return None
    if number < 0:
        raise CellProblem("number_negative")
    if meaning in COUNTS:
        if number != number.to_integral_value():
            raise CellProblem("number_not_whole")
        if number > _MOST_COUNT:
            raise CellProblem("number_too_large")
        return int(number)
    whole, decimals = _ROOM.get(meaning, (12, 2))
    if number >= 10**whole:
        raise CellProblem("number_too_large")
    if -number.as_tuple().exponent > decimals:
        number = number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
    return number


def result_kind(indicator):
    """`leads`, `purchases`, `other` or "" for Ads Manager's result indicator of a row."""
    text = fold(indicator)
    if not text:
        return ""
    if "purchase" in text or "achat" in text:
        return "purchases"
    if "lead" in text or "prospect" in text:
        return "leads"
    return "other"


def name_key(*names):
    """A stable number for an object that a file knows by name only, from the names above it and its own."""
    return "name:" + hashlib.sha256("\x1f".join(fold(name) for name in names).encode()).hexdigest()[:40]


@lru_cache(maxsize=4096)
def _date_of_text(text, order):
    return parse_date(text, order)


def _plain_text(cell):
    """A cell as text, without the apostrophe that our own downloads put before =, + and the like."""
    text = str(cell).replace("\x00", "").strip()
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in "=+-@\t\r" else text


def _mark(cells):
    digest = hashlib.blake2b("\x1f".join(map(str, cells)).encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _everything(cell):
    return is_absent(cell) or (isinstance(cell, str) and fold(cell) in _EVERYTHING)
