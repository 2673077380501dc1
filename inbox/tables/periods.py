"""Active periods of rows.

A row is active from `active_from` until just before `active_until`, or without end.

The one rule of periods, for rows in the database and for rows in hand.
"""

from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, and_, or_
from sqlmodel import col

from inbox.tables import (
    AccessGrant,
    Assignment,
    CapacityRow,
    CaseSystem,
    Clearance,
    ConflictOfInterest,
    Delegation,
    Identity,
    Person,
    Unit,
    UnitAbove,
)

PeriodRow = (
    AccessGrant
    | Assignment
    | CapacityRow
    | CaseSystem
    | Clearance
    | ConflictOfInterest
    | Delegation
    | Identity
    | Person
    | Unit
    | UnitAbove
)
"""The rows that have a period."""
_At = datetime | BindParameter[datetime]


def active_on(kind: type[PeriodRow], on: _At) -> ColumnElement[bool]:
    """SQL: the period of the row has begun and has not ended; never NULL."""
    return and_(col(kind.active_from) <= on, not_ended(kind, on))


def not_ended(kind: type[PeriodRow], on: _At) -> ColumnElement[bool]:
    """SQL: the period of the row has not ended; it is active or begins later; never NULL."""
    until = col(kind.active_until)
    return or_(until.is_(None), until > on)


def is_active_on(row: PeriodRow, on: datetime) -> bool:
    """The same as `active_on`, for a row in memory."""
    return row.active_from <= on and not has_ended(row.active_until, on)


def has_ended(until: datetime | None, on: datetime) -> bool:
    """Whether a period with this end has ended."""
    return until is not None and until <= on
