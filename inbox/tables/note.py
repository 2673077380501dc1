"""What people write on a message for those who work on it after them."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from inbox.tables.columns import ID, Row, Utc


class Note(Row, table=True):
    """An internal note, sealed under the data key of its message; never edited, never deleted."""

    __table_args__ = (UniqueConstraint("message_id", "number"),)

    id: str = Field(primary_key=True, max_length=ID)
    message_id: str = Field(max_length=ID, foreign_key="message.id")
    number: int
    """The order in which they were written."""
    person: str = Field(max_length=ID, foreign_key="person.id")
    role: str = Field(max_length=40)
    unit: str = Field(max_length=40, foreign_key="unit.id")
    """The unit that the person acted for."""
    shielding: str | None = Field(default=None, max_length=40)
    """The code that a reader must be cleared for, beside that of the message."""
    sealed_text: bytes
    written_at: datetime = Field(sa_type=Utc)
