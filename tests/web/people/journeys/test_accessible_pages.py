"""Every page of an archivist, with something on it: axe finds nothing, nothing is too wide."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from tests.web.people.chromium import View, violations_on, widths_of
from tests.web.people.journeys.busy_office import BusyOffice

MAIN_PAGES = (
    "front",
    "queue_til_fordeling",
    "queue_choosing_several",
    "message_with_suggestion",
    "message_quarantined",
    "form_refusal",
    "proposal_to_decide",
    "arrival",
    "telephone",
    "queue_til_godkjenning",
)
VIEWS = [
    View(width=width, language=language, colours=colours)
    for width in (320, 1280)
    for colours in ("dark", "light")
    for language in ("nb", "nn", "en")
]


@pytest.mark.long
def test_every_page_has_no_accessibility_violation(browser: Browser, busy: BusyOffice) -> None:
    assert len(busy.pages) > 35
    with busy.opened(browser, View(), script=True) as page:
        found = {name: _faults(page, busy, name) for name in busy.pages}

    assert {name: faults for name, faults in found.items() if faults} == {}


def test_each_main_page_has_no_violation_in_another_view_than_the_next(
    browser: Browser, busy: BusyOffice
) -> None:
    assert len(MAIN_PAGES) == 10
    found = {}
    for name, view in zip(MAIN_PAGES, VIEWS, strict=False):
        with busy.opened(browser, view, script=True) as page:
            found[name] = _faults(page, busy, name)

    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.long
@pytest.mark.parametrize("view", VIEWS, ids=lambda v: f"{v.language}-{v.colours}-{v.width}")
def test_main_pages_have_no_violation_in_any_language_colour_and_width(
    browser: Browser, busy: BusyOffice, view: View
) -> None:
    with busy.opened(browser, view, script=True) as page:
        found = {name: _faults(page, busy, name) for name in MAIN_PAGES}

    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.long
def test_pages_that_answer_a_form_have_no_violation(browser: Browser, busy: BusyOffice) -> None:
    with busy.opened(browser, View(), script=True) as page:
        found = {}
        for name, send in ANSWERS.items():
            page.goto(busy.office.address + busy.pages[name])
            with busy.a_second_later(), page.expect_navigation(wait_until="load"):
                send(page)
            found[name] = _seen_on(page)

    assert {name: faults for name, faults in found.items() if faults} == {}


def _press(button: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("button", name=button, exact=True).click()


def _ask_by_telephone(page: Page) -> None:
    page.get_by_label("Id-en som avsenderen oppgir").fill("finnes-ikke")
    page.get_by_label("De ringer fra (org.nr.)").fill("910077473")
    _press("Finn")(page)


ANSWERS: dict[str, Callable[[Page], None]] = {
    "message_without_suggestion": lambda page: page.locator(".units .other button").first.click(),
    "form_hold": _press("Sett på vent"),
    "form_note": _press("Skriv notat"),
    "form_refusal": _press("Foreslå avvisning"),
    "form_release": _press("Foreslå frigivelse fra karantene"),
    "proposal_to_decide": _press("Avslå"),
    "arrival": _press("Foreslå å oppgi"),
    "telephone": _ask_by_telephone,
}
"""By the page that the form is on: each is sent with nothing chosen, but for the telephone's."""


def _faults(page: Page, busy: BusyOffice, name: str) -> list[tuple[str, str]]:
    answer = page.goto(busy.office.address + busy.pages[name])
    assert answer is not None
    assert answer.status == (404 if name == "not_here" else 200), name
    return _seen_on(page)


def _seen_on(page: Page) -> list[tuple[str, str]]:
    width, window = widths_of(page)
    too_wide = [("too wide", f"{width} > {window}")] if width > window else []
    return violations_on(page) + too_wide
