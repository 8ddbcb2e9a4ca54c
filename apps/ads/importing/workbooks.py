"""XLSX read row by row: real dates and numbers stay what they are, formulas are never computed."""

import warnings
import zipfile
import zlib
from itertools import zip_longest
from xml.etree.ElementTree import ParseError

from django.utils.translation import gettext_lazy as _
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from .problems import UnusableFile
from .reading import FORMULA, Row, Table

# A workbook unpacks to 5-20 times its size; a bomb to a thousand times.
MOST_UNPACKED = 4 * 1024**3
MOST_RATIO = 200
SMALL = 64 * 1024 * 1024
MOST_SHARED_TEXT = 64 * 1024 * 1024
# Styles, names and the like are read whole, as a tree that is many times larger.
MOST_OTHER_PARTS = 16 * 1024 * 1024
MOST_COLUMNS = 1000
# Excel's own limit. A row may carry any number, and all rows before it are counted off.
MOST_ROWS = 1_048_576
CHUNK = 1 << 20
# What a part that is not what it says makes of the reader.
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, InvalidFileException, ParseError, LookupError, ValueError, TypeError),
    *(AttributeError, ArithmeticError, EOFError, RuntimeError),
)


class SheetTable(Table):
    """One sheet of a workbook."""

    encoding = "XLSX"

    def __init__(self, workbook, sheet, formulas=None):
        self.workbook, self.sheet, self.formulas = workbook, sheet, formulas
        found = workbook[sheet].max_row
        self.estimated_rows = found if found and found > 1 else None

    def rows(self):
        """Rows with their number in the sheet; empty ones are passed over."""
        try:
            for number, cells in enumerate(self._values(), start=1):
                if len(cells) > MOST_COLUMNS and any(c is not None for c in cells[MOST_COLUMNS:]):
                    raise UnusableFile(_("The sheet has more than 1,000 columns: this is no export of ads."))
                row = _trimmed(cells[:MOST_COLUMNS])
                if row:
                    yield Row(number, row)
        except DAMAGE as exc:
            raise UnusableFile(
                _("The workbook is damaged. Export it again."), code="damaged", detail=repr(exc)
            ) from exc

    def _values(self):
        sheet = self.workbook[self.sheet]
        # The dimension written by some exporters is wrong: the rows themselves are asked.
        sheet.reset_dimensions()
        if self.formulas is None:
            yield from sheet.iter_rows(values_only=True, max_row=MOST_ROWS)
            return
        written = self.formulas[self.sheet]
        written.reset_dimensions()
        pairs = zip_longest(*(of.iter_rows(values_only=True, max_row=MOST_ROWS) for of in (sheet, written)))
        for values, texts in pairs:
            yield tuple(
                FORMULA if value is None and isinstance(text, str) and text.startswith("=") else value
                for value, text in zip_longest(values or (), texts or ())
            )


def open_sheets(file):
    """The sheets of a workbook that hold cells, after its sizes were found believable."""
    try:
        has_formulas = _check_sizes(file)
        workbook = _load(file, data_only=True)
        formulas = _load(file, data_only=False) if has_formulas else None
    except UnusableFile:
        raise
    except (*DAMAGE, OSError) as exc:
        raise UnusableFile(_("The workbook is damaged. Export it again."), code="damaged", detail=repr(exc)) from exc
    names = [sheet.title for sheet in workbook.worksheets]
    return [SheetTable(workbook, name, formulas) for name in names]


def _load(file, *, data_only):
    file.seek(0)
    with warnings.catch_warnings():
        # Exporters leave out styles and extensions; openpyxl says so each time, and it does not matter here.
        warnings.simplefilter("ignore", UserWarning)
        return load_workbook(file, read_only=True, data_only=data_only, keep_links=False)


def _check_sizes(file):
    """Refuse what unpacks to something absurd; tell whether any cell holds a formula."""
    has_formulas = False
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        packed = sum(e.compress_size for e in entries) or 1
        unpacked = sum(e.file_size for e in entries)
        shared = sum(e.file_size for e in entries if e.filename.lower().endswith("sharedstrings.xml"))
        others = sum(e.file_size for e in entries if _is_read_whole(e.filename))
        too_tight = unpacked > SMALL and unpacked / packed > MOST_RATIO
        too_large = unpacked > MOST_UNPACKED or shared > MOST_SHARED_TEXT or others > MOST_OTHER_PARTS
        if len(entries) > 2000 or too_tight or too_large:
            raise _bomb()
        for entry in entries:
            if _is_sheet(entry.filename):
                has_formulas = _mentions_formula(archive, entry) or has_formulas
    return has_formulas


def _is_sheet(name):
    return name.startswith("xl/worksheets/") and name.endswith(".xml")


def _is_read_whole(name):
    name = name.lower()
    return name.endswith((".xml", ".rels")) and not _is_sheet(name) and not name.endswith("sharedstrings.xml")


def _bomb():
    return UnusableFile(
        _("The workbook unpacks to an unreasonable size and was not opened. Export as CSV instead."), code="zip_bomb"
    )


def _mentions_formula(archive, entry):
    """Whether a cell holds a formula. Refuses a sheet with a cell that would fill the memory."""
    tail, found = b"", False
    with archive.open(entry) as part:
        while chunk := part.read(CHUNK):
            if len(chunk) == CHUNK and b"<" not in chunk:
                raise _bomb()
            text = tail + chunk
            found = found or b"<f>" in text or b"<f " in text
            tail = chunk[-2:]
    return found


def _trimmed(cells):
    """Cells without the empty ones at the end; nothing when all are empty."""
    row = list(cells)
    while row and (row[-1] is None or row[-1] == ""):
        row.pop()
    return row
