"""All the small things that a message's page needs beside the message, read by one statement.

Each branch of the UNION gives rows of one kind in the same columns: what it is, an id, a text, who,
and when.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import LargeBinary, String
from sqlalchemy.types import TypeEngine
from sqlmodel import col

from inbox.access.policy.vocabulary import Role
from inbox.domain import ProposalState, TaskState
from inbox.store import Transaction
from inbox.tables import (
    AuditEntry,
    CapacityRow,
    InHandRow,
    KnownReference,
    Message,
    MessageReference,
    Person,
    Proposal,
    Task,
    Unit,
    UtcDateTime,
)
from inbox.tables.periods import active_on


@dataclass(frozen=True, kw_only=True)
class MessageMark:
    """One of the small things."""

    id: str | None
    text: str | None
    who: str | None
    at: datetime | None
    until: datetime | None
    number: int
    leaf: bytes | None


def message_marks(
    tx: Transaction, message: Message, visible: sa.Select[str], role: Role
) -> Mapping[str, Sequence[MessageMark]]:
    """By kind: units, leaders, archivists, in hand, proposals, tasks, references, copies, entries.

    Copies are of the visible messages alone, tasks those of the role. For handlers and leaders the
    people of the message's unit, too (`colleague`). Called for those who may know of the message.
    """
    branches = [
        *_people_branches(tx, message),
        *_message_branches(tx, message, visible, role),
    ]
    found: defaultdict[str, list[MessageMark]] = defaultdict(list)
    union = sa.union_all(*branches).subquery()
    rows = tx.execute(
        sa.select(union).order_by(
            union.c.what, union.c.number, union.c.at, union.c.text, union.c.id
        )
    )
    for what, *values in rows:
        found[what].append(MessageMark(**dict(zip(_TYPES, values, strict=True))))
    return found


_TYPES: Final[Mapping[str, TypeEngine[Any]]] = {
    "id": String(),
    "text": String(),
    "who": String(),
    "at": UtcDateTime(),
    "until": UtcDateTime(),
    "number": sa.BigInteger(),
    "leaf": LargeBinary(),
}


def _branch(what: str, table: Any, **columns: Any) -> sa.Select[Any]:
    """Rows of one kind: the columns that it has, and nothing in the others."""
    shown: list[sa.ColumnElement[Any]] = [sa.literal(what, String()).label("what")]
    for name, kind in _TYPES.items():
        value: sa.ColumnElement[Any] = sa.cast(sa.null(), kind)
        if name in columns:
            value = sa.type_coerce(columns[name], kind)
        elif name == "number":
            value = sa.literal(0, kind)
        shown.append(value.label(name))
    return sa.select(*shown).select_from(table)


def _people_branches(tx: Transaction, message: Message) -> list[sa.Select[Any]]:
    own = sa.and_(col(Unit.organisation) == message.organisation, active_on(Unit, tx.now))
    acting = sa.and_(own, active_on(CapacityRow, tx.now), active_on(Person, tx.now))
    people = sa.join(CapacityRow, Person, col(Person.id) == col(CapacityRow.person)).join(
        Unit, col(Unit.id) == col(CapacityRow.unit)
    )
    return [
        _branch(
            "unit",
            Unit,
            id=col(Unit.id),
            text=col(Unit.name),
            who=col(Unit.case_system),
            number=sa.case((col(Unit.shares_unassigned).is_(True), 1), else_=0),
        ).where(own),
        _branch("leader", people, id=col(CapacityRow.unit), text=col(Person.name)).where(
            acting, col(CapacityRow.role) == Role.LEADER.value
        ),
        # Of any time: what an archivist did, stays done by that name.
        _branch("archivist", people, id=col(CapacityRow.id), text=col(Person.name)).where(
            col(Unit.organisation) == message.organisation,
            col(CapacityRow.role) == Role.ARCHIVIST.value,
        ),
        # Of any time, too, and shown to the people of the unit alone.
        _branch(
            "colleague",
            people,
            id=col(CapacityRow.id),
            text=col(Person.name),
            who=col(Person.id),
        ).where(
            col(CapacityRow.unit) == message.unit,
            col(CapacityRow.role).in_((Role.HANDLER.value, Role.LEADER.value)),
        ),
        _branch(
            "in_hand",
            sa.join(InHandRow, Person, col(Person.id) == col(InHandRow.person)),
            id=col(InHandRow.person),
            text=col(Person.name),
            at=col(InHandRow.since),
            until=col(InHandRow.until),
        ).where(col(InHandRow.message_id) == message.id, col(InHandRow.until) > tx.now),
    ]


def _message_branches(
    tx: Transaction, message: Message, visible: sa.Select[str], role: Role
) -> list[sa.Select[Any]]:
    from_sender = sa.and_(
        col(Message.organisation) == message.organisation, col(Message.sender) == message.sender
    )
    return [
        _branch(
            "proposal",
            sa.join(Proposal, Person, col(Person.id) == col(Proposal.proposer)),
            id=col(Proposal.id),
            text=col(Proposal.kind) + " " + col(Proposal.proposer),
            who=col(Person.name),
            at=col(Proposal.created_at),
            until=col(Proposal.expires_at),
        ).where(
            col(Proposal.subject_id) == message.id,
            col(Proposal.state) == ProposalState.OPEN,
            col(Proposal.expires_at) > tx.now,
        ),
        _branch(
            "task",
            Task,
            id=col(Task.id),
            text=col(Task.kind),
            who=col(Task.code),
            at=col(Task.opened_at),
        ).where(
            col(Task.message_id) == message.id,
            col(Task.state) == TaskState.OPEN,
            col(Task.role) == role.value,
        ),
        _branch(
            "reference",
            sa.join(
                MessageReference,
                KnownReference,
                col(KnownReference.reference_hash) == col(MessageReference.reference_hash),
            ),
            id=col(KnownReference.reference_hash),
            text=col(KnownReference.unit),
        ).where(
            col(MessageReference.message_id) == message.id,
            col(KnownReference.organisation) == message.organisation,
            col(KnownReference.counterparty) == message.sender,
        ),
        _branch("first_registered", Message, at=sa.func.min(col(Message.registered_at))).where(
            from_sender
        ),
        _branch("copy", Message, id=col(Message.id), at=col(Message.received_at)).where(
            from_sender,
            col(Message.documents_hash) == message.documents_hash,
            col(Message.id) != message.id,
            col(Message.received_at) <= message.received_at,
            col(Message.id).in_(visible),
        ),
        _branch("entry", AuditEntry, number=col(AuditEntry.seq), leaf=col(AuditEntry.leaf)).where(
            col(AuditEntry.message_id) == message.id
        ),
    ]
