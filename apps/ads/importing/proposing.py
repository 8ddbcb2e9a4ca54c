"""Looks at a table once and proposes how to read it: header row, meanings, date order, decimal sign."""

from collections import Counter
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from . import columns
from .plan import Plan
from .problems import CellProblem, UnusableFile
from .values import COMMA, MIXED, NONE, OPEN, POINT, DateOrder, NumberStyle, is_absent, parse_date

HEADER_WITHIN = 40
# A column's style is decided from all of its cells, up to here; beyond, the run itself reports what differs.
ROWS_LOOKED_AT = 200_000
SAMPLES = 3


@dataclass
class ColumnProposal:
    """What is known about one column before a person has looked at it."""

    index: int
    header: str
    guess: columns.Guess
    samples: list[str] = field(default_factory=list)
    numbers: NumberStyle = field(default_factory=NumberStyle)
    dates: DateOrder = field(default_factory=DateOrder)

    def look(self, cell):
        """Take a cell into account."""
        if cell is None or cell == "":
            return
        if len(self.samples) < SAMPLES and not is_absent(cell):
            text = str(cell)[:80]
            if text not in self.samples:
                self.samples.append(text)
        # Most cells say nothing, and this is asked for every one of a large file.
        if isinstance(cell, str) and len(cell) < 40 and not cell.isalnum():
            if "," in cell or "." in cell:
                self.numbers.add(cell)
            self.dates.add(cell)


@dataclass
class Proposal:
    """A plan to be confirmed, and what a person should know before doing so."""

    plan: Plan
    columns: list[ColumnProposal]
    rows: int
    complete: bool
    has_periods: bool
    sheets: list[str]
    encoding: str
    separator: str

    def question(self, column):
        """`date` or `number` when a person must say how this column is to be read, else ""."""
        meaning, key = self.plan.fields[column.index], str(column.index)
        if meaning in columns.DATES and self.plan.orders.get(key, "dmy") in (OPEN, MIXED):
            return "date"
        if meaning in columns.NUMBERS and self.plan.styles.get(key, POINT) in (OPEN, MIXED):
            return "number"
        return ""


def choose_table(tables, sheet=""):
    """The asked-for sheet, or without one the sheet whose header we know best; `UnusableFile` when there is none."""
    found = []
    for table in tables:
        header = find_header(table)
        if header is not None:
            found.append((table, header))
    if not found:
        raise UnusableFile(_("The file holds no rows. Export it again from Ads Manager."), code="empty_file")
    if sheet:
        asked_for = [pair for pair in found if pair[0].sheet == sheet]
        if not asked_for:
            raise UnusableFile(
                _("There is nothing to read on a sheet “%(sheet)s”. Sheets with rows: %(names)s.")
                % {"sheet": sheet, "names": ", ".join(pair[0].sheet for pair in found if pair[0].sheet) or "–"},
                code="no_such_sheet",
            )
        found = asked_for
    return max(found, key=lambda pair: columns.recognised(pair[1].cells))


def find_header(table):
    """The row with the most headers we know among the first ones; else the first full one; None if empty."""
    first = []
    for row in table.rows():
        first.append(row)
        if len(first) >= HEADER_WITHIN:
            break
    if not first:
        return None
    best = max(first, key=lambda row: columns.recognised(row.cells))
    if columns.recognised(best.cells) >= 2:
        return best
    usual = Counter(len(row.cells) for row in first).most_common(1)[0][0]
    return next((row for row in first if len(row.cells) == usual), first[0])


def propose(tables, *, sheet="", remembered=None, limit=ROWS_LOOKED_AT):
    """A `Proposal` for the best table. `remembered(fingerprint)` may give the plan confirmed last time."""
    table, header = choose_table(tables, sheet)
    headers = [_header_text(cell, i) for i, cell in enumerate(header.cells)]
    guesses = columns.propose(headers)
    found = [ColumnProposal(i, headers[i], guesses[i]) for i in range(len(headers))]
    rows, complete, periods = 0, True, False
    at = {g.field: i for i, g in enumerate(guesses)}
    for row in table.rows():
        if row.line <= header.line or row.problem:
            continue
        if rows >= limit:
            complete = False
            break
        rows += 1
        for column, cell in zip(found, row.cells, strict=False):
            column.look(cell)
        periods = periods or _is_period(row.cells, at)
    if not rows:
        raise UnusableFile(_("The file has a header and no rows below it."), code="empty_file")
    plan = _plan(found, header.line, table.sheet)
    if remembered is not None:
        plan = _as_before(plan, remembered(columns.fingerprint(headers)), found)
    return Proposal(
        plan,
        found,
        rows,
        complete,
        periods and "day" not in plan.fields,
        [t.sheet for t in tables],
        table.encoding,
        table.separator,
    )


def settle(plan, found):
    """Fill in how each column in use is written, where the plan does not say and the file does.

    Returns the positions of columns that can still be read in two ways.
    """
    elsewhere = _style_elsewhere(found, plan.fields)
    still_open = []
    for column in found:
        meaning, key = plan.fields[column.index], str(column.index)
        if meaning in columns.DATES and plan.orders.get(key) not in ("dmy", "mdy"):
            plan.orders[key] = _known_order(column)
            if plan.orders[key] in (OPEN, MIXED):
                still_open.append(column.index)
        if meaning in columns.NUMBERS and plan.styles.get(key) not in (COMMA, POINT):
            plan.styles[key] = _known_style(column, meaning, elsewhere)
            if plan.styles[key] in (OPEN, MIXED):
                still_open.append(column.index)
    return still_open


def _plan(found, header_line, sheet):
    fields = [column.guess.field for column in found]
    elsewhere = _style_elsewhere(found, fields)
    pairs = list(zip(found, fields, strict=True))
    currencies = {c.guess.currency for c in found if c.guess.currency}
    return Plan(
        headers=[c.header for c in found],
        fields=fields,
        header_line=header_line,
        sheet=sheet,
        orders={str(c.index): _known_order(c) for c, meaning in pairs if meaning in columns.DATES},
        styles={str(c.index): _known_style(c, m, elsewhere) for c, m in pairs if m in columns.NUMBERS},
        currency=currencies.pop() if len(currencies) == 1 else "",
    )


def _style_elsewhere(found, fields):
    """A file is written in one language: what some columns prove settles one that leaves it open."""
    numbers = [(c, m) for c, m in zip(found, fields, strict=True) if m in columns.NUMBERS]
    decided = {c.numbers.verdict for c, _m in numbers} - {NONE, OPEN}
    decided |= {c.numbers.for_counts for c, m in numbers if m in columns.COUNTS and c.numbers.verdict == OPEN}
    return next(iter(decided)) if len(decided) == 1 and MIXED not in decided else OPEN


def _known_style(column, meaning, elsewhere):
    verdict = column.numbers.verdict
    if meaning in columns.COUNTS and verdict != MIXED:
        return column.numbers.for_counts
    return {NONE: POINT, OPEN: elsewhere}.get(verdict, verdict)


def _known_order(column):
    verdict = column.dates.verdict
    return "dmy" if verdict == NONE else verdict


def _as_before(plan, before, found):
    """What was confirmed for the same headers, but never against what this file proves about itself."""
    if before is None:
        return plan
    now = Plan(
        headers=plan.headers,
        fields=[*before.fields, *[""] * (len(plan.headers) - len(before.fields))],
        header_line=plan.header_line,
        sheet=plan.sheet,
        periods=before.periods,
        results_are=before.results_are,
        currency=plan.currency,
    )
    for index in settle(now, found):
        key = str(index)
        if key in now.orders:
            now.orders[key] = before.orders.get(key, now.orders[key])
        if key in now.styles:
            now.styles[key] = before.styles.get(key, now.styles[key])
    return now


def _header_text(cell, index):
    text = "" if cell is None else str(cell).strip().replace("\x00", "")
    return text[:120] or f"({index + 1})"


def _is_period(cells, at):
    """Whether a row covers several days, whatever the order of day and month."""
    starts, ends = at.get("starts"), at.get("ends")
    if starts is None or ends is None or max(starts, ends) >= len(cells) or cells[starts] == cells[ends]:
        return False
    try:
        first, last = parse_date(cells[starts]), parse_date(cells[ends])
    except CellProblem:
        return str(cells[starts]) != str(cells[ends])
    return first != last
