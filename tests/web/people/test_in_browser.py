"""What the pages do in a real browser, without script: keys, focus, speed, language, paper."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.runs.pictures import LARGEST, take_picture
from tests.web.people.accessibility_tree import FOLDER, PAGES, tree_of
from tests.web.people.chromium import View, opened_page
from tests.web.people.served_pages import ServedPages
from tests.web.people.stand_in import BEGIN

TOO_FAST = "Det gikk for fort. Trykk en gang til. "


def _focused(page: Page) -> str:
    return page.locator("*:focus").inner_text()


def test_likeliest_action_has_the_focus_and_a_held_enter_takes_nothing(
    browser: Browser, served: ServedPages
) -> None:
    acted = []
    with opened_page(browser, View()) as page:
        page.goto(f"{served.signed_in}/komponenter")
        for _ in range(4):
            page.locator("*:focus").wait_for()
            assert _focused(page) == "Fordel til Barneverntjenesten"
            with page.expect_navigation():
                page.keyboard.press("Enter")
            acted.append(not page.title().startswith(TOO_FAST))
        served.clock.advance(timedelta(milliseconds=700))
        page.locator("*:focus").wait_for()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        acted.append(not page.title().startswith(TOO_FAST))

    assert acted == [False] * 4 + [True]


def test_form_open_over_lunch_loses_nothing_that_was_typed(
    browser: Browser, served: ServedPages
) -> None:
    with opened_page(browser, View()) as page:
        page.goto(f"{served.signed_in}/komponenter")
        page.get_by_label("Notat").fill("Linje én\nlinje to «her»")
        page.get_by_label("Filene kan ikke leses.").check()
        served.clock.advance(timedelta(hours=1))
        page.get_by_role("button", name="Foreslå avvisning").click()

        assert page.title().startswith("Siden var åpen for lenge, så ingenting er gjort.")
        assert page.get_by_label("Notat").input_value() == "Linje én\nlinje to «her»"
        assert page.get_by_label("Filene kan ikke leses.").is_checked()


def test_skip_link_is_first_and_leads_to_the_content(browser: Browser, served: ServedPages) -> None:
    with opened_page(browser, View()) as page:
        page.goto(f"{served.signed_in}/hjelp")
        page.keyboard.press("Tab")
        first = _focused(page)
        page.keyboard.press("Enter")

        assert first == "Hopp til innholdet"
        assert page.url.endswith("/hjelp#innhold")
        assert page.locator("main:focus").count() == 1


def test_language_is_chosen_at_the_foot_and_stays(browser: Browser, served: ServedPages) -> None:
    with opened_page(browser, View()) as page:
        page.goto(f"{served.stranger}/hjelp")
        page.get_by_role("button", name="Nynorsk").click()
        in_nynorsk = (page.url, page.locator("html").get_attribute("lang"))
        page.goto(f"{served.stranger}/tilgjengelighet")

        assert in_nynorsk == (f"{served.stranger}/hjelp", "nn")
        assert page.get_by_role("heading", level=1).inner_text() == "Tilgjengelegheitserklæring"


def test_form_of_another_origin_is_refused_by_the_browsers_own_word(
    browser: Browser, served: ServedPages
) -> None:
    with opened_page(browser, View()) as page:
        page.set_content(
            f'<form method="post" action="{served.stranger}/sprak">'
            '<input name="sprak" value="nn"><button>Trykk</button></form>'
        )
        page.get_by_role("button", name="Trykk").click()

        assert page.get_by_role("heading", level=1).inner_text() == "Skjemaet kom ikke herfra"


def test_paper_has_the_content_without_the_frame(browser: Browser, served: ServedPages) -> None:
    with opened_page(browser, View()) as page:
        page.goto(f"{served.signed_in}/komponenter")
        page.emulate_media(media="print")

        assert not page.locator(".side").is_visible()
        assert not page.get_by_role("button", name="Logg ut").is_visible()
        assert page.get_by_role("heading", level=1).is_visible()


@pytest.mark.parametrize("path", ["/komponenter", "/hjelp", "/ikke-her"])
def test_page_has_one_heading_one_main_and_no_id_or_key_twice(
    browser: Browser, served: ServedPages, path: str
) -> None:
    with opened_page(browser, View(), script=True) as page:
        page.goto(served.signed_in + path)
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        keys = page.evaluate("[...document.querySelectorAll('[accesskey]')].map(e => e.accessKey)")

        assert page.locator("h1").count() == page.locator("main").count() == 1
        assert len(ids) == len(set(ids))
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize("name", PAGES)
def test_screen_reader_gets_what_it_got_before(
    browser: Browser, served: ServedPages, name: str
) -> None:
    served.clock.now = BEGIN
    kept = (FOLDER / f"{name}.yml").read_text()

    assert len(kept.splitlines()) > 20
    assert tree_of(browser, served.signed_in + PAGES[name]) == kept, (
        "if it is meant: python -m tests.web.people.accessibility_tree, and read the difference"
    )


def test_picture_for_the_readme_is_small_or_refused(
    browser: Browser, served: ServedPages, tmp_path: Path
) -> None:
    with opened_page(browser, View()) as page:
        page.goto(f"{served.signed_in}/komponenter")
        take_picture(page, tmp_path / "components.png")

        with pytest.raises(ValueError, match="large.png has"):
            take_picture(page, tmp_path / "large.png", largest=1_000)

    assert (tmp_path / "components.png").stat().st_size < LARGEST
