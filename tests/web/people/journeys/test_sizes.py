"""How much of the network a page takes: the first one with its sheets, and every later one."""

from playwright.sync_api import Browser, Page

from tests.web.people.chromium import View
from tests.web.people.journeys.busy_office import BusyOffice

FIRST, LATER = 60_000, 15_000
ROWS = 20
"""Of a full page of a queue."""


class Wire:
    """What a page has taken of the network, by the browser's own count."""

    def __init__(self, page: Page) -> None:
        self.taken = 0
        cdp = page.context.new_cdp_session(page)
        cdp.send("Network.enable")
        cdp.on("Network.loadingFinished", self._count)

    def _count(self, event: dict[str, float]) -> None:
        self.taken += int(event["encodedDataLength"])

    def take(self) -> int:
        """The bytes since the last time."""
        taken, self.taken = self.taken, 0
        return taken


def test_first_page_is_small_and_later_ones_are_smaller(browser: Browser, busy: BusyOffice) -> None:
    with busy.opened(browser, View()) as page:
        wire = Wire(page)
        page.goto(busy.office.address + busy.pages["queue_til_fordeling"])
        rows, first = page.locator("tbody tr").count(), wire.take()
        later = {}
        for name, path in busy.pages.items():
            page.goto(busy.office.address + path)
            later[name] = wire.take()

    assert rows == ROWS
    assert 20_000 < first <= FIRST
    assert min(later.values()) > 1000
    assert {name: size for name, size in later.items() if size > LATER} == {}
