"""Column types that behave alike on SQLite and PostgreSQL, and the base class of every table."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, Dialect, String, Table
from sqlalchemy.orm import declared_attr
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

ID_LENGTH = 32
"""Length of our own random ids in hexadecimal."""
CODE_LENGTH = 80
"""Length of stable codes, rule ids and names of moves."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC; naive times are refused, because they are wrong by an hour or two."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; SQLite keeps text, so the zone is dropped there once it is known."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class EnumValue(TypeDecorator[StrEnum]):
    """A value of a closed set (StrEnum), stored by its value.

    Anything else is refused in both directions.
    """

    impl = String(20)
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.members = words

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Store the value of the word."""
        del dialect
        return None if value is None else self.members(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        """Return the enum member."""
        del dialect
        return None if value is None else self.members(value)

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """Compare as the same closed set."""
        del op, value
        return self


class Row(SQLModel):
    """The base class of every table.

    Tables do not validate: build the value first, then the row.
    """

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805 - SQLAlchemy calls it on the class
        """`KnownReference` is stored in `known_reference`, `CapacityRow` in `capacity`."""
        name = cls.__name__.removesuffix("Row")
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def table_of(kind: type[SQLModel]) -> Table:
    """The Core table of a row class, for statements that need no objects."""
    table = kind.__table__  # type: ignore[attr-defined] # SQLModel hides it from types
    assert isinstance(table, Table)
    return table
