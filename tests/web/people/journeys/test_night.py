"""At night somebody on call takes emergency access: a reason, an end, and everybody is told."""

from playwright.sync_api import Browser

from tests.web.people.journeys.archivist import archivist_at
from tests.web.people.journeys.office import CANARIES, Office

CONTENT = CANARIES[-1].encode()


def test_emergency_access_opens_one_message_and_ends_by_itself(
    browser: Browser, reading_office: Office
) -> None:
    office = reading_office
    office.arrive("Elev", count=2)
    with archivist_at(browser, office, "ola", capacity="Saksbehandler, Skole") as ola:
        ola.open_first("/min-enhet")
        assert ola.page.get_by_role("link", name="Last ned", exact=False).count() == 0
        ola.follow("Nødtilgang")
        ola.page.get_by_label("Et barns sikkerhet").check()
        ola.page.get_by_label("Hvorfor kan det ikke vente?").fill("for kort")
        ola.press_button("Ta nødtilgang")
        assert "minst 20 tegn" in ola.text
        ola.page.get_by_label("Hvorfor kan det ikke vente?").fill("Barnet er på vei inn nå i natt")
        ola.press_button("Ta nødtilgang")
        assert ola.heading == "Dette krever en ny, sterk innlogging"
        ola.sign_in_strongly("ola")
        assert ola.page.get_by_label("Et barns sikkerhet").is_checked()
        ola.press_button("Ta nødtilgang")
        assert "Du har nødtilgang til" in ola.said
        assert "60 minutter igjen" in ola.text.replace("\xa0", " ")
        assert "Barnet er på vei inn nå i natt" in ola.text
        ola.follow("Les meldingen")
        assert CONTENT in ola.download()
        office.let_pass(minutes=61)
        ola.page.reload()
        assert ola.page.get_by_role("link", name="Last ned", exact=False).count() == 0
    with archivist_at(browser, office, "kari", capacity="Leder, Skole") as kari:
        kari.click(kari.page.get_by_role("link", name="Kvitter for nødtilgang", exact=False))
        assert "Et barns sikkerhet" in kari.text
        assert "på vei inn" not in kari.text
        kari.page.get_by_label("Jeg har sett det").check()
        kari.press_button("Lukk oppgaven")
        assert "Oppgaven er lukket" in kari.said
