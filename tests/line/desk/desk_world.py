"""A school with mail that lies there as rows, and statements that are counted."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event

from inbox.access.lists.recheck import Recheck
from inbox.domain import (
    ArrivalState,
    HoldCause,
    MessageState,
    ProposalState,
    ReceiptState,
    Service,
    TaskState,
    new_id,
)
from inbox.line import Line
from inbox.line.moves.registration import data_key
from inbox.package.arkivmelding.model import (
    ArchiveMessage,
    CaseFile,
    Correspondent,
    RegistryEntry,
)
from inbox.package.verdict import Shape
from inbox.tables import Arrival, Message, Proposal, Receipt, Task, Unit, UnitTerms
from tests.line.school import School
from tests.worlds import OURS

CANARY = "Kanarifugl"
"""In every title, name and document name: nothing here may ever return it."""
CONTENT = f"{CANARY} i et dokument".encode()
_SHA256 = hashlib.sha256(CONTENT).hexdigest()
_FILES = {
    f"{CANARY}.pdf": "application/pdf",
    f"{CANARY}.PDF": "application/pdf",
    CANARY: "application/octet-stream",
}
_ARCHIVE = ArchiveMessage(
    shape=Shape.ORDINARY,
    system=None,
    message_id=None,
    made_at=None,
    case_file=CaseFile(
        system_id=None,
        case_id="2026/1",
        title=CANARY,
        public_title=None,
        administrative_unit=None,
        screening=None,
    ),
    registry_entries=(
        RegistryEntry(
            system_id=None,
            title=CANARY,
            public_title=None,
            type=None,
            status=None,
            registered_on=None,
            document_date=None,
            sent_on=None,
            screening=None,
            correspondents=(
                Correspondent(
                    kind="Avsender", name=CANARY, administrative_unit=None, case_handler=None
                ),
            ),
            documents=(),
        ),
    ),
    missing=(),
)


def verdict_of(sender: str, name: str | None, **more: object) -> str:
    """A verdict by which the sender signed the package itself."""
    signer = {"org_number": sender, "name": name, "serial": "1", "issuer": "CA"}
    said = {"chain": True, "signer_is": "sender", "signers": [signer], "code": None}
    return json.dumps(said | more)


def mail(hall: School, state: MessageState = MessageState.UNROUTED, **columns: Any) -> str:
    """A message in this state with sealed parts that are full of canaries; its id."""
    unit = columns.pop("unit", None if state is MessageState.UNROUTED else "skole")
    message_id = hall.message(state, unit=unit)
    metadata: dict[str, object] = {
        "process": "urn:p",
        "document_type": "arkivmelding",
        "conversation_id": None,
        "references": [],
        "signer": None,
        "on_behalf_of": None,
        "administrative_unit": "Skole",
        "access_restriction": None,
        "screening_authority": None,
        "public_title": f"{CANARY} i tittelen",
    }
    documents = [
        {"name": name, "media_type": kind, "size": len(CONTENT), "sha256": _SHA256}
        for name, kind in _FILES.items()
    ]
    with hall.line.store.transaction() as tx:
        key, message = data_key(tx, hall.line, message_id), tx.get_one(Message, message_id)
        for column, value in (
            ("sealed_metadata", metadata),
            ("sealed_archive", asdict(_ARCHIVE)),
            ("sealed_documents", documents),
        ):
            text = json.dumps(value).encode()
            setattr(message, column, key.seal(text, table="message", column=column, row=message_id))
        for name, value in columns.items():
            setattr(message, name, value)
    return message_id


def store_package(hall: School, message_id: str) -> None:
    """Put a container with the message's documents into the vault; nothing in it is signed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("mimetype", "application/vnd.etsi.asic-e+zip")
        for name in _FILES:
            archive.writestr(name, CONTENT)
    with hall.line.store.transaction() as tx:
        key, message = data_key(tx, hall.line, message_id), tx.get_one(Message, message_id)
        message.object_name = message_id
        message.size = len(packed.getvalue())
        message.digest = hashlib.sha256(packed.getvalue()).hexdigest()
        hall.line.vault.store(message_id, [packed.getvalue()], key.object_key())


def on_hold(hall: School, message_id: str, *, days: float = 3) -> None:
    """Put the message on hold for some days."""
    with hall.line.store.transaction() as tx:
        message = tx.get_one(Message, message_id)
        message.held_for = HoldCause.SENDER_ASKED
        message.held_until = tx.now + timedelta(days=days)


def receipt(hall: School, message_id: str, state: ReceiptState) -> None:
    """The receipt of a message, in this state."""
    with hall.line.store.transaction() as tx:
        tx.add(
            Receipt(
                id=new_id(),
                message_id=message_id,
                answers=message_id,
                outcome="OK",
                state=state,
                chosen_at=tx.now,
            )
        )


def arrival(hall: School, state: ArrivalState = ArrivalState.MISSED, **columns: Any) -> str:
    """An arrival of which no envelope is kept; its id."""
    arrival_id = new_id()
    with hall.line.store.transaction() as tx:
        values: dict[str, Any] = {
            "organisation": OURS,
            "wire_id": new_id(),
            "announced_at": tx.now,
            "code": "arrival.expired",
        }
        tx.add(
            Arrival(
                id=arrival_id,
                channel="eformidling",
                service=Service.DPO,
                state=state,
                **values | columns,
            )
        )
    return arrival_id


def set_terms(hall: School, unit: str, *, unopened_hours: int, unregistered_days: int = 3) -> None:
    """A unit's own terms."""
    with hall.line.store.transaction() as tx:
        tx.add(
            UnitTerms(
                unit=unit,
                unopened_hours=unopened_hours,
                unregistered_days=unregistered_days,
                opens_minute=8 * 60,
                closes_minute=16 * 60,
            )
        )


def another_organisation(hall: School, organisation: str) -> None:
    """A unit of another organisation on the same database."""
    with hall.line.store.transaction() as tx:
        tx.add(Unit(id=f"u{organisation}", organisation=organisation, name="X", active_from=tx.now))


def trusting(line: Line) -> Line:
    """The same line, whose lists are not decided again row by row: its statements are counted."""
    return replace(line, recheck=Recheck(0))


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The statements that are executed meanwhile."""
    texts: list[str] = []

    def note(*told: Any) -> None:
        texts.append(str(told[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield texts
    finally:
        event.remove(engine, "before_cursor_execute", note)


def at(hall: School, **ago: float) -> datetime:
    """So long ago."""
    return hall.world.clock.now - timedelta(**ago)


def fill(hall: School, organisation: str) -> list[str]:
    """Mail of an organisation in every state, with tasks, proposals, receipts and a hold."""
    made = []
    for number, state in enumerate(MessageState):
        message_id = mail(
            hall,
            state,
            received_at=at(hall, hours=number * 20),
            organisation=organisation,
            documents_hash="same",
            registered_at=at(hall) if number % 2 else None,
            registered_by="word" if number % 2 else None,
        )
        made.append(message_id)
        with hall.line.store.transaction() as tx:
            tx.add(
                Task(
                    id=new_id(),
                    kind="distribute",
                    subject_id=message_id,
                    message_id=message_id,
                    role="archivist",
                    state=TaskState.OPEN,
                    opened_at=tx.now,
                )
            )
            tx.add(
                Proposal(
                    id=new_id(),
                    kind="refuse",
                    subject_id=message_id,
                    state=ProposalState.OPEN,
                    proposer="bjorn",
                    sealed_payload=b"",
                    created_at=tx.now,
                    expires_at=at(hall, days=-9),
                )
            )
        if state in {MessageState.REGISTERED, MessageState.REFUSED}:
            receipt(hall, message_id, ReceiptState.FAILED)
    on_hold(hall, made[3])
    return [*made, arrival(hall, organisation=organisation)]
