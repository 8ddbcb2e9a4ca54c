"""The system's Chromium, driven by Playwright. Nothing is downloaded: without one, it is said loudly."""

import contextlib
import os
import shutil

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Answers that a test provokes on purpose are told in the console as well.
EXPECTED = ("the server responded with a status of 4", "the server responded with a status of 5")


def executable():
    """The path of the system's Chromium, or None."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.contextmanager
def chromium():
    """A headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def watched(page):
    """`page`, whose console errors (a broken content policy among them) gather in `page.complaints`."""
    page.complaints = []
    page.on("console", lambda said: said.type == "error" and _note(page, said.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    return page


def _note(page, text):
    if not any(words in text for words in EXPECTED):
        page.complaints.append(text)
