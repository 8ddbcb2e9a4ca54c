"""What every kind of file looks like once opened: tables of numbered rows."""

from dataclasses import dataclass
from typing import Any


class Formula:
    """A formula cell whose result the file does not hold; formulas are never computed here."""

    def __repr__(self):
        return "="


FORMULA = Formula()


@dataclass(frozen=True)
class Row:
    """A row as it stands in the file. `line` counts from 1 in the file or sheet; cells are text or typed values.

    `problem` is a reason code when the row itself cannot be taken apart.
    """

    line: int
    cells: list[Any]
    problem: str = ""


class Table:
    """Something with rows: `rows()` starts from the top each time it is called."""

    sheet = ""
    estimated_rows = None
    # What a person is told about how the file was read.
    encoding = ""
    separator = ""

    def rows(self):
        """Every row of the file, one after the other."""
        raise NotImplementedError

    def close(self):
        """Let go of what reading holds open."""
