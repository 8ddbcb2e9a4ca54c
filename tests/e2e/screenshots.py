"""`make screenshots`: pages as pictures in docs/screenshots/. Needs `make run` in another terminal.

    python -m tests.e2e.screenshots [--client KEY] [--prefix file-] [--only PAGE ...] [--into DIR] [--all]

`--all` takes every page in light and dark, wide and narrow, for looking at them.
"""

import argparse
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "durum.settings.local")

import django

django.setup()

from django.conf import settings  # noqa: E402  (Django has to be set up first)

from durum import embedded  # noqa: E402  (Django has to be set up first)
from tests.e2e import NO_CHROMIUM  # noqa: E402  (Django has to be set up first)
from tests.e2e.browser import chromium, executable, watched  # noqa: E402  (Django has to be set up first)

PAGES = {
    "home": "/",
    "client": "/c/{client}/",
    "ads": "/c/{client}/ads/",
    "creatives": "/c/{client}/ads/creatives/",
    "suggestions": "/c/{client}/suggestions/",
    "skipped": "/c/{client}/suggestions/?state=skipped",
    "done": "/c/{client}/suggestions/?state=done",
    "outcomes": "/c/{client}/outcomes/",
    "rules": "/c/{client}/rules/",
    "imports": "/c/{client}/imports/",
    "settings": "/c/{client}/settings/",
    "team": "/c/{client}/settings/team/",
    "accounts": "/c/{client}/settings/accounts/",
    "products": "/c/{client}/settings/products/",
    "tokens": "/c/{client}/settings/tokens/",
    "audit": "/c/{client}/settings/audit/",
    "status": "/status/",
    "admin": "/admin/",
    "admin-suggestions": "/admin/suggestions/suggestion/",
}
# The page behind the first row of a list: (list, what its address looks like).
FIRST_OF = {"suggestion": ("suggestions", r"/suggestions/\d+/$"), "import": ("imports", r"/imports/\d+/$")}
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--client", default="maison-avelin", help="key of the client whose pages are taken")
    parser.add_argument("--prefix", default="", help="put before the names of the pictures")
    parser.add_argument("--only", nargs="*", choices=[*PAGES, *FIRST_OF], help="names of pages")
    parser.add_argument("--into", type=Path, default=settings.BASE_DIR / "docs" / "screenshots")
    parser.add_argument("--all", action="store_true")
    wanted = parser.parse_args()
    if executable() is None:
        sys.exit(NO_CHROMIUM)
    wanted.into.mkdir(parents=True, exist_ok=True)
    shapes = [("", WIDE, "light")]
    if wanted.all:
        shapes = [("-light", WIDE, "light"), ("-dark", WIDE, "dark"), ("-narrow", NARROW, "light")]
    with chromium() as browser:
        for suffix, viewport, scheme in shapes:
            context = browser.new_context(viewport=viewport, color_scheme=scheme, locale="fr-FR")
            page = watched(context.new_page())
            sign_in(page)
            for name in wanted.only or [*PAGES, *FIRST_OF]:
                path = path_of(page, name, wanted.client)
                if path:
                    take(page, name, path, wanted.into / f"{wanted.prefix}{name}{suffix}.png")
            for complaint in page.complaints:
                print(suffix, complaint)


def path_of(page, name, client):
    """The address of a page; None where its list is empty."""
    if name in PAGES:
        return PAGES[name].format(client=client)
    listed, pattern = FIRST_OF[name]
    page.goto(settings.SITE_URL + PAGES[listed].format(client=client))
    links = [link.get_attribute("href") for link in page.locator("main a[href]").all()]
    return next((link for link in links if re.search(pattern, link)), None)


def sign_in(page):
    username, password = embedded.demo_login()
    page.goto(f"{settings.SITE_URL}/accounts/login/")
    page.fill("input[name=login]", username)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "login" not in url)


def take(page, name, path, into):
    answer = page.goto(f"{settings.SITE_URL}{path}")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=into, full_page=True)
    width = page.evaluate("document.documentElement.scrollWidth")
    wide = "  SCROLLS SIDEWAYS" if width > page.viewport_size["width"] else ""
    print(f"{answer.status}  {name}  {into.name}{wide}")


if __name__ == "__main__":
    main()
