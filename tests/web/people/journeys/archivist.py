"""A person at a browser without script, whose actions are counted as the product promises them.

An action is a key or click that reaches the server; Tab, arrows and the first letters of a unit's
name do not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.web.people.journeys.office import NAMES, Office


@dataclass
class Archivist:
    """Somebody who has a page before them."""

    office: Office
    page: Page
    actions: int = 0

    # Keys and clicks

    def enter(self, *, after_a_look: bool = True) -> None:
        """Enter on what has the focus, once the page has been looked at.

        A page gets its focus when it is first drawn, which can be after it has loaded.
        """
        self.page.locator(":focus").wait_for(state="attached")
        if after_a_look:
            self.office.look()
        self.actions += 1
        with self.page.expect_navigation(wait_until="load"):
            self.page.keyboard.press("Enter")

    def access_key(self, key: str, *, leads_on: bool = True) -> None:
        """Alt and a key, as the help page says; one that only moves the focus is none that counts.

        By the browser's own protocol: playwright's keyboard sends no text with Alt.
        """
        self.office.look()
        self.actions += leads_on
        cdp = self.page.context.new_cdp_session(self.page)

        def strike() -> None:
            for kind in ("keyDown", "keyUp"):
                cdp.send(
                    "Input.dispatchKeyEvent",
                    {"type": kind, "modifiers": 1, "key": key, "unmodifiedText": key, "text": key},
                )

        if leads_on:
            with self.page.expect_navigation(wait_until="load"):
                strike()
        else:
            strike()
        cdp.detach()

    def click(self, target: Locator, *, after_a_look: bool = True) -> None:
        """A click on the only such thing on the page."""
        if after_a_look:
            self.office.look()
        self.actions += 1
        with self.page.expect_navigation(wait_until="load"):
            target.click()

    def press_button(self, name: str) -> None:
        """Click the button of this whole name."""
        self.click(self.page.get_by_role("button", name=name, exact=True))

    def follow(self, name: str) -> None:
        """Click the link of this name in the page's own part."""
        self.click(self.page.locator("main").get_by_role("link", name=name, exact=True))

    def open_first(self, address: str) -> None:
        """Open the first message of a list."""
        self.goto(address)
        self.click(self.page.locator("table th.ref a").first)

    def download(self) -> bytes:
        """What the first document's link gives."""
        with self.page.expect_download() as started:
            self.page.get_by_role("link", name="Last ned", exact=False).first.click()
        return Path(started.value.path()).read_bytes()

    # Where one is

    def goto(self, path: str) -> None:
        """Type an address."""
        self.page.goto(self.office.address + path)

    @property
    def heading(self) -> str:
        """The page's heading."""
        return self.page.locator("h1").inner_text()

    @property
    def said(self) -> str:
        """What the page says was done, or why not."""
        return self.page.get_by_role("status").first.inner_text()

    @property
    def text(self) -> str:
        """What the page itself says."""
        return self.page.locator("main").inner_text()

    def expect_focus_on(self, name: str) -> None:
        """Wait until the browser has given the focus to the button that a page names for it."""
        expect(self.page.locator("button:focus")).to_have_text(name)

    # Signing in

    def sign_in(self, person: str = "anne", capacity: str = "") -> None:
        """At the provider, and into a capacity if there are several."""
        self.goto("/")
        self.page.get_by_role("link", name="Logg inn", exact=True).click()
        self.page.get_by_role("button", name=NAMES[person], exact=False).click()
        if capacity:
            self.page.get_by_role("button", name=capacity, exact=True).click()
        expect(self.page.get_by_role("heading", name="Oversikt")).to_be_visible()

    def sign_in_strongly(self, person: str) -> None:
        """To the provider by a link, and from there back to where they were."""
        self.follow("Logg inn på nytt")
        assert self.page.url.startswith(self.office.provider.issuer)
        self.page.get_by_role("button", name=NAMES[person]).click()
        assert self.page.url.startswith(self.office.address)


@contextmanager
def archivist_at(
    browser: Browser,
    office: Office,
    person: str = "anne",
    *,
    capacity: str = "",
    tls: bool = False,
) -> Iterator[Archivist]:
    """Somebody signed in, in a browser that shares nothing with another's."""
    context = new_context(browser, tls=tls)
    try:
        found = Archivist(office, context.new_page())
        if person == "anne":
            capacity = capacity or "Fordeler, Dokumentsenteret"
        found.sign_in(person, capacity)
        found.actions = 0
        yield found
    finally:
        context.close()


def new_context(browser: Browser, *, tls: bool = False) -> BrowserContext:
    """Without script, as people have it; `tls` believes the certificate of a test."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900},
        locale="nb-NO",
        java_script_enabled=False,
        reduced_motion="reduce",
        ignore_https_errors=tls,
    )
    context.set_default_timeout(60_000)
    return context
