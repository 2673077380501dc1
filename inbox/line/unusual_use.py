"""Alarms about unusual use: a person opens many messages, or emergency access is used often.

Counted in the transaction of the use, under a lock on who or what is counted; told once a day.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from inbox.access.question import Capacity
from inbox.domain import GrantKind, new_id
from inbox.line import Line
from inbox.line.settle import lock, open_task
from inbox.line.task_kinds import TaskKind
from inbox.tables import AccessGrant, Opening, Person, Task, Unit

_HOUR, _DAY, _WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


class Unusual(StrEnum):
    """The limits in `Terms` that can be exceeded; each value is the code of the alarm."""

    OPENS = "unusual.opens"
    BREAKGLASS_PERSON = "unusual.breakglass_person"
    BREAKGLASS_UNIT = "unusual.breakglass_unit"


def note_opening(
    line: Line, session: Session, now: datetime, capacity: Capacity, message_id: str
) -> None:
    """Record that the person opened the message.

    Raise an alarm if there are too many in an hour.
    """
    assert capacity.person is not None
    lock(session, Person, capacity.person)
    session.add(Opening(id=new_id(), message_id=message_id, person=capacity.person, opened_at=now))
    opened = select(func.count(sa.distinct(col(Opening.message_id)))).where(
        col(Opening.person) == capacity.person, col(Opening.opened_at) > now - _HOUR
    )
    if session.exec(opened).one() > line.terms.opens_by_person:
        _tell(session, now, Unusual.OPENS, capacity.person, message_id)


def count_breakglass(line: Line, session: Session, now: datetime, taken: AccessGrant) -> None:
    """Raise an alarm if a person in a day, or a unit in a week, used emergency access too often."""
    lock(session, Person, taken.person)
    lock(session, Unit, taken.unit)
    by_person = _taken(session, col(AccessGrant.person) == taken.person, now - _DAY)
    if by_person > line.terms.breakglass_by_person:
        _tell(session, now, Unusual.BREAKGLASS_PERSON, taken.person, taken.message_id)
    in_unit = _taken(session, col(AccessGrant.unit) == taken.unit, now - _WEEK)
    if in_unit > line.terms.breakglass_in_unit:
        _tell(session, now, Unusual.BREAKGLASS_UNIT, taken.unit, taken.message_id)


def _taken(session: Session, by: sa.ColumnElement[bool], since: datetime) -> int:
    return session.exec(
        select(func.count(col(AccessGrant.id))).where(
            by,
            col(AccessGrant.kind) == GrantKind.BREAKGLASS,
            col(AccessGrant.active_from) > since,
        )
    ).one()


def _tell(session: Session, now: datetime, code: Unusual, who: str, message_id: str) -> None:
    """A task, unless there has been one of this day; the message says whose organisation it is."""
    subject = f"{code}:{who}:{now.date()}"
    told = select(Task.id).where(
        col(Task.kind) == TaskKind.UNUSUAL.value, col(Task.subject_id) == subject
    )
    if session.exec(told).first() is None:
        open_task(
            session,
            now,
            kind=TaskKind.UNUSUAL,
            subject=subject,
            message_id=message_id,
            code=code.value,
        )


def is_about(session: Session, task: Task, person: str | None) -> bool:
    """Whether the alarm is about what this person did, alone or together with others of a unit."""
    if task.kind != TaskKind.UNUSUAL:
        return False
    _, who, _ = task.subject_id.split(":")
    if task.code != Unusual.BREAKGLASS_UNIT:
        return who == person
    took = select(AccessGrant.id).where(
        col(AccessGrant.unit) == who,
        col(AccessGrant.kind) == GrantKind.BREAKGLASS,
        col(AccessGrant.person) == person,
        col(AccessGrant.active_from) > task.opened_at - _WEEK,
    )
    return session.exec(took).first() is not None
