"""Every page there is: no complaint in the console, and nothing to scroll sideways on a phone."""

import pytest
from django.urls import reverse

from tests.architecture.urls import LINES, every_address
from tests.factories.clients import UserFactory

from .conftest import PHONE

READABLE = {name: line for name, line in LINES.items() if line.method == "get" and line.expected("owner") == 200}
NOT_PAGES = {"healthz", "ads:import_findings_csv", "ads:import_progress"}
OF_THE_ADMIN = [
    "admin:index",
    "admin:suggestions_suggestion_changelist",
    "admin:suggestions_validationitem_changelist",
    "admin:suggestions_executionlog_changelist",
    "admin:clients_client_changelist",
    "admin:core_auditevent_changelist",
]


@pytest.fixture
def staff(owner):
    """The owner, who belongs to the agency."""
    owner.is_staff = owner.is_superuser = True
    owner.save()
    return owner


@pytest.fixture
def addresses(shop, proposals, in_shop):
    """The address of every page of the client, rows included."""
    patterns = dict(every_address())
    found = []
    for name, line in READABLE.items():
        if name not in NOT_PAGES:
            kwargs = {"client_key": shop.key} if "client_key" in patterns[name] else {}
            if line.row is not None:
                kwargs["pk"] = line.row(shop).pk
            found.append(reverse(name, kwargs=kwargs))
    tabs = [f"/c/clos/suggestions/?state={state}" for state in ("done", "refused", "skipped", "archive")]
    own = ["/status/", "/accounts/2fa/", "/accounts/password/change/"]
    assert len(found) > 20
    return [*found, *tabs, *own]


def too_wide(page):
    """What sticks out of the window to the right, or nothing."""
    return page.evaluate(
        """() => document.documentElement.scrollWidth <= window.innerWidth ? [] : [
            document.documentElement.scrollWidth,
            ...[...document.querySelectorAll("main *, header *, footer *")]
                .filter((one) => one.getBoundingClientRect().right > window.innerWidth + 1)
                .slice(0, 3).map((one) => one.outerHTML.slice(0, 120)),
        ]"""
    )


def test_on_a_screen_in_english(pages, staff, addresses):
    page = pages.open("/", staff)

    for address in [*addresses, "/api/v1/docs/"]:  # the manual of the API is in English only
        answer = page.goto(address)
        assert (address, answer.status) == (address, 200)
        assert page.title().strip(" ·"), address
        assert (address, page.complaints) == (address, [])


def test_on_a_phone_in_french(pages, staff, addresses):
    page = pages.open("/", staff, language="fr", viewport=PHONE)

    wide = {}
    for address in addresses:
        page.goto(address)
        assert (address, page.locator("html").get_attribute("lang")) == (address, "fr")
        if found := too_wide(page):
            wide[address] = found
        assert (address, page.complaints) == (address, [])
    assert wide == {}


def test_the_admin(pages, staff, proposals):
    page = pages.open("/", staff)

    for name in OF_THE_ADMIN:
        answer = page.goto(reverse(name))
        assert (name, answer.status, page.complaints) == (name, 200, [])


def test_pages_for_those_who_are_not_in(pages, db):
    UserFactory()
    page = pages.open("/accounts/login/", viewport=PHONE)

    for address in ("/accounts/login/", "/accounts/logout/", "/accounts/password/reset/", "/nowhere/"):
        page.goto(address)
        assert (address, too_wide(page), page.complaints) == (address, [], [])
