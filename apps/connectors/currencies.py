"""How many of Meta's minor units make one of a currency. Meta's own table, not ISO 4217: COP, HUF, IDR, TWD
are whole there, and BHD and JOD count in hundredths.

A currency that is not in the table is refused: a guess here is a budget a hundred times too high.
"""

from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _

from apps.core.errors import Rejected

_WHOLE = "CLP COP CRC HUF IDR ISK JPY KRW PYG TWD VND"
_HUNDREDTHS = (
    "AED ARS AUD BDT BGN BHD BOB BRL CAD CHF CNY CZK DKK DZD EGP EUR FBZ GBP GTQ HKD HNL HRK ILS INR JOD KES LTL LVL "
    "MOP MXN MYR NGN NIO NOK NZD PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD SKK THB TRY UAH USD UYU VEF VES ZAR"
)
OFFSETS = dict.fromkeys(_WHOLE.split(), 1) | dict.fromkeys(_HUNDREDTHS.split(), 100)


def is_known(currency):
    """Whether budgets in `currency` can be written."""
    return currency in OFFSETS


def offset(currency):
    """Minor units per unit, or `Rejected` for a currency Meta's table does not have."""
    try:
        return OFFSETS[currency]
    except KeyError:
        raise Rejected(
            _("Durum does not know how Meta counts %(currency)s. Change this budget in Ads Manager.")
            % {"currency": currency or "?"},
            code="unknown_currency",
        ) from None


def to_minor(amount, currency):
    """A Decimal amount as Meta's integer, rounded to the nearest unit."""
    return int((Decimal(amount) * offset(currency)).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def to_major(minor, currency):
    """Meta's integer as a Decimal amount; None stays None."""
    if minor is None:
        return None
    scale = offset(currency)
    return Decimal(minor) / scale if scale == 1 else (Decimal(minor) / scale).quantize(Decimal("0.01"))
