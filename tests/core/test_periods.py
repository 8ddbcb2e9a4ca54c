"""The stretch of days a page looks at."""

from datetime import date

import pytest

from apps.core import periods

TODAY = date(2026, 11, 12)


@pytest.mark.parametrize(
    ("query", "key", "since", "until"),
    [
        ({}, "28d", date(2026, 10, 15), date(2026, 11, 11)),
        ({"period": "7d"}, "7d", date(2026, 11, 5), date(2026, 11, 11)),
        ({"period": "7 days"}, "28d", date(2026, 10, 15), date(2026, 11, 11)),
        ({"since": "2026-10-01", "until": "2026-10-01"}, "custom", date(2026, 10, 1), date(2026, 10, 1)),
        ({"since": "2026-10-02", "until": "2026-10-01"}, "28d", date(2026, 10, 15), date(2026, 11, 11)),
        ({"since": "0001-01-01", "until": "0001-01-02"}, "28d", date(2026, 10, 15), date(2026, 11, 11)),
        ({"since": "x", "until": "2026-10-01"}, "28d", date(2026, 10, 15), date(2026, 11, 11)),
    ],
)
def test_the_address_names_the_period(rf, query, key, since, until):
    period = periods.chosen(rf.get("/", query), TODAY)

    assert (period.key, period.since, period.until) == (key, since, until)


def test_the_comparison_is_as_long_and_ends_the_day_before(rf):
    period = periods.chosen(rf.get("/", {"period": "7d"}), TODAY)

    assert (period.before.since, period.before.until) == (date(2026, 10, 29), date(2026, 11, 4))
    assert (period.days, period.before.days, len(period.dates)) == (7, 7, 7)
