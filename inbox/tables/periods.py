"""When a row holds: from `active_from` until just before `active_until`, or without end.

The one rule of periods, for rows in the database and for rows in hand.
"""

from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, and_, or_
from sqlmodel import col

from inbox.tables import (
    AccessGrant,
    Assignment,
    Capacity,
    CaseSystem,
    Clearance,
    ConflictOfInterest,
    Delegation,
    Person,
    Unit,
    UnitAbove,
)

Lasting = (
    AccessGrant
    | Assignment
    | Capacity
    | CaseSystem
    | Clearance
    | ConflictOfInterest
    | Delegation
    | Person
    | Unit
    | UnitAbove
)
"""The rows that have a period."""
_At = datetime | BindParameter[datetime]


def lasts(kind: type[Lasting], on: _At) -> ColumnElement[bool]:
    """The period of the row has begun and is not over; never NULL."""
    return and_(col(kind.active_from) <= on, not_over(kind, on))


def not_over(kind: type[Lasting], on: _At) -> ColumnElement[bool]:
    """It lasts or lies ahead; never NULL."""
    until = col(kind.active_until)
    return or_(until.is_(None), until > on)


def is_lasting(row: Lasting, on: datetime) -> bool:
    """As `lasts`, of a row in hand."""
    return row.active_from <= on and not is_over(row.active_until, on)


def is_over(until: datetime | None, on: datetime) -> bool:
    """As the opposite of `not_over`, of an end in hand."""
    return until is not None and until <= on
