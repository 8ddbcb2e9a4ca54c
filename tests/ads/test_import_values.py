"""Dates and numbers as people write them."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.ads.importing.problems import CellProblem
from apps.ads.importing.rows import measure, parse_id
from apps.ads.importing.values import (
    COMMA,
    MIXED,
    NONE,
    OPEN,
    POINT,
    DateOrder,
    NumberStyle,
    date_evidence,
    number_evidence,
    parse_date,
    parse_number,
)

amounts = st.decimals(min_value=0, max_value=Decimal("99999999"), places=2)
days = st.dates(min_value=dt.date(2005, 1, 1), max_value=dt.date(2099, 12, 31))
MONTHS_FR = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()  # noqa: SIM905


def read_or_reason(reader, text, how):
    """What comes out, or the reason why nothing does."""
    try:
        return reader(text, how)
    except CellProblem as exc:
        return exc.reason


def written(amount, thousands, decimal):
    """12345.6 as 12 345,60."""
    return f"{amount:,.2f}".replace(",", "T").replace(".", decimal).replace("T", thousands)


@given(
    amounts,
    st.sampled_from([" ", "\u00a0", "\u202f", "\u2009", ".", "'", ""]),
    st.sampled_from(["", " €", " EUR", "€"]),
)
def test_any_amount_with_a_decimal_comma_comes_back(amount, thousands, unit):
    assert parse_number(written(amount, thousands, ",") + unit, COMMA) == amount


@given(amounts, st.sampled_from([",", "", "'", " "]), st.sampled_from(["", "$", "US$", "EUR ", "£ "]))
def test_any_amount_with_a_decimal_point_comes_back(amount, thousands, unit):
    assert parse_number(unit + written(amount, thousands, "."), POINT) == amount


@given(amounts)
def test_an_amount_with_cents_tells_its_sign_or_nothing(amount):
    assert number_evidence(written(amount, " ", ",")) == COMMA
    assert number_evidence(written(amount, ",", ".")) == POINT
    assert number_evidence(written(amount, ".", ",")) == COMMA


@given(st.floats(min_value=0, max_value=1e8, allow_nan=False))
def test_a_workbooks_number_is_what_it_showed(value):
    assert parse_number(value) == Decimal(repr(value))


@given(st.text(max_size=40), st.sampled_from([COMMA, POINT]))
def test_any_text_is_a_number_an_absence_or_a_problem(text, style):
    number = read_or_reason(parse_number, text, style)
    assert number in ("number_unreadable", "spreadsheet_error", None) or number.is_finite()


@given(st.text(max_size=40), st.sampled_from(["dmy", "mdy"]))
def test_any_text_is_a_date_an_absence_or_a_problem(text, order):
    day = read_or_reason(parse_date, text, order)
    assert day in ("date_unreadable", "date_impossible", None) or day.year >= 2004


@given(days, st.sampled_from(["-", "/", ".", " "]))
def test_any_day_comes_back_in_its_order(day, sign):
    assert parse_date(day.strftime(f"%d{sign}%m{sign}%Y"), "dmy") == day
    assert parse_date(day.strftime(f"%m{sign}%d{sign}%Y"), "mdy") == day
    assert parse_date(day.strftime(f"%Y{sign}%m{sign}%d"), "mdy") == day
    assert parse_date(f"{day.day} {MONTHS_FR[day.month - 1]} {day.year}") == day
    assert parse_date(day.strftime("%b %d, %Y")) == day


@given(st.lists(days, min_size=1))
def test_a_column_is_never_taken_for_the_other_order(column):
    order = DateOrder()
    for day in column:
        order.add(day.strftime("%d/%m/%Y"))
    assert order.verdict in ("dmy", OPEN, NONE)
    if any(day.day > 12 for day in column):
        assert order.verdict == "dmy"


@pytest.mark.parametrize(
    ("text", "style", "number"),
    [
        ("1 234,56", COMMA, "1234.56"),
        ("1\u202f234,56 €", COMMA, "1234.56"),
        ("1,234.56", POINT, "1234.56"),
        ("1.429999948", POINT, "1.429999948"),
        ("12", COMMA, "12"),
        (",5", COMMA, "0.5"),
        ("(3,5)", COMMA, "-3.5"),
        ("−3.5", POINT, "-3.5"),
        ("1.2E-05", POINT, "0.000012"),
        ("CHF 1’000.50", POINT, "1000.5"),
        ("12 %", POINT, "12"),
    ],
)
def test_numbers(text, style, number):
    assert parse_number(text, style) == Decimal(number)


@pytest.mark.parametrize("text", ["", " ", "-", "—", "–", "N/A", "null", None, "s.o."])
def test_absent_is_not_zero(text):
    assert parse_number(text) is None
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("1,5", POINT),
        ("1.5", COMMA),
        ("1,23,4", POINT),
        ("1 23", POINT),
        ("12abc", POINT),
        ("1.2.3", POINT),
        ("٣", POINT),
    ],
)
def test_what_is_no_number_in_its_style_is_refused(text, style):
    with pytest.raises(CellProblem, match="number_unreadable"):
        parse_number(text, style)


@pytest.mark.parametrize(
    ("cells", "verdict", "for_counts"),
    [
        (["1,234", "12"], OPEN, POINT),
        (["1,234", "1,5"], COMMA, COMMA),
        (["1.234", "2.345.678"], COMMA, COMMA),
        (["0,123"], COMMA, COMMA),
        (["1 234,500"], COMMA, COMMA),
        (["12", "-", ""], NONE, POINT),
        (["1,5", "1.5"], MIXED, POINT),
        (["1.234"], OPEN, COMMA),
    ],
)
def test_the_whole_column_decides(cells, verdict, for_counts):
    style = NumberStyle()
    for cell in cells:
        style.add(cell)
    assert (style.verdict, style.for_counts) == (verdict, for_counts)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("mar. 17/08/2026", "2026-08-17"),
        ("lundi 17 août 2026", "2026-08-17"),
        ("1er août 2026", "2026-08-01"),
        ("mars 3 2026", "2026-03-03"),
        ("17-août-26", "2026-08-17"),
        ("2026-08-17T10:20:00+0200", "2026-08-17"),
        ("17/08/2026 00:00", "2026-08-17"),
        ("20260817", "2026-08-17"),
        (46251, "2026-08-17"),
        (dt.datetime(2026, 8, 17, 5), "2026-08-17"),  # noqa: DTZ001  (workbooks know no zones)
    ],
)
def test_dates(text, day):
    assert parse_date(text).isoformat() == day


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("31/02/2026", "date_impossible"),
        ("01/13/2026", "date_unreadable"),
        ("45155", "date_unreadable"),
        ("1/1/1999", "date_impossible"),
        (3, "date_unreadable"),
        (True, "date_unreadable"),
    ],
)
def test_what_is_no_date_is_refused(text, reason):
    with pytest.raises(CellProblem, match=reason):
        parse_date(text, "dmy")


def test_a_date_that_reads_the_same_both_ways_tells_nothing():
    assert date_evidence("05/05/2026") == NONE
    assert date_evidence("05/06/2026") == OPEN
    assert date_evidence("2026-05-06") == NONE


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("120211234567890123", "120211234567890123"),
        ("x:123", "123"),
        ("act_55", "55"),
        (708746, "708746"),
        (7.0, "7"),
        ("'12", "12"),
        ("12.0", "12"),
    ],
)
def test_identification_numbers(cell, number):
    assert parse_id(cell) == number


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("1,2E+17", "id_rounded"),
        (1.20211234567890e17, "id_rounded"),
        (120211234567890000, "id_rounded"),
        ("a b", "id_unreadable"),
        (1.5, "id_unreadable"),
    ],
)
def test_identification_numbers_a_spreadsheet_has_spoilt(cell, reason):
    with pytest.raises(CellProblem, match=reason):
        parse_id(cell)


@pytest.mark.parametrize(
    ("cell", "meaning", "reason"),
    [
        ("12.5", "clicks", "number_not_whole"),
        ("-1", "spend", "number_negative"),
        ("9999999999", "spend", "number_too_large"),
    ],
)
def test_figures_that_cannot_be(cell, meaning, reason):
    with pytest.raises(CellProblem, match=reason):
        measure(cell, meaning, POINT)


def test_spend_keeps_nine_decimals():
    assert str(measure("1.429999948", "spend", POINT)) == "1.429999948"
    assert str(measure("0.12345678949", "spend", POINT)) == "0.123456789"
