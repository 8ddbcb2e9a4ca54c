"""The rows of a file that could not be used, as they were, with the reasons beside them."""

import datetime as dt
from itertools import groupby

from django.utils.translation import gettext as _

from .columns import OURS
from .problems import sentence


def corrections(table, headers, findings):
    """Yield the header, then each row with problems, as lists of text.

    `findings` are `(line, column, reason)` in the order of lines. Our two columns come last, so that the
    others stay where the remembered mapping knows them.
    """
    yield [*headers, OURS + _("line"), OURS + _("problem")]
    rows = iter(table.rows())
    for line, group in groupby(findings, key=lambda finding: finding[0]):
        said = "; ".join(_said(column, reason) for _line, column, reason in group)
        row = next((row for row in rows if row.line >= line), None)
        if row is None:
            return
        cells = [_text(cell) for cell in row.cells] if row.line == line else []
        yield [*cells, *[""] * (len(headers) - len(cells)), str(line), said]


def _said(column, reason):
    text = str(sentence(reason))
    return _("%(column)s: %(problem)s") % {"column": column, "problem": text} if column else text


def _text(cell):
    if cell is None:
        return ""
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time.min else cell.isoformat(" ")
    return str(cell)
