"""Every page in a real browser: axe finds nothing, nothing is wider than the window."""

import pytest
from playwright.sync_api import Browser

from inbox.web.people.state_pages import STATE_PAGES
from tests.web.people.chromium import View, opened_page, violations_on, widths_of
from tests.web.people.served_pages import ServedPages

STATES = [f"/komponenter/{name}" for name in STATE_PAGES]
PAGES = ["/komponenter", "/hjelp", "/tilgjengelighet", "/ikke-her"]
SHORT = {("nb", "dark", 320), ("nn", "forced", 1280), ("en", "light", 768)}
"""Each language, colour and width once; `make long` tries every combination."""
VIEWS = [
    pytest.param(
        View(width=width, language=language, colours=colours),
        marks=() if (language, colours, width) in SHORT else pytest.mark.long,
        id=f"{language}-{colours}-{width}",
    )
    for language in ("nb", "nn", "en")
    for colours in ("light", "dark", "forced")
    for width in (1280, 768, 320)
]


def _assert_accessible(browser: Browser, address: str, view: View) -> None:
    with opened_page(browser, view, script=True) as page:
        page.goto(address)

        assert violations_on(page) == []
        width, window = widths_of(page)
        assert width <= window


@pytest.mark.parametrize("path", [*PAGES, *STATES])
def test_every_page_has_no_accessibility_violation(
    browser: Browser, served: ServedPages, path: str
) -> None:
    _assert_accessible(browser, served.signed_in + path, View())


@pytest.mark.parametrize("path", ["/hjelp", "/ikke-her", "/komponenter/not_signed_in"])
def test_pages_of_somebody_not_signed_in_have_no_violation(
    browser: Browser, served: ServedPages, path: str
) -> None:
    _assert_accessible(browser, served.stranger + path, View())


@pytest.mark.parametrize("view", VIEWS)
def test_components_have_no_violation_in_any_language_colour_and_width(
    browser: Browser, served: ServedPages, view: View
) -> None:
    _assert_accessible(browser, f"{served.signed_in}/komponenter", view)


def test_axe_finds_a_violation_that_was_planted(browser: Browser, served: ServedPages) -> None:
    with opened_page(browser, View(), script=True) as page:
        page.goto(f"{served.signed_in}/komponenter")
        page.evaluate("document.querySelector('label[for=notat]').remove()")

        assert "label" in [rule for rule, _ in violations_on(page)]


def test_no_page_loads_anything_that_the_policy_forbids(
    browser: Browser, served: ServedPages
) -> None:
    said: list[str] = []
    with opened_page(browser, View(), script=True) as page:
        page.on("console", lambda message: said.append(message.text))
        page.on("requestfailed", lambda request: said.append(request.url))
        page.goto(f"{served.signed_in}/komponenter")

        page.evaluate(
            "document.body.append(Object.assign(new Image(), {src: 'https://x.example/'}))"
        )
        page.wait_for_timeout(100)

    assert len([each for each in said if "Content Security Policy" in each]) == 1
    assert all("x.example" in each for each in said)


@pytest.mark.parametrize("width", [1280, 320])
def test_text_spacing_of_a_reader_loses_nothing(
    browser: Browser, served: ServedPages, width: int
) -> None:
    spacing = (
        "* {line-height: 1.5 !important; letter-spacing: .12em !important;"
        " word-spacing: .16em !important} p {margin-bottom: 2em !important}"
    )
    with opened_page(browser, View(width=width), script=True) as page:
        page.goto(f"{served.signed_in}/hjelp")
        page.evaluate(
            "css => {const s = new CSSStyleSheet(); s.replaceSync(css);"
            " document.adoptedStyleSheets = [s]}",
            spacing,
        )

        page_width, window = widths_of(page)
        cut = page.evaluate(
            "[...document.querySelectorAll('main *')].filter(e =>"
            " getComputedStyle(e).overflow == 'hidden' && e.scrollHeight > e.clientHeight + 1"
            " && !e.closest('.ds-sr-only')).length"
        )

    assert page_width <= window
    assert cut == 0
