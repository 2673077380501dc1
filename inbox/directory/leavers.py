"""What those who left, and units that closed, leave behind: it ends, and becomes somebody's task.

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
from inbox.line.mail_units import unit_for_mail
from inbox.line.moves.registration import standing_delivery
from inbox.line.settle import Step, close_tasks, end_assignments, lock, open_task, settle
from inbox.line.task_kinds import STANDS, TaskKind
from inbox.tables import (
    AccessGrant,
    Assignment,
    Capacity,
    Delegation,
    Delivery,
    Message,
    Person,
    Unit,
)
from inbox.tables.periods import is_lasting, not_over

WHO: Final = "directory"
_M: Final = MessageState
_BY: Final = {
    _M.ROUTED: "place",
    _M.RETURNED: "place",
    _M.RELEASED: "withdraw",
    _M.OFFERED: "withdraw",
}
"""The move that takes a message of a closed unit to its successor."""


def look_after(line: Line) -> int:
    """One round of a worker: see to what has ended since the last; how much there was."""
    with line.store.reading() as (session, now):
        if not (_in_closed_units(session, now) or any(_left_behind(session, now))):
            return 0
    with line.store.transaction() as (session, now):
        return settle_closed_units(session, now) + settle_leavers(session, now)


def settle_closed_units(session: Session, now: datetime) -> int:
    """Move the open messages of closed units to the successor, or to archive staff; how many.

    What a case system has collected stays with it until it answers.
    """
    moved = _in_closed_units(session, now)
    for message_id in moved:
        lock(session, Message, message_id)
        message = session.get_one(Message, message_id)
        successor = unit_for_mail(session, message.unit or "", now)
        end_assignments(session, now, message_id)
        _withdraw_delivery(session, now, message)
        if successor is not None:
            values: dict[str, object] = {"unit": successor.id, "rule": None}
            values["transfers"] = message.transfers + 1
            _move(session, now, message, by=_BY[message.state], values=values)
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
        .where(~not_over(Unit, now), col(Message.state).in_(list(_BY)), ~collected)
        .order_by(col(Message.id))
    ).all()


def _withdraw_delivery(session: Session, now: datetime, message: Message) -> None:
    delivery = standing_delivery(session, message.id)
    if delivery is not None:
        step = Step(
            row=delivery,
            became=DeliveryState.WITHDRAWN,
            by="withdraw",
            who=WHO,
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
    step = Step(row=message, became=became, by=by, who=WHO, code="unit.passive", values=values)
    settle(session, now, step)


def settle_leavers(session: Session, now: datetime) -> int:
    """End what people had where they no longer stand for anything; tasks for the leaders there.

    What they gave to others stands.
    """
    assignments, grants, delegations = _left_behind(session, now)
    for assignment in assignments:
        message = session.get_one(Message, assignment.message_id)
        _end(session, now, assignment, message)
        if message.state in STANDS[TaskKind.LEAVER]:
            close_tasks(session, now, subject=message.id, kinds=[TaskKind.ASSIGNED], who=WHO)
            _ask(session, now, subject=message.id, message_id=message.id, unit=message.unit)
    for grant in grants:
        _end(session, now, grant, session.get_one(Message, grant.message_id))
        close_tasks(session, now, subject=grant.id, kinds=[TaskKind.GRANTED], who=WHO)
        if grant.kind is GrantKind.GIVEN:
            _ask(session, now, subject=grant.id, message_id=grant.message_id, unit=grant.unit)
    for delegation in delegations:
        _end(session, now, delegation, None)
        _ask(session, now, subject=delegation.id, message_id=None, unit=delegation.unit)
    return len(assignments) + len(grants) + len(delegations)


def _left_behind(
    session: Session, now: datetime
) -> tuple[Sequence[Assignment], Sequence[AccessGrant], Sequence[Delegation]]:
    here = _stands(now, col(Assignment.person), col(Message.unit))
    assignments = session.exec(
        select(Assignment)
        .join(Message, col(Message.id) == col(Assignment.message_id))
        .where(not_over(Assignment, now), col(Message.unit).is_not(None), ~here)
    ).all()
    left_unit = and_(
        exists().where(
            col(Capacity.person) == col(AccessGrant.person),
            col(Capacity.unit) == col(AccessGrant.unit),
            col(Capacity.active_until) >= col(AccessGrant.active_from),
        ),
        ~_stands(now, col(AccessGrant.person), col(AccessGrant.unit)),
    )
    gone = ~_stands(now, col(AccessGrant.person))
    grants = session.exec(
        select(AccessGrant).where(not_over(AccessGrant, now), or_(gone, left_unit))
    ).all()
    both = and_(
        _stands(now, col(Delegation.absent), col(Delegation.unit)),
        _stands(now, col(Delegation.substitute), col(Delegation.unit)),
    )
    delegations = session.exec(select(Delegation).where(not_over(Delegation, now), ~both)).all()
    return assignments, grants, delegations


def _stands(
    now: datetime, person: Mapped[str], unit: Mapped[Any] | None = None
) -> ColumnElement[bool]:
    """The person has a capacity (there) that has not ended; one that lies ahead counts."""
    where = [] if unit is None else [col(Capacity.unit) == unit]
    return (
        sa.select(sa.literal(1))
        .select_from(Capacity)
        .join(Person, col(Person.id) == col(Capacity.person))
        .where(
            col(Capacity.person) == person,
            not_over(Capacity, now),
            not_over(Person, now),
            *where,
        )
        .correlate_except(Capacity, Person)
        .exists()
    )


def _end(
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
            event=f"{_SPOKEN[type(row)]}:ended",
            who=WHO,
            subject=row.id,
            message_id=None if message is None else message.id,
            code="person.left",
        ),
    )


_SPOKEN: Final = {Assignment: "assignment", AccessGrant: "access", Delegation: "delegation"}


def _ask(
    session: Session, now: datetime, *, subject: str, message_id: str | None, unit: str | None
) -> None:
    """A task for the unit's leader; a closed unit has none, and its mail has gone elsewhere."""
    home = None if unit is None else session.get(Unit, unit)
    if home is not None and is_lasting(home, now):
        open_task(
            session,
            now,
            kind=TaskKind.LEAVER,
            subject=subject,
            message_id=message_id,
            unit=unit,
            code="person.left",
        )
