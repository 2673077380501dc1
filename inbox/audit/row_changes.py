"""Notes every deciding row that a transaction writes, so that its audit entries vouch for it.

No code has to ask for it: what the session flushes, and every INSERT, UPDATE and DELETE that it
executes, is seen here. Of a statement the database returns the rows as they are then; of an object
that was changed, and of a group of rows, they are read once before the commit. A statement that is
executed on the connection itself is not seen: `note_rows` is for that.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, UOWTransaction, object_mapper
from sqlmodel import Session, SQLModel

from inbox.audit.deciding_rows import DECIDING_TABLES, DecidingTable
from inbox.audit.row_digests import ABSENT, name_of_key, row_digest
from inbox.store import Transaction

_NOTED_ALREADY: Final = "inbox_rows_noted"
_MOST_IN_A_QUERY: Final = 500


@dataclass
class _NotedRows:
    """What a transaction has written so far: the digest of each row, or that it is to be read."""

    digests: dict[str, bytes] = field(default_factory=dict)
    unread: dict[str, tuple[DecidingTable, tuple[object, ...]]] = field(default_factory=dict)

    def note(self, table: DecidingTable, values: Sequence[object]) -> None:
        """The row is now so."""
        key = [values[place] for place in table.key_places]
        if table.is_grouped:
            self.note_unread(table, key)
            return
        name = name_of_key(table, key)
        self.unread.pop(name, None)
        self.digests[name] = row_digest(table, [values])

    def note_unread(self, table: DecidingTable, key: Sequence[object]) -> None:
        """The row, or the group, has changed."""
        name = name_of_key(table, key)
        self.digests.pop(name, None)
        self.unread[name] = (table, tuple(key))

    def note_deleted(self, table: DecidingTable, values: Sequence[object]) -> None:
        """The row is gone."""
        key = [values[place] for place in table.key_places]
        if table.is_grouped:
            self.note_unread(table, key)
            return
        name = name_of_key(table, key)
        self.unread.pop(name, None)
        self.digests[name] = ABSENT


class WrittenRows:
    """What an INSERT, UPDATE or DELETE has written: only how many rows."""

    def __init__(self, rowcount: int) -> None:
        self.rowcount = rowcount


def deciding_columns(table: sa.Table) -> Sequence[sa.Column[Any]]:
    """The columns that a statement must return for `note_rows`."""
    return DECIDING_TABLES[table.name].columns


def note_rows(session: Session, table: sa.Table, rows: Sequence[Sequence[object]]) -> None:
    """Note rows that a statement on the connection itself has written and returned."""
    found, noted = DECIDING_TABLES[table.name], _noted(session)
    for row in rows:
        noted.note(found, row)


def write_returning(
    session: Session, statement: sa.Update, names: Sequence[str]
) -> Sequence[Mapping[str, Any]]:
    """Execute an UPDATE of a deciding table and give some of the columns of the rows it wrote."""
    written = statement.table
    assert isinstance(written, sa.Table)
    table = DECIDING_TABLES[written.name]
    found = session.execute(
        statement.returning(*table.columns), execution_options={_NOTED_ALREADY: True}
    ).all()
    for row in found:
        _noted(session).note(table, row)
    places = [(name, table.names.index(name)) for name in names]
    return [{name: row[place] for name, place in places} for row in found]


def take_digests(tx: Transaction) -> dict[str, bytes]:
    """The digest of every deciding row that this transaction has written, by its name.

    Called once, when everything has been flushed: rows that are to be read are locked by their
    change, so that what is read here is what is committed.
    """
    noted: _NotedRows | None = tx.written_rows
    tx.written_rows = None
    if noted is None:
        return {}
    by_table: dict[str, list[tuple[object, ...]]] = {}
    for table, key in noted.unread.values():
        by_table.setdefault(table.name, []).append(key)
    for name, keys in by_table.items():
        for start in range(0, len(keys), _MOST_IN_A_QUERY):
            part = keys[start : start + _MOST_IN_A_QUERY]
            noted.digests |= _read_digests(tx, DECIDING_TABLES[name], part)
    return noted.digests


def _read_digests(
    session: Session, table: DecidingTable, keys: Sequence[tuple[object, ...]]
) -> Mapping[str, bytes]:
    columns = [table.table.c[name] for name in table.key_names]
    matches = (
        columns[0].in_([key[0] for key in keys])
        if len(columns) == 1
        else sa.tuple_(*columns).in_(keys)
    )
    groups: dict[str, list[Sequence[object]]] = {name_of_key(table, key): [] for key in keys}
    for row in session.connection().execute(sa.select(*table.columns).where(matches)):
        groups[name_of_key(table, [row[place] for place in table.key_places])].append(row)
    return {name: row_digest(table, rows) for name, rows in groups.items()}


def _noted(session: Any) -> _NotedRows:
    if session.written_rows is None:
        session.written_rows = _NotedRows()
    noted: _NotedRows = session.written_rows
    return noted


@event.listens_for(Transaction, "after_flush")
def _note_flushed(session: Session, context: UOWTransaction) -> None:
    del context
    for obj in session.new:
        table = _table_of(obj)
        if table is not None:
            _noted(session).note(table, [getattr(obj, name) for name in table.names])
    for obj in session.dirty:
        table = _table_of(obj)
        if table is not None and _has_changed(obj, table):
            _noted(session).note_unread(table, [getattr(obj, name) for name in table.key_names])
    for obj in session.deleted:
        table = _table_of(obj)
        if table is not None:
            values = {name: getattr(obj, name) for name in table.key_names}
            _noted(session).note_deleted(table, [values.get(name) for name in table.names])


def _table_of(obj: object) -> DecidingTable | None:
    assert isinstance(obj, SQLModel)
    table = object_mapper(obj).local_table
    return DECIDING_TABLES.get(table.name) if isinstance(table, sa.Table) else None


def _has_changed(obj: object, table: DecidingTable) -> bool:
    state = sa.inspect(obj)
    assert state is not None
    return not table.written_by_moves.isdisjoint(state.committed_state)


@event.listens_for(Transaction, "do_orm_execute")
def _note_executed(state: ORMExecuteState) -> WrittenRows | None:
    """Have the rows returned that a statement writes; the caller learns how many they are."""
    statement = state.statement
    if not isinstance(statement, sa.Insert | sa.Update | sa.Delete):
        return None
    if state.execution_options.get(_NOTED_ALREADY):
        return None
    table = DECIDING_TABLES.get(getattr(statement.table, "name", ""))
    if table is None or not _writes_deciding(statement, table):
        return None
    if statement._returning:  # noqa: SLF001 - no public name says whether it returns rows
        raise TypeError(f"{table.name}: `write_returning` is for what returns rows")
    result = state.invoke_statement(statement=statement.returning(*table.columns))
    rows, noted = result.all(), _noted(state.session)
    for row in rows:
        if isinstance(statement, sa.Delete):
            noted.note_deleted(table, row)
        else:
            noted.note(table, row)
    return WrittenRows(len(rows))


def _writes_deciding(statement: sa.Insert | sa.Update | sa.Delete, table: DecidingTable) -> bool:
    if not isinstance(statement, sa.Update):
        return True
    return not table.written_by_moves.isdisjoint(_names_set(statement))


def _names_set(statement: sa.Update) -> Iterator[str]:
    """The columns that an UPDATE sets; one that names none by `values` is taken to set all."""
    values = statement._values  # noqa: SLF001 - no public name gives what a statement sets
    if values is None:
        yield from (column.name for column in statement.table.columns)
        return
    for column in values:
        yield getattr(column, "name", str(column))
