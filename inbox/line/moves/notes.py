"""Write and read the notes on a message: whoever may write notes on it may also read them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, func, select

from inbox.access.lists import pages
from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import Capacity, Given
from inbox.domain import PersonId, UnitId, new_id
from inbox.errors import Invalid
from inbox.keys import DataKey
from inbox.line import Line
from inbox.line.authorize import Turn, active_policy, ask, of_message
from inbox.line.moves.registration import data_key
from inbox.line.queue import unwrap
from inbox.tables import Note, WrappedKey

LONGEST: Final = 4000


@dataclass(frozen=True, kw_only=True)
class Noted:
    """A note as a person may read it; its text is None once the message has been erased."""

    id: str
    written_at: datetime
    person: PersonId
    role: Role
    unit: UnitId
    shielding: str | None
    text: str | None = field(repr=False)


def note(
    line: Line, capacity: Capacity, message_id: str, *, text: str, shielding: str | None = None
) -> str:
    """Write a note on a message and return its id.

    A note is never changed, and is erased with the message.

    With a shielding of its own, said as in mail, it is only for those who are cleared for that too.
    The text is sealed; the audit commits to it.

    Raises `Invalid` for a text that is empty or too long, and for a shielding that the writer is
    not cleared for: nobody writes what they may not read. What nobody has described is the `?`.
    """
    raw = _checked(text)
    with line.store.transaction() as (session, now):
        turn = ask(line, session, now, capacity, Action.NOTE, of_message(message_id), Given())
        code = active_policy(line, session).shielding(shielding)
        row = _written(line, turn, message_id, raw, code)
        is_seen = row.id in {each.id for each in _shown(turn, message_id)}
        if not is_seen or (shielding is not None and code is None):
            raise Invalid("note.shielding", "not a shielding that you are cleared for")
        committed = {"text": text}
        turn.note(event="note:written", subject=row.id, message_id=message_id, committed=committed)
        return row.id


def notes(line: Line, capacity: Capacity, message_id: str) -> Sequence[Noted]:
    """The notes on a message that this person may read, the oldest first.

    The reading is audited first.
    """
    with line.store.transaction() as (session, now):
        turn = ask(line, session, now, capacity, Action.NOTE, of_message(message_id), Given())
        turn.note(event="message:notes_read", subject=message_id, message_id=message_id)
        stored = session.get(WrappedKey, message_id)
        key = None if stored is None else unwrap(line, stored)
        return [_noted(row, key) for row in _shown(turn, message_id)]


def _checked(text: str) -> bytes:
    """The text in UTF-8; what is none is found without an exception that would carry the text."""
    raw = text.encode(errors="ignore")
    if raw.decode() != text:
        raise Invalid("note.text", "a note is text in UTF-8")
    if not text.strip() or len(text) > LONGEST:
        raise Invalid("note.text", f"a note has 1 to {LONGEST} characters")
    return raw


def _written(line: Line, turn: Turn, message_id: str, raw: bytes, shielding: str | None) -> Note:
    """The row itself; the message's lock keeps the numbers apart."""
    session, capacity = turn.session, turn.capacity
    assert capacity.person is not None
    assert capacity.unit is not None
    row_id = new_id()
    sealed = data_key(session, line, message_id).seal(
        raw, table="note", column="sealed_text", row=row_id
    )
    row = Note(
        id=row_id,
        message_id=message_id,
        number=_count(session, message_id) + 1,
        person=capacity.person,
        role=capacity.role.value,
        unit=capacity.unit,
        shielding=shielding,
        sealed_text=sealed,
        written_at=turn.now,
    )
    session.add(row)
    session.flush()
    return row


def _count(session: Session, message_id: str) -> int:
    return session.exec(select(func.count()).where(col(Note.message_id) == message_id)).one()


def _shown(turn: Turn, message_id: str) -> Sequence[Note]:
    statement = pages.notes(turn.capacity, turn.now, message_id)
    return turn.session.execute(statement).scalars().all()


def _noted(row: Note, key: DataKey | None) -> Noted:
    text = None
    if key is not None:
        text = key.unseal(row.sealed_text, table="note", column="sealed_text", row=row.id).decode()
    return Noted(
        id=row.id,
        written_at=row.written_at,
        person=PersonId(row.person),
        role=Role(row.role),
        unit=UnitId(row.unit),
        shielding=row.shielding,
        text=text,
    )
