"""XLSX read row by row: real dates and numbers stay what they are, formulas are never computed."""

import warnings
import zipfile
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
MOST_COLUMNS = 1000


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
        except (ParseError, zipfile.BadZipFile, KeyError, ValueError, EOFError) as exc:
            raise UnusableFile(
                _("The workbook is damaged. Export it again."), code="damaged", detail=repr(exc)
            ) from exc

    def _values(self):
        sheet = self.workbook[self.sheet]
        # The dimension written by some exporters is wrong: the rows themselves are asked.
        sheet.reset_dimensions()
        if self.formulas is None:
            yield from sheet.iter_rows(values_only=True)
            return
        written = self.formulas[self.sheet]
        written.reset_dimensions()
        for values, texts in zip_longest(sheet.iter_rows(values_only=True), written.iter_rows(values_only=True)):
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
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, ParseError, EOFError, OSError) as exc:
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
        too_tight = unpacked > SMALL and unpacked / packed > MOST_RATIO
        if len(entries) > 2000 or unpacked > MOST_UNPACKED or too_tight or shared > MOST_SHARED_TEXT:
            raise UnusableFile(
                _("The workbook unpacks to an unreasonable size and was not opened. Export as CSV instead."),
                code="zip_bomb",
            )
        for entry in entries:
            if entry.filename.startswith("xl/worksheets/") and entry.filename.endswith(".xml"):
                has_formulas = has_formulas or _mentions_formula(archive, entry)
    return has_formulas


def _mentions_formula(archive, entry):
    tail = b""
    with archive.open(entry) as part:
        while chunk := part.read(1 << 20):
            text = tail + chunk
            if b"<f>" in text or b"<f " in text:
                return True
            tail = chunk[-2:]
    return False


def _trimmed(cells):
    """Cells without the empty ones at the end; nothing when all are empty."""
    row = list(cells)
    while row and (row[-1] is None or row[-1] == ""):
        row.pop()
    return row
