"""Meta's minor units. Not ISO 4217: Meta's own table of offsets."""

WHOLE = frozenset((
    "CLP", "COP", "CRC", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "VND",
))  # fmt: skip
HUNDREDTHS = frozenset((
    "AED", "ARS", "AUD", "BDT", "BGN", "BHD", "BOB", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "DZD", "EGP",
    "EUR", "FBZ", "GBP", "GTQ", "HKD", "HNL", "HRK", "ILS", "INR", "JOD", "KES", "LTL", "LVL", "MOP", "MXN",
    "MYR", "NGN", "NIO", "NOK", "NZD", "PEN", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SEK",
    "SGD", "SKK", "THB", "TRY", "UAH", "USD", "UYU", "VEF", "VES", "ZAR",
))  # fmt: skip
# What one euro buys, roughly: only to give accounts in other currencies believable amounts.
PER_EURO = {"JPY": 165, "TRY": 45, "USD": 1.1, "GBP": 0.85, "CHF": 0.95, "HUF": 400, "KRW": 1500, "INR": 95}


def offset(code):
    """How many minor units make one major unit."""
    if code in WHOLE:
        return 1
    if code in HUNDREDTHS:
        return 100
    raise ValueError(f"Meta does not sell ads in {code}")


def per_euro(code):
    """Scale for invented amounts."""
    return PER_EURO.get(code, 1)


def minimum_daily_budget(code):
    """The smallest daily budget Meta takes, in minor units."""
    return round(per_euro(code) * offset(code))
