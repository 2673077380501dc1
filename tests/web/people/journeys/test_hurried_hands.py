"""Two tabs, the back button, a double click, a held Enter, lunch, and what was erased meanwhile."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlmodel import select

from inbox.domain import MessageState
from inbox.line import Terms
from inbox.tables import AuditEntry
from tests.web.people.journeys.archivist import Archivist, archivist_at
from tests.web.people.journeys.office import Office, open_office

TOO_FAST = "Det gikk for fort. Trykk en gang til."
TOO_LATE = "Siden var åpen for lenge, så ingenting er gjort."


def test_second_tab_learns_of_the_first_and_gets_the_action_again(
    browser: Browser, office: Office
) -> None:
    (wire_id,) = office.arrive()
    with archivist_at(browser, office) as anne, archivist_at(browser, office, "bjorn") as bjorn:
        _open_first(anne)
        _open_first(bjorn)
        assert "Anne Arkivar ser på den" in bjorn.text
        _distribute(bjorn, "PPT")
        _distribute(anne, "Skole")
        told = anne.said
        still = anne.page.get_by_role("button", name="Angre").count()
        office.let_pass(minutes=2)
        anne.page.goto(f"{office.address}/melding/{office.world.message(wire_id).id}")
        again = anne.page.get_by_role("button", name="Fordel", exact=True).count()

    assert told.startswith("Meldingen er endret imens, så det du valgte, er ikke gjort. Sist")
    assert "09:00" in told.replace(".", ":")
    assert "Fordelt" in told
    assert "av Bjorn Arkivar" in told
    assert (still, again) == (0, 1)
    message = office.world.message(wire_id)
    assert (message.unit, message.state) == ("ppt", MessageState.ROUTED)


@pytest.mark.long
def test_back_button_after_distributing_shows_what_is_true_now(
    browser: Browser, office: Office
) -> None:
    office.arrive(count=2)
    with archivist_at(browser, office) as anne:
        _open_first(anne)
        first = anne.page.url
        _distribute(anne, "PPT")
        anne.page.go_back(wait_until="load")

        assert anne.page.url == first
        assert "Fordeles om et øyeblikk" in anne.text
        assert anne.page.get_by_role("button", name="Fordel", exact=True).count() == 0
        assert anne.page.get_by_role("button", name="Angre", exact=True).count() == 1


def test_double_click_distributes_once(browser: Browser, office: Office) -> None:
    office.make_history("Melding om barnevern")
    office.arrive(count=2)
    with archivist_at(browser, office) as anne:
        _open_first(anne)
        office.look()
        button = anne.page.get_by_role("button", name="Fordel til Barneverntjenesten")
        button.dblclick(no_wait_after=True)
        anne.page.wait_for_url("**")
        anne.page.get_by_role("status").wait_for()
        said = anne.said

    assert _placed(office) == 1
    assert said.startswith((TOO_FAST, "Meldingen er endret imens")) or "er fordelt til" in said


def test_held_enter_takes_one_message_and_says_why_no_more(
    browser: Browser, office: Office
) -> None:
    office.make_history("Melding om barnevern")
    office.arrive(count=3)
    with archivist_at(browser, office) as anne:
        _open_first(anne)
        anne.expect_focus_on("Fordel til Barneverntjenesten")
        anne.enter()
        heading = anne.page.url.partition("?")[0]
        said = []
        for _ in range(3):
            anne.expect_focus_on("Fordel til Barneverntjenesten")
            anne.enter(after_a_look=False)
            said.append(anne.said.splitlines()[0])
        placed_while_held = _placed(office)
        anne.expect_focus_on("Fordel til Barneverntjenesten")
        anne.enter()

    assert heading.startswith(office.address + "/melding/")
    assert said == [TOO_FAST] * 3
    assert placed_while_held == 1
    assert _placed(office) == 2


@pytest.mark.long
def test_unit_that_was_chosen_too_fast_is_still_chosen(browser: Browser, office: Office) -> None:
    office.arrive()
    with archivist_at(browser, office) as anne:
        _open_first(anne)
        anne.page.locator("select").select_option(label="Skole")
        anne.click(anne.page.get_by_role("button", name="Fordel", exact=True), after_a_look=False)

        assert anne.said == TOO_FAST
        assert anne.page.locator("select").input_value() == "skole"
        assert _placed(office) == 0


def test_form_kept_over_lunch_gets_back_what_was_typed_after_a_new_sign_in(
    browser: Browser, office: Office
) -> None:
    office.arrive()
    with archivist_at(browser, office) as anne:
        _open_first(anne)
        anne.follow("Foreslå avvisning")
        _type_reason(anne)
        office.let_pass(minutes=45)
        anne.press_button("Foreslå avvisning")
        assert anne.heading == "Du er ikke logget inn"
        anne.follow("Logg inn")
        anne.follow("Logg inn")
        anne.page.get_by_role("button", name="Fordeler, Dokumentsenteret").click()

        assert _typed(anne) == ("Skrevet før lunsj", True)
        assert "ko=til-fordeling" in anne.page.url
        anne.page.locator("input[value=not_for_us]").check()
        anne.press_button("Foreslå avvisning")
        assert "En annen person må godkjenne." in anne.said


@pytest.mark.long
def test_form_kept_for_half_an_hour_in_a_session_that_went_on_is_shown_again_filled_in(
    browser: Browser, office: Office
) -> None:
    office.arrive()
    with archivist_at(browser, office) as anne:
        _open_first(anne)
        anne.follow("Foreslå avvisning")
        _type_reason(anne)
        office.let_pass(minutes=20)
        _look_in_another_tab(anne)
        office.let_pass(minutes=11)
        anne.press_button("Foreslå avvisning")

        assert anne.said.startswith(TOO_LATE)
        assert _typed(anne) == ("Skrevet før lunsj", True)


def test_message_erased_meanwhile_says_so_and_nothing_is_done(
    browser: Browser, tmp_path: Path
) -> None:
    soon_erased = Terms(min_free_bytes=0, keep_content=timedelta(minutes=5))
    with open_office(tmp_path, terms=soon_erased) as office:
        (wire_id,) = office.arrive()
        with archivist_at(browser, office) as anne:
            _open_first(anne)
            anne.page.locator("select").select_option(label="Barneverntjenesten")
            anne.press_button("Fordel og frigi")
            for minutes in (2, 11):
                office.let_pass(minutes=minutes)
            _look_in_another_tab(anne)
            for system in office.systems:
                system.catch_up()
            for minutes in (1, 1, 1, 1, 6):
                office.let_pass(minutes=minutes)
            assert office.world.message(wire_id).state is MessageState.ERASED
            anne.press_button("Angre")

            assert anne.heading == "Slettet i mellomtiden"


def _open_first(anne: Archivist) -> None:
    anne.goto("/ko/til-fordeling")
    anne.enter()


def _distribute(anne: Archivist, unit: str) -> None:
    anne.page.locator("select").select_option(label=unit)
    anne.press_button("Fordel")


def _type_reason(anne: Archivist) -> None:
    anne.page.locator("input[name=grunn]").first.check()
    anne.page.get_by_label("Merknad, om det trengs").fill("Skrevet før lunsj")


def _typed(anne: Archivist) -> tuple[str, bool]:
    note = anne.page.get_by_label("Merknad, om det trengs").input_value()
    return note, anne.page.locator("input[name=grunn]").first.is_checked()


def _look_in_another_tab(anne: Archivist) -> None:
    tab = anne.page.context.new_page()
    tab.goto(f"{anne.office.address}/ko/ferdig")
    tab.close()


def _placed(office: Office) -> int:
    """How many placings are in the log."""
    with office.world.line.store.reading() as tx:
        leaves = tx.exec(select(AuditEntry.leaf)).all()
    return sum(b'"by":"place"' in leaf and b"message:placing" in leaf for leaf in leaves)
