"""The system's Chromium, and what is asked of a page in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

MANDATORY = "INBOX_BROWSER"
"""Where this is set, a missing browser fails the tests instead of skipping them."""
CRITERIA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_BROWSER_LANGUAGES = {"nb": "nb-NO", "nn": "nn-NO", "en": "en-GB"}


@dataclass(frozen=True, kw_only=True)
class View:
    """How a person looks at a page."""

    width: int = 1280
    language: str = "nb"
    colours: str = "light"


def find_chromium() -> str:
    """The path of the browser; skips the test, in one line for all of them, where there is none."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None and os.environ.get(MANDATORY):
        pytest.fail("there is no Chromium on PATH, and INBOX_BROWSER says that there must be")
    if found is None:
        pytest.skip("no Chromium on PATH: the pages are not tried in a browser")
    return found


@contextmanager
def started_browser() -> Iterator[Browser]:
    """A browser of its own; it must end before another test uses asyncio in this thread."""
    path = find_chromium()
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened_page(browser: Browser, view: View, *, script: bool = False) -> Iterator[Page]:
    """A page as people have it: without script, unless a tool of the test needs it."""
    context = browser.new_context(
        viewport={"width": view.width, "height": 900},
        locale=_BROWSER_LANGUAGES[view.language],
        color_scheme="dark" if view.colours == "dark" else "light",
        forced_colors="active" if view.colours == "forced" else "none",
        java_script_enabled=script,
        reduced_motion="reduce",
    )
    try:
        yield context.new_page()
    finally:
        context.close()


def violations_on(page: Page) -> list[tuple[str, str]]:
    """What axe finds, by rule and place; the page's own style sheets must have been loaded."""
    rules = page.evaluate("[...document.styleSheets].map(s => s.cssRules.length)")
    assert len(rules) == 2
    assert all(count > 0 for count in rules)
    found: dict[str, Any] = Axe().run(page, options={"runOnly": CRITERIA}).response
    assert len(found["passes"]) > 10
    return [(each["id"], str(each["nodes"][0]["target"])) for each in found["violations"]]


def widths_of(page: Page) -> tuple[int, int]:
    """The width of the page, and that of its window."""
    page_width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return int(page_width), int(window)
