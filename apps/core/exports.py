"""Lists as files: CSV streamed row by row, XLSX written row by row to a temporary file. Memory stays flat.

    COLUMNS = [Column("name", _("Name")), Column("spend", _("Spend"), lambda row: row.spend)]
    ...
    if wants_export(request):
        return export(request, rows, COLUMNS, name="ads")

Both read the queryset under the tenancy scope of the request (the middleware carries it into the stream).
"""

import csv
import datetime as dt
import errno
import os
import re
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from django.http import FileResponse, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.encoding import force_str
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from .errors import DomainError

FORMATS = ("csv", "xlsx")
CHUNK = 2000
ROWS_PER_PIECE = 500
# Excel's own limits.
MOST_SHEET_ROWS = 1_048_575
MOST_CELL_TEXT = 32_000
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_HARMLESS = re.compile(r"^[+-]?[\d\s.,'  ]*%?$")
_CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class DiskFull(DomainError):
    """There is no room for the file; what was written of it is gone again."""

    default_message = _(
        "The server's disk is full: the file could not be written. Tell an administrator, then try again."
    )
    code = "disk_full"


@dataclass(frozen=True)
class Column:
    """A column of an export: `value(row)`, or without it the attribute path `key` ("campaign.name")."""

    key: str
    title: Any
    value: Callable[[Any], Any] | None = None

    def of(self, row):
        """The value of `row` in this column; empty where a step of the path is missing."""
        if self.value is not None:
            return self.value(row)
        found = row
        for step in self.key.replace("__", ".").split("."):
            found = found.get(step) if isinstance(found, dict) else getattr(found, step, None)
            if found is None:
                return None
        return found() if callable(found) else found


def wants_export(request):
    """`csv` or `xlsx` when the address asks for one, else "".

    Pages say `?format=csv`; the API says `?export=csv`, because `format` is taken there.
    """
    asked = request.GET.get("format") or request.GET.get("export", "")
    return asked if asked in FORMATS else ""


def export(request, rows, columns, *, name):
    """The list as a download in the format asked for; CSV when nothing is said."""
    return (xlsx_response if wants_export(request) == "xlsx" else csv_response)(rows, columns, name=name)


def csv_response(rows, columns, *, name, language=None):
    """A streamed CSV that opens rightly in a spreadsheet of the reader's language."""
    response = StreamingHttpResponse(csv_pieces(rows, columns, language=language), content_type=_CONTENT_TYPES["csv"])
    response["Content-Disposition"] = f'attachment; filename="{filename(name, "csv")}"'
    response["Cache-Control"] = "no-store"
    return response


def csv_pieces(rows, columns, *, language=None):
    """The CSV in pieces of some hundred rows, beginning with the UTF-8 mark that Excel needs."""
    language = language or get_language() or "en"
    french = language.startswith("fr")
    titles = [force_str(column.title) for column in columns]
    buffer = _Buffer()
    # French spreadsheets write 1,5 and therefore part cells with semicolons.
    writer = csv.writer(buffer, delimiter=";" if french else ",")
    zone = timezone.get_current_timezone()

    def pieces():
        buffer.write("\ufeff")
        writer.writerow([guarded(title) for title in titles])
        yield buffer.take()
        each = _each(rows)
        while piece := list(islice(each, ROWS_PER_PIECE)):
            # The server streams after the request's language was put away.
            with translation.override(language):
                writer.writerows([_csv_cell(column.of(row), french, zone) for column in columns] for row in piece)
            yield buffer.take()

    return pieces()


def xlsx_response(rows, columns, *, name):
    """A workbook as a download. Raises `DiskFull` before anything is sent when there is no room for it."""
    with no_room_is_told():
        file = tempfile.TemporaryFile(suffix=".xlsx")  # noqa: SIM115  (the response closes it when it is sent)
    try:
        write_xlsx(file, rows, columns, sheet=name)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    response = FileResponse(
        file, as_attachment=True, filename=filename(name, "xlsx"), content_type=_CONTENT_TYPES["xlsx"]
    )
    response["Cache-Control"] = "no-store"
    return response


def write_xlsx(file, rows, columns, *, sheet):
    """Write a workbook to the open binary `file`; a new sheet begins where Excel's last row is reached."""
    titles = [force_str(column.title) for column in columns]
    zone = timezone.get_current_timezone()
    with no_room_is_told():
        book = Workbook(write_only=True)
        written, page = MOST_SHEET_ROWS, None
        try:
            for row in _each(rows):
                if written >= MOST_SHEET_ROWS:
                    page, written = _new_sheet(book, sheet, titles), 0
                page.append([_xlsx_cell(column.of(row), zone) for column in columns])
                written += 1
            if page is None:
                _new_sheet(book, sheet, titles)
            book.save(file)
            file.flush()
        except BaseException:
            _drop_parts(book)
            raise


@contextmanager
def no_room_is_told():
    """Turn "no space left" of any kind into `DiskFull`."""
    try:
        yield
    except OSError as exc:
        if exc.errno in _NO_ROOM:
            raise DiskFull(detail=exc) from exc
        raise


@contextmanager
def whole_file(path):
    """An open binary file that appears at `path` only when the block ends well; else nothing is left behind."""
    partial = f"{path}.part"
    with no_room_is_told():
        try:
            with open(partial, "wb") as file:
                yield file
            os.replace(partial, path)
        except BaseException:
            if os.path.exists(partial):
                os.unlink(partial)
            raise


def filename(name, extension):
    """A harmless file name with the day on it."""
    return f"durum-{slugify(name) or 'export'}-{timezone.localdate():%Y-%m-%d}.{extension}"


def guarded(text):
    """A text that a spreadsheet will not take for a formula: one that starts like one gets an apostrophe."""
    if text.startswith(_STARTS_A_FORMULA) and not _HARMLESS.match(text):
        return "'" + text
    return text


def _each(rows):
    return rows.iterator(chunk_size=CHUNK) if hasattr(rows, "iterator") else iter(rows)


def _csv_cell(value, french, zone):
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, (Decimal, float)):
        text = format(value, "f") if isinstance(value, Decimal) else repr(value)
        return text.replace(".", ",") if french else text
    if isinstance(value, dt.datetime):
        return timezone.localtime(value, zone).strftime("%Y-%m-%d %H:%M:%S") if timezone.is_aware(value) else str(value)
    if isinstance(value, (int, dt.date)):
        return str(value)
    return guarded(force_str(value))


def _xlsx_cell(value, zone):
    if value is None or (isinstance(value, (int, float, Decimal, dt.date)) and not isinstance(value, dt.datetime)):
        return value
    if isinstance(value, dt.datetime):
        return timezone.make_naive(value, zone) if timezone.is_aware(value) else value
    text = ILLEGAL_CHARACTERS_RE.sub("", force_str(value))[:MOST_CELL_TEXT]
    # openpyxl takes any text that begins with "=" for a formula.
    return guarded(text)


def _new_sheet(book, title, titles):
    page = book.create_sheet(re.sub(r"[\\/*?:\[\]]", " ", force_str(title))[:25] or "export")
    page.freeze_panes = "A2"
    for position, text in enumerate(titles, start=1):
        page.column_dimensions[get_column_letter(position)].width = min(max(len(text) + 2, 12), 40)
    header = []
    for text in titles:
        cell = WriteOnlyCell(page, value=guarded(text))
        cell.font = Font(bold=True)
        header.append(cell)
    page.append(header)
    return page


def _drop_parts(book):
    """Remove the sheets that openpyxl has written to the temporary folder."""
    for page in book.worksheets:
        writer = getattr(page, "_writer", None)
        if writer is not None and os.path.exists(writer.out):
            writer.cleanup()


class _Buffer:
    """What the CSV writer writes into, emptied piece by piece."""

    def __init__(self):
        self._parts = []

    def write(self, text):
        self._parts.append(text)

    def take(self):
        """All that was written since, as bytes."""
        text, self._parts = "".join(self._parts), []
        return text.encode("utf-8")
