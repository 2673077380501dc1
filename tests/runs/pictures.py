"""Takes the README's pictures from the pages of a demo that this starts, each below 150 kB.

`python -m tests.runs.pictures FOLDER`
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import FloatRect, Page

from tests.web.people.chromium import View, opened_page, started_browser

LARGEST = 150_000
_SHOWN: FloatRect = {"x": 0, "y": 0, "width": 1280, "height": 740}
PICTURES = {"front_page": "Oversikt", "queue": "Til fordeling"}
"""By the name of the file, the line at the side that leads there; the message follows the queue."""


@contextmanager
def served_demo() -> Iterator[Mapping[str, Any]]:
    """What a demo says about itself while it serves its pages."""
    inbox = Path(sys.executable).parent / "inbox"
    command = [str(inbox), "demo", "--once", "--json", "--keep-serving"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        try:
            yield json.loads(demo.stdout.readline())
        finally:
            demo.terminate()


def sign_in(page: Page, demo: Mapping[str, Any]) -> None:
    """Come in as the first of the people, in the first of the capacities, as people do."""
    person = demo["people"][0]
    page.goto(demo["pages"])
    page.get_by_role("link", name="Logg inn").or_(
        page.get_by_role("button", name="Logg inn")
    ).click()
    page.get_by_role("button", name=person["name"]).click()
    if len(person["capacities"]) > 1:
        page.get_by_role("button", name=person["capacities"][0]).click()


def take_picture(page: Page, file: Path, *, largest: int = LARGEST) -> None:
    """What is in the window. Raises `ValueError` for a picture that a reader waits for."""
    picture = page.screenshot(path=file, clip=_SHOWN)
    if len(picture) >= largest:
        raise ValueError(f"{file.name} has {len(picture)} bytes")


def main(folder: Path) -> None:
    """Sign in, walk from the front page to a message, and take a picture of each."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        served_demo() as demo,
        started_browser() as browser,
        opened_page(browser, View()) as page,
    ):
        sign_in(page, demo)
        for name, link in PICTURES.items():
            page.get_by_role("navigation").get_by_role("link", name=link).first.click()
            take_picture(page, folder / f"{name}.png")
        page.locator("table.queue tbody th a").first.click()
        take_picture(page, folder / "message.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
