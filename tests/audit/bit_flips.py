"""Every bit of the stored audit, flipped one at a time behind the program's back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection, Table
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlmodel import Session

from inbox.audit import verify
from inbox.tables import AuditEntry, AuditHead, AuditNode, AuditSalt, Checkpoint, table_of
from tests.audit.line_audit import Kept

TABLES: Final[Mapping[str, Table]] = {
    table_of(kind).name: table_of(kind)
    for kind in (AuditEntry, AuditNode, AuditHead, AuditSalt, Checkpoint)
}
UNCOVERED: Final = frozenset({("checkpoint", "signed_at")})
"""What nothing vouches for, and nothing reads."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One value of one row."""

    table: str
    key: Mapping[str, object]
    column: str
    value: object

    @property
    def bits(self) -> int:
        """How many bits the value has, as a database keeps it."""
        return 64 if isinstance(self.value, int) else 8 * len(self.octets)

    @property
    def octets(self) -> bytes:
        """The value as bytes."""
        assert isinstance(self.value, str | bytes)
        return self.value.encode() if isinstance(self.value, str) else self.value

    def flipped(self, bit: int) -> object:
        """The value with that bit changed; text that is no longer UTF-8 stays bytes."""
        if isinstance(self.value, int):
            changed = (self.value ^ (1 << bit)) & (2**64 - 1)
            return changed - 2**64 if changed >= 2**63 else changed
        octets = bytearray(self.octets)
        octets[bit // 8] ^= 1 << bit % 8
        return bytes(octets)


@dataclass(kw_only=True)
class Tally:
    """What became of the flips."""

    found: int = 0
    unreadable: int = 0
    """The driver could not even read the row: nobody is told that the audit holds."""
    refused: int = 0
    """The database itself would not store such a row: another has that number."""
    missed: list[tuple[Place, int]]


def places(connection: Connection) -> list[Place]:
    """Every value of the audit that is not NULL, and that something vouches for."""
    found = []
    for name, table in TABLES.items():
        for row in connection.execute(sa.select(table)).mappings():
            key = {column.name: row[column.name] for column in table.primary_key}
            found += [
                Place(table=name, key=key, column=column.name, value=row[column.name])
                for column in table.columns
                if row[column.name] is not None and (name, column.name) not in UNCOVERED
            ]
    return found


def bits_of(all_places: Sequence[Place]) -> Iterator[tuple[Place, int]]:
    """Each bit, place by place."""
    for place in all_places:
        for bit in range(place.bits):
            yield place, bit


def flip_each(kept: Kept, flips: Sequence[tuple[Place, int]], *, outside: str = "") -> Tally:
    """Flip one, ask, put it back, and so on; nothing is ever committed."""
    tally = Tally(missed=[])
    with kept.engine.connect() as connection:
        assert _holds(connection, kept, outside)
        for place, bit in flips:
            with connection.begin_nested() as savepoint:
                _flip(connection, kept, place, bit, tally, outside)
                if savepoint.is_active:
                    savepoint.rollback()
        assert _holds(connection, kept, outside)
    return tally


def _flip(
    connection: Connection, kept: Kept, place: Place, bit: int, tally: Tally, outside: str
) -> None:
    try:
        changed = connection.execute(_statement(connection, place), _values(place, bit))
        assert changed.rowcount == 1
    except (IntegrityError, DataError):
        tally.refused += 1
        return
    try:
        holds = _holds(connection, kept, outside)
    except OperationalError:
        tally.unreadable += 1
        return
    if holds:
        tally.missed.append((place, bit))
    else:
        tally.found += 1


def _holds(connection: Connection, kept: Kept, outside: str) -> bool:
    with Session(connection, join_transaction_mode="rollback_only") as session:
        copies = [outside] if outside else []
        return verify.verify(session, kept.world.line.keyring, copies).holds


def _statement(connection: Connection, place: Place) -> sa.TextClause:
    """An UPDATE of one value; text goes in as bytes, so that it may be none."""
    new = ":value"
    if isinstance(place.value, str):
        sqlite = connection.dialect.name == "sqlite"
        new = "CAST(:value AS TEXT)" if sqlite else "convert_from(:value, 'UTF8')"
    where = " AND ".join(f"{name} = :key_{name}" for name in place.key)
    return sa.text(f"UPDATE {place.table} SET {place.column} = {new} WHERE {where}")  # noqa: S608 - our own names


def _values(place: Place, bit: int) -> dict[str, object]:
    keys = {f"key_{name}": value for name, value in place.key.items()}
    return {"value": place.flipped(bit), **keys}
