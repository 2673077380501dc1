"""Write and read the notes on a message: who may write notes on it may also read them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, func, select

from inbox.access.lists import pages
from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import Capacity
from inbox.domain import PersonId, UnitId, new_id
from inbox.errors import Invalid
from inbox.keys import DataKey
from inbox.line import Line
from inbox.line.authorize import (
    Authorized,
    active_policy,
    authorized_transaction,
    message_subject,
)
from inbox.line.moves.registration import data_key
from inbox.line.queue import unwrap_stored_key
from inbox.tables import Note, WrappedKey

LONGEST_NOTE: Final = 4000


@dataclass(frozen=True, kw_only=True)
class NoteView:
    """A note as a person may read it; its text is None once the message has been erased."""

    id: str
    written_at: datetime
    person: PersonId
    role: Role
    unit: UnitId
    shielding: str | None
    text: str | None = field(repr=False)


def write_note(
    line: Line, capacity: Capacity, message_id: str, *, text: str, shielding: str | None = None
) -> str:
    """Write a note on a message and return its id.

    A note is never changed, and is erased with the message.

    With a shielding of its own, said as in mail, it is only for those who are cleared for that too.
    The text is sealed; the audit commits to it.

    Raises `Invalid` for a text that is empty or too long, and for a shielding that the writer is
    not cleared for: nobody writes what they may not read. What nobody has described is the `?`.
    """
    raw = _check_and_encode(text)
    with authorized_transaction(
        line, capacity, Action.NOTE, message_subject(message_id)
    ) as authorized:
        code = active_policy(line, authorized.tx).shielding_code(shielding)
        row = _insert_note(line, authorized, message_id, raw, code)
        is_seen = row.id in {each.id for each in _visible_notes(authorized, message_id)}
        if not is_seen or (shielding is not None and code is None):
            raise Invalid("note.shielding", "not a shielding that you are cleared for")
        committed = {"text": text}
        authorized.record(
            event="note:written", subject=row.id, message_id=message_id, committed=committed
        )
        return row.id


def read_notes(line: Line, capacity: Capacity, message_id: str) -> Sequence[NoteView]:
    """The notes on a message that this person may read, the oldest first.

    The reading is audited first.
    """
    with authorized_transaction(
        line, capacity, Action.NOTE, message_subject(message_id)
    ) as authorized:
        authorized.record(event="message:notes_read", subject=message_id, message_id=message_id)
        stored = authorized.tx.get(WrappedKey, message_id)
        key = None if stored is None else unwrap_stored_key(line, stored)
        return [_note_view(row, key) for row in _visible_notes(authorized, message_id)]


def _check_and_encode(text: str) -> bytes:
    """The text in UTF-8; invalid text is found without an exception that would carry the text."""
    raw = text.encode(errors="ignore")
    if raw.decode() != text:
        raise Invalid("note.text", "a note is text in UTF-8")
    if not text.strip() or len(text) > LONGEST_NOTE:
        raise Invalid("note.text", f"a note has 1 to {LONGEST_NOTE} characters")
    return raw


def _insert_note(
    line: Line, authorized: Authorized, message_id: str, raw: bytes, shielding: str | None
) -> Note:
    """The row itself; the message's lock keeps the numbers apart."""
    session, capacity = authorized.tx, authorized.capacity
    assert capacity.person is not None
    assert capacity.unit is not None
    row_id = new_id()
    sealed = data_key(session, line, message_id).seal(
        raw, table="note", column="sealed_text", row=row_id
    )
    row = Note(
        id=row_id,
        message_id=message_id,
        number=_note_count(session, message_id) + 1,
        person=capacity.person,
        role=capacity.role.value,
        unit=capacity.unit,
        shielding=shielding,
        sealed_text=sealed,
        written_at=authorized.tx.now,
    )
    session.add(row)
    session.flush()
    return row


def _note_count(session: Session, message_id: str) -> int:
    return session.exec(select(func.count()).where(col(Note.message_id) == message_id)).one()


def _visible_notes(authorized: Authorized, message_id: str) -> Sequence[Note]:
    statement = pages.visible_notes(authorized.capacity, authorized.tx.now, message_id)
    return authorized.tx.execute(statement).scalars().all()


def _note_view(row: Note, key: DataKey | None) -> NoteView:
    text = None
    if key is not None:
        text = key.unseal(row.sealed_text, table="note", column="sealed_text", row=row.id).decode()
    return NoteView(
        id=row.id,
        written_at=row.written_at,
        person=PersonId(row.person),
        role=Role(row.role),
        unit=UnitId(row.unit),
        shielding=row.shielding,
        text=text,
    )
