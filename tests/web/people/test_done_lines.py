"""After an act the next page says what was done, and only what was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inbox.domain import MessageState, ReceiptState
from inbox.line.desk.short_reference import short_reference_of
from inbox.web.people.pages.done import Deed
from tests.line.desk.desk_world import mail, receipt
from tests.web.people.access.house import AccessHouse, Somebody, access_house
from tests.web.people.access.mailbag import Mailbag

_DONE = '<div class="done '


@pytest.fixture
def house(tmp_path: Path) -> Iterator[AccessHouse]:
    with access_house(tmp_path) as made:
        yield made


def _told_after(me: Somebody, address: str, fields: dict[str, str]) -> str:
    """What the next page says was done."""
    answer = me.post(address, fields)
    assert answer.status_code == 303, answer.text
    page = me.get(answer.headers["location"]).text
    assert page.count(_DONE) == 1
    return page.partition(_DONE)[2].partition("<span>")[2].partition("</span>")[0]


def _unanswered(house: AccessHouse) -> str:
    message_id = mail(house.hall, MessageState.REGISTERED)
    receipt(house.hall, message_id, ReceiptState.FAILED)
    return message_id


def test_receipt_sent_again_and_its_failure_accepted_say_different_things(
    house: AccessHouse,
) -> None:
    me, first, second = house.people["archivist"], _unanswered(house), _unanswered(house)

    again = _told_after(me, f"/melding/{first}/kvittering", {"grunn": "sender_asked"})
    given_up = {"grunn": "sender_told", "gjor": "godta"}
    accepted = _told_after(me, f"/melding/{second}/kvittering", given_up)

    assert again == f"Kvitteringen for {short_reference_of(first)} sendes på nytt."
    assert (
        accepted
        == f"Det er godtatt at kvitteringen for {short_reference_of(second)} ikke kom fram."
    )


def test_closed_task_is_said_on_the_front_page(house: AccessHouse) -> None:
    me = house.people["archivist"]
    task_id = Mailbag(house).id_of("of archivists")

    told = _told_after(me, f"/oppgave/{task_id}/lukk", {"grunn": "mended"})

    assert told == "Oppgaven er lukket."


def test_address_made_up_or_of_another_session_says_nothing(house: AccessHouse) -> None:
    message_id = mail(house.hall)
    me = house.people["archivist"]
    theirs = house.begin("anne", "archivist", "desk").told("/", Deed.APPROVED, message_id)
    made_up = f"/?gjort=godkjent.{message_id}"
    of_another_row = me.told("/", Deed.APPROVED, message_id).replace(message_id, "0" * 32)
    of_another_deed = me.told("/", Deed.APPROVED, message_id).replace("godkjent", "avslatt")

    for address in (theirs, made_up, of_another_row, of_another_deed, "/?gjort=x.y.z"):
        assert _DONE not in me.get(address).text, address
    assert _DONE in me.get(me.told("/", Deed.APPROVED, message_id)).text
