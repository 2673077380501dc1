"""What is being placed, and the units it can go to.

Until a placing is due its unit sees nothing of it, and its person can undo it. One statement each;
those about messages are restricted by the rules about what this role sees, as every list is.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from inbox.access.lists.pages import permitted_message_ids
from inbox.access.policy.engine import Policy
from inbox.access.question import Capacity
from inbox.domain import MessageId, MessageState, OrgNumber, UnitId
from inbox.line import Line
from inbox.line.desk.queue_row import sender_name
from inbox.line.desk.short_reference import short_reference_of
from inbox.line.people_lists import listing_snapshot, policy_without_duties, showing_action
from inbox.store import Transaction
from inbox.tables import Message, Person, Unit
from inbox.tables.periods import active_on

_UNDOABLE = (MessageState.PLACING, MessageState.RELEASED)


@dataclass(frozen=True, kw_only=True)
class PlacedMessage:
    """A message as it stands after somebody placed or released it."""

    id: MessageId
    reference: str
    version: int
    sender: OrgNumber | None
    sender_name: str | None
    unit_name: str | None
    """Where it goes, or is."""
    by_name: str | None
    """Who placed or released it, while that can be undone."""
    is_placing: bool
    """Whether it is on its way."""
    undo_until: datetime | None
    """Until when this person can undo it; None if it is somebody else's, or too late."""


def placed_message(line: Line, capacity: Capacity, message_id: str) -> PlacedMessage | None:
    """One message, whatever its state; None if it is not there or not this capacity's to see."""
    with listing_snapshot(line) as (tx, policy):
        free = policy_without_duties(policy, showing_action(capacity.role), capacity.role)
        return next(iter(read_placed(tx, free, capacity, one=message_id)), None)


def read_placed(
    tx: Transaction,
    free: Policy,
    capacity: Capacity,
    *,
    every: bool = False,
    one: str | None = None,
) -> tuple[PlacedMessage, ...]:
    """Every message that is PLACING, or one whatever its state, or both: one statement."""
    going_to = aliased(Unit)
    asked = [col(Message.state) == MessageState.PLACING] if every else []
    asked += [] if one is None else [col(Message.id) == one]
    visible = permitted_message_ids(free, capacity, tx.now, showing_action(capacity.role))
    rows = tx.execute(
        sa.select(Message, col(Unit.name), col(going_to.name), col(Person.name))
        .join(Unit, col(Unit.id) == col(Message.unit), isouter=True)
        .join(going_to, col(going_to.id) == col(Message.placing_unit), isouter=True)
        .join(Person, col(Person.id) == col(Message.moved_by), isouter=True)
        .where(sa.or_(*asked), col(Message.id).in_(visible))
        .order_by(col(Message.received_at), col(Message.id))
    ).all()
    return tuple(placed_as(message, tuple(names), capacity) for message, *names in rows)


def placed_as(
    message: Message,
    names: tuple[str | None, str | None, str | None],
    capacity: Capacity,
) -> PlacedMessage:
    """A row as it stands for this capacity, with the names of its unit, its aim and its mover."""
    unit_name, going_to, by_name = names
    sender = None if message.sender is None else OrgNumber(message.sender)
    is_own = message.moved_by == capacity.person and message.state in _UNDOABLE
    return PlacedMessage(
        id=MessageId(message.id),
        reference=short_reference_of(message.id),
        version=message.version,
        sender=sender,
        sender_name=sender_name(message.verdict, sender),
        unit_name=going_to or unit_name,
        by_name=by_name,
        is_placing=message.state is MessageState.PLACING,
        undo_until=message.due_at if is_own else None,
    )


@dataclass(frozen=True, kw_only=True)
class ActiveUnit:
    """A unit that is active now."""

    id: UnitId
    name: str


def active_units(line: Line, capacity: Capacity) -> tuple[ActiveUnit, ...]:
    """The active units of the capacity's organisation, by name."""
    with line.store.reading() as tx:
        rows = tx.exec(
            select(Unit)
            .where(col(Unit.organisation) == capacity.organisation, active_on(Unit, tx.now))
            .order_by(col(Unit.name), col(Unit.id))
        )
        return tuple(ActiveUnit(id=UnitId(row.id), name=row.name) for row in rows)
