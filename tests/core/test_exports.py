"""Lists as files."""

import csv
import datetime as dt
import errno
import glob
import io
import os
import resource
import tempfile
import tracemalloc
from contextlib import contextmanager
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.utils import timezone, translation
from openpyxl import load_workbook

from apps.ads.models import PerformanceMetric
from apps.core import exports
from apps.core.exports import Column, DiskFull
from apps.core.tenancy import use_client
from tests.factories.ads import AdFactory, PerformanceMetricFactory

COLUMNS = [
    Column("name", "Name"),
    Column("spend", "Spend"),
    Column("seen", "Seen"),
    Column("good", "Good"),
    Column("parent.name", "Part of"),
    Column("double", "Double", lambda row: row.spend and row.spend * 2),
]


def thing(name, spend="1.5", **more):
    seen = dt.datetime(2026, 7, 1, 22, 30, tzinfo=dt.UTC)
    return SimpleNamespace(name=name, spend=Decimal(spend), seen=seen, good=True, parent=None, **more)


def csv_rows(rows, language="en"):
    text = b"".join(exports.csv_pieces(rows, COLUMNS, language=language)).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:]), delimiter=";" if language == "fr" else ","))


def test_english_csv_parts_with_commas_and_french_with_semicolons():
    with timezone.override("Europe/Paris"):
        assert csv_rows([thing("A")])[1] == ["A", "1.5", "2026-07-02 00:30:00", "yes", "", "3.0"]
        assert csv_rows([thing("A")], "fr")[1][:3] == ["A", "1,5", "2026-07-02 00:30:00"]


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", "\r=1"])
def test_a_text_never_becomes_a_formula(text):
    assert csv_rows([thing(text)])[1][0] == "'" + text
    file = io.BytesIO()
    exports.write_xlsx(file, [thing(text)], COLUMNS, sheet="x")
    cell = load_workbook(file).active["A2"]
    assert cell.data_type == "s"
    assert cell.value.startswith("'")


@pytest.mark.parametrize("text", ["-", "-5", "+33 1 23 45", "- 1,5 %", "plain"])
def test_numbers_and_dashes_are_left_alone(text):
    assert exports.guarded(text) == text


def test_a_workbook_keeps_numbers_and_local_dates():
    file = io.BytesIO()
    with timezone.override("Europe/Paris"):
        exports.write_xlsx(file, [thing("A\x00\x0b", spend="1.429999948")], COLUMNS, sheet="a/b: list")

    sheet = load_workbook(file).active
    assert sheet["A2"].value == "A"
    assert sheet["B2"].value == 1.429999948
    assert sheet["C2"].value == dt.datetime(2026, 7, 2, 0, 30)  # noqa: DTZ001  (Excel knows no zones)
    assert sheet.title == "a b  list"
    assert sheet["A1"].font.bold


def test_an_empty_list_still_has_its_titles():
    file = io.BytesIO()
    exports.write_xlsx(file, [], COLUMNS, sheet="x")
    assert [cell.value for cell in load_workbook(file).active[1]][:2] == ["Name", "Spend"]
    assert csv_rows([]) == [[column.title for column in COLUMNS]]


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(monkeypatch):
    monkeypatch.setattr(exports, "MOST_SHEET_ROWS", 2)  # a limit, not behaviour
    file = io.BytesIO()
    exports.write_xlsx(file, [thing(str(n)) for n in range(5)], COLUMNS, sheet="x")
    assert [sheet.max_row for sheet in load_workbook(file).worksheets] == [3, 3, 2]


def test_csv_is_written_while_rows_arrive():
    taken = []

    def rows():
        for number in range(5000):
            taken.append(number)
            yield thing(str(number))

    pieces = exports.csv_pieces(rows(), COLUMNS)
    next(pieces)
    next(pieces)
    assert len(taken) == exports.ROWS_PER_PIECE


@pytest.mark.parametrize("write", ["csv", "xlsx"])
def test_memory_stays_flat(write):
    def peak(count):
        rows = (thing(str(n)) for n in range(count))
        tracemalloc.start()
        if write == "csv":
            for _piece in exports.csv_pieces(rows, COLUMNS):
                pass
        else:
            with tempfile.TemporaryFile() as file:
                exports.write_xlsx(file, rows, COLUMNS, sheet="x")
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)
    assert peak(6000) < 1.5 * peak(2000) + 200_000


@contextmanager
def little_room(size):
    """A real limit of the system on the size of a written file; the kernel answers "no room" as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_told_and_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with little_room(20_000), pytest.raises(DiskFull) as told, exports.whole_file(tmp_path / "ads.xlsx") as file:
        exports.write_xlsx(file, (thing(os.urandom(40).hex()) for _ in range(5000)), COLUMNS, sheet="x")

    assert "disk is full" in str(told.value)
    assert glob.glob(str(tmp_path / "*")) == []


def test_a_device_without_room_is_told():
    with pytest.raises(DiskFull), exports.no_room_is_told(), open("/dev/full", "wb", buffering=0) as full:
        full.write(b"x")
    with pytest.raises(OSError, match="other"), exports.no_room_is_told():
        raise OSError(errno.EACCES, "other")


def test_a_whole_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), exports.whole_file(path) as file:
        file.write(b"half" * (1 // 0))
    assert path.read_text() == "before"
    with exports.whole_file(path) as file:
        file.write(b"new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.django_db(transaction=True)
def test_a_stream_shows_only_the_clients_in_scope():
    mine, foreign = PerformanceMetricFactory(), PerformanceMetricFactory()
    columns = [Column("ad_object_id", "Ad")]
    with use_client(mine.client), translation.override("en"):
        response = exports.csv_response(PerformanceMetric.objects.all(), columns, name="Ads é")
        text = b"".join(response.streaming_content).decode()

    assert str(mine.ad_object_id) in text
    assert str(foreign.ad_object_id) not in text.split()
    assert response["Content-Disposition"].startswith('attachment; filename="durum-ads-e-')


@pytest.mark.django_db
def test_a_workbook_of_a_queryset(as_client):
    ad = AdFactory(name="Été")
    as_client(ad.client)
    response = exports.xlsx_response(type(ad).objects.filter(pk=ad.pk), [Column("name", "Name")], name="ads")
    book = load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    response.close()
    assert [[c.value for c in row] for row in book.active.rows] == [["Name"], ["Été"]]
