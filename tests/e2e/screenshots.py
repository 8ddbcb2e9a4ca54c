"""`make screenshots`: the demo's pages as pictures in docs/screenshots/. Needs `make run` in another terminal.

    python -m tests.e2e.screenshots [--into DIR] [--all]

`--all` takes every page in light and dark, wide and narrow, for looking at them.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "durum.settings.local")

import django

django.setup()

from django.conf import settings  # noqa: E402  (Django has to be set up first)

from durum import embedded  # noqa: E402  (Django has to be set up first)
from tests.e2e import NO_CHROMIUM  # noqa: E402  (Django has to be set up first)
from tests.e2e.browser import chromium, executable, watched  # noqa: E402  (Django has to be set up first)

CLIENT = "maison-avelin"
PAGES = {
    "home": "/",
    "client": f"/c/{CLIENT}/",
    "ads": f"/c/{CLIENT}/ads/",
    "creatives": f"/c/{CLIENT}/ads/creatives/",
    "suggestions": f"/c/{CLIENT}/suggestions/",
    "skipped": f"/c/{CLIENT}/suggestions/?state=skipped",
    "done": f"/c/{CLIENT}/suggestions/?state=done",
    "outcomes": f"/c/{CLIENT}/outcomes/",
    "rules": f"/c/{CLIENT}/rules/",
    "imports": f"/c/{CLIENT}/imports/",
    "settings": f"/c/{CLIENT}/settings/",
    "team": f"/c/{CLIENT}/settings/team/",
    "accounts": f"/c/{CLIENT}/settings/accounts/",
    "tokens": f"/c/{CLIENT}/settings/tokens/",
    "audit": f"/c/{CLIENT}/settings/audit/",
    "file-ads": "/c/kag/ads/",
    "file-suggestions": "/c/kag/suggestions/",
    "file-skipped": "/c/kag/suggestions/?state=skipped",
    "file-imports": "/c/kag/imports/",
    "status": "/status/",
    "admin": "/admin/",
    "admin-suggestions": "/admin/suggestions/suggestion/",
}
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=settings.BASE_DIR / "docs" / "screenshots")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", nargs="*", help="names of pages")
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
            for name, path in PAGES.items():
                if not wanted.only or name in wanted.only:
                    take(page, name, path, wanted.into / f"{name}{suffix}.png")
            if not wanted.only or "suggestion" in wanted.only:
                page.goto(f"{settings.SITE_URL}{PAGES['suggestions']}")
                link = page.locator(f"a[href*='/c/{CLIENT}/suggestions/']").filter(has_text="").all()
                paths = [a.get_attribute("href") for a in link]
                detail = next((p for p in paths if p.rstrip("/").rsplit("/", 1)[-1].isdigit()), None)
                if detail:
                    take(page, "suggestion", detail, wanted.into / f"suggestion{suffix}.png")
            for complaint in page.complaints:
                print(suffix, complaint)


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
