"""Tables of the desk: who has a message in hand, saved views, and the terms of units."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from inbox.tables.columns import ID_LENGTH, Row, UtcDateTime


class InHandRow(Row, table=True):
    """A person has a message in hand for a while; it gives and takes no right."""

    message_id: str = Field(primary_key=True, max_length=ID_LENGTH, foreign_key="message.id")
    person: str = Field(primary_key=True, max_length=ID_LENGTH, foreign_key="person.id")
    since: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime, index=True)


class SavedViewRow(Row, table=True):
    """A queue with filters that a person has saved: closed values only, never words."""

    __table_args__ = (UniqueConstraint("person", "queue", "filters"),)

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    person: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    queue: str = Field(max_length=40)
    filters: str = Field(max_length=400)
    """As the parameters of an address, in one order."""
    saved_at: datetime = Field(sa_type=UtcDateTime)


class UnitTerms(Row, table=True):
    """The terms (*frister*) of a unit that has set its own, in its working time."""

    unit: str = Field(primary_key=True, max_length=40, foreign_key="unit.id")
    unopened_hours: int
    unregistered_days: int
    opens_minute: int
    """Minutes after midnight on clocks in Norway."""
    closes_minute: int
