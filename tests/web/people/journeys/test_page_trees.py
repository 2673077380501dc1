"""What a screen reader gets of the main pages is what the files say."""

import pytest
from playwright.sync_api import Browser

from tests.web.people.journeys.busy_office import BusyOffice
from tests.web.people.journeys.page_trees import FOLDER, TREES, tree_of


@pytest.mark.parametrize("name", TREES)
def test_screen_reader_gets_of_a_main_page_what_its_file_says(
    browser: Browser, busy: BusyOffice, name: str
) -> None:
    kept = (FOLDER / f"{name}.yml").read_text("utf-8")

    assert "main" in kept
    assert tree_of(browser, busy, name) == kept


def test_every_kept_tree_is_of_a_page_that_is_compared() -> None:
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(TREES)
