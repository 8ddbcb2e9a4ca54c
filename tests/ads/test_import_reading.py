"""Files of every usual kind, opened and understood."""

import contextlib
import csv
import datetime as dt
import io
import tracemalloc
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from apps.ads.importing import workbooks
from apps.ads.importing.columns import guess, propose
from apps.ads.importing.opening import open_tables
from apps.ads.importing.problems import UnusableFile
from apps.ads.importing.proposing import choose_table
from apps.ads.importing.proposing import propose as propose_plan
from apps.ads.importing.reading import FORMULA
from apps.ads.importing.rows import RowReader

pytestmark = pytest.mark.usefixtures("english")

HEADER = ["Jour", "Nom de la publicité", "Montant dépensé (EUR)", "Impressions"]
ROW = ["17/08/2026", "Été « brut » – 5 €", "1\u00a0234,56", "10"]


def text_of(rows, separator=";", end="\r\n"):
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=end).writerows(rows)
    return out.getvalue()


def rows_of(content, name="a.csv"):
    [table] = open_tables(io.BytesIO(content), name)
    return table, list(table.rows())


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac_roman"])
def test_every_encoding_separator_and_line_end(separator, end, encoding):
    content = text_of([HEADER, ROW, ROW], separator, end).encode(encoding)
    table, rows = rows_of(content)
    assert table.separator == separator
    assert [row.cells for row in rows] == [HEADER, ROW, ROW]
    assert [row.line for row in rows] == [1, 2, 3]


def test_latin_1_reads_as_its_superset():
    _table, rows = rows_of("Jour;Nom de la publicité\n1;Été\n".encode("latin-1"))
    assert rows[1].cells == ["1", "Été"]


def test_a_quoted_line_break_keeps_the_count_of_lines():
    _table, rows = rows_of(b'Day,Ad name,Spend\n2026-08-01,"two\nlines, ""quoted""",1\n2026-08-02,B,2\n')
    assert [(row.line, row.cells[1]) for row in rows[1:]] == [(2, 'two\nlines, "quoted"'), (4, "B")]


def test_a_quote_nobody_closes_costs_one_line():
    lines = ["Day,Ad name,Spend", '2026-08-01,"open,1'] + [f"2026-08-02,B{n},2" for n in range(100)]
    _table, rows = rows_of("\n".join(lines).encode())
    assert [row.line for row in rows if row.problem == "quote_open"] == [2]
    assert len(rows) == 102


def test_a_quote_inside_a_cell_is_a_character():
    _table, rows = rows_of(b'Day,Ad name,Spend\n2026-08-01,5" screen,1\n2026-08-01,"a"b,1\n')
    assert [row.cells[1] for row in rows[1:]] == ['5" screen', "ab"]


def test_excels_own_line_about_the_separator():
    table, rows = rows_of(b"sep=;\r\nDay;Ad name\r\n1;2\r\n")
    assert (table.separator, rows[0].line, rows[0].cells) == (";", 2, ["Day", "Ad name"])


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12), min_size=3, max_size=3),
        max_size=8,
    )
)
def test_whatever_a_csv_writer_writes_is_read_back(cells):
    rows = [HEADER[:3], *cells]
    _table, found = rows_of(text_of(rows).encode("utf-8"))
    wanted = [row for row in rows if "".join(row).strip("\r\n ") or len(row) > 1]
    assert [row.cells for row in found] == wanted


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content):
    with contextlib.suppress(UnusableFile):
        for table in open_tables(io.BytesIO(content), "a.csv"):
            list(table.rows())


def test_an_endless_line_is_refused():
    with pytest.raises(UnusableFile, match="never ends"):
        rows_of(b"a,b\n" + b"x" * 300_000)


def test_memory_does_not_grow_with_the_file():
    def peak(count):
        content = io.BytesIO(b"Day,Ad name,Spend\n" + b"2026-08-01,Some ad,1.25\n" * count)
        tracemalloc.start()
        [table] = open_tables(content, "a.csv")
        found = sum(1 for _row in table.rows())
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found == count + 1
        return top

    peak(100)
    # Two megabytes of text more, and the reading buffer of one.
    assert peak(100_000) < peak(10_000) + 2_500_000


def book_of(*sheets):
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file


def test_a_workbook_keeps_types_and_shows_formulas_as_such():
    file = book_of(("Ads", [["Title"], ["Day", "Spend"], [dt.datetime(2026, 8, 1), 1.5], ["=NOW()", None]]))  # noqa: DTZ001
    [table] = open_tables(file, "a.xlsx")
    cells = [row.cells for row in table.rows()]
    assert cells[2] == [dt.datetime(2026, 8, 1), 1.5]  # noqa: DTZ001
    assert cells[3] == [FORMULA]


def test_the_sheet_with_the_known_header_is_chosen():
    file = book_of(("Notes", [["a", "b"], [1, 2]]), ("Rapport", [HEADER, ROW]))
    table, header = choose_table(open_tables(file, "a.xlsx"))
    assert (table.sheet, header.line) == ("Rapport", 1)


def test_a_zip_bomb_is_not_opened():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(80):
                part.write(b"0" * (1 << 20))
    assert file.tell() < 200_000
    with pytest.raises(UnusableFile, match="unreasonable size"):
        open_tables(io.BytesIO(file.getvalue()), "a.xlsx")


def changed(book, **parts):
    """The workbook with other content in some of its parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            find = next((place for place in parts if place in entry.filename), None)
            new.writestr(entry.filename, parts[find](old.read(entry)) if find else old.read(entry))
    return io.BytesIO(file.getvalue())


@pytest.mark.parametrize("number", [b"1000000000000", b"1e12"])
def test_a_row_of_an_absurd_number_ends_the_sheet(number):
    """All rows before it would be counted off one by one, for hours."""
    book = changed(
        book_of(("Ads", [HEADER, ROW, ROW])), sheet1=lambda xml: xml.replace(b'<row r="3"', b'<row r="%s"' % number)
    )
    [table] = open_tables(book, "a.xlsx")
    assert [row.line for row in table.rows()] == [1, 2]


def test_a_text_that_is_not_there_is_damage():
    book = changed(book_of(("Ads", [HEADER, ROW])), sharedStrings=lambda _xml: b"<sst/>", sheet1=_first_shared_text)
    [table] = open_tables(book, "a.xlsx")
    with pytest.raises(UnusableFile, match="damaged"):
        list(table.rows())


def _first_shared_text(xml):
    return xml.replace(b"</sheetData>", b'<row r="9"><c r="A9" t="s"><v>77</v></c></row></sheetData>')


def test_parts_that_are_read_whole_are_small(monkeypatch):
    monkeypatch.setattr(workbooks, "MOST_OTHER_PARTS", 50_000)
    book = changed(book_of(("Ads", [HEADER])), styles=lambda xml: xml.replace(b"<fonts", b" " * 60_000 + b"<fonts"))
    with pytest.raises(UnusableFile, match="unreasonable size"):
        open_tables(book, "a.xlsx")


def test_a_cell_that_would_fill_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(workbooks, "CHUNK", 10_000)
    with pytest.raises(UnusableFile, match="unreasonable size"):
        open_tables(changed(book_of(("Ads", [HEADER])), sheet1=lambda xml: xml + b" " * 30_000), "a.xlsx")


def test_a_plain_zip_is_told():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("ads.csv", "a,b")
    with pytest.raises(UnusableFile, match="Unpack"):
        open_tables(io.BytesIO(file.getvalue()), "a.zip")


def test_a_workbook_called_csv_is_told():
    with pytest.raises(UnusableFile, match=r"Rename it to \.xlsx"):
        open_tables(book_of(("Ads", [HEADER])), "a.csv")


@pytest.mark.parametrize(
    ("header", "meaning"),
    [
        ("Amount spent (EUR)", "spend"),
        ("Montant dépensé (USD)", "spend"),
        ("Montant dÃ©pensÃ© (EUR)", "spend"),
        ("Nom de l’ensemble de publicités", "adset_name"),
        ("AD SET NAME", "adset_name"),
        ("Identifiant de la publicité", "ad_id"),
        ("Clics sur un lien", "link_clicks"),
        ("Clicks (all)", "clicks"),
        ("Purchases conversion value", "revenue"),
        ("Valeur de conversion des achats", "revenue"),
        ("Reporting starts", "starts"),
        ("Fin des rapports", "ends"),
        ("Couverture", "reach"),
        ("Prospects", "leads"),
        ("Total_Conversion", "leads"),
        ("fb_campaign_id", "adset_id"),
        ("Impresions", "impressions"),
        ("Âge", "breakdown"),
    ],
)
def test_headers_are_recognised(header, meaning):
    assert guess(header).field == meaning


@pytest.mark.parametrize(
    "header",
    [
        "Coût par prospect (EUR)",
        "Cost per purchase",
        "CPC (all)",
        "CTR (all)",
        "Unique link clicks",
        "Frequency",
        "Répétition",
        "Purchase ROAS (return on ad spend)",
        "Ad set budget",
        "Durum: line",
        "Hook rate",
        "",
    ],
)
def test_ratios_and_strangers_are_left_out(header):
    assert guess(header).field == ""


def test_of_two_columns_for_one_meaning_the_better_is_taken():
    assert [g.field for g in propose(["Impresions", "Impressions", "Leads", "Prospects"])] == [
        "",
        "impressions",
        "leads",
        "",
    ]


def test_the_currency_is_read_from_the_header():
    plan = propose_plan(open_tables(io.BytesIO(text_of([HEADER, ROW]).encode()), "a.csv")).plan
    assert (plan.currency, plan.styles["2"]) == ("EUR", "comma")


def test_a_file_of_many_problems_reports_each_cell():
    content = text_of([["Day", "Ad ID", "Spend", "Clicks"], ["nope", "a b", "x", "1.5"]]).encode()
    tables = open_tables(io.BytesIO(content), "a.csv")
    plan = propose_plan(tables).plan
    [found] = RowReader(plan).read_all(tables[0])
    assert [(p.column, p.reason) for p in found] == [
        ("Ad ID", "id_unreadable"),
        ("Day", "date_unreadable"),
        ("Clicks", "number_not_whole"),
        ("Spend", "number_unreadable"),
    ]
