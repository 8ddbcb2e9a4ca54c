"""Amounts, numbers and moments as people read them, in the language in force.

Used by the template filters of the same names, and by whoever writes for people elsewhere (Slack, exports on
screen). Values that are absent read as a dash.
"""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from . import clock

ABSENT = "–"
NBSP = "\u00a0"
MINUS = "\u2212"
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CAD": "CA$", "AUD": "A$", "INR": "₹", "BRL": "R$"}
# ISO 4217 currencies without a minor unit, and with three digits of it.
WITHOUT_CENTS = frozenset(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split()  # noqa: SIM905  (a list of 16 strings reads worse)
)
THREE_DIGITS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def number(value, digits=0):
    """`1 234,5` in French, `1,234.5` in English; rounded half up to `digits`."""
    amount = _decimal(value)
    if amount is None:
        return ABSENT
    rounded = amount.quantize(Decimal(1).scaleb(-int(digits)), rounding=ROUND_HALF_UP)
    text = number_format(abs(rounded), decimal_pos=int(digits), use_l10n=True, force_grouping=True)
    # French groups with a narrow no-break space in some catalogues, a plain one breaks the line: one kind only.
    text = text.replace("\u202f", NBSP).replace(" ", NBSP)
    return f"{MINUS}{text}" if rounded < 0 else text


def money(value, currency="EUR", digits=None):
    """`1 234,56 €` in French, `€1,234.56` in English; as many decimals as the currency has."""
    if _decimal(value) is None:
        return ABSENT
    if digits is None:
        digits = 0 if currency in WITHOUT_CENTS else 3 if currency in THREE_DIGITS else 2
    text = number(value, digits)
    symbol = SYMBOLS.get(currency)
    if (get_language() or "").startswith("fr") or symbol is None:
        return f"{text}{NBSP}{symbol or currency}"
    sign, text = (MINUS, text[1:]) if text.startswith(MINUS) else ("", text)
    return f"{sign}{symbol}{text}"


def percent(value, digits=0):
    """A ratio as a percentage: 0.123 is `12 %`, `12%` in English."""
    amount = _decimal(value)
    if amount is None:
        return ABSENT
    space = NBSP if (get_language() or "").startswith("fr") else ""
    return f"{number(amount * 100, digits)}{space}%"


def chance(value):
    """A probability as a percentage. Nothing is ever certain, and a rounded 100 % would say so: `over 99 %`."""
    if value is not None and float(value) > 0.995:
        return _("over %(percent)s") % {"percent": percent(0.99)}
    return percent(value)


def change(value, digits=0):
    """A relative change with its sign: 0.2 is `+20 %`."""
    amount = _decimal(value)
    if amount is None:
        return ABSENT
    text = percent(amount, digits)
    return f"+{text}" if amount > 0 and any(digit in text for digit in "123456789") else text


def ratio(value, digits=2):
    """A return: `3,20×`."""
    return ABSENT if _decimal(value) is None else f"{number(value, digits)}×"


def moment(value, short=False):
    """Date and time in the zone in force, with the zone named: `12 Nov. 2026, 14:05 CET`."""
    if not value:
        return ABSENT
    local = timezone.localtime(value)
    day_text = date_format(local, "j N" if short else "j N Y")
    return _("%(day)s, %(time)s %(zone)s") % {"day": day_text, "time": local.strftime("%H:%M"), "zone": local.tzname()}


def day(value, short=False):
    """A calendar day: `12 Nov. 2026`."""
    if not value:
        return ABSENT
    if hasattr(value, "hour"):
        value = timezone.localtime(value)
    return date_format(value, "j N" if short else "j N Y")


def ago(value):
    """How long since, or until, in the largest unit that fits: `3 hours ago`, `in 2 days`."""
    if value is None:
        return ABSENT
    seconds = (clock.now() - value).total_seconds()
    if abs(seconds) < 60:
        return _("just now")
    text = duration(abs(seconds))
    return _("%(duration)s ago") % {"duration": text} if seconds > 0 else _("in %(duration)s") % {"duration": text}


def duration(seconds):
    """A span in its largest unit: `45 s`, `3 minutes`, `2 days`."""
    if seconds is None:
        return ABSENT
    seconds = int(seconds)
    if seconds < 60:
        return _("%(count)d s") % {"count": seconds}
    if seconds < 3600:
        count = seconds // 60
        return ngettext("%(count)d minute", "%(count)d minutes", count) % {"count": count}
    if seconds < 86400:
        count = seconds // 3600
        return ngettext("%(count)d hour", "%(count)d hours", count) % {"count": count}
    count = seconds // 86400
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


def _decimal(value):
    if value is None or value == "":
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
