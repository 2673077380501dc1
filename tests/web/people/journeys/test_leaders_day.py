"""A leader shares out the work, gives access and ends it; a stand-in reads with a reason."""

from playwright.sync_api import Browser

from tests.web.people.journeys.archivist import Archivist, archivist_at
from tests.web.people.journeys.office import CANARIES, Office

CONTENT = CANARIES[-1].encode()
LEADER, HANDLER = "Leder, Skole", "Saksbehandler, Skole"


def _tick(who: Archivist, count: int) -> None:
    boxes = who.page.locator("main input[type=checkbox]")
    for number in range(count):
        boxes.nth(number).check()


def _choose(who: Archivist, label: str, name: str) -> None:
    who.page.get_by_label(label).select_option(label=name)


def test_shares_out_and_gives_all_of_one_to_another(
    browser: Browser, reading_office: Office
) -> None:
    office = reading_office
    office.arrive("Elev", count=3)
    with archivist_at(browser, office, "kari", capacity=LEADER) as kari:
        kari.goto("/min-enhet")
        _tick(kari, 2)
        _choose(kari, "Til hvem", "Ola Saksbehandler")
        kari.press_button("Tildel")
        assert kari.heading == "2 av 2 er tildelt"
        kari.goto("/min-enhet")
        assert "2 åpne" in kari.text
        kari.follow("Gi alle til … Ola Saksbehandler")
        _choose(kari, "Til hvem", "Berit Saksbehandler")
        kari.press_button("Tildel")
        assert kari.heading == "2 av 2 er tildelt"
        kari.goto("/min-enhet")
        _tick(kari, 1)
        _choose(kari, "Til hvem", "Anne Arkivar")
        kari.press_button("Tildel")
        assert kari.heading == "0 av 1 er tildelt"
        assert "kan ikke gis til den du valgte" in kari.text
        kari.open_first("/min-enhet?hos=ingen")
        assert kari.page.get_by_role("link", name="Last ned", exact=False).count() == 0


def test_access_is_given_with_an_end_and_ended_at_once(
    browser: Browser, reading_office: Office
) -> None:
    office = reading_office
    office.arrive("Elev")
    with archivist_at(browser, office, "kari", capacity=LEADER) as kari:
        kari.goto("/min-enhet")
        _tick(kari, 1)
        _choose(kari, "Til hvem", "Berit Saksbehandler")
        kari.press_button("Tildel")
        kari.open_first("/min-enhet?alle=1")
        kari.follow("Gi innsyn")
        _choose(kari, "Hvem skal ha innsyn?", "Ola Saksbehandler")
        kari.page.get_by_label("De arbeider sammen om saken").check()
        kari.press_button("Gi innsyn")
        assert "Skriv en dag" in kari.text
        kari.page.get_by_label("Siste dag").fill("27.11.2026")
        kari.press_button("Gi innsyn")
        assert "gitt innsyn" in kari.said
        with archivist_at(browser, office, "ola", capacity=HANDLER) as ola:
            ola.goto("/tildelt")
            assert "Innsyn fra Kari Leder, til 28.11. 00.00" in ola.text.replace("\xa0", " ")
            ola.open_first("/tildelt")
            assert CONTENT in ola.download()
            here = ola.page.url
            kari.goto("/min-enhet/tilgang")
            kari.click(kari.page.get_by_role("button", name="Avslutt innsyn", exact=False))
            assert "Tilgangen er avsluttet" in kari.said
            ola.page.goto(here)
            assert ola.heading == "Finnes ikke her"


def test_stand_in_reads_with_a_reason_and_moves_nothing(
    browser: Browser, reading_office: Office
) -> None:
    office = reading_office
    office.arrive("Elev")
    with archivist_at(browser, office, "kari", capacity=LEADER) as kari:
        kari.goto("/min-enhet")
        _tick(kari, 1)
        _choose(kari, "Til hvem", "Berit Saksbehandler")
        kari.press_button("Tildel")
        kari.goto("/min-enhet")
        kari.follow("La noen vikariere")
        _choose(kari, "Hvem er borte?", "Berit Saksbehandler")
        _choose(kari, "Hvem vikarierer?", "Ola Saksbehandler")
        kari.page.get_by_label("Fra og med").fill("20.11.2026")
        kari.page.get_by_label("Til og med").fill("25.11.2026")
        kari.press_button("Sett inn vikaren")
        assert "Vikaren er satt inn" in kari.said
        assert "Ola Saksbehandler for Berit Saksbehandler" in kari.text
    with archivist_at(browser, office, "ola", capacity=HANDLER) as ola:
        ola.goto("/tildelt")
        assert "Som vikar for Berit Saksbehandler" in ola.text
        ola.open_first("/tildelt")
        assert ola.page.get_by_role("link", name="Last ned", exact=False).count() == 0
        ola.press_button("Les meldingen")
        assert "Velg en grunn" in ola.text
        ola.page.get_by_label("Jeg vikarierer, og saken kan ikke vente").check()
        ola.press_button("Les meldingen")
        assert CONTENT in ola.download()
        assert ola.page.get_by_role("button", name="Frigi", exact=True).count() == 0
        office.let_pass(minutes=16)
        ola.page.reload()
        assert "må du skrive hvorfor" in ola.text
        office.let_pass(days=6)
        ola.page.reload()
        assert CONTENT.decode() not in ola.text


def test_handler_asks_for_access_and_the_leader_answers(
    browser: Browser, reading_office: Office
) -> None:
    office = reading_office
    office.arrive("Elev", count=2)
    with archivist_at(browser, office, "ola", capacity=HANDLER) as ola:
        ola.open_first("/min-enhet")
        first = ola.page.url
        ola.follow("Be om innsyn")
        ola.press_button("Be om innsyn")
        assert "Velg en grunn" in ola.text
        ola.page.get_by_label("Jeg er bedt om å gi råd").check()
        ola.press_button("Be om innsyn")
        assert "Det er bedt om innsyn i" in ola.said
        ola.follow("Be om innsyn")
        assert "Bedt om innsyn: venter på svar" in ola.text
        ola.page.get_by_label("Jeg er bedt om å gi råd").check()
        ola.press_button("Be om innsyn")
        assert "Du har bedt om innsyn i den, og den venter på svar" in ola.text
        with archivist_at(browser, office, "kari", capacity=LEADER) as kari:
            kari.click(kari.page.get_by_role("link", name="Noen ber om innsyn", exact=False))
            assert "Ola Saksbehandler, venter på svar" in kari.text
            assert "Jeg er bedt om å gi råd" in kari.text
            kari.press_button("Gi innsyn")
            assert "Skriv en dag" in kari.text
            kari.page.get_by_label("Siste dag").fill("27.11.2026")
            kari.press_button("Gi innsyn")
            assert "er besvart" in kari.said
        ola.page.goto(first)
        assert CONTENT in ola.download()
