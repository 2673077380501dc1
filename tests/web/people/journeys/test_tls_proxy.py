"""Behind a TLS proxy on a host name of its own: cookies, addresses and redirects hold."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.web.people.journeys.archivist import Archivist, archivist_at
from tests.web.people.journeys.office import open_office
from tests.web.people.journeys.tls_proxy import HOST, tls_proxy


def test_sign_in_distributing_and_undo_hold_behind_a_tls_proxy(
    browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "office").mkdir()
    with (
        tls_proxy(tmp_path) as proxy,
        open_office(tmp_path / "office", proxy=proxy.before) as office,
    ):
        office.arrive(count=2)
        with archivist_at(browser, office, tls=True) as anne:
            cookies = _our_cookies(anne)
            anne.goto("/ko/til-fordeling")
            anne.enter()
            anne.page.locator("select").select_option(label="PPT")
            anne.press_button("Fordel")
            distributed = anne.said
            anne.access_key("z")
            undone, ended_at = anne.said, anne.page.url
            anne.press_button("Logg ut")
            anne.goto("/")

            assert anne.heading == "Logg inn"

    assert "er fordelt til PPT" in distributed
    assert "er tatt tilbake" in undone
    assert ended_at.startswith(f"{office.address}/melding/")
    assert office.address == f"https://{HOST}:{office.address.rpartition(':')[2]}"
    assert "__Host-okt" in cookies
    for name, (is_secure, is_hidden_from_script, path, domain) in cookies.items():
        assert name.startswith("__Host-"), name
        assert (is_secure, is_hidden_from_script, path, domain) == (True, True, "/", HOST)
    assert set(proxy.asked) == {office.address.removeprefix("https://")}
    said = bytes(office.overheard.said)
    assert office.listener.encode() not in said
    assert b"strict-transport-security: max-age=" in said


def _our_cookies(anne: Archivist) -> dict[str, tuple[bool, bool, str, str]]:
    """Those of the pages, without the provider's."""
    return {
        each["name"]: (each["secure"], each["httpOnly"], each["path"], each["domain"])
        for each in anne.page.context.cookies(anne.office.address)
    }
