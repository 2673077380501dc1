"""What a screen reader gets of an archivist's main pages, kept in files.

`python -m tests.web.people.journeys.page_trees` writes the files anew; somebody reads the
difference before it is committed.
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from tests.web.people.chromium import View, started_browser
from tests.web.people.journeys.busy_office import BusyOffice, open_busy_office

FOLDER = Path(__file__).parent / "snapshots"
TREES = (
    "front",
    "queue_of_one_sender",
    "queue_choosing_several",
    "queue_til_godkjenning",
    "message_with_suggestion",
    "message_quarantined",
    "form_refusal",
    "proposal_to_decide",
    "arrival",
    "telephone",
)
"""By the name of the page and of its file."""
_RANDOM = (
    (re.compile(r"\b[0-9a-f]{32}\b"), "ID"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "WIRE-ID"),
    (re.compile(r"\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b"), "REFERENCE"),
    (re.compile(r"<code>[0-9a-f]{8}\b"), "<code>WIRE-ID"),
)
"""What is another in each world."""


def tree_of(browser: Browser, busy: BusyOffice, name: str) -> str:
    """The accessibility tree of the whole page, without script and without what is random."""
    with busy.opened(browser, View()) as page:
        page.goto(busy.office.address + busy.pages[name])
        tree = page.locator("html").aria_snapshot() + "\n"
    for random, said in _RANDOM:
        tree = random.sub(said, tree)
    return tree


def main() -> None:
    """Write every file anew."""
    FOLDER.mkdir(exist_ok=True)
    with (
        TemporaryDirectory() as folder,
        open_busy_office(Path(folder)) as busy,
        started_browser() as browser,
    ):
        for name in TREES:
            (FOLDER / f"{name}.yml").write_text(tree_of(browser, busy, name), "utf-8")


if __name__ == "__main__":
    main()
