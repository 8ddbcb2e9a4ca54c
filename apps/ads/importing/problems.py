"""Why a file, a row or a cell cannot be used, in words a person can act on."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Invalid


class UnusableFile(Invalid):
    """The file as a whole cannot be read; nothing was stored from it."""

    code = "unusable_file"


class CellProblem(ValueError):
    """A cell that cannot be read; `reason` is a key of `REASONS`."""

    def __init__(self, reason):
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class Problem:
    """One reason why a row was left out: where it stands and what was found there."""

    line: int
    reason: str
    column: str = ""
    value: str = ""
    sheet: str = ""


REASONS = {
    "date_missing": _("The day is missing."),
    "date_unreadable": _("This is not a date in the chosen order."),
    "date_impossible": _("This day does not exist or is out of range (2004 to next year)."),
    "number_unreadable": _("This is not a number in the chosen decimal style."),
    "number_negative": _("A negative value cannot be a result of an ad."),
    "number_not_whole": _("A whole number is expected here."),
    "number_too_large": _("The number is too large to be true."),
    "formula_without_value": _("A formula without a stored value: open the file in a spreadsheet and save it again."),
    "spreadsheet_error": _("The spreadsheet shows an error here (#N/A, #REF!, …)."),
    "id_rounded": _(
        "The spreadsheet has rounded this number (more than 15 digits). Export as CSV, or import by names: "
        "leave the number column out."
    ),
    "id_unreadable": _("This is not an identification number of Meta."),
    "no_object": _("The row names no campaign, ad set or ad."),
    "period_not_a_day": _(
        "The row covers several days. Export with the breakdown “By time: Day”, or choose to store periods on "
        "their last day."
    ),
    "period_reversed": _("The period ends before it starts."),
    "currency_differs": _("The currency is not the account's."),
    "account_differs": _("The row belongs to another account than the one chosen. Import each account by itself."),
    "repeated_row": _("The same row stands further up in the file: counted once."),
    "result_kind_unknown": _("It cannot be told whether these results are leads or purchases."),
    "too_many_cells": _("The row has more cells than the header (a separator inside an unquoted text?)."),
    "quote_open": _("A quotation mark is opened here and never closed."),
    "stored_at_other_level": _("This day is already stored for this object at another level: it would count twice."),
}


def sentence(reason):
    """The words for a reason code; the code itself when a newer version wrote it."""
    return REASONS.get(reason, reason)
