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
from sqlmodel import Session, col, select

from inbox import audit
from inbox.domain import DeliveryState, GrantKind, MessageState, State
from inbox.line import Line
from inbox.line.mail_units import active_unit_or_successor
from inbox.line.moves.registration import active_delivery
from inbox.line.settle import Step, close_tasks, end_assignments, lock_row, open_task, settle
from inbox.line.task_kinds import STATES_OF_TASK, TaskKind
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
    with line.store.reading() as (session, now):
        if not (_in_closed_units(session, now) or any(_left_by_leavers(session, now))):
            return 0
    with line.store.transaction() as (session, now):
        return settle_closed_units(session, now) + settle_leavers(session, now)


def settle_closed_units(session: Session, now: datetime) -> int:
    """Move the open messages of closed units, and return how many were moved.

    They move to the successor unit, or back to archive staff.

    What a case system has collected stays with it until it answers.
    """
    moved = _in_closed_units(session, now)
    for message_id in moved:
        lock_row(session, Message, message_id)
        message = session.get_one(Message, message_id)
        successor = active_unit_or_successor(session, message.unit or "", now)
        end_assignments(session, now, message_id)
        _withdraw_delivery(session, now, message)
        if successor is not None:
            values: dict[str, object] = {"unit": successor.id, "rule": None}
            values["transfers"] = message.transfers + 1
            _move(session, now, message, by=_MOVE_OF_STATE[message.state], values=values)
            continue
        if message.state in (_M.RELEASED, _M.OFFERED):
            _move(session, now, message, by="withdraw", values={})
        _move(session, now, message, by="hand_back", became=_M.UNROUTED, values={"unit": None})
    return len(moved)


def _in_closed_units(session: Session, now: datetime) -> Sequence[str]:
    collected = exists().where(
        col(Delivery.message_id) == col(Message.id), col(Delivery.state) == DeliveryState.COLLECTED
    )
    return session.exec(
        select(Message.id)
        .join(Unit, col(Unit.id) == col(Message.unit))
        .where(~not_ended(Unit, now), col(Message.state).in_(list(_MOVE_OF_STATE)), ~collected)
        .order_by(col(Message.id))
    ).all()


def _withdraw_delivery(session: Session, now: datetime, message: Message) -> None:
    delivery = active_delivery(session, message.id)
    if delivery is not None:
        step = Step(
            row=delivery,
            became=DeliveryState.WITHDRAWN,
            by="withdraw",
            who=ACTOR,
            values={"settled_at": now},
        )
        settle(session, now, step)


def _move(
    session: Session,
    now: datetime,
    message: Message,
    *,
    by: str,
    became: State = _M.ROUTED,
    values: dict[str, object],
) -> None:
    step = Step(row=message, became=became, by=by, who=ACTOR, code="unit.passive", values=values)
    settle(session, now, step)


def settle_leavers(session: Session, now: datetime) -> int:
    """Settle what people leave behind where their capacity has ended.

    Their assignments, grants and delegations there are ended, and tasks are opened for the leaders.

    What they gave to others stands.
    """
    assignments, grants, delegations = _left_by_leavers(session, now)
    for assignment in assignments:
        message = session.get_one(Message, assignment.message_id)
        _end_row(session, now, assignment, message)
        if message.state in STATES_OF_TASK[TaskKind.LEAVER]:
            close_tasks(session, now, subject=message.id, kinds=[TaskKind.ASSIGNED], who=ACTOR)
            _open_leaver_task(
                session, now, subject=message.id, message_id=message.id, unit=message.unit
            )
    for grant in grants:
        _end_row(session, now, grant, session.get_one(Message, grant.message_id))
        close_tasks(session, now, subject=grant.id, kinds=[TaskKind.GRANTED], who=ACTOR)
        if grant.kind is GrantKind.GIVEN:
            _open_leaver_task(
                session, now, subject=grant.id, message_id=grant.message_id, unit=grant.unit
            )
    for delegation in delegations:
        _end_row(session, now, delegation, None)
        _open_leaver_task(
            session, now, subject=delegation.id, message_id=None, unit=delegation.unit
        )
    return len(assignments) + len(grants) + len(delegations)


def _left_by_leavers(
    session: Session, now: datetime
) -> tuple[Sequence[Assignment], Sequence[AccessGrant], Sequence[Delegation]]:
    here = _has_capacity(now, col(Assignment.person), col(Message.unit))
    assignments = session.exec(
        select(Assignment)
        .join(Message, col(Message.id) == col(Assignment.message_id))
        .where(not_ended(Assignment, now), col(Message.unit).is_not(None), ~here)
    ).all()
    left_unit = and_(
        exists().where(
            col(CapacityRow.person) == col(AccessGrant.person),
            col(CapacityRow.unit) == col(AccessGrant.unit),
            col(CapacityRow.active_until) >= col(AccessGrant.active_from),
        ),
        ~_has_capacity(now, col(AccessGrant.person), col(AccessGrant.unit)),
    )
    gone = ~_has_capacity(now, col(AccessGrant.person))
    grants = session.exec(
        select(AccessGrant).where(not_ended(AccessGrant, now), or_(gone, left_unit))
    ).all()
    both = and_(
        _has_capacity(now, col(Delegation.absent), col(Delegation.unit)),
        _has_capacity(now, col(Delegation.substitute), col(Delegation.unit)),
    )
    delegations = session.exec(select(Delegation).where(not_ended(Delegation, now), ~both)).all()
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
    session: Session,
    now: datetime,
    row: Assignment | AccessGrant | Delegation,
    message: Message | None,
) -> None:
    row.active_until = now
    session.add(row)
    audit.record(
        session,
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
    session: Session, now: datetime, *, subject: str, message_id: str | None, unit: str | None
) -> None:
    """Open a task for the unit's leader, unless the unit is closed.

    A closed unit has no leader, and its mail has already moved.
    """
    home = None if unit is None else session.get(Unit, unit)
    if home is not None and is_active_on(home, now):
        open_task(
            session,
            now,
            kind=TaskKind.LEAVER,
            subject=subject,
            message_id=message_id,
            unit=unit,
            code="person.left",
        )
