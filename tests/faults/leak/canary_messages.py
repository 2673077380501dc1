"""Words that stand in everything confidential of a letter, so that a leak can be seen."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from inbox.simulator.packages.arkivmelding import ArkivmeldingLetter, arkivmelding_xml
from inbox.simulator.packages.builder import Parcel, ParcelDocument, Tamper, package_bytes
from inbox.simulator.packages.envelopes import sbd_json
from tests.faults.leak.leak_search import Hit
from tests.worlds import OURS, SENDER, World

CANARY: Final = "zqkanariæfuglvjx"
NATIONAL_ID: Final = "71345678914"
WORDS: Final = (CANARY, CANARY[:8], NATIONAL_ID)
"""The beginning alone, too: what is escaped twice still has its ASCII letters side by side."""
REFERENCE: Final = f"2026/{CANARY}-referanse"
"""The archive's reference goes back to the sender; it is nowhere else in the clear."""


def canary(what: str) -> str:
    """The word, and after it what it stands in, so that a hit says what leaked."""
    return f"{CANARY}-{what}"


def letter(public_title: str) -> ArkivmeldingLetter:
    """An arkivmelding with the word in every text that a sender can choose."""
    return replace(
        ArkivmeldingLetter(),
        file_names=(f"{canary('filnavn')} æ “ny”.pdf",),
        title=f"{canary('tittel')} {NATIONAL_ID}",
        public_title=f"{public_title} {canary('offentlig')}",
        case_title=f"{canary('sakstittel')} {NATIONAL_ID}",
        case_public_title=canary("saksoffentlig"),
        sender_name=canary("avsender"),
        receiver_name=canary("mottaker"),
        receiver_unit=canary("enhet"),
        receiver_person=f"{canary('person')} {NATIONAL_ID}",
        class_title=canary("klasse"),
    )


def package_of(
    world: World, public_title: str, *, tamper: Tamper | None = None, more: bytes = b""
) -> bytes:
    """A container whose every confidential part has the word."""
    made = letter(public_title)
    content = f"%PDF-1.7 {canary('innhold')} {NATIONAL_ID}\n".encode() * 200 + more
    parcel = Parcel(
        sender=SENDER,
        receiver=OURS,
        signer=world.authority.issue(SENDER, valid_from=world.clock.now - timedelta(days=30)),
        documents=(ParcelDocument(made.file_names[0], "application/pdf", content),),
        arkivmelding=arkivmelding_xml(made),
        signed_at=world.clock.now,
        tamper=tamper,
    )
    return package_bytes(parcel)


def send(
    world: World, public_title: str, *, tamper: Tamper | None = None, answered: bool = True
) -> str:
    """Put such a message into the queue; its wire id. What is answered has a plain conversation."""
    envelope = sbd_json(
        sender=SENDER,
        receiver=OURS,
        conversation_id=None if answered else canary("samtale"),
        sender_ref=canary("avsenders-referanse"),
        receiver_ref=canary("var-referanse"),
        channel=canary("kanal"),
        body={"sikkerhetsnivaa": 3, "hoveddokument": canary("hoveddokument")},
        created_at=world.clock.now,
        life=timedelta(days=60),
    )
    return world.gateway.put(envelope, package_of(world, public_title, tamper=tamper))


def not_for_senders(receipts: list[dict[str, object]]) -> list[str]:
    """The receipts, without the one thing that must be in them."""
    return [json.dumps(receipt, ensure_ascii=False).replace(REFERENCE, "") for receipt in receipts]


def describe_hits(hits: list[Hit]) -> Mapping[str, str]:
    """Hits for a reader: where, how, and what was there."""
    return {f"{hit.where} ({hit.how})": ascii(hit.around) for hit in hits[:20]}
