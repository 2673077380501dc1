"""What a screen reader gets of a page, kept in files.

`python -m tests.web.people.accessibility_tree` writes the files anew; somebody reads the difference
before it is committed.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from tests.databases import sqlite_database
from tests.web.people.chromium import View, opened_page, started_browser
from tests.web.people.served_pages import served_pages
from tests.worlds import world

FOLDER = Path(__file__).parent / "snapshots"
PAGES = {
    "components": "/komponenter",
    "help": "/hjelp",
    "accessibility": "/tilgjengelighet",
    "not_here": "/ikke-her",
    "no_policy": "/komponenter/no_policy",
}
"""By the name of the file."""


def tree_of(browser: Browser, address: str) -> str:
    """The accessibility tree of the whole page, without script."""
    with opened_page(browser, View()) as page:
        page.goto(address)
        return page.locator("html").aria_snapshot() + "\n"


def main() -> None:
    """Write every file anew."""
    with (
        TemporaryDirectory() as folder,
        world(sqlite_database(Path(folder)), Path(folder)) as made,
        served_pages(made.line) as served,
        started_browser() as browser,
    ):
        for name, path in PAGES.items():
            (FOLDER / f"{name}.yml").write_text(tree_of(browser, served.signed_in + path))


if __name__ == "__main__":
    main()
