"""A handler's day, in a unit that registers by hand and in one that has a case system."""

from playwright.sync_api import Browser

from tests.web.people.journeys.archivist import archivist_at
from tests.web.people.journeys.office import CANARIES, Office

CHILD_WELFARE = "Saksbehandler, Barneverntjenesten"
KIND, PARTY, DOCUMENT, CONTENT = CANARIES


def test_by_hand_from_the_list_to_the_receipt(browser: Browser, reading_office: Office) -> None:
    office = reading_office
    [wire_id] = office.arrive("Elev")
    with archivist_at(browser, office, "ola", capacity="Saksbehandler, Skole") as ola:
        ola.open_first("/min-enhet")
        assert KIND in ola.heading
        assert "Dette kreves for å lese den" in ola.text
        assert ola.page.get_by_role("link", name="Last ned", exact=False).count() == 0
        ola.press_button("Ta selv")
        assert "er din nå" in ola.said
        assert "Raudkanari" in ola.page.locator("section[aria-labelledby=part]").inner_text()
        assert CONTENT.encode() in ola.download()
        ola.press_button("Frigi")
        office.let_pass(minutes=11)
        ola.open_first("/tildelt")
        ola.press_button("Hent for journalføring")
        ola.follow("Registrer for hånd")
        ola.press_button("Registrer for hånd")
        assert "Skriv referansen fra arkivet" in ola.text
        ola.page.get_by_label("Referanse i arkivet").fill("2026/17-3")
        ola.press_button("Registrer for hånd")
        assert "er journalført" in ola.said
        for _ in range(4):
            office.let_pass(minutes=5)
        assert wire_id in office.receipts()
        ola.goto("/tildelt?ferdig=1")
        ola.click(ola.page.locator("table th.ref a").first)
        assert "Den kan leses til" in ola.text
        assert CONTENT.encode() in ola.download()


def test_with_a_case_system_read_handed_back_and_not_there_any_more(
    browser: Browser, reading_office: Office
) -> None:
    office = reading_office
    office.arrive("Barnevern")
    office.let_pass(minutes=11)
    with archivist_at(browser, office, "kari", capacity="Leder, Barneverntjenesten") as kari:
        kari.open_first("/min-enhet")
        kari.follow("Tildel")
        kari.page.get_by_label("Ola Saksbehandler").check()
        kari.press_button("Tildel")
        assert "er tildelt" in kari.said
        with archivist_at(
            browser, office, "ola", capacity="Saksbehandler, Barneverntjenesten"
        ) as ola:
            ola.open_first("/tildelt")
            assert "Tilbudt Sakarkiv" in ola.text
            assert ola.page.get_by_role("link", name="Ikke vår", exact=True).count() == 0
            assert CONTENT.encode() in ola.download()
            here = ola.page.url
            ola.follow("Trekk tilbake fra fagsystemet")
            ola.page.get_by_label("Den gikk til feil enhet").check()
            ola.press_button("Trekk tilbake fra fagsystemet")
            ola.follow("Ikke vår")
            ola.press_button("Ikke vår")
            assert "Velg en grunn" in ola.text
            ola.page.get_by_label("Den hører til hos en annen enhet").check()
            ola.press_button("Ikke vår")
            assert "er gitt tilbake til arkivet" in ola.said
            ola.page.goto(here)
            assert ola.heading == "Finnes ikke her"


def test_conflict_of_interest_ends_the_assignment_and_hides_the_message_at_once(
    browser: Browser, reading_office: Office
) -> None:
    office = reading_office
    office.arrive("Elev")
    with archivist_at(browser, office, "ola", capacity="Saksbehandler, Skole") as ola:
        ola.open_first("/min-enhet")
        ola.press_button("Ta selv")
        here = ola.page.url
        ola.follow("Meld inhabilitet")
        ola.press_button("Meld inhabilitet")
        assert "Velg hva du er inhabil i" in ola.text
        ola.page.get_by_label("Denne meldingen").check()
        ola.press_button("Meld inhabilitet")
        assert "Inhabiliteten er meldt" in ola.said
        assert KIND not in ola.text
        ola.page.goto(here)
        assert ola.heading == "Finnes ikke her"
    with archivist_at(browser, office, "kari", capacity="Leder, Skole") as kari:
        kari.goto("/min-enhet")
        assert kari.page.locator("main input[type=checkbox]").count() == 1
