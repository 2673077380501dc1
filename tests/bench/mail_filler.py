"""Fills an installation with people and years of mail, by plain inserts."""

import random
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from itertools import islice
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import SQLModel

from inbox.access.policy.vocabulary import Role
from inbox.domain import Mode
from inbox.line import Line
from inbox.tables import CapacityRow, CaseSystem, Clearance, Message, Person, Unit, table_of
from tests import databases
from tests.bench.mail import (
    EPOCH,
    SHIELDINGS,
    Extent,
    Rows,
    Table,
    Written,
    around,
    messages,
    person_id,
    unit_id,
)
from tests.worlds import OURS

__all__ = ["Extent", "come_to_rest", "fill"]

_AT_ONCE = 2_000
_BLOCK = 1 << 20


def fill(line: Line, extent: Extent) -> None:
    """Put it into an installation that has its first rows and nothing else."""
    chance = random.Random(7)  # noqa: S311 - lifelike, not secret
    with line.store.reading() as tx:
        now = tx.now
    with line.store.engine.execution_options(inbox_writes=True).begin() as connection:
        for kind, rows in _first(extent, now, chance):
            _insert(connection, kind, rows)
        table = table_of(Message)
        found = connection.execute(
            sa.select(table.c.id, table.c.state, table.c.received_at, table.c.unit)
        )
        written = [Written(row.id, row.state, row.received_at, row.unit) for row in found]
        for kind, rows in around(extent, written, chance):
            _insert(connection, kind, rows)
    come_to_rest(line)


def come_to_rest(line: Line) -> None:
    """As a database is that has been there for a while: who asks first does no other work.

    PostgreSQL has counted its rows and noted which all can see, as its autovacuum does; what was
    written is in the files, and the system has these in memory.
    """
    engine = line.store.engine
    if engine.dialect.name == "postgresql":
        for statement in ("VACUUM (ANALYZE)", "CHECKPOINT"):
            databases.run(engine.url.render_as_string(hide_password=False), statement)
        return
    with closing(engine.raw_connection()) as raw, closing(raw.cursor()) as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy, *_ = cursor.fetchall()[0]
    if busy:
        raise ValueError("somebody reads while the database is being filled")
    with Path(str(engine.url.database)).open("rb", buffering=0) as file:
        while file.read(_BLOCK):
            pass


def _first(extent: Extent, now: datetime, chance: random.Random) -> Iterator[Table]:
    """The directory, and the messages."""
    since = now - EPOCH
    yield CaseSystem, _systems(since)
    yield Unit, _units(extent, since)
    yield Person, _people(extent, since)
    yield CapacityRow, _capacities(extent, since)
    yield Clearance, _clearances(extent, since, chance)
    yield Message, messages(extent, now, chance)


def _insert(connection: sa.Connection, kind: type[SQLModel], rows: Rows) -> None:
    table = table_of(kind)
    while block := list(islice(rows, _AT_ONCE)):
        connection.execute(sa.insert(table), block)


def _systems(since: datetime) -> Rows:
    for number in range(4):
        yield {
            "id": f"system-{number}",
            "organisation": OURS,
            "name": f"Fagsystem {number}",
            "mode": Mode.PULL,
            "active_from": since,
        }


def _people(extent: Extent, since: datetime) -> Rows:
    for number in range(extent.people):
        yield {"id": person_id(number), "name": person_id(number), "active_from": since}


def _units(extent: Extent, since: datetime) -> Rows:
    for number in range(extent.units):
        yield {
            "id": unit_id(number),
            "organisation": OURS,
            "name": f"Enhet {number}",
            "case_system": f"system-{number % 4}",
            "shares_unassigned": number % 3 == 0,
            "active_from": since,
        }


def _capacities(extent: Extent, since: datetime) -> Rows:
    """Everybody handles in one unit, some in two; each unit has leaders, few are archivists."""
    for number in range(extent.people):
        unit = number % extent.units
        place = number // extent.units
        role = Role.LEADER if place == 0 else Role.HANDLER
        role = Role.ARCHIVIST if unit == 0 else role
        yield _capacity(number, unit, role, since)
        if number % 10 == 0:
            yield _capacity(number, (unit + 1) % extent.units, Role.HANDLER, since)


def _capacity(number: int, unit: int, role: Role, since: datetime) -> dict[str, object]:
    return {
        "id": f"{person_id(number)}-{unit}",
        "person": person_id(number),
        "unit": unit_id(unit),
        "role": role.value,
        "active_from": since,
    }


def _clearances(extent: Extent, since: datetime, chance: random.Random) -> Rows:
    for number in range(extent.people):
        for code in sorted(set(SHIELDINGS)):
            if chance.random() < 0.6:
                yield {
                    "id": f"{person_id(number)}-{code}",
                    "person": person_id(number),
                    "shielding": code,
                    "active_from": since,
                }
