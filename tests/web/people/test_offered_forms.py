"""A page offers what can be done, and says of a reason who reads it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inbox.domain import MessageState
from tests.line.desk.desk_world import mail
from tests.web.people.access.house import AccessHouse, access_house
from tests.web.people.access.mailbag import Mailbag

_RELEASE = "Foreslå frigivelse fra karantene"
_BY_APPROVER, _BY_PROPOSER = "Leses av den som skal godkjenne.", "Leses av den som foreslo det."


@pytest.fixture
def house(tmp_path: Path) -> Iterator[AccessHouse]:
    with access_house(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("code", "offered"), [("signer.not_sender", True), ("signature.wrong", False)]
)
def test_release_from_quarantine_is_offered_only_where_its_code_can_be_waived(
    house: AccessHouse, code: str, *, offered: bool
) -> None:
    message_id = mail(house.hall, MessageState.QUARANTINED, unit=None, code=code)

    page = house.people["archivist"].get(f"/melding/{message_id}").text

    assert (_RELEASE in page) is offered
    assert "Foreslå avvisning" in page


def test_reason_says_who_reads_it(house: AccessHouse) -> None:
    me, bag = house.people["archivist"], Mailbag(house)

    refusal = me.get(f"/melding/{bag.id_of('to distribute')}/avvisning").text
    proposal = me.get(f"/forslag/{bag.id_of('proposed by another')}").text
    task = me.get(f"/oppgave/{bag.id_of('of archivists')}").text

    assert _BY_APPROVER in refusal
    assert _BY_PROPOSER in proposal
    assert _BY_APPROVER not in proposal + task
    assert "Uten navn og fødselsnummer." in task
