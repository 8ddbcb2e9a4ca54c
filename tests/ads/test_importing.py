"""A file of ads from its arrival to the stored days, through the services."""

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from django.db.models import Sum
from openpyxl import Workbook

from apps.ads.importing.plan import END_DAY
from apps.ads.importing.problems import UnusableFile
from apps.ads.models import AdObject, PerformanceMetric, SpendHistory
from apps.ads.services import import_runs, importing
from apps.clients.roles import Role
from apps.connectors.models import ColumnMapping, QualityFinding, RawFile, SyncRun
from apps.core import clock
from apps.core.actors import Actor
from apps.core.errors import Conflict, Invalid, NotAllowed
from apps.core.models import AuditEvent
from tests.factories.ads import AdFactory, PerformanceMetricFactory
from tests.factories.clients import ClientFactory, member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

KAG_HEADER = (
    "Date,ad_id,xyz_campaign_id,fb_campaign_id,age,gender,interest,Impressions,Clicks,Spent,Total_Conversion,"
    "Approved_Conversion\n"
)
KAG_ROWS = (
    "31-08-2023,708746,916,103916,30-34,M,15,7350,1,1.429999948,2,1\n"
    "30-08-2023,708746,916,103916,35-39,M,15,17861,2,1.820000023,2,0\n"
    "30-08-2023,708746,916,103916,40-44,M,15,693,0,0.000000001,1,0\n"
    "18-08-2023,709115,936,103920,30-34,F,27,14669,7,123456789.123456789,1,1\n"
)


@pytest.fixture
def client_row(as_client):
    row = ClientFactory()
    as_client(row)
    return row


@pytest.fixture
def actor(client_row):
    return Actor(member(client_row), "web")


def bring(client, actor, text, name="ads.csv", encoding="utf-8"):
    content = text.encode(encoding) if isinstance(text, str) else text
    return importing.receive(client=client, file=io.BytesIO(content), name=name, actor=actor)[0]


def do_import(client, actor, text, *, name="ads.csv", encoding="utf-8", **changes):
    """Bring, accept the proposal with `changes`, and run."""
    raw = bring(client, actor, text, name, encoding)
    plan = importing.proposal(raw).plan
    plan = type(plan).from_json(plan.as_json() | changes)
    account = importing.make_account(client=client, name="Shop", actor=actor)
    run = importing.confirm(raw_file_id=raw.pk, plan=plan, account_id=account.pk, actor=actor)
    return import_runs.run_import(run_id=run.pk)


def totals(**only):
    fields = ("spend", "impressions", "clicks", "leads", "purchases", "revenue")
    return PerformanceMetric.objects.filter(**only).aggregate(**{f: Sum(f) for f in fields})


def test_totals_equal_those_of_a_plain_script_to_the_last_digit(client_row, actor):
    run = do_import(client_row, actor, KAG_HEADER + KAG_ROWS)

    plain = list(csv.DictReader(io.StringIO(KAG_HEADER + KAG_ROWS)))
    found = totals()
    assert found["spend"] == sum(Decimal(row["Spent"]) for row in plain)
    assert found["impressions"] == sum(int(row["Impressions"]) for row in plain)
    assert found["clicks"] == sum(int(row["Clicks"]) for row in plain)
    assert found["leads"] == sum(int(row["Total_Conversion"]) for row in plain)
    assert found["purchases"] == sum(int(row["Approved_Conversion"]) for row in plain)
    assert found["revenue"] is None
    assert run.state == SyncRun.State.DONE
    # The two age groups of one ad and day are one row.
    assert PerformanceMetric.objects.count() == 3
    assert run.counts["new"] == 3
    two = PerformanceMetric.objects.get(day=dt.date(2023, 8, 30))
    assert (two.spend, two.impressions, two.reach) == (Decimal("1.820000024"), 18554, None)


def test_the_tree_stands_under_the_account_and_cannot_be_changed_by_durum(client_row, actor):
    do_import(client_row, actor, KAG_HEADER + KAG_ROWS)

    ad = AdObject.objects.get(level="ad", external_id="708746")
    assert [ad.parent.external_id, ad.parent.parent.external_id] == ["103916", "916"]
    assert ad.parent.parent.parent == ad.account
    assert ad.account.name == "Shop"
    assert not AdObject.objects.filter(channel__isnull=False).exists()
    assert {o.currency for o in AdObject.objects.all()} == {"EUR"}
    spent = SpendHistory.objects.get(ad_object=ad.parent, day=dt.date(2023, 8, 31))
    assert spent.spend == Decimal("1.429999948")


def test_the_same_file_twice_changes_nothing_and_says_so(client_row, actor):
    do_import(client_row, actor, KAG_HEADER + KAG_ROWS)
    before = list(PerformanceMetric.objects.order_by("pk").values())

    raw, is_new = importing.receive(
        client=client_row, file=io.BytesIO((KAG_HEADER + KAG_ROWS).encode()), name="again.csv", actor=actor
    )
    assert not is_new
    assert importing.last_run_of(raw).state == SyncRun.State.DONE
    again = do_import(client_row, actor, KAG_HEADER + KAG_ROWS)

    assert (again.counts["new"], again.counts["changed"], again.counts["unchanged"]) == (0, 0, 3)
    assert list(PerformanceMetric.objects.order_by("pk").values()) == before
    assert RawFile.objects.count() == 1


def test_bad_cells_are_reported_and_good_rows_kept(client_row, actor):
    rows = (
        "Jour;ID de la publicité;Nom de la publicité;Impressions;Montant dépensé (EUR);Achats\n"
        "01/08/2026;1;Pub A;1 000;12,50;2\n"
        "31/02/2026;2;Pub B;10;1,00;-\n"
        "02/08/2026;1;Pub A;abc;1,5;—\n"
        ";3;Pub C;5;2,00;0\n"
        "13/08/2026;1,2E+17;Pub D;5;-3;0\n"
    )
    run = do_import(client_row, actor, rows, encoding="cp1252")

    found = [(f.line, f.column, f.value, f.reason) for f in QualityFinding.objects.order_by("line", "pk")]
    assert found == [
        (3, "Jour", "31/02/2026", "date_impossible"),
        (4, "Impressions", "abc", "number_unreadable"),
        (5, "Jour", "", "date_missing"),
        (6, "ID de la publicité", "1,2E+17", "id_rounded"),
        (6, "Montant dépensé (EUR)", "-3", "number_negative"),
    ]
    assert run.counts["rejected"] == 4
    only = PerformanceMetric.objects.get()
    assert (only.day, only.spend, only.impressions, only.purchases) == (dt.date(2026, 8, 1), Decimal("12.5"), 1000, 2)


def test_totals_row_and_preamble_are_passed_over(client_row, actor):
    rows = (
        "Rapport sans titre\n\n"
        "Reporting starts,Reporting ends,Campaign name,Ad set name,Ad name,Amount spent (EUR),Impressions,Leads\n"
        "2026-08-01,2026-08-02,,,,30.00,300,3\n"
        "2026-08-01,2026-08-01,C,S,A,10.00,100,1\n"
        "2026-08-02,2026-08-02,C,S,A,20.00,200,2\n"
        "2026-08-01,2026-08-02,Total,,,30.00,300,3\n"
    )
    run = do_import(client_row, actor, rows)
    assert totals()["spend"] == 30
    assert (run.counts["totals"], run.counts["rejected"]) == (2, 0)


def test_subtotals_of_a_breakdown_are_not_counted_beside_their_parts(client_row, actor):
    rows = (
        "Day,Ad ID,Ad name,Age,Amount spent (EUR)\n"
        "2026-08-01,1,A,All,30\n2026-08-01,1,A,18-24,10\n2026-08-01,1,A,25-34,20\n2026-08-02,1,A,,5\n"
    )
    do_import(client_row, actor, rows)
    assert list(PerformanceMetric.objects.order_by("day").values_list("spend", flat=True)) == [30, 5]


def test_a_repeated_row_counts_once_and_is_reported(client_row, actor):
    row = "2026-08-01,1,A,10\n"
    run = do_import(client_row, actor, "Day,Ad ID,Ad name,Amount spent (EUR)\n" + row + "2026-08-02,1,A,4\n" + row)
    assert totals()["spend"] == 14
    assert [(f.line, f.reason) for f in run.findings.all()] == [(4, "repeated_row")]


def test_rows_of_several_days_are_refused_unless_a_person_chose_the_last_day(client_row, actor):
    rows = "Reporting starts,Reporting ends,Ad name,Amount spent (EUR)\n2026-08-01,2026-08-31,A,310\n"
    run = do_import(client_row, actor, rows)
    assert [f.reason for f in run.findings.all()] == ["period_not_a_day"]
    assert not PerformanceMetric.objects.exists()

    do_import(client_row, actor, rows, periods=END_DAY)
    assert PerformanceMetric.objects.get().day == dt.date(2026, 8, 31)


def test_objects_known_by_name_get_their_number_from_a_later_file(client_row, actor):
    by_name = "Day,Campaign name,Ad set name,Ad name,Amount spent (EUR)\n2026-08-01,C,S,A,10\n"
    do_import(client_row, actor, by_name)
    assert AdObject.objects.get(level="ad").external_id.startswith("name:")

    do_import(
        client_row,
        actor,
        "Day,Campaign ID,Campaign name,Ad set ID,Ad set name,Ad ID,Ad name,Amount spent (EUR)\n"
        "2026-08-01,11,C,12,S,13,A,10\n2026-08-02,11,C,12,S,13,A,7\n",
    )
    assert AdObject.objects.get(level="ad").external_id == "13"
    assert totals()["spend"] == 17

    do_import(client_row, actor, by_name.replace(",10", ",11"))
    assert AdObject.objects.count() == 4
    assert totals()["spend"] == 18


def test_a_day_stored_at_another_level_is_not_counted_twice(client_row, actor):
    do_import(client_row, actor, "Day,Campaign name,Ad set name,Ad name,Amount spent (EUR)\n2026-08-01,C,S,A,10\n")
    run = do_import(
        client_row, actor, "Day,Campaign name,Ad set name,Amount spent (EUR)\n2026-08-01,C,S,10\n2026-08-02,C,S,5\n"
    )
    assert [(f.line, f.reason) for f in run.findings.all()] == [(2, "stored_at_other_level")]
    assert totals()["spend"] == 15


def test_figures_the_file_does_not_have_are_left_as_stored(client_row, actor):
    do_import(client_row, actor, "Day,Ad ID,Ad name,Amount spent (EUR),Leads\n2026-08-01,1,A,10,4\n")
    run = do_import(client_row, actor, "Day,Ad ID,Ad name,Amount spent (EUR)\n2026-08-01,1,A,12\n")
    assert run.counts["changed"] == 1
    assert (totals()["spend"], totals()["leads"]) == (12, 4)


def test_results_go_where_their_indicator_says(client_row, actor):
    run = do_import(
        client_row,
        actor,
        "Day,Ad name,Results,Result indicator,Amount spent (EUR)\n"
        "2026-08-01,A,3,actions:lead,1\n"
        "2026-08-01,B,2,actions:offsite_conversion.fb_pixel_purchase,1\n"
        "2026-08-01,C,50,actions:link_click,1\n2026-08-01,D,4,,1\n",
    )
    assert (totals()["leads"], totals()["purchases"]) == (3, 2)
    assert [f.reason for f in run.findings.all()] == ["result_kind_unknown"]


def test_a_workbook_with_title_row_dates_and_formulas(client_row, actor):
    book = Workbook()
    book.active.title = "Notes"
    book.active.append(["nothing here"])
    sheet = book.create_sheet("Rapport")
    sheet.append(["Rapport du mois"])
    sheet.append(["Jour", "Nom de la publicité", "Montant dépensé (EUR)", "Impressions"])
    sheet.append([dt.date(2026, 8, 1), "A", 1.429999948, 100])
    sheet.append([dt.date(2026, 8, 2), "A", "=1+1", 100])
    file = io.BytesIO()
    book.save(file)

    run = do_import(client_row, actor, file.getvalue(), name="rapport.xlsx")

    assert totals()["spend"] == Decimal("1.429999948")
    assert [(f.sheet, f.line, f.reason) for f in run.findings.all()] == [("Rapport", 4, "formula_without_value")]


def test_currency_of_the_header_must_be_the_accounts(client_row, actor):
    raw = bring(client_row, actor, "Day,Ad name,Amount spent (USD)\n2026-08-01,A,10\n")
    account = importing.make_account(client=client_row, name="Shop", actor=actor)
    with pytest.raises(Invalid, match="USD"):
        importing.confirm(raw_file_id=raw.pk, plan=importing.proposal(raw).plan, account_id=account.pk, actor=actor)
    assert not SyncRun.objects.exists()


def test_an_ad_of_another_account_stops_the_whole_file(client_row, actor):
    AdFactory(client=client_row, external_id="77", parent__parent__parent__name="Other")
    run = do_import(client_row, actor, "Day,Ad ID,Amount spent (EUR)\n2026-08-01,77,10\n2026-08-01,78,10\n")
    assert run.state == SyncRun.State.FAILED
    assert "Other" in run.error
    assert not AdObject.objects.filter(external_id="78").exists()
    assert not PerformanceMetric.objects.exists()


def test_what_a_person_confirmed_is_proposed_next_time(client_row, actor):
    header = "Quand,Pub,Payé\n"
    raw = bring(client_row, actor, header + "2026-08-01,A,10\n")
    plan = importing.proposal(raw).plan
    assert plan.fields == ["", "", ""]
    with pytest.raises(UnusableFile):
        plan.check()
    do_import(
        client_row, actor, header + "2026-08-01,A,10\n", fields=["day", "ad_name", "spend"], styles={"2": "point"}
    )

    assert ColumnMapping.objects.count() == 1
    next_month = bring(client_row, actor, header + "2026-09-01,A,10\n")
    assert importing.proposal(next_month).plan.fields == ["day", "ad_name", "spend"]
    other = ClientFactory()
    assert not ColumnMapping.objects.filter(client=other).exists()


def test_two_ways_to_read_a_date_must_be_settled(client_row, actor):
    text = "Date,Ad name,Spend\n03/04/2026,A,10.5\n05/04/2026,A,11.5\n"
    raw = bring(client_row, actor, text)
    found = importing.proposal(raw)
    assert [c.header for c in found.columns if found.question(c)] == ["Date"]
    with pytest.raises(UnusableFile, match="two ways"):
        found.plan.check()
    do_import(client_row, actor, text, orders={"0": "mdy"})
    assert sorted(PerformanceMetric.objects.values_list("day", flat=True))[0] == dt.date(2026, 3, 4)


def test_a_viewer_may_not_import(client_row):
    viewer = Actor(member(client_row, Role.VIEWER), "web")
    with pytest.raises(NotAllowed):
        bring(client_row, viewer, KAG_HEADER)
    assert not RawFile.objects.exists()


def test_cancel_before_the_rows_are_stored_leaves_nothing(client_row, actor):
    raw = bring(client_row, actor, KAG_HEADER + KAG_ROWS)
    account = importing.make_account(client=client_row, name="Shop", actor=actor)
    plan = importing.proposal(raw).plan
    run = importing.confirm(raw_file_id=raw.pk, plan=plan, account_id=account.pk, actor=actor)
    with pytest.raises(Conflict, match="already"):
        importing.confirm(raw_file_id=raw.pk, plan=plan, account_id=account.pk, actor=actor)

    def stop(_done, _total):
        importing.cancel(run_id=run.pk, actor=actor)

    after = import_runs.run_import(run_id=run.pk, on_progress=stop)

    assert after.state == SyncRun.State.CANCELLED
    assert not PerformanceMetric.objects.exists()
    assert not QualityFinding.objects.exists()
    assert import_runs.run_import(run_id=run.pk) is None
    with pytest.raises(Conflict, match="over"):
        importing.cancel(run_id=run.pk, actor=actor)


def test_an_interrupted_import_is_taken_up_again_and_gives_up_after_some_times(client_row, actor):
    raw = bring(client_row, actor, KAG_HEADER + KAG_ROWS)
    account = importing.make_account(client=client_row, name="Shop", actor=actor)
    run = importing.confirm(raw_file_id=raw.pk, plan=importing.proposal(raw).plan, account_id=account.pk, actor=actor)

    class Killed(BaseException):
        pass

    def die(_done, _total):
        raise Killed

    with pytest.raises(Killed):
        import_runs.run_import(run_id=run.pk, on_progress=die)
    run.refresh_from_db()
    assert run.state == SyncRun.State.RUNNING
    assert import_runs.run_import(run_id=run.pk) is None

    with clock.at(run.lease_until + dt.timedelta(seconds=1)):
        assert import_runs.run_import(run_id=run.pk).state == SyncRun.State.DONE
    assert PerformanceMetric.objects.count() == 3

    SyncRun.objects.filter(pk=run.pk).update(state="running", attempts=import_runs.MOST_ATTEMPTS, lease_until=None)
    failed = import_runs.run_import(run_id=run.pk)
    assert failed.state == SyncRun.State.FAILED
    assert "interrupted" in failed.error


def test_an_import_leaves_a_trail(client_row, actor):
    do_import(client_row, actor, KAG_HEADER + KAG_ROWS)
    verbs = set(AuditEvent.objects.values_list("verb", flat=True))
    assert {
        "connectors.rawfile.received",
        "connectors.syncrun.created",
        "connectors.syncrun.finished",
        "ads.adobject.created",
    } <= verbs


def test_a_file_too_large_or_empty_is_not_kept(client_row, actor, settings):
    settings.IMPORT_MAX_BYTES = 1000
    with pytest.raises(Invalid, match="larger"):
        bring(client_row, actor, "x" * 1001)
    with pytest.raises(UnusableFile, match="empty"):
        bring(client_row, actor, "")
    assert not RawFile.objects.exists()


def test_figures_from_the_platform_of_other_clients_stay_untouched(client_row, actor):
    foreign = PerformanceMetricFactory(ad_object__external_id="708746")
    do_import(client_row, actor, KAG_HEADER + KAG_ROWS)
    assert not PerformanceMetric.objects.filter(pk=foreign.pk).exists()
    from apps.core.tenancy import use_client

    with use_client(foreign.client):
        foreign.refresh_from_db()
        assert foreign.spend == 50
