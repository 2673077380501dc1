"""Alarms about unusual use: a person opens many messages, or emergency access is used often.

Counted in the transaction of the use, under a lock on who or what is counted; reported once a day.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from inbox.access.question import Capacity
from inbox.days import day_of
from inbox.domain import GrantKind, new_id
from inbox.line import Line
from inbox.line.settle import lock_row, open_task
from inbox.line.task_kinds import TaskKind
from inbox.store import Transaction
from inbox.tables import AccessGrant, Opening, Person, Task, Unit

_HOUR, _DAY, _WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


class UnusualUse(StrEnum):
    """The limits in `Terms` that can be exceeded; each value is the code of the alarm."""

    OPENS = "unusual.opens"
    BREAKGLASS_PERSON = "unusual.breakglass_person"
    BREAKGLASS_UNIT = "unusual.breakglass_unit"


def count_opening(  # noqa: PLR0913 - the columns of an opening
    line: Line,
    tx: Transaction,
    capacity: Capacity,
    message_id: str,
    *,
    part: str,
    rule: str,
    gave_reason: bool,
) -> None:
    """Record that the person opened the message, or a part of it.

    Raise an alarm if there are too many messages in an hour.
    """
    assert capacity.person is not None
    lock_row(tx, Person, capacity.person)
    opening = Opening(
        id=new_id(),
        message_id=message_id,
        person=capacity.person,
        opened_at=tx.now,
        part=part,
        rule=rule,
        gave_reason=gave_reason,
    )
    tx.add(opening)
    opened = select(func.count(sa.distinct(col(Opening.message_id)))).where(
        col(Opening.person) == capacity.person, col(Opening.opened_at) > tx.now - _HOUR
    )
    if tx.exec(opened).one() > line.terms.opens_per_person_hour:
        _open_alarm_task(tx, UnusualUse.OPENS, capacity.person, message_id)


def count_breakglass(line: Line, tx: Transaction, grant: AccessGrant) -> None:
    """Raise an alarm if a person in a day, or a unit in a week, used emergency access too often."""
    lock_row(tx, Person, grant.person)
    lock_row(tx, Unit, grant.unit)
    by_person = _breakglass_count(tx, col(AccessGrant.person) == grant.person, tx.now - _DAY)
    if by_person > line.terms.breakglass_per_person_day:
        _open_alarm_task(tx, UnusualUse.BREAKGLASS_PERSON, grant.person, grant.message_id)
    in_unit = _breakglass_count(tx, col(AccessGrant.unit) == grant.unit, tx.now - _WEEK)
    if in_unit > line.terms.breakglass_per_unit_week:
        _open_alarm_task(tx, UnusualUse.BREAKGLASS_UNIT, grant.unit, grant.message_id)


def _breakglass_count(session: Session, by: sa.ColumnElement[bool], since: datetime) -> int:
    return session.exec(
        select(func.count(col(AccessGrant.id))).where(
            by,
            col(AccessGrant.kind) == GrantKind.BREAKGLASS,
            col(AccessGrant.active_from) > since,
        )
    ).one()


def _open_alarm_task(tx: Transaction, code: UnusualUse, who: str, message_id: str) -> None:
    """A task, unless there has been one of this day; the message says whose organisation it is."""
    subject = f"{code}:{who}:{day_of(tx.now)}"
    told = select(Task.id).where(
        col(Task.kind) == TaskKind.UNUSUAL.value, col(Task.subject_id) == subject
    )
    if tx.exec(told).first() is None:
        open_task(
            tx,
            kind=TaskKind.UNUSUAL,
            subject=subject,
            message_id=message_id,
            code=code.value,
        )


def is_about_person(session: Session, task: Task, person: str | None) -> bool:
    """Whether the alarm is about what this person did, alone or together with others of a unit."""
    if task.kind != TaskKind.UNUSUAL:
        return False
    _, who, _ = task.subject_id.split(":")
    if task.code != UnusualUse.BREAKGLASS_UNIT:
        return who == person
    took = select(AccessGrant.id).where(
        col(AccessGrant.unit) == who,
        col(AccessGrant.kind) == GrantKind.BREAKGLASS,
        col(AccessGrant.person) == person,
        col(AccessGrant.active_from) > task.opened_at - _WEEK,
    )
    return session.exec(took).first() is not None
