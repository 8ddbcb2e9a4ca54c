"""Signing in, and the frame around every page."""

import re

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import expect

from tests.factories.clients import PASSWORD, ClientFactory, MembershipFactory, member
from tests.factories.suggestions import SuggestionFactory

from .conftest import PHONE


def fill_in(page, name, password=PASSWORD):
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", password)
    with page.expect_navigation():
        page.press("input[name=password]", "Enter")


def theme(page):
    return page.locator("html").get_attribute("data-bs-theme")


def test_a_wrong_password_says_so_and_the_right_one_leads_to_the_page_asked_for(pages, owner):
    page = pages.open("/c/clos/suggestions/")
    assert "/accounts/login/" in page.url

    fill_in(page, "nora", "wrong")
    expect(page.locator("form:has([name=login])")).to_contain_text("not correct")
    assert "/accounts/login/" in page.url

    fill_in(page, "nora")
    expect(page).to_have_url(re.compile("/c/clos/suggestions/$"))


def test_signing_in_in_two_steps(pages, owner):
    page = pages.open("/accounts/login/")
    fill_in(page, "nora@example.com")
    page.goto("/accounts/2fa/totp/activate/")
    expect(page).to_have_url(re.compile("/reauthenticate/"))  # whoever finds an open browser sets up nothing
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    secret = page.input_value("#authenticator_secret")
    page.fill("input[name=code]", code_of(secret))
    page.press("input[name=code]", "Enter")
    expect(page).to_have_url(re.compile("recovery-codes"))
    recovery = re.findall(r"\b[0-9a-f]{8}\b", page.input_value("textarea"))[0]

    page.wait_for_load_state("load")  # the address changes before the menu can open
    page.get_by_label("Your account").locator("visible=true").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/accounts/login/")
    fill_in(page, "nora")
    expect(page).to_have_url(re.compile("/2fa/authenticate/"))
    page.fill("input[name=code]", "000000")
    page.press("input[name=code]", "Enter")
    expect(page.locator("form:has([name=code])")).to_contain_text("Incorrect code")
    page.goto("/c/clos/")  # the password alone opens nothing
    expect(page).to_have_url(re.compile("/2fa/authenticate/"))
    page.fill("input[name=code]", recovery)
    page.press("input[name=code]", "Enter")
    expect(page).not_to_have_url(re.compile("/accounts/"))


def code_of(secret):
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_the_switcher_keeps_the_page(pages, shop, owner):
    MembershipFactory(client=ClientFactory(name="Avego", key="avego"), user=owner)
    page = pages.open("/c/clos/suggestions/?state=skipped", owner)

    page.get_by_label("Switch client").click()
    page.get_by_role("link", name="Avego").click()

    expect(page).to_have_url(re.compile(r"/c/avego/suggestions/"))
    expect(page.get_by_label("Switch client")).to_contain_text("Avego")


def test_counts_of_the_home_page_lead_to_the_list_behind_them(pages, shop, proposals, owner):
    page = pages.open("/", owner)
    card = page.locator(".card-link", has_text="Suggestions to decide")
    expect(card).to_contain_text("2")
    card.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/suggestions/\?state=waiting$"))
    expect(page.locator("article.durum-suggestion")).to_have_count(2)

    page.goto("/")
    page.get_by_role("row", name="Clos des Lys").get_by_role("link", name="Suggestions to decide").click()
    expect(page).to_have_url(re.compile(r"/c/clos/suggestions/\?state=waiting$"))
    expect(page.locator("article.durum-suggestion")).to_have_count(2)


def test_the_keyboard_goes_places(pages, shop, proposals, owner):
    page = pages.open("/c/clos/", owner)

    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page).to_have_url(re.compile("/c/clos/suggestions/$"))
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type("g?")
    assert page.input_value("[data-search]") == "g?"
    expect(page.locator("#help")).to_be_hidden()


def test_dark_stays_dark(pages, shop, owner):
    page = pages.open("/c/clos/", owner, color_scheme="light")
    assert theme(page) == "light"

    page.get_by_label("Light or dark").locator("visible=true").click()
    page.get_by_role("button", name="Dark", exact=True).locator("visible=true").click()
    assert theme(page) == "dark"
    page.goto("/c/clos/ads/")
    assert theme(page) == "dark"

    page.get_by_label("Light or dark").locator("visible=true").click()
    page.get_by_role("button", name="Like the device").locator("visible=true").click()
    assert theme(page) == "light"


def test_french_and_english(pages, shop, owner):
    page = pages.open("/c/clos/suggestions/", owner, language="en")
    expect(page.locator("html")).to_have_attribute("lang", "en")

    page.get_by_role("button", name="FR", exact=True).locator("visible=true").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page).to_have_url(re.compile("/c/clos/suggestions/$"))
    page.goto("/c/clos/ads/")
    expect(page.locator("html")).to_have_attribute("lang", "fr")

    page.get_by_role("button", name="EN", exact=True).locator("visible=true").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_menu_of_a_phone(pages, shop, owner):
    page = pages.open("/c/clos/", owner, viewport=PHONE)
    entry = page.locator("#menu").get_by_role("link", name="Suggestions")
    expect(entry).to_be_hidden()

    page.locator(".navbar-toggler").click()
    entry.click()

    expect(page).to_have_url(re.compile("/c/clos/suggestions/$"))


def test_reading_and_deciding_without_javascript(pages, shop, proposals, owner):
    page = pages.open("/c/clos/suggestions/", owner, java_script_enabled=False)
    page.get_by_role("searchbox").fill("reds")
    page.get_by_role("button", name="Apply").click()
    assert page.locator("article.durum-suggestion").count() == 1

    page.get_by_role("link", name="Autumn reds").click()
    page.get_by_role("link", name="Refuse…").click()
    page.get_by_label("Why").fill("Out of stock")
    page.get_by_role("button", name="Refuse").click()

    assert "Out of stock" in page.locator("main").inner_text()
    for path in ("/", "/c/clos/", "/c/clos/ads/", "/c/clos/ads/creatives/", "/c/clos/outcomes/", "/c/clos/imports/"):
        assert page.goto(path).status == 200
        assert page.locator("h1, h2").first.is_visible()


def test_somebody_without_a_client_is_told(pages, shop):
    stranger = member(ClientFactory(key="elsewhere"))
    SuggestionFactory(client=shop, ad_object__name="Zanzibar")

    page = pages.open("/c/clos/suggestions/", stranger)

    assert "Zanzibar" not in page.content()
    assert page.locator("[data-error-sentence]").get_attribute("data-error-sentence")
