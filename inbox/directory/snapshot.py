"""Reads the directory from the database.

It is read as it is now, including rows that begin later, or as it was on a given day.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from inbox.directory.diff import DirectorySnapshot
from inbox.directory.format.rows import (
    COLUMNS_BY_KIND,
    Cell,
    Directory,
    DirectoryRow,
    RowKey,
    RowKind,
)
from inbox.domain import OrgNumber
from inbox.store import Transaction
from inbox.tables import (
    CapacityRow,
    CaseSystem,
    Clearance,
    ConflictOfInterest,
    Delegation,
    Identity,
    KnownReference,
    Person,
    Unit,
    UnitAbove,
    table_of,
)
from inbox.tables.periods import active_on, has_ended

TABLES: Final[Mapping[RowKind, sa.Table]] = {
    RowKind.CASE_SYSTEM: table_of(CaseSystem),
    RowKind.UNIT: table_of(Unit),
    RowKind.PERSON: table_of(Person),
    RowKind.CAPACITY: table_of(CapacityRow),
    RowKind.CLEARANCE: table_of(Clearance),
    RowKind.CONFLICT: table_of(ConflictOfInterest),
    RowKind.DELEGATION: table_of(Delegation),
    RowKind.REFERENCE: table_of(KnownReference),
    RowKind.IDENTITY: table_of(Identity),
}
TABLE_COLUMNS: Final[Mapping[RowKind, Mapping[str, str]]] = {
    kind: {
        column.name: {"message": "message_id"}.get(column.name, column.name)
        for column in columns
        if column.name not in {"reference", "subject"}
    }
    for kind, columns in COLUMNS_BY_KIND.items()
}
"""The column of the table that holds each cell; of a reference or a subject that is its hash."""
_PERSON_COLUMNS: Final[Mapping[RowKind, tuple[str, ...]]] = {
    RowKind.PERSON: ("id",),
    RowKind.CAPACITY: ("person",),
    RowKind.CLEARANCE: ("person",),
    RowKind.CONFLICT: ("person",),
    RowKind.DELEGATION: ("absent", "substitute", "given_by"),
    RowKind.IDENTITY: ("person",),
}
_ENDED_IS_ANOTHER: Final = (
    RowKind.CAPACITY,
    RowKind.CLEARANCE,
    RowKind.CONFLICT,
    RowKind.DELEGATION,
    RowKind.IDENTITY,
)
"""What begins anew after its end is another row."""
_BATCH_SIZE: Final = 500

RowFilter = Callable[["sa.RowMapping"], bool]


def directory_snapshot(tx: Transaction, directory: Directory) -> DirectorySnapshot:
    """A snapshot of the directory's organisation.

    It includes everything else that the directory refers to.
    """
    organisation = directory.organisation
    here, elsewhere = _people_here_and_elsewhere(tx, organisation)
    members = here | _people_without_capacity(tx)
    rows = _of_organisation(tx, organisation, members | _named_people(directory))
    foreign = {
        (kind, str(row["id"]))
        for kind in (RowKind.CASE_SYSTEM, RowKind.UNIT)
        for row in _all_rows(tx, kind)
        if row["organisation"] != organisation
    }
    for kind in _ENDED_IS_ANOTHER:
        rows[kind] = {key: row for key, row in rows[kind].items() if not row.has_ended(tx.now)}
    rows[RowKind.REFERENCE] = _known_references(tx, directory)
    return DirectorySnapshot(
        rows=rows,
        foreign_ids=frozenset(foreign),
        shared_people=frozenset(elsewhere),
        declared=_declared_conflicts(tx),
        members=frozenset(members),
    )


def _declared_conflicts(session: Session) -> frozenset[str]:
    table = TABLES[RowKind.CONFLICT]
    return frozenset(session.execute(sa.select(table.c.id).where(table.c.declared)).scalars())


def _named_people(directory: Directory) -> set[str]:
    """All people that a file refers to, in any table."""
    people = set()
    for kind, names in _PERSON_COLUMNS.items():
        for row in directory.rows.get(kind, {}).values():
            people |= {str(row.cells[name]) for name in names}
    return people


def directory_now(tx: Transaction, organisation: OrgNumber) -> Directory:
    """All rows that are active or begin later, without case references."""
    return _directory(tx, organisation, lambda row: not row.has_ended(tx.now))


def directory_on(tx: Transaction, organisation: OrgNumber, moment: datetime) -> Directory:
    """The rows that were active at a moment. Names, case systems and sharing are those of today."""
    found = _directory(tx, organisation, lambda row: row.is_active_on(moment, moment))
    parents = _parents_at(tx, moment)
    units = {
        key: replace(row, cells=_with_parent(row, parents.get(key[0])))
        for key, row in found.rows[RowKind.UNIT].items()
    }
    return replace(found, rows={**found.rows, RowKind.UNIT: units})


def _directory(
    tx: Transaction, organisation: OrgNumber, counts: Callable[[DirectoryRow], bool]
) -> Directory:
    here, _ = _people_here_and_elsewhere(tx, organisation)
    alone = _people_without_capacity(tx)
    loaded = _of_organisation(tx, organisation, here | alone, counts)
    return Directory(organisation=organisation, rows=loaded)


def _of_organisation(
    session: Session,
    organisation: str,
    people: set[str],
    counts: Callable[[DirectoryRow], bool] = lambda _: True,
) -> dict[RowKind, dict[RowKey, DirectoryRow]]:
    def ours(row: sa.RowMapping) -> bool:
        return bool(row["organisation"] == organisation)

    rows = {
        RowKind.CASE_SYSTEM: _load(session, RowKind.CASE_SYSTEM, ours, counts),
        RowKind.UNIT: _load(session, RowKind.UNIT, ours, lambda _: True),
    }
    units = {key[0] for key in rows[RowKind.UNIT]}
    rows[RowKind.UNIT] = {key: row for key, row in rows[RowKind.UNIT].items() if counts(row)}
    rows[RowKind.PERSON] = _load(session, RowKind.PERSON, lambda row: row["id"] in people, counts)
    for kind in (RowKind.CAPACITY, RowKind.DELEGATION):
        rows[kind] = _load(session, kind, lambda row: row["unit"] in units, counts)
    for kind in (RowKind.CLEARANCE, RowKind.CONFLICT, RowKind.IDENTITY):
        rows[kind] = _load(session, kind, lambda row: row["person"] in people, counts)
    return rows


def _all_rows(session: Session, kind: RowKind) -> Iterable[sa.RowMapping]:
    return session.execute(sa.select(TABLES[kind])).mappings()


def _load(
    session: Session, kind: RowKind, belongs: RowFilter, counts: Callable[[DirectoryRow], bool]
) -> dict[RowKey, DirectoryRow]:
    """The rows by their keys; of several rows with one key, the one that ends last."""
    found: dict[RowKey, DirectoryRow] = {}
    for each in _all_rows(session, kind):
        if belongs(each) and counts(row := _row(kind, each)):
            found[row.key] = max(row, found.get(row.key, row), key=_end_order)
    return found


def _end_order(row: DirectoryRow) -> tuple[bool, str]:
    return row.until is None, "" if row.until is None else row.until.isoformat()


def _row(kind: RowKind, each: "sa.RowMapping") -> DirectoryRow:
    cells: dict[str, Cell] = {}
    for name, column in TABLE_COLUMNS[kind].items():
        value: Any = each[column]
        if value is not None and value is not False:
            cells[name] = value if isinstance(value, bool) else str(value)
    if kind is RowKind.REFERENCE:
        return DirectoryRow(kind=kind, cells=cells, row_id=each["id"])
    since, until = each["active_from"], each["active_until"]
    return DirectoryRow(kind=kind, cells=cells, since=since, until=until, row_id=each["id"])


def _people_here_and_elsewhere(tx: Transaction, organisation: str) -> tuple[set[str], set[str]]:
    """People with capacities in the organisation, and people with them elsewhere.

    The first are people who have or had a capacity in the organisation. The second are people who
    have one in another organisation now.
    """
    capacity, unit = TABLES[RowKind.CAPACITY], TABLES[RowKind.UNIT]
    here, elsewhere = set(), set()
    rows = tx.execute(
        sa.select(capacity.c.person, capacity.c.active_until, unit.c.organisation).join(
            unit, unit.c.id == capacity.c.unit
        )
    )
    for person, until, of in rows:
        if of == organisation:
            here.add(person)
        elif not has_ended(until, tx.now):
            elsewhere.add(person)
    return here, elsewhere


def _people_without_capacity(session: Session) -> set[str]:
    """People who have never had a capacity.

    No other organisation's directory therefore includes them.
    """
    person, capacity = TABLES[RowKind.PERSON], TABLES[RowKind.CAPACITY]
    anything = sa.exists().where(capacity.c.person == person.c.id)
    return set(session.execute(sa.select(person.c.id).where(~anything)).scalars())


def _known_references(session: Session, directory: Directory) -> dict[RowKey, DirectoryRow]:
    """The references of the file that the database already has."""
    table = TABLES[RowKind.REFERENCE]
    listed = directory.rows.get(RowKind.REFERENCE, {})
    found: dict[RowKey, DirectoryRow] = {}
    for some in _batches(sorted({str(row.cells["reference_hash"]) for row in listed.values()})):
        rows = session.execute(
            sa.select(table).where(
                table.c.organisation == directory.organisation,
                table.c.reference_hash.in_(some),
            )
        ).mappings()
        for row in (_row(RowKind.REFERENCE, each) for each in rows):
            if row.key in listed:
                found[row.key] = row
    return found


def _batches(values: list[str]) -> Iterable[list[str]]:
    return (values[at : at + _BATCH_SIZE] for at in range(0, len(values), _BATCH_SIZE))


def _parents_at(session: Session, moment: datetime) -> dict[str, str]:
    """The parent of each unit at a moment, computed from the closure table.

    The parent is, of the units above it, the one with most units above itself.
    """
    table = table_of(UnitAbove)
    rows = session.execute(
        sa.select(table.c.unit, table.c.above).where(active_on(UnitAbove, moment))
    ).all()
    above: dict[str, set[str]] = {}
    for unit, over in rows:
        above.setdefault(unit, set()).add(over)
    return {
        unit: max(overs, key=lambda each: len(above.get(each, ()))) for unit, overs in above.items()
    }


def _with_parent(row: DirectoryRow, parent: str | None) -> Mapping[str, Cell]:
    cells = {name: value for name, value in row.cells.items() if name != "parent"}
    return cells if parent is None else cells | {"parent": parent}
