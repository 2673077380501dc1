"""What takes two people, each in a browser of their own; what was missed; and a caller."""

import pytest
from playwright.sync_api import Browser
from sqlmodel import select

from inbox.domain import ArrivalState, MessageState, ProposalState
from inbox.tables import Proposal
from tests.web.people.journeys.archivist import Archivist, archivist_at
from tests.web.people.journeys.office import NAMES, Office
from tests.worlds import SENDER

OTHER = "910076787"


def test_two_people_release_a_message_from_quarantine(browser: Browser, office: Office) -> None:
    (wire_id,) = office.arrive(parcel={"signer": office.world.authority.issue(OTHER)})
    assert office.world.message(wire_id).state is MessageState.QUARANTINED
    with archivist_at(browser, office) as anne, archivist_at(browser, office, "bjorn") as bjorn:
        _propose(anne, "karantene", "Foreslå frigivelse fra karantene")
        office.run_worker()
        assert office.world.message(wire_id).state is MessageState.QUARANTINED
        _open_proposal(bjorn)
        assert "Å godkjenne krever en ny, sterk innlogging." in bjorn.text
        bjorn.sign_in_strongly("bjorn")
        assert bjorn.page.get_by_role("button", name="Godkjenn", exact=True).count() == 1
        bjorn.press_button("Godkjenn")

        assert "er godkjent og utført" in bjorn.said
    office.run_worker()
    assert office.world.message(wire_id).state is MessageState.UNROUTED


@pytest.mark.long
def test_refusal_is_declined_with_a_reason_that_a_strong_sign_in_does_not_lose(
    browser: Browser, office: Office
) -> None:
    (wire_id,) = office.arrive()
    with archivist_at(browser, office) as anne, archivist_at(browser, office, "bjorn") as bjorn:
        _propose(anne, "til-fordeling", "Foreslå avvisning", code="not_for_us")
        _open_proposal(bjorn)
        bjorn.page.get_by_label("Spør avsenderen eller enheten først").check()
        bjorn.page.get_by_label("Merknad, om det trengs").fill("Ring først, «helst» i dag")
        bjorn.press_button("Avslå")
        assert bjorn.heading == "Dette krever en ny, sterk innlogging"
        bjorn.sign_in_strongly("bjorn")
        typed = bjorn.page.get_by_label("Merknad, om det trengs").input_value()
        chosen = bjorn.page.get_by_label("Spør avsenderen eller enheten først").is_checked()
        assert _proposal_state(office) is ProposalState.OPEN
        bjorn.press_button("Avslå")

        assert (typed, chosen) == ("Ring først, «helst» i dag", True)
        assert "er avslått" in bjorn.said
    assert _proposal_state(office) is ProposalState.DECLINED
    assert office.world.message(wire_id).state is MessageState.UNROUTED


def test_refusal_approved_by_another_person_answers_the_sender(
    browser: Browser, office: Office
) -> None:
    (wire_id,) = office.arrive()
    with archivist_at(browser, office) as anne, archivist_at(browser, office, "bjorn") as bjorn:
        _propose(anne, "til-fordeling", "Foreslå avvisning", code="not_for_us")
        anne.goto("/ko/til-godkjenning")
        anne.click(anne.page.locator("main .todo a").first)
        assert anne.page.get_by_role("button", name="Godkjenn", exact=True).count() == 0
        _open_proposal(bjorn)
        bjorn.sign_in_strongly("bjorn")
        bjorn.press_button("Godkjenn")
        assert "er godkjent og utført" in bjorn.said
    assert office.world.message(wire_id).state is MessageState.REFUSED
    office.let_pass(minutes=11)
    office.let_pass(minutes=11)
    assert office.receipts() == {wire_id}


@pytest.mark.long
def test_missed_arrival_is_fetched_again_from_its_page(browser: Browser, office: Office) -> None:
    wire_id = office.send()
    office.world.collect()
    office.world.gateway.lose(wire_id)
    office.world.work()
    assert office.world.arrival(wire_id).state is ArrivalState.MISSED
    office.world.gateway.redeliver(wire_id)
    with archivist_at(browser, office) as anne:
        anne.goto("/ko/ikke-mottatt")
        anne.enter()
        anne.expect_focus_on("Hent på nytt")
        anne.enter()

        assert "Forsendelsen hentes på nytt." in anne.said
        office.run_worker()
        anne.page.reload()
        assert "Alt som er sendt hit, er mottatt." in anne.text
    assert office.world.message(wire_id).state is MessageState.UNROUTED


@pytest.mark.long
def test_caller_hears_of_a_letter_of_its_own_and_nothing_of_others(
    browser: Browser, office: Office
) -> None:
    (wire_id,) = office.arrive("Melding om barnevern")
    with archivist_at(browser, office) as anne:
        known = _answer_on_telephone(anne, wire_id, SENDER)
        another_senders = _answer_on_telephone(anne, wire_id, OTHER)
        unknown = _answer_on_telephone(anne, wire_id.replace(wire_id[0], "0"), SENDER)

    assert "Hentet" in known
    assert "Journalført" in known
    assert another_senders == unknown
    assert "Hentet" not in unknown
    for name in ("Barneverntjenesten", "Sakarkiv", *NAMES.values()):
        assert name not in known


def _answer_on_telephone(anne: Archivist, wire_id: str, caller: str) -> str:
    """What the page says to somebody who asks, without the form above it."""
    anne.goto("/telefon")
    anne.page.get_by_label("Id-en som avsenderen oppgir").fill(wire_id)
    anne.page.get_by_label("De ringer fra (org.nr.)").fill(caller)
    anne.press_button("Finn")
    assert wire_id not in anne.page.url
    return anne.text.partition("Les opp")[2]


def _proposal_state(office: Office) -> ProposalState:
    with office.world.line.store.reading() as tx:
        return tx.exec(select(Proposal)).one().state


def _propose(anne: Archivist, queue: str, what: str, *, code: str = "") -> None:
    """Propose it for the first message of a queue, with a reason that can be chosen."""
    anne.goto(f"/ko/{queue}")
    anne.enter()
    anne.follow(what)
    if code:
        anne.page.locator(f"input[value={code}]").check()
    anne.page.locator("input[name=grunn]").first.check()
    anne.press_button(what)
    assert "En annen person må godkjenne." in anne.said


def _open_proposal(bjorn: Archivist) -> None:
    """From the front page's figure to the one proposal."""
    bjorn.goto("/")
    bjorn.click(bjorn.page.locator(".figures").get_by_role("link", name="Til godkjenning"))
    bjorn.click(bjorn.page.locator("main .todo a").first)
