"""Handles what leavers and closed units leave behind.

Their assignments, grants and delegations end, and become tasks for leaders.

Found by asking the tables, so it is the same whether the end came with an import or with its day,
and safe to repeat.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, and_, exists, or_
from sqlalchemy.orm import Mapped
from sqlmodel import col, select

from inbox import audit
from inbox.domain import DeliveryState, GrantKind, MessageState, State
from inbox.line import Line
from inbox.line.mail_units import active_unit_or_successor
from inbox.line.moves.registration import active_delivery
from inbox.line.settle import Step, close_tasks, end_assignments, lock_row, open_task, settle
from inbox.line.task_kinds import STATES_OF_TASK, TaskKind
from inbox.store import Transaction
from inbox.tables import (
    AccessGrant,
    Assignment,
    CapacityRow,
    Delegation,
    Delivery,
    Message,
    Person,
    Unit,
)
from inbox.tables.periods import is_active_on, not_ended

ACTOR: Final = "directory"
_M: Final = MessageState
_MOVE_OF_STATE: Final = {
    _M.ROUTED: "place",
    _M.RETURNED: "place",
    _M.RELEASED: "withdraw",
    _M.OFFERED: "withdraw",
}
"""The move that takes a message of a closed unit to its successor."""


def settle_closed_units_and_leavers(line: Line) -> int:
    """Settle everything that has ended since the last round of the worker.

    One call is one round of a worker. It returns how much was settled.
    """
    with line.store.reading() as tx:
        if not (_in_closed_units(tx) or any(_left_by_leavers(tx))):
            return 0
    with line.store.transaction() as tx:
        return settle_closed_units(tx) + settle_leavers(tx)


def settle_closed_units(tx: Transaction) -> int:
    """Move the open messages of closed units, and return how many were moved.

    They move to the successor unit, or back to archive staff.

    What a case system has collected stays with it until it answers.
    """
    moved = _in_closed_units(tx)
    for message_id in moved:
        lock_row(tx, Message, message_id)
        message = tx.get_one(Message, message_id)
        successor = active_unit_or_successor(tx, message.unit or "")
        end_assignments(tx, message_id)
        _withdraw_delivery(tx, message)
        if successor is not None:
            values: dict[str, object] = {"unit": successor.id, "rule": None}
            values["transfers"] = message.transfers + 1
            _move(tx, message, by=_MOVE_OF_STATE[message.state], values=values)
            continue
        if message.state in (_M.RELEASED, _M.OFFERED):
            _move(tx, message, by="withdraw", values={})
        _move(tx, message, by="hand_back", became=_M.UNROUTED, values={"unit": None})
    return len(moved)


def _in_closed_units(tx: Transaction) -> Sequence[str]:
    collected = exists().where(
        col(Delivery.message_id) == col(Message.id), col(Delivery.state) == DeliveryState.COLLECTED
    )
    return tx.exec(
        select(Message.id)
        .join(Unit, col(Unit.id) == col(Message.unit))
        .where(~not_ended(Unit, tx.now), col(Message.state).in_(list(_MOVE_OF_STATE)), ~collected)
        .order_by(col(Message.id))
    ).all()


def _withdraw_delivery(tx: Transaction, message: Message) -> None:
    delivery = active_delivery(tx, message.id)
    if delivery is not None:
        step = Step(
            row=delivery,
            became=DeliveryState.WITHDRAWN,
            by="withdraw",
            who=ACTOR,
            values={"settled_at": tx.now},
        )
        settle(tx, step)


def _move(
    tx: Transaction,
    message: Message,
    *,
    by: str,
    became: State = _M.ROUTED,
    values: dict[str, object],
) -> None:
    step = Step(row=message, became=became, by=by, who=ACTOR, code="unit.passive", values=values)
    settle(tx, step)


def settle_leavers(tx: Transaction) -> int:
    """Settle what people leave behind where their capacity has ended.

    Their assignments, grants and delegations there are ended, and tasks are opened for the leaders.

    What they gave to others stands.
    """
    assignments, grants, delegations = _left_by_leavers(tx)
    for assignment in assignments:
        message = tx.get_one(Message, assignment.message_id)
        _end_row(tx, assignment, message)
        if message.state in STATES_OF_TASK[TaskKind.LEAVER]:
            close_tasks(tx, subject=message.id, kinds=[TaskKind.ASSIGNED], who=ACTOR)
            _open_leaver_task(tx, subject=message.id, message_id=message.id, unit=message.unit)
    for grant in grants:
        _end_row(tx, grant, tx.get_one(Message, grant.message_id))
        close_tasks(tx, subject=grant.id, kinds=[TaskKind.GRANTED], who=ACTOR)
        if grant.kind is GrantKind.GIVEN:
            _open_leaver_task(tx, subject=grant.id, message_id=grant.message_id, unit=grant.unit)
    for delegation in delegations:
        _end_row(tx, delegation, None)
        _open_leaver_task(tx, subject=delegation.id, message_id=None, unit=delegation.unit)
    return len(assignments) + len(grants) + len(delegations)


def _left_by_leavers(
    tx: Transaction,
) -> tuple[Sequence[Assignment], Sequence[AccessGrant], Sequence[Delegation]]:
    here = _has_capacity(tx.now, col(Assignment.person), col(Message.unit))
    assignments = tx.exec(
        select(Assignment)
        .join(Message, col(Message.id) == col(Assignment.message_id))
        .where(not_ended(Assignment, tx.now), col(Message.unit).is_not(None), ~here)
    ).all()
    left_unit = and_(
        exists().where(
            col(CapacityRow.person) == col(AccessGrant.person),
            col(CapacityRow.unit) == col(AccessGrant.unit),
            col(CapacityRow.active_until) >= col(AccessGrant.active_from),
        ),
        ~_has_capacity(tx.now, col(AccessGrant.person), col(AccessGrant.unit)),
    )
    gone = ~_has_capacity(tx.now, col(AccessGrant.person))
    grants = tx.exec(
        select(AccessGrant).where(not_ended(AccessGrant, tx.now), or_(gone, left_unit))
    ).all()
    both = and_(
        _has_capacity(tx.now, col(Delegation.absent), col(Delegation.unit)),
        _has_capacity(tx.now, col(Delegation.substitute), col(Delegation.unit)),
    )
    delegations = tx.exec(select(Delegation).where(not_ended(Delegation, tx.now), ~both)).all()
    return assignments, grants, delegations


def _has_capacity(
    now: datetime, person: Mapped[str], unit: Mapped[Any] | None = None
) -> ColumnElement[bool]:
    """The person has a capacity that has not ended, in this unit if one is given.

    A capacity that begins later counts too.
    """
    where = [] if unit is None else [col(CapacityRow.unit) == unit]
    return (
        sa.select(sa.literal(1))
        .select_from(CapacityRow)
        .join(Person, col(Person.id) == col(CapacityRow.person))
        .where(
            col(CapacityRow.person) == person,
            not_ended(CapacityRow, now),
            not_ended(Person, now),
            *where,
        )
        .correlate_except(CapacityRow, Person)
        .exists()
    )


def _end_row(
    tx: Transaction,
    row: Assignment | AccessGrant | Delegation,
    message: Message | None,
) -> None:
    row.active_until = tx.now
    tx.add(row)
    audit.record(
        tx,
        audit.Entry(
            event=f"{_EVENT_SUBJECTS[type(row)]}:ended",
            who=ACTOR,
            subject=row.id,
            message_id=None if message is None else message.id,
            code="person.left",
        ),
    )


_EVENT_SUBJECTS: Final = {Assignment: "assignment", AccessGrant: "access", Delegation: "delegation"}


def _open_leaver_task(
    tx: Transaction, *, subject: str, message_id: str | None, unit: str | None
) -> None:
    """Open a task for the unit's leader, unless the unit is closed.

    A closed unit has no leader, and its mail has already moved.
    """
    home = None if unit is None else tx.get(Unit, unit)
    if home is not None and is_active_on(home, tx.now):
        open_task(
            tx,
            kind=TaskKind.LEAVER,
            subject=subject,
            message_id=message_id,
            unit=unit,
            code="person.left",
        )
