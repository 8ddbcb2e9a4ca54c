"""A browser, a live server and a client whose pages have something on them."""

import datetime as dt
import os

import pytest
from django.conf import settings as durum
from django.test import Client as Session

from apps.ads.models import PerformanceMetric
from apps.clients.roles import Role
from apps.core import clock
from apps.core.tenancy import use_client
from tests.e2e import NO_CHROMIUM
from tests.e2e.browser import chromium, executable, watched
from tests.factories.ads import (
    AccountFactory,
    AdFactory,
    AdsetFactory,
    CampaignFactory,
    CreativeFactory,
)
from tests.factories.clients import ClientFactory, member
from tests.factories.suggestions import CycleFactory, PauseFactory, SkippedFactory, SuggestionFactory

WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
SOON_MS = 20_000


@pytest.fixture(scope="package")
def chrome():
    """One browser for all these tests. Without a Chromium they are left out loudly, and fail where CI runs them."""
    if executable() is None:
        if os.environ.get("CI"):
            pytest.fail(NO_CHROMIUM)
        pytest.skip(NO_CHROMIUM)
    # Playwright's loop runs in this thread: Django would take every query of a test for one inside a coroutine.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with chromium() as browser:
            yield browser
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Pages:
    """Opens pages as one person or another; what the console complains about fails the test at its end."""

    def __init__(self, chrome, url):
        self.chrome, self.url = chrome, url
        self.opened = []

    def context(self, user=None, *, language="en", viewport=None, **options):
        """A browser of its own, signed in as `user` without the form."""
        context = self.chrome.new_context(base_url=self.url, viewport=viewport or WIDE, **options)
        context.set_default_timeout(SOON_MS)
        cookies = {durum.LANGUAGE_COOKIE_NAME: language}
        if user is not None:
            session = Session()
            session.force_login(user)
            cookies[durum.SESSION_COOKIE_NAME] = session.cookies[durum.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": name, "value": value, "url": self.url} for name, value in cookies.items()])
        self.opened.append(context)
        return context

    def open(self, path, user=None, **options):
        page = watched(self.context(user, **options).new_page())
        page.goto(path)
        return page

    def close(self):
        complaints = [text for context in self.opened for page in context.pages for text in page.complaints]
        for context in self.opened:
            context.close()
        return complaints


@pytest.fixture
def pages(chrome, live_server, redis_client, settings):
    settings.SITE_URL = live_server.url
    opened = Pages(chrome, live_server.url)
    yield opened
    assert opened.close() == []


@pytest.fixture
def shop(db):
    """A client with an account of two campaigns and five weeks of results."""
    client = ClientFactory(name="Clos des Lys", key="clos")
    creative = CreativeFactory(client=client, name="Autumn video")
    account = AccountFactory(client=client, channel__token="x")
    today, days = clock.now().date(), []
    for place, name in enumerate(("Acquisition", "Retargeting")):
        campaign = CampaignFactory(client=client, parent=account, name=name)
        for number in (1, 2):
            adset = AdsetFactory(client=client, parent=campaign, name=f"{name} {number}")
            ad = AdFactory(client=client, parent=adset, creative=creative, name=f"Ad of {name} {number}")
            days += [
                PerformanceMetric(
                    client=client,
                    ad_object=ad,
                    day=today - dt.timedelta(days=back),
                    spend=40 + number + back % 3,
                    impressions=5000,
                    clicks=100,
                    leads=4 + place,
                    revenue=120 + 10 * (back % 5),
                )
                for back in range(1, 36)
            ]
    with use_client(client):
        PerformanceMetric.objects.bulk_create(days)
    CycleFactory(client=client, day=today, counts={"proposed": 2, "skipped": 1})
    return client


@pytest.fixture
def proposals(shop):
    """A raise and a pause that wait, and one candidate that was not proposed."""
    cycle = CycleFactory(client=shop)
    SkippedFactory(client=shop, cycle=cycle)
    scale = SuggestionFactory(client=shop, cycle=cycle, ad_object__name="Autumn reds", priority=60)
    pause = PauseFactory(client=shop, cycle=cycle, ad_object__name="Tired whites", priority=50)
    return scale, pause


@pytest.fixture
def owner(shop):
    return member(shop, Role.OWNER, first_name="Nora", last_name="Vidal", username="nora")


@pytest.fixture
def in_shop(shop):
    """The test reads the client's rows itself."""
    with use_client(shop):
        yield shop
