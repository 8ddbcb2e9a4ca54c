"""Ads, imports, settings and the link to Slack, as a person works through them."""

import re

import pytest
from playwright.sync_api import expect

from apps.ads.models import PerformanceMetric
from apps.ads.services import import_runs
from apps.clients.models import ApiToken, Client
from apps.connectors.models import SlackIdentity, SyncRun
from apps.connectors.services import slack_link
from tests.workspace import NORA, TEAM, TOKEN, Workspace

pytestmark = pytest.mark.usefixtures("in_shop")

EXPORT = (
    "Jour;Nom de la campagne;Nom de l’ensemble de publicités;Nom de la publicité;Impressions;Montant dépensé (EUR);"
    "Prospects\n"
    "01/08/2026;Été;Rosé;Vidéo;1 000;12,50;2\n"
    "31/08/2026;Été;Rosé;Vidéo;2 000;20,00;3\n"
    "32/08/2026;Été;Rosé;Vidéo;10;1,00;-\n"
)


def test_the_tree_opens_and_the_period_changes(pages, owner):
    page = pages.open("/c/clos/ads/", owner)
    tree = page.locator("#results")
    expect(tree.get_by_role("link", name="Acquisition", exact=True)).to_be_visible()
    expect(tree.get_by_role("link", name="Acquisition 1", exact=True)).to_be_hidden()

    tree.locator("summary", has_text="Acquisition").click()
    expect(tree.get_by_role("link", name="Acquisition 1", exact=True)).to_be_visible()
    tree.locator("summary", has_text="Acquisition 1").click()
    expect(tree.get_by_role("link", name="Ad of Acquisition 1", exact=True)).to_be_visible()

    before = tree.inner_text()
    page.locator(".durum-period > button").click()
    page.locator(".durum-period .dropdown-item:not(.active)").first.click()
    expect(page).to_have_url(re.compile(r"\?"))
    assert page.locator("#results").inner_text() != before
    period = page.locator(".durum-period > button").inner_text()
    page.reload()
    assert page.locator(".durum-period > button").inner_text() == period


def test_an_export_from_upload_to_report(pages, owner):
    before = PerformanceMetric.objects.count()
    page = pages.open("/c/clos/imports/new/", owner)
    file = {"name": "août.csv", "mimeType": "text/csv", "buffer": EXPORT.encode("cp1252")}
    page.set_input_files("input[type=file]", [file])
    page.get_by_role("button", name="Upload").click()
    expect(page).to_have_url(re.compile(r"/imports/files/\d+/"))
    assert page.locator("select").first.input_value() == "day"

    page.get_by_role("button", name="Import", exact=True).click()
    expect(page).to_have_url(re.compile(r"/imports/\d+/$"))
    expect(page.locator("main")).to_contain_text("Waiting")
    assert PerformanceMetric.objects.count() == before
    import_runs.run_import(run_id=SyncRun.objects.get(kind=SyncRun.Kind.IMPORT_ADS).pk)

    main = page.locator("main")
    expect(main).to_contain_text("32/08/2026", timeout=15_000)
    expect(main).to_contain_text("Done")
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("CSV|Download|Rows left out", re.IGNORECASE)).first.click()
    assert "32/08/2026" in download.value.path().read_text(encoding="utf-8-sig")
    assert PerformanceMetric.objects.count() == before + 2


def test_changing_the_client(pages, owner):
    page = pages.open("/c/clos/settings/", owner)
    page.get_by_label("Target").or_(page.locator("[name=roi_target]")).first.fill("-1")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".invalid-feedback, [data-error-sentence]").first).to_be_visible()
    assert Client.objects.get(key="clos").roi_target == 3

    page.locator("[name=roi_target]").fill("4.5")
    page.locator("[name=name]").fill("Clos des Lilas")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_label("Switch client")).to_contain_text("Clos des Lilas")
    assert Client.objects.get(key="clos").roi_target == pytest.approx(4.5)
    page.goto("/c/clos/settings/audit/")
    expect(page.locator("main")).to_contain_text("Clos des Lilas")


def test_a_token_is_shown_once_works_and_is_revoked(pages, owner):
    page = pages.open("/c/clos/settings/tokens/", owner)
    page.get_by_label("Name").fill("Reports")
    page.get_by_role("button", name="Make the token").click()
    secret = page.input_value("#secret")
    assert secret.startswith("durum_")

    asked = {"Authorization": f"Token {secret}"}
    stranger = pages.context().request
    assert stranger.get("/api/v1/clients/", headers=asked).json()["results"][0]["key"] == "clos"
    page.goto("/c/clos/settings/tokens/")
    expect(page.locator("#secret")).to_have_count(0)
    assert secret not in page.content()

    page.get_by_role("button", name="Revoke").click()
    page.locator("#confirm-yes").click()
    expect(page.locator("main")).to_contain_text("You have no token yet")
    assert stranger.get("/api/v1/clients/", headers=asked).status == 401
    assert not ApiToken.objects.exists()


def test_linking_ones_slack_account(pages, shop, owner, sandbox):
    from tests.factories.connectors import SlackChannelFactory

    Workspace(sandbox)
    SlackChannelFactory(client=shop, external_id=f"{TEAM}/C000000001", token=TOKEN)
    page = pages.open("/me/slack/", owner)
    expect(page.locator("main")).to_contain_text("No Slack account yet")

    page.goto(slack_link.link_address(team_id=TEAM, slack_user_id=NORA))
    expect(page.locator("main")).to_contain_text("Nora Vidal")
    page.get_by_role("button", name="Link it").click()
    expect(page.get_by_role("button", name="Unlink")).to_be_visible()
    assert SlackIdentity.objects.get().user == owner

    page.get_by_role("button", name="Unlink").click()
    page.locator("#confirm").get_by_role("button", name="Cancel").click()
    assert SlackIdentity.objects.exists()
    page.get_by_role("button", name="Unlink").click()
    page.locator("#confirm-yes").click()
    expect(page.locator("main")).to_contain_text("No Slack account yet")
    assert not SlackIdentity.objects.exists()
