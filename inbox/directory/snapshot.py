"""The directory as the database has it: now with what lies ahead, or as it was on a day."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from inbox.directory.diff import Standing
from inbox.directory.format.rows import SHAPE, Cell, Directory, Key, Kind, Row
from inbox.domain import OrgNumber
from inbox.tables import (
    Capacity,
    CaseSystem,
    Clearance,
    ConflictOfInterest,
    Delegation,
    KnownReference,
    Person,
    Unit,
    UnitAbove,
    table_of,
)
from inbox.tables.periods import is_over, lasts

TABLES: Final[Mapping[Kind, sa.Table]] = {
    Kind.CASE_SYSTEM: table_of(CaseSystem),
    Kind.UNIT: table_of(Unit),
    Kind.PERSON: table_of(Person),
    Kind.CAPACITY: table_of(Capacity),
    Kind.CLEARANCE: table_of(Clearance),
    Kind.CONFLICT: table_of(ConflictOfInterest),
    Kind.DELEGATION: table_of(Delegation),
    Kind.REFERENCE: table_of(KnownReference),
}
COLUMNS: Final[Mapping[Kind, Mapping[str, str]]] = {
    kind: {
        column.name: {"message": "message_id"}.get(column.name, column.name)
        for column in columns
        if column.name != "reference"
    }
    for kind, columns in SHAPE.items()
}
"""The column of the table that holds each cell; a reference stands there as its keyed hash."""
_PEOPLE: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.PERSON: ("id",),
    Kind.CAPACITY: ("person",),
    Kind.CLEARANCE: ("person",),
    Kind.CONFLICT: ("person",),
    Kind.DELEGATION: ("absent", "substitute", "given_by"),
}
_AT_ONCE: Final = 500

Belongs = Callable[["sa.RowMapping"], bool]


def standing(session: Session, now: datetime, directory: Directory) -> Standing:
    """What stands of the directory's organisation, and of whatever else it names."""
    organisation = directory.organisation
    here, elsewhere = _people(session, now, organisation)
    members = here | _without_capacity(session)
    rows = _of_organisation(session, organisation, members | _named(directory))
    foreign = {
        (kind, str(row["id"]))
        for kind in (Kind.CASE_SYSTEM, Kind.UNIT)
        for row in _all(session, kind)
        if row["organisation"] != organisation
    }
    for kind in (Kind.CAPACITY, Kind.CLEARANCE, Kind.CONFLICT, Kind.DELEGATION):
        rows[kind] = {key: row for key, row in rows[kind].items() if not row.is_over(now)}
    rows[Kind.REFERENCE] = _references(session, directory)
    return Standing(
        rows=rows,
        foreign=frozenset(foreign),
        shared=frozenset(elsewhere),
        members=frozenset(members),
    )


def _named(directory: Directory) -> set[str]:
    """All people that a file refers to, in any table."""
    people = set()
    for kind, names in _PEOPLE.items():
        for row in directory.rows.get(kind, {}).values():
            people |= {str(row.cells[name]) for name in names}
    return people


def directory_now(session: Session, now: datetime, organisation: OrgNumber) -> Directory:
    """All rows that are active or begin later, without case references."""
    return _directory(session, now, organisation, lambda row: not row.is_over(now))


def directory_on(
    session: Session, now: datetime, organisation: OrgNumber, moment: datetime
) -> Directory:
    """The rows that were active at a moment. Names, case systems and sharing are those of today."""
    found = _directory(session, now, organisation, lambda row: row.is_lasting(moment, moment))
    parents = _parents_at(session, moment)
    units = {
        key: replace(row, cells=_with_parent(row, parents.get(key[0])))
        for key, row in found.rows[Kind.UNIT].items()
    }
    return replace(found, rows={**found.rows, Kind.UNIT: units})


def _directory(
    session: Session, now: datetime, organisation: OrgNumber, counts: Callable[[Row], bool]
) -> Directory:
    here, _ = _people(session, now, organisation)
    alone = _without_capacity(session)
    loaded = _of_organisation(session, organisation, here | alone, counts)
    return Directory(organisation=organisation, rows=loaded)


def _of_organisation(
    session: Session,
    organisation: str,
    people: set[str],
    counts: Callable[[Row], bool] = lambda _: True,
) -> dict[Kind, dict[Key, Row]]:
    def ours(row: sa.RowMapping) -> bool:
        return bool(row["organisation"] == organisation)

    rows = {
        Kind.CASE_SYSTEM: _load(session, Kind.CASE_SYSTEM, ours, counts),
        Kind.UNIT: _load(session, Kind.UNIT, ours, lambda _: True),
    }
    units = {key[0] for key in rows[Kind.UNIT]}
    rows[Kind.UNIT] = {key: row for key, row in rows[Kind.UNIT].items() if counts(row)}
    rows[Kind.PERSON] = _load(session, Kind.PERSON, lambda row: row["id"] in people, counts)
    for kind in (Kind.CAPACITY, Kind.DELEGATION):
        rows[kind] = _load(session, kind, lambda row: row["unit"] in units, counts)
    for kind in (Kind.CLEARANCE, Kind.CONFLICT):
        rows[kind] = _load(session, kind, lambda row: row["person"] in people, counts)
    return rows


def _all(session: Session, kind: Kind) -> Iterable[sa.RowMapping]:
    return session.execute(sa.select(TABLES[kind])).mappings()


def _load(
    session: Session, kind: Kind, belongs: Belongs, counts: Callable[[Row], bool]
) -> dict[Key, Row]:
    """The rows by their keys; of several rows with one key, the one that ends last."""
    found: dict[Key, Row] = {}
    for each in _all(session, kind):
        if belongs(each) and counts(row := _row(kind, each)):
            found[row.key] = max(row, found.get(row.key, row), key=_lasting)
    return found


def _lasting(row: Row) -> tuple[bool, str]:
    return row.until is None, "" if row.until is None else row.until.isoformat()


def _row(kind: Kind, each: "sa.RowMapping") -> Row:
    cells: dict[str, Cell] = {}
    for name, column in COLUMNS[kind].items():
        value: Any = each[column]
        if value is not None and value is not False:
            cells[name] = value if isinstance(value, bool) else str(value)
    if kind is Kind.REFERENCE:
        return Row(kind=kind, cells=cells, row_id=each["id"])
    since, until = each["active_from"], each["active_until"]
    return Row(kind=kind, cells=cells, since=since, until=until, row_id=each["id"])


def _people(session: Session, now: datetime, organisation: str) -> tuple[set[str], set[str]]:
    """Who stands or stood for something in the organisation, and who does in another one today."""
    capacity, unit = TABLES[Kind.CAPACITY], TABLES[Kind.UNIT]
    here, elsewhere = set(), set()
    rows = session.execute(
        sa.select(capacity.c.person, capacity.c.active_until, unit.c.organisation).join(
            unit, unit.c.id == capacity.c.unit
        )
    )
    for person, until, of in rows:
        if of == organisation:
            here.add(person)
        elif not is_over(until, now):
            elsewhere.add(person)
    return here, elsewhere


def _without_capacity(session: Session) -> set[str]:
    """People who have never stood for anything: nobody else's directory has them."""
    person, capacity = TABLES[Kind.PERSON], TABLES[Kind.CAPACITY]
    anything = sa.exists().where(capacity.c.person == person.c.id)
    return set(session.execute(sa.select(person.c.id).where(~anything)).scalars())


def _references(session: Session, directory: Directory) -> dict[Key, Row]:
    """The references of the file that the database already has."""
    table = TABLES[Kind.REFERENCE]
    listed = directory.rows.get(Kind.REFERENCE, {})
    found: dict[Key, Row] = {}
    for some in _batches(sorted({str(row.cells["reference_hash"]) for row in listed.values()})):
        rows = session.execute(
            sa.select(table).where(
                table.c.organisation == directory.organisation,
                table.c.reference_hash.in_(some),
            )
        ).mappings()
        for row in (_row(Kind.REFERENCE, each) for each in rows):
            if row.key in listed:
                found[row.key] = row
    return found


def _batches(values: list[str]) -> Iterable[list[str]]:
    return (values[at : at + _AT_ONCE] for at in range(0, len(values), _AT_ONCE))


def _parents_at(session: Session, moment: datetime) -> dict[str, str]:
    """The unit directly above each, as the closure had it: of those above the lowest."""
    table = table_of(UnitAbove)
    rows = session.execute(
        sa.select(table.c.unit, table.c.above).where(lasts(UnitAbove, moment))
    ).all()
    above: dict[str, set[str]] = {}
    for unit, over in rows:
        above.setdefault(unit, set()).add(over)
    return {
        unit: max(overs, key=lambda each: len(above.get(each, ()))) for unit, overs in above.items()
    }


def _with_parent(row: Row, parent: str | None) -> Mapping[str, Cell]:
    cells = {name: value for name, value in row.cells.items() if name != "parent"}
    return cells if parent is None else cells | {"parent": parent}
