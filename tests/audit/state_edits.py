"""Edits of a database past the program, each undone afterwards, and what the comparison says."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlmodel import Session

from inbox.audit.deciding_rows import DECIDING_TABLES, DecidingTable
from inbox.audit.state import StateFinding, verify_state
from inbox.tables.columns import EnumValue, UtcDateTime
from tests.worlds import World

Finding = tuple[str, str]


def findings_of(world: World) -> tuple[StateFinding, ...]:
    """What does not fit the log in the world's database."""
    with world.line.store.snapshot() as tx:
        return verify_state(tx, world.line.keyring.row_key()).findings


@cache
def _past_the_program(url: sa.URL) -> sa.Engine:
    """Kept for the statements that it has compiled, not for its connections."""
    return sa.create_engine(url)


@contextmanager
def edited(world: World) -> Iterator[Connection]:
    """A connection past the program; no constraint holds, and nothing of it stays."""
    engine = world.line.store.engine
    sqlite = engine.dialect.name == "sqlite"
    plain = _past_the_program(engine.url)
    with plain.connect() as connection:
        off = "PRAGMA foreign_keys=OFF" if sqlite else "SET session_replication_role = replica"
        connection.exec_driver_sql(off)
        yield connection
        connection.rollback()
    plain.dispose()


def said_of(world: World, connection: Connection) -> list[Finding]:
    """Code and table of each finding, in the midst of an edit."""
    with Session(connection) as session:
        report = verify_state(session, world.line.keyring.row_key())
    return [(finding.code, finding.table) for finding in report.findings]


def said_after(world: World, statement: str) -> list[Finding]:
    """The same after one SQL statement, which changes something."""
    with edited(world) as connection:
        assert connection.exec_driver_sql(statement).rowcount > 0
        return said_of(world, connection)


def dice_of(name: str) -> random.Random:
    """Chance that falls alike each time."""
    return random.Random(name)  # noqa: S311 - repeatable, not secret


def some_row(
    connection: Connection, table: DecidingTable, dice: random.Random
) -> sa.RowMapping | None:
    """A row of the table, if it has one."""
    rows = connection.execute(sa.select(table.table)).mappings().all()
    return dice.choice(rows) if rows else None


def of_row(table: sa.Table, row: sa.RowMapping) -> sa.ColumnElement[bool]:
    """Only this row."""
    return sa.and_(*(column == row[column.name] for column in table.primary_key))


def decides(table: DecidingTable, row: sa.RowMapping, name: str) -> bool:
    """Whether this column of this row decides: a code does not while a station works on it."""
    return not (name == "code" and table.working and row["state"] in table.working)


def other_value(column: sa.Column[Any], value: object, dice: random.Random) -> object:
    """A value of the same type that is not this one."""
    kind = column.type
    if isinstance(kind, EnumValue):
        return dice.choice([member for member in kind.members if member != value])
    if isinstance(kind, UtcDateTime):
        moment = value if isinstance(value, datetime) else datetime(2026, 11, 20, tzinfo=UTC)
        return moment + timedelta(microseconds=dice.randint(1, 10**9))
    if isinstance(kind, sa.Boolean):
        return not value
    if isinstance(kind, sa.Integer):
        return (value if isinstance(value, int) else 0) + dice.randint(1, 9)
    if isinstance(kind, sa.LargeBinary):
        return dice.randbytes(12)
    return f"{dice.randrange(1 << 24):06x}"


def tables_with_rows(connection: Connection) -> Sequence[DecidingTable]:
    """The deciding tables that have a row."""
    return [
        table
        for table in DECIDING_TABLES.values()
        if connection.execute(sa.select(sa.literal(1)).select_from(table.table)).first()
    ]
