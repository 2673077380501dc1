"""A letter whose every name and word is a canary, and what people have written about it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from inbox.access.policy.vocabulary import Role
from inbox.domain import MessageState
from inbox.line.moves import notes, unit
from inbox.line.proposals import message_proposals
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.simulator.packages.arkivmelding import ArkivmeldingLetter, arkivmelding_xml
from inbox.simulator.packages.builder import ParcelDocument
from tests.web.people.access.house import AccessHouse

TITLE, CASE, PARTY, DOCUMENT = "Tittelkanari", "Sakskanari", "Partskanari", "Dokumentkanari"
CONTENT, NATIONAL_ID = "Innholdskanari", "17057512345"
NOTE, REASON = "Notatkanari", "Grunnkanari"
OF_THE_LETTER: Final = (TITLE, CASE, PARTY, DOCUMENT, CONTENT, NATIONAL_ID)
"""Nobody sees these on any page of people who distribute mail."""
IN_THE_TITLE: Final = (TITLE, PARTY, NATIONAL_ID)
"""Those who may list it see these."""
EVERY: Final = (*OF_THE_LETTER, NOTE, REASON)


@dataclass(frozen=True)
class Letters:
    """The ids of what was made."""

    unrouted: str
    own_unit: str
    """With the school, and with nobody there."""
    assigned: str
    """With the school, and taken by the handler."""
    quarantined: str
    proposal: str
    wire_id: str


def send_letters(house: AccessHouse) -> Letters:
    """Genuine letters, through the whole line: to distribute, to the school, into quarantine."""
    world = house.hall.world
    sent = [_send(house, each) for each in ("Noe annet", "Om en elev", "Om en elev til")]
    issued = world.authority.issue("987654325", valid_from=world.clock.now - timedelta(days=30))
    spoilt = _send(house, "Noe annet", signer=issued)
    world.collect()
    world.work()
    found = [world.message(each) for each in (*sent, spoilt)]
    unrouted, own_unit, assigned, quarantined = found
    assert [each.state for each in found] == [
        MessageState.UNROUTED,
        MessageState.ROUTED,
        MessageState.ROUTED,
        MessageState.QUARANTINED,
    ]
    bjorn = world.person("bjorn", Role.ARCHIVIST, "desk", strong=False)
    notes.write_note(world.line, bjorn, unrouted.id, text=f"{NOTE} om den")
    proposal = message_proposals.propose(
        world.line,
        bjorn,
        ProposalKind.REFUSE,
        unrouted.id,
        code="not_for_us",
        reason=f"clear_from_envelope: {REASON}",
    )
    unit.take(world.line, house.hall.handler(), assigned.id)
    return Letters(unrouted.id, own_unit.id, assigned.id, quarantined.id, proposal, sent[0])


def _send(house: AccessHouse, public_title: str, **more: object) -> str:
    letter = ArkivmeldingLetter(
        title=f"{TITLE} {PARTY} {NATIONAL_ID}",
        case_title=f"{CASE} {NATIONAL_ID}",
        public_title=f"{public_title} {TITLE}",
        case_public_title=CASE,
        receiver_person=f"{PARTY} {NATIONAL_ID}",
        file_names=(f"{DOCUMENT}.pdf",),
    )
    parcel = {
        "arkivmelding": arkivmelding_xml(letter),
        "documents": (ParcelDocument(f"{DOCUMENT}.pdf", "application/pdf", CONTENT.encode()),),
        **more,
    }
    return house.hall.world.send(public_title, parcel=parcel)
