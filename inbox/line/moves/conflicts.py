"""A person declares a conflict of interest (*melder inhabilitet*), alone and at once.

Who is in conflict decides that first (Public Administration Act section 8), so nobody else need
agree. From the commit on neither that person nor a colleague who stands in for them has the
messages of it, and a message of it that comes later is simply not there. Two others end it
(`proposals.conflict_end`).
"""

from enum import StrEnum

from sqlmodel import Session, col, select

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity
from inbox.domain import new_id
from inbox.errors import Conflict
from inbox.line import Line
from inbox.line.authorize import Authorized, active_policy, authorized_transaction, message_subject
from inbox.line.moves.conflict_settlement import settle_conflicts_of
from inbox.tables import ConflictOfInterest, Message, MessageReference


class ConflictAbout(StrEnum):
    """What the person has a conflict of interest with."""

    MESSAGE = "message"
    SENDER = "sender"
    """The sender of the message: all mail of it, also mail that comes later."""
    CASE = "case"
    """The cases of ours that the message mentions: all mail that mentions one of them."""


def declare_conflict(
    line: Line, capacity: Capacity, message_id: str, *, about: ConflictAbout
) -> None:
    """Declare one's own conflict of interest with a message, its sender or its case.

    The person's assignments and access of all messages concerned end in the same transaction, and
    who else may assign them gets a task (`conflict_settlement`). Raises what `authorize` raises: a
    repeated call finds no message. Raises `Conflict` where the message names no sender, or no case.
    """
    subject = message_subject(message_id)
    with authorized_transaction(line, capacity, Action.DECLARE_CONFLICT, subject) as authorized:
        for row in _conflicts(authorized, message_id, about):
            authorized.tx.add(row)
            authorized.record(
                event="conflict:declared",
                subject=row.id,
                message_id=message_id,
                code=f"conflict.{about}",
                committed={"person": row.person},
            )
        authorized.tx.flush()
        policy = active_policy(line, authorized.tx)
        settle_conflicts_of(authorized.tx, policy, capacity.person, who=capacity.id)


def _conflicts(
    authorized: Authorized, message_id: str, about: ConflictAbout
) -> list[ConflictOfInterest]:
    tx, person = authorized.tx, authorized.capacity.person
    assert person is not None

    def row(**with_what: str) -> ConflictOfInterest:
        found = ConflictOfInterest(id=new_id(), person=person, declared=True, active_from=tx.now)
        for name, value in with_what.items():
            setattr(found, name, value)
        return found

    match about:
        case ConflictAbout.MESSAGE:
            return [row(message_id=message_id)]
        case ConflictAbout.SENDER:
            sender = tx.get_one(Message, message_id).sender
            if sender is None:
                raise Conflict("conflict.no_sender", "the message names no sender")
            return [row(sender=sender)]
        case ConflictAbout.CASE:
            cases = _cases(tx, message_id)
            if not cases:
                raise Conflict("conflict.no_case", "the message mentions no case of ours")
            return [row(reference_hash=each) for each in cases]


def _cases(session: Session, message_id: str) -> list[str]:
    return sorted(
        session.exec(
            select(MessageReference.reference_hash).where(
                col(MessageReference.message_id) == message_id
            )
        )
    )
