"""`manage.py import_ads`, as typed."""

import io
import resource
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.test import override_settings

from apps.ads.models import AdObject, PerformanceMetric
from apps.clients.models import Client
from apps.connectors.models import ColumnMapping, RawFile, SyncRun
from apps.core.tenancy import use_client
from tests.factories.ads import AccountFactory
from tests.factories.clients import ClientFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

TEXT = "Date,ad_id,Spent,Clicks\n31-08-2023,708746,1.429999948,1\n31-08-2023,x y,3,1\n"


@pytest.fixture
def shop():
    return ClientFactory(key="shop")


@pytest.fixture
def export(tmp_path):
    path = tmp_path / "ads.csv"
    path.write_text(TEXT)
    return path


def run(*args, **options):
    out = io.StringIO()
    call_command("import_ads", *map(str, args), stdout=out, stderr=out, **options)
    return out.getvalue()


def nothing_of(client):
    with use_client(client):
        return not any(m.objects.exists() for m in (PerformanceMetric, AdObject, SyncRun, ColumnMapping))


def test_it_imports_reports_and_says_when_nothing_changes(shop, export):
    said = run("--client", "shop", export, "--yes", "--value-per-lead", "12,5")
    assert "1 days new" in said
    assert "line 3, ad_id: 'x y'" in said
    with use_client(shop):
        assert PerformanceMetric.objects.get().spend == Decimal("1.429999948")
        assert Client.objects.get().value_per_lead == Decimal("12.5")

    again = run("--client", "shop", export, "--yes")
    assert "imported before" in again
    assert "Nothing changed" in again


def test_a_dry_run_keeps_nothing(shop, export):
    said = run("--client", "shop", export, "--dry-run")
    assert "1 rows of 3 objects could be imported, 1 would be left out" in said
    assert nothing_of(shop)
    with use_client(shop):
        assert not RawFile.objects.exists()


def test_without_yes_it_shows_and_stores_nothing(shop, export):
    with pytest.raises(CommandError, match="--yes"):
        run("--client", "shop", export)
    assert nothing_of(shop)


def test_mapping_from_the_command_line(shop, tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("Quand;Pub;Payé\n03/04/2026;A;1,500\n05/04/2026;A;2,250\n")
    common = ("--client", "shop", path, "--yes", "--mapping", "1=day", "Pub=ad_name", "Payé=spend")
    with pytest.raises(CommandError, match="“Quand” can be read in two ways: say --date-order"):
        run(*common)
    with pytest.raises(CommandError, match="“Payé” can be read in two ways: say --decimal"):
        run(*common, "--date-order", "mdy")
    assert nothing_of(shop)
    run(*common, "--date-order", "mdy", "--decimal", "comma")
    with use_client(shop):
        days = PerformanceMetric.objects.order_by("day").values_list("day", "spend")
        assert [(str(day), spend) for day, spend in days] == [
            ("2026-03-04", Decimal("1.5")),
            ("2026-05-04", Decimal("2.25")),
        ]


@pytest.mark.parametrize(
    ("content", "name", "arguments", "sentence"),
    [
        (None, "gone.csv", (), "There is no file"),
        (b"", "a.csv", (), "empty"),
        (b"Day,Spend,Ad name\n", "a.csv", (), "no rows below"),
        (b"PK\x03\x04nothing", "a.xlsx", (), "damaged"),
        (TEXT.encode(), "a.xlsx", (), "rename it to .csv"),
        (b"Facture;Montant\n1;2\n", "a.csv", (), "names a campaign"),
        (b"Day,Ad name,Spend\nx,A,1\n", "a.csv", (), "No row of the file could be used"),
        (TEXT.encode(), "a.csv", ("--mapping", "Spent"), "COLUMN=MEANING"),
        (TEXT.encode(), "a.csv", ("--mapping", "Spent=money"), "no meaning"),
        (TEXT.encode(), "a.csv", ("--mapping", "Nope=spend"), "no column “Nope”"),
        (TEXT.encode(), "a.csv", ("--currency", "euros"), "three capitals"),
        (TEXT.encode(), "a.csv", ("--value-per-lead", "much"), "invalid amount value"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_stored(shop, tmp_path, content, name, arguments, sentence):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=sentence) as refused:
        run("--client", "shop", path, "--yes", *arguments)
    assert "\n" not in str(refused.value)
    with use_client(shop):
        assert not PerformanceMetric.objects.exists()


def test_an_unknown_client_is_named_with_those_there_are(shop, export):
    with pytest.raises(CommandError, match=r"no client with the key nobody\. Known: .*shop"):
        run("--client", "nobody", export, "--yes")


def test_several_accounts_must_be_told_apart(shop, export):
    AccountFactory(client=shop, name="One", channel=None, external_id="act_1")
    AccountFactory(client=shop, name="Two", channel=None, external_id="act_2")
    with pytest.raises(CommandError, match="“One”, “Two”"):
        run("--client", "shop", export, "--yes")
    run("--client", "shop", export, "--yes", "--account", "Two")
    with use_client(shop):
        assert AdObject.objects.get(level="ad").account.name == "Two"


def test_rows_left_out_are_written_for_correction(shop, export, tmp_path):
    target = tmp_path / "fix.csv"
    run("--client", "shop", export, "--yes", "--problems", target)
    lines = target.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "Date,ad_id,Spent,Clicks,Durum: line,Durum: problem"
    assert lines[1].startswith("31-08-2023,x y,3,1,3,")


@contextmanager
def little_room(size):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_one_sentence_and_leaves_no_file(shop, tmp_path):
    path = tmp_path / "ads.csv"
    path.write_text(TEXT + "31-08-2023,708746,2,1\n" * 5000)
    store = {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "media")},
        },
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with override_settings(STORAGES=store):
        assert storages["default"].location == str(tmp_path / "media")
        with little_room(10_000), pytest.raises(CommandError, match="disk is full"):
            run("--client", "shop", path, "--yes")
    assert [p for p in (tmp_path / "media").rglob("*") if p.is_file()] == []
    assert nothing_of(shop)
    with use_client(shop):
        assert not RawFile.objects.exists()


def test_help_says_what_columns_can_mean(capsys):
    with pytest.raises(SystemExit):
        call_command("import_ads", "--help")
    said = capsys.readouterr().out
    assert "campaign_name" in said
    assert "same file twice changes" in " ".join(said.split())
