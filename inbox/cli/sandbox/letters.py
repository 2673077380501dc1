"""The sandbox's letters: a few kinds in turn, each with something that a case system must bear."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from inbox.simulator.demo_mail.documents import document
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.packages.arkivmelding import (
    ArkivmeldingLetter,
    arkivmelding_xml,
    minimal_arkivmelding_xml,
)
from inbox.simulator.packages.builder import Dialect, Parcel, ParcelDocument, package_bytes
from inbox.simulator.packages.certificates import SigningKey, TestAuthority
from inbox.simulator.packages.envelopes import sbd_json

OWN: Final = "910075918"
SENDER: Final = "910077473"
_LIFE: Final = timedelta(days=4)
_ARKIVMELDING: Final[Callable[[ArkivmeldingLetter], bytes]] = arkivmelding_xml


@dataclass(frozen=True, kw_only=True)
class LetterKind:
    """What is odd about a letter, and the documents in it."""

    about: str
    documents: tuple[ParcelDocument, ...] = field(repr=False)
    write: Callable[[ArkivmeldingLetter], bytes] = _ARKIVMELDING
    dialect: Dialect = Dialect.GENUINE


_LETTER: Final = (
    document("brev.pdf", "Oppdiktet brev", "", "Alt i dette brevet er oppdiktet."),
    document("vedlegg.txt", "Alt i dette vedlegget er oppdiktet."),
)
KINDS: Final = (
    LetterKind(about="a letter with one attachment", documents=_LETTER),
    LetterKind(
        about="a bare one: `missing` says what its sender left out",
        documents=(document("notat.pdf", "Oppdiktet notat"),),
        write=minimal_arkivmelding_xml,
    ),
    LetterKind(
        about="documents that you had before: `same_content` says of which message",
        documents=_LETTER,
    ),
    LetterKind(
        about="odd file names, signed with SHA-256",
        documents=(
            document("Svar på søknad – æøå (kopi).pdf", "Oppdiktet svar"),
            document("1; drop table.txt", "Alt i dette vedlegget er oppdiktet."),
        ),
        dialect=Dialect.MODERN,
    ),
)


@dataclass(frozen=True, kw_only=True)
class PutLetter:
    """A letter that was put into the gateway."""

    number: int
    about: str
    wire_id: str
    """The sender's id of the message."""


class LetterBox:
    """Puts letters into the simulated gateway, one at a time."""

    def __init__(self, gateway: GatewaySimulator, authority: TestAuthority) -> None:
        self._gateway = gateway
        self._signer: SigningKey = authority.issue(SENDER, name="Eksempel kommune")
        self._number = 0

    def put(self, now: datetime) -> PutLetter:
        """Put the next letter."""
        kind = KINDS[self._number % len(KINDS)]
        self._number += 1
        wire_id = str(uuid.uuid4())
        names = tuple(each.name for each in kind.documents)
        letter = ArkivmeldingLetter(message_id=wire_id, file_names=names, at=now)
        parcel = Parcel(
            sender=SENDER,
            receiver=OWN,
            signer=self._signer,
            documents=kind.documents,
            arkivmelding=kind.write(letter),
            dialect=kind.dialect,
            signed_at=now,
        )
        envelope = sbd_json(
            sender=SENDER,
            receiver=OWN,
            message_id=wire_id,
            body={"sikkerhetsnivaa": 3, "hoveddokument": names[0]},
            created_at=now,
            life=_LIFE,
        )
        self._gateway.put(envelope, package_bytes(parcel))
        return PutLetter(number=self._number, about=kind.about, wire_id=wire_id)
