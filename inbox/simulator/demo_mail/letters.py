"""The demo's mailbag: made-up but lifelike letters, and what must become of each."""

import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inbox.simulator.demo_mail.documents import Wrapped, document, recording
from inbox.simulator.demo_mail.expectations import Expectation, Fate
from inbox.simulator.demo_mail.odd_letters import ODD
from inbox.simulator.demo_mail.ordinary_letters import ORDINARY
from inbox.simulator.demo_mail.plan import Comes, Packing, Plan
from inbox.simulator.demo_mail.senders import CAPABILITIES, KNOWN_REFERENCES, NAMES, OWN, SUPPLIER
from inbox.simulator.gateway.queue import Damage, Package
from inbox.simulator.packages import arkivmelding, envelopes
from inbox.simulator.packages.builder import Dialect, Parcel, ParcelDocument, Tamper, package_bytes
from inbox.simulator.packages.certificates import SigningKey, TestAuthority
from inbox.simulator.packages.envelopes import Envelope, sbd_json

__all__ = [
    "CAPABILITIES",
    "KNOWN_REFERENCES",
    "OWN",
    "Letter",
    "Signers",
    "letter_of",
    "mailbag",
    "refusals",
]

LARGE_BYTES = 40 << 20
_LIFE = timedelta(days=4)
_SEED = "vestre fjord"
_BARE = f"""<?xml version="1.0" encoding="UTF-8"?>
<arkivmelding xmlns="{arkivmelding.NAMESPACE}"><mappe><basisregistrering/></mappe></arkivmelding>
""".encode()
_GRADE = b"""</skjerming>
    <gradering>
      <gradering>Fortrolig (beskyttelsesgrad)</gradering>
      <graderingsdato>2026-11-20T09:00:00+01:00</graderingsdato>
      <gradertAv>Oppdiktet Leder</gradertAv>
    </gradering>"""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One letter, ready for the gateway."""

    name: str
    plan: Plan = field(repr=False)
    envelope: Envelope = field(repr=False)
    parcel: Parcel = field(repr=False)
    """What is in the package."""
    package: Package = field(repr=False)
    """The bytes that the gateway gives, or why it gives none."""
    service: str
    expect: Expectation

    @property
    def message_id(self) -> str:
        """The sender's id; `same-id-other-bytes` shares it with the letter that it follows."""
        return envelopes.message_id_of(self.envelope)


def mailbag(authority: TestAuthority, now: datetime) -> list[Letter]:
    """All letters in the order in which they come; `now` is when the first can be fetched.

    The same every time, but for certificates and names of signatures. A letter that `follows`
    another stands after it.
    """
    signers = Signers(authority)
    made: dict[str, Letter] = {}
    for place, plan in enumerate(_in_order()):
        sent_at = now - timedelta(minutes=7 * (60 - place), seconds=13 * place)
        made[plan.name] = letter_of(plan, signers, made, sent_at)
    return list(made.values())


def refusals(letters: Sequence[Letter]) -> Mapping[str, str]:
    """The senders' ids of what a case system refuses, each with its code."""
    no = (Fate.RETURNED, Fate.SENT_BACK)
    returned = (letter for letter in letters if letter.expect.fate in no)
    return {letter.message_id: letter.expect.code or "refused" for letter in returned}


def _in_order() -> Sequence[Plan]:
    """Shuffled, as mail is; what comes later stands last, after what it follows."""
    plans = [*ORDINARY, *ODD]
    random.Random(_SEED).shuffle(plans)
    return sorted(plans, key=lambda plan: plan.comes is not Comes.AT_START)


class Signers:
    """One certificate for each organisation."""

    def __init__(self, authority: TestAuthority) -> None:
        self._authority = authority
        self._signers: dict[str, SigningKey] = {}

    def of(self, org_number: str) -> SigningKey:
        """The key with which an organisation signs."""
        if org_number not in self._signers:
            name = NAMES[org_number]
            self._signers[org_number] = self._authority.issue(org_number, name=name)
        return self._signers[org_number]


def letter_of(
    plan: Plan, signers: Signers, made: Mapping[str, Letter], sent_at: datetime
) -> Letter:
    """The letter of a plan; `made` has those that it follows, by their names."""
    envelope = _envelope(plan, sent_at)
    if plan.packing is Packing.OTHER_BYTES and plan.follows is not None:
        envelope = made[plan.follows].envelope
    message_id = envelopes.message_id_of(envelope)
    resent = None if plan.resends is None else made[plan.resends].parcel
    documents = tuple(_documents(plan)) if resent is None else resent.documents
    parcel = Parcel(
        sender=plan.sender,
        receiver=OWN,
        signer=signers.of(_signer_of(plan)),
        documents=documents,
        arkivmelding=_arkivmelding(plan, documents, message_id, sent_at),
        dialect=Dialect.MODERN if plan.packing is Packing.MODERN else Dialect.GENUINE,
        tamper=Tamper.BROKEN_SIGNATURE if plan.packing is Packing.BROKEN else None,
        signed_at=sent_at,
    )
    return Letter(
        name=plan.name,
        plan=plan,
        envelope=envelope,
        parcel=parcel,
        package=_package(plan, parcel),
        service="DPF" if plan.packing is Packing.SVARINN else "DPO",
        expect=plan.expect,
    )


def _package(plan: Plan, parcel: Parcel) -> Package:
    if plan.packing is Packing.LOST:
        return Damage.FILE_MISSING
    return Wrapped(parcel) if plan.packing is Packing.LARGE else package_bytes(parcel)


def _signer_of(plan: Plan) -> str:
    return {Packing.SVARINN: OWN, Packing.SUPPLIED: SUPPLIER}.get(plan.packing, plan.sender)


def _envelope(plan: Plan, sent_at: datetime) -> Envelope:
    source = random.Random(f"{_SEED}/{plan.name}")
    ids = [str(uuid.UUID(int=source.getrandbits(128), version=4)) for _ in range(3)]
    svarinn = plan.packing is Packing.SVARINN
    bare = svarinn or plan.packing is Packing.BARE
    supplied = plan.packing is Packing.SUPPLIED
    return sbd_json(
        sender=f"{SUPPLIER}:{plan.sender}" if supplied else plan.sender,
        receiver=OWN,
        message_id=ids[0],
        conversation_id=ids[0] if svarinn else ids[1],
        body={} if bare else {"sikkerhetsnivaa": 3, "hoveddokument": plan.main},
        sender_ref=None if bare else ids[2],
        receiver_ref=plan.our_reference,
        created_at=sent_at,
        life=None if plan.packing is Packing.BARE else _LIFE,
    )


def _documents(plan: Plan) -> Iterator[ParcelDocument]:
    yield document(plan.main, plan.title, "", *plan.lines)
    for number, name in enumerate(plan.attachments, start=1):
        if plan.packing is Packing.LARGE:
            yield recording(name, LARGE_BYTES, seed=f"{_SEED}/{plan.name}")
        elif name.endswith(".csv"):
            yield document(name, "post;beløp", *(f"post {row};{row * 1200}" for row in range(1, 9)))
        else:
            yield document(name, f"Vedlegg {number}", "", "Alt i dette vedlegget er oppdiktet.")


def _arkivmelding(
    plan: Plan, documents: tuple[ParcelDocument, ...], message_id: str, sent_at: datetime
) -> bytes:
    if plan.packing is Packing.BARE:
        return _BARE
    letter = arkivmelding.ArkivmeldingLetter(
        message_id=message_id,
        file_names=tuple(each.name for each in documents),
        title=plan.title,
        public_title=plan.public,
        case_title=plan.title,
        case_public_title=plan.public,
        sender_name=NAMES.get(plan.sender, "Ukjent avsender"),
        receiver_name=NAMES[OWN],
        receiver_unit=plan.unit_named,
        authority=plan.authority,
        class_id=None,
        at=sent_at,
    )
    if plan.packing is Packing.SVARINN:
        return arkivmelding.minimal_arkivmelding_xml(letter)
    whole = arkivmelding.arkivmelding_xml(letter)
    if plan.packing is Packing.GRADED:
        return whole.replace(b"</skjerming>", _GRADE, 1)
    return whole
