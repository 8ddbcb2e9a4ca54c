"""The pages of imports, through the browser's door."""

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.ads.models import AdObject, PerformanceMetric
from apps.ads.services import import_runs
from apps.clients.models import Client
from apps.clients.roles import Role
from apps.connectors.models import RawFile, SyncRun
from apps.core.tenancy import use_client
from tests.factories.clients import ClientFactory, member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

TEXT = (
    "Jour;Nom de la campagne;Nom de l’ensemble de publicités;Nom de la publicité;Impressions;Montant dépensé (EUR);"
    "Prospects\n"
    "01/08/2026;C;S;A;1 000;12,50;2\n"
    "31/08/2026;C;S;A;2 000;=HYPERLINK(1);3\n"
    "32/08/2026;C;S;A;10;1,00;-\n"
)


@pytest.fixture
def shop():
    return ClientFactory(key="shop")


@pytest.fixture
def browser(client, shop):
    """An operator of the shop who is signed in."""
    client.force_login(member(shop, Role.MANAGER))
    return client


def url(name, *args, key="shop"):
    return reverse(f"ads:{name}", args=[key, *args])


def upload(browser, text=TEXT, name="août.csv", encoding="cp1252"):
    file = SimpleUploadedFile(name, text.encode(encoding) if isinstance(text, str) else text)
    return browser.post(url("import_new"), {"file": file})


def form_values(response):
    """What a browser would send for the form as it is shown."""
    form = response.context["form"]
    return {bound.html_name: bound.value() or "" for bound in form}


def confirmed(browser, shop, text=TEXT, **changes):
    page = browser.get(upload(browser, text)["Location"])
    return browser.post(page.request["PATH_INFO"], form_values(page) | changes)


def run_of(shop):
    with use_client(shop):
        return SyncRun.objects.get()


def finish(shop):
    with use_client(shop):
        return import_runs.run_import(run_id=SyncRun.objects.get().pk)


def test_from_upload_to_report(browser, shop):
    response = upload(browser)
    assert response.status_code == 302
    page = browser.get(response["Location"])
    values = form_values(page)
    assert [values[f"field_{i}"] for i in range(7)] == [
        "day",
        "campaign_name",
        "adset_name",
        "ad_name",
        "impressions",
        "spend",
        "leads",
    ]
    assert (values["reading_0"], values["reading_5"]) == ("dmy", "comma")
    assert b"12,50" in page.content

    response = browser.post(response["Location"], values | {"value_per_lead": "25", "account_name": "Compte"})
    run = run_of(shop)
    assert response["Location"] == url("import_detail", run.pk)
    waiting = browser.get(response["Location"])
    assert url("import_progress", run.pk) in waiting.content.decode()

    finish(shop)
    report = browser.get(response["Location"]).content.decode()
    assert "32/08/2026" in report
    assert url("import_progress", run.pk) not in report
    with use_client(shop):
        day = PerformanceMetric.objects.get()
        assert (day.spend, day.impressions, day.leads) == (Decimal("12.5"), 1000, 2)
        assert AdObject.objects.get(level="account").name == "Compte"
        assert Client.objects.get().value_per_lead == 25


def test_progress_polls_and_then_asks_for_the_page_again(browser, shop):
    confirmed(browser, shop)
    run = run_of(shop)
    headers = {"HX-Request": "true"}
    piece = browser.get(url("import_progress", run.pk), headers=headers)
    assert "every 2s" in piece.content.decode()
    assert "<html" not in piece.content.decode()
    finish(shop)
    assert browser.get(url("import_progress", run.pk), headers=headers)["HX-Refresh"] == "true"


def test_problem_rows_come_back_corrected(browser, shop):
    confirmed(browser, shop)
    finish(shop)
    response = browser.get(url("import_findings_csv", run_of(shop).pk))
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert rows[0][-2:] == ["Durum: line", "Durum: problem"]
    assert [row[7] for row in rows[1:]] == ["3", "4"]
    assert rows[1][5] == "'=HYPERLINK(1)"
    assert rows[2][0] == "32/08/2026"

    fixed = text.replace("32/08/2026", "30/08/2026").replace("'=HYPERLINK(1)", "7,5")
    page = browser.get(upload(browser, fixed, encoding="utf-8")["Location"])
    assert page.context["found"].plan.fields == [
        "day",
        "campaign_name",
        "adset_name",
        "ad_name",
        "impressions",
        "spend",
        "leads",
        "",
        "",
    ]
    browser.post(page.request["PATH_INFO"], form_values(page))
    with use_client(shop):
        import_runs.run_import(run_id=SyncRun.objects.order_by("-pk").first().pk)
        assert sorted(PerformanceMetric.objects.values_list("day", flat=True)) == [
            dt.date(2026, 8, 1),
            dt.date(2026, 8, 30),
            dt.date(2026, 8, 31),
        ]


def test_the_same_file_again_is_told_and_changes_nothing(browser, shop):
    confirmed(browser, shop)
    finish(shop)
    response = browser.post(
        url("import_new"), {"file": SimpleUploadedFile("x.csv", TEXT.encode("cp1252"))}, follow=True
    )
    assert "imported before" in response.content.decode()
    assert "was imported on" in response.content.decode()
    with use_client(shop):
        assert RawFile.objects.count() == 1


def test_an_open_question_is_asked_at_its_column(browser, shop):
    text = "Date,Ad name,Spend\n03/04/2026,A,10.5\n05/04/2026,A,11.5\n"
    refused = confirmed(browser, shop, text)
    assert refused.status_code == 422
    assert list(refused.context["form"].errors) == ["reading_0"]
    with use_client(shop):
        assert not SyncRun.objects.exists()
    accepted = browser.post(refused.request["PATH_INFO"], form_values(refused) | {"reading_0": "mdy"})
    assert accepted.status_code == 302
    finish(shop)
    with use_client(shop):
        assert set(PerformanceMetric.objects.values_list("day", flat=True)) == {
            dt.date(2026, 3, 4),
            dt.date(2026, 5, 4),
        }


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "a.csv", "empty"),
        (b"PK\x03\x04rubbish", "a.xlsx", "damaged"),
        (b"Day,Spend\n1,2\n", "a.xlsx", "rename it to .csv"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "a.xls", "old kind"),
        (b"<html><body>Sign in</body></html>", "a.csv", "web page"),
        (b"Day,Ad name,Spend\n", "a.csv", "no rows"),
    ],
)
def test_a_file_of_another_kind_is_told_clearly(browser, shop, content, name, sentence):
    response = browser.post(url("import_new"), {"file": SimpleUploadedFile(name, content)}, follow=True)
    assert sentence in response.content.decode()
    assert "Traceback" not in response.content.decode()
    with use_client(shop):
        assert not SyncRun.objects.exists()


def test_columns_that_name_nothing_useful_are_refused_with_the_next_step(browser, shop):
    refused = confirmed(browser, shop, "Facture;Montant\n1;2\n")
    assert refused.status_code == 422
    assert "Add that column" in refused.content.decode()


def test_nothing_chosen_is_an_error_of_the_form(browser, shop):
    assert browser.post(url("import_new"), {}).status_code == 422


def test_a_viewer_looks_but_does_not_import(client, shop, browser):
    confirmed(browser, shop)
    run = run_of(shop)
    client.force_login(member(shop, Role.VIEWER))
    listing = client.get(url("imports"))
    assert listing.status_code == 200
    assert url("import_new") not in listing.content.decode()
    assert client.get(url("import_detail", run.pk)).status_code == 200
    assert client.get(url("import_new")).status_code == 403
    assert client.post(url("import_new"), {"file": SimpleUploadedFile("a.csv", b"x")}).status_code == 403
    assert client.post(url("import_cancel", run.pk)).status_code == 403
    assert run_of(shop).state == SyncRun.State.WAITING


def test_another_client_sees_nothing_of_it(client, shop, browser):
    confirmed(browser, shop)
    run = run_of(shop)
    other = ClientFactory(key="other")
    client.force_login(member(other))
    for name, pk in (("import_detail", run.pk), ("import_mapping", run.raw_file_id), ("import_findings_csv", run.pk)):
        assert client.get(url(name, pk)).status_code == 404
        assert client.get(url(name, pk, key="other")).status_code == 404
    assert "août.csv" not in client.get(url("imports", key="other")).content.decode()


def test_cancel_on_the_page(browser, shop):
    confirmed(browser, shop)
    browser.post(url("import_cancel", run_of(shop).pk))
    assert run_of(shop).state == SyncRun.State.CANCELLED
    again = browser.post(url("import_cancel", run_of(shop).pk), headers={"HX-Request": "true"})
    assert again.status_code == 409


def test_the_list_searches_sorts_polls_and_exports(browser, shop):
    assert "No file was imported yet" in browser.get(url("imports")).content.decode()
    upload(browser)
    assert "Files waiting for you" in browser.get(url("imports")).content.decode()
    confirmed(browser, shop, TEXT + "\n")
    moving = browser.get(url("imports"), headers={"HX-Request": "true"}).content.decode()
    assert "every 3s" in moving
    assert "<html" not in moving
    with use_client(shop):
        import_runs.run_import(run_id=SyncRun.objects.get().pk)
    done = browser.get(url("imports"), {"q": "août", "state": "done", "sort": "file"}).content.decode()
    assert "every 3s" not in done
    assert "1 row left out" in done or "2 rows left out" in done
    assert "No import matches" in browser.get(url("imports"), {"q": "zzz"}).content.decode()
    text = b"".join(browser.get(url("imports"), {"format": "csv"}).streaming_content).decode("utf-8-sig")
    assert "août.csv" in text
    assert b"".join(browser.get(url("imports"), {"format": "xlsx"}).streaming_content).startswith(b"PK")


def test_findings_are_searched_and_paged(browser, shop):
    rows = "".join(f"xx/{n};A;1\n" for n in range(120))
    confirmed(
        browser, shop, "Jour;Nom de la publicité;Montant dépensé (EUR)\n01/08/2026;A;1,5\n13/08/2026;A;1\n" + rows
    )
    finish(shop)
    detail = url("import_detail", run_of(shop).pk)
    page = browser.get(detail)
    assert len(page.context["page"]) == 50
    assert page.context["page"].total == 120
    assert len(browser.get(detail, {"q": "xx/11"}).context["page"]) == 11
    assert len(browser.get(detail, {"reason": "date_unreadable", "page": "3"}).context["page"]) == 20
    fragment = browser.get(detail, {"q": "xx/119"}, headers={"HX-Request": "true"})
    assert "<html" not in fragment.content.decode()
