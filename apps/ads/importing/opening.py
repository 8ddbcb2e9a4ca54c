"""Opens what people call "the export": a text file or a workbook, as tables, in bounded memory."""

import re
import zipfile

from django.utils.translation import gettext_lazy as _

from . import textfiles, workbooks
from .problems import UnusableFile

ZIP, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML = re.compile(rb"^\s*(?:<!doctype html|<html|<\?xml|<table)", re.IGNORECASE)


def open_tables(file, name):
    """The tables of a file (one for a text, one a sheet for a workbook), or `UnusableFile`.

    `file` is binary and seekable; `name` only serves to tell a wrong extension.
    """
    file.seek(0)
    head = file.read(4096)
    file.seek(0)
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if not head.strip(b"\x00\xff\xfe\xef\xbb\xbf \t\r\n"):
        raise UnusableFile(_("The file is empty. Export it again from Ads Manager."), code="empty_file")
    if head.startswith(OLD_EXCEL):
        raise UnusableFile(
            _("This is a workbook of the old kind (.xls) or one with a password. Save it as .xlsx without a password."),
            code="old_workbook",
        )
    if head.startswith(ZIP):
        if not _is_workbook(file):
            raise UnusableFile(
                _("This is a zip archive, not a workbook. Unpack it and bring the CSV or XLSX file inside."),
                code="zip_archive",
            )
        if extension in ("csv", "txt", "tsv"):
            raise UnusableFile(
                _("The file is called .%(extension)s but is an Excel workbook. Rename it to .xlsx.")
                % {"extension": extension},
                code="wrong_extension",
            )
        return workbooks.open_sheets(file)
    if extension in ("xlsx", "xlsm"):
        raise UnusableFile(
            _(
                "The file is called .%(extension)s but is not an Excel workbook. "
                "If it is a text file, rename it to .csv."
            )
            % {"extension": extension},
            code="wrong_extension",
        )
    if _HTML.match(head.lstrip(b"\xef\xbb\xbf")):
        raise UnusableFile(_("This is a web page, not a table. Export again and choose CSV or XLSX."), code="web_page")
    return [textfiles.TextTable(file)]


def _is_workbook(file):
    try:
        with zipfile.ZipFile(file) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except zipfile.BadZipFile:
        raise UnusableFile(_("The workbook is damaged. Export it again."), code="damaged") from None
    finally:
        file.seek(0)
