"""Compares every row that decides with what the audit says of it last: `audit verify --state`.

Each entry carries keyed marks of the rows that its transaction wrote (`row_changes`). Here the last
mark of each row is compared with the row as it stands: a row that was changed, added or deleted
past the program fits no entry. What stood when marks began is vouched for by entries of their own
(`take_state`): it is as it was found then, which is all that can be said of it.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final
from zlib import crc32

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from inbox import audit
from inbox.audit.deciding_rows import DECIDING_TABLES, DecidingTable
from inbox.audit.row_digests import ABSENT, SALT_NAME, is_salted, row_digest, row_mark, row_name
from inbox.store import Transaction
from inbox.tables import AuditEntry, AuditSalt
from inbox.tables.columns import EnumValue, UtcDateTime

TAKEN: Final = "log:state_taken"
"""The entries that vouch for what stood when marks began."""
_BATCH: Final = 1_000
_MOST_IN_MEMORY: Final = 500_000
"""So many rows are compared in one reading of the log; more take several readings."""
_UNREADABLE: Final = b"unreadable"
_SALTED: Final = frozenset(name for name, table in DECIDING_TABLES.items() if table.salted)
_LEAVES: Final = sa.select(col(AuditEntry.seq), col(AuditEntry.leaf)).order_by(col(AuditEntry.seq))
_COUNTS: Final = sa.select(
    *(
        select(func.count()).select_from(table.table).scalar_subquery()
        for table in DECIDING_TABLES.values()
    )
)
"""The number of rows of every table, in one statement."""
_ROWS_IN_LEAF: Final = b'"rows":{'


@dataclass(frozen=True, kw_only=True)
class StateFinding:
    """A row that no entry explains: a code, its table and its id, and nothing else of it."""

    code: str
    table: str
    row: str


@dataclass(frozen=True, kw_only=True)
class StateReport:
    """What the comparison of all deciding rows with the log came to."""

    compared: int
    as_found: Mapping[str, int]
    """By table, the rows that stand as they were found when marks began."""
    findings: tuple[StateFinding, ...]


@dataclass(frozen=True)
class _Mark:
    seq: int
    mark: str
    taken: bool


@dataclass(kw_only=True)
class _Part:
    """The rows that one reading of the log is about: of `number`, all whose names fall to it."""

    key: bytes
    part: int
    number: int
    marks: dict[str, _Mark] = field(default_factory=dict)
    salts: dict[int, bytes] = field(default_factory=dict)
    compared: int = 0
    as_found: Counter[str] = field(default_factory=Counter)
    findings: list[StateFinding] = field(default_factory=list)

    def has(self, name: str) -> bool:
        """Whether the row is of this part."""
        return crc32(name.encode(errors="surrogatepass")) % self.number == self.part

    def compare(self, table: DecidingTable, name: str, digest: bytes) -> None:
        """Compare a row that stands with its last mark."""
        last = self.marks.pop(name, None)
        self.compared += 1
        if last is None:
            self._find("state.unexplained", name)
        elif digest is _UNREADABLE or not self._fits(last, name, digest):
            self._find("state.differs", name)
        elif last.taken:
            self.as_found[table.name] += 1

    def compare_missing(self) -> None:
        """What is left are rows that do not stand: the log must say so."""
        for name, last in self.marks.items():
            if not self._fits(last, name, ABSENT):
                self._find("state.missing", name)

    def _fits(self, last: _Mark, name: str, digest: bytes) -> bool:
        salt = self.salts.get(last.seq, b"") if is_salted(name, digest, _SALTED) else b""
        return row_mark(self.key, last.seq, salt, name, digest) == last.mark

    def _find(self, code: str, name: str) -> None:
        table, _, row = name.partition("/")
        self.findings.append(StateFinding(code=code, table=table, row=row))


def verify_state(
    session: Session, key: bytes, *, stopped: Callable[[], bool] = lambda: False
) -> StateReport:
    """Compare every deciding row with the log. Read it in one snapshot, after `verify`.

    An entry that was changed or added by somebody without the key vouches for nothing here. Where
    `stopped` says so it ends early, and reports what it has compared.
    """
    if not _is_taken(session):
        nothing = StateFinding(code="state.not_taken", table="installation", row="1")
        return StateReport(compared=0, as_found={}, findings=(nothing,))
    counts = session.execute(_COUNTS).one()
    filled = [table for table, rows in zip(DECIDING_TABLES.values(), counts, strict=True) if rows]
    number = 1 + sum(counts) // _MOST_IN_MEMORY
    parts = [_Part(key=key, part=part, number=number) for part in range(number)]
    for part in parts:
        if not _compare_part(session, part, filled, stopped):
            break
    found = [finding for part in parts for finding in part.findings]
    return StateReport(
        compared=sum(part.compared for part in parts),
        as_found=dict(sorted(sum((part.as_found for part in parts), Counter()).items())),
        findings=tuple(sorted(found, key=lambda each: (each.table, each.row))),
    )


def _compare_part(
    session: Session, part: _Part, filled: Sequence[DecidingTable], stopped: Callable[[], bool]
) -> bool:
    """Whether it came to the end; `filled` are the tables with any rows."""
    for seq, event, marks in _marks_in_log(session):
        if stopped():
            return False
        for name, mark in marks.items():
            if part.has(name):
                part.marks[name] = _Mark(seq, mark, event == TAKEN)
    part.salts = _salts(session)
    for table in filled:
        for name, digest in _standing(session, table):
            if stopped():
                return False
            if part.has(name):
                part.compare(table, name, digest)
    part.compare_missing()
    part.marks.clear()
    return True


def _marks_in_log(session: Session) -> Iterator[tuple[int, str, Mapping[str, str]]]:
    """Number, event and marks of each entry that has marks; what is no leaf says nothing."""
    for seq, leaf in _rows_of(session, _LEAVES):
        if isinstance(leaf, bytes) and _ROWS_IN_LEAF in leaf:
            said = _read_leaf(leaf)
            marks = said.get("rows")
            if isinstance(marks, dict):
                yield seq, str(said.get("event")), marks


def _read_leaf(leaf: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(leaf)
    except (ValueError, TypeError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _rows_of(session: Session, query: sa.Select[*tuple[Any, ...]]) -> Iterator[Sequence[Any]]:
    """The rows of a long query, some at a time; its cursor is closed wherever the reading ends."""
    with session.execute(query, execution_options={"yield_per": _BATCH}) as rows:
        yield from rows


def _salts(session: Session) -> dict[int, bytes]:
    found = session.exec(
        select(AuditSalt.seq, AuditSalt.salt).where(
            col(AuditSalt.name) == SALT_NAME, col(AuditSalt.salt) != b""
        )
    )
    return {seq: salt for seq, salt in found if isinstance(salt, bytes)}


def _standing(session: Session, table: DecidingTable) -> Iterator[tuple[str, bytes]]:
    """The name and the digest of each row that stands."""

    def name_of(row: Sequence[object]) -> str:
        return row_name(table, row)

    for name, rows in groupby(_read_rows(session, table), name_of):
        try:
            yield name, row_digest(table, list(rows))
        except (TypeError, ValueError):  # A value that the program never writes.
            yield name, _UNREADABLE


def _read_rows(session: Session, table: DecidingTable) -> Iterator[Sequence[object]]:
    """The deciding values of all rows, in the order of their keys.

    Words of closed sets come as they are, and so do times that are invalid or beyond all calendars:
    a person who put them there is to be found, and must not stop the reading.
    """
    dialect = session.get_bind().dialect
    columns = [_plain(column, dialect) for column in table.columns]
    readers = [_reader(column, dialect) for column in table.columns]
    order = [table.table.c[name] for name in table.key_names]
    query = sa.select(*columns).order_by(*order)
    for row in _rows_of(session, query):
        yield [_read(reader, value) for reader, value in zip(readers, row, strict=True)]


def _plain(column: sa.Column[Any], dialect: sa.Dialect) -> sa.ColumnElement[Any]:
    """The column as the database has it; a time of PostgreSQL as text, in UTC."""
    if dialect.name == "postgresql" and isinstance(column.type, UtcDateTime):
        utc = sa.func.to_char(sa.func.timezone("UTC", column), "YYYY-MM-DD HH24:MI:SS.US")
        text = sa.func.coalesce(utc, sa.cast(sa.type_coerce(column, sa.types.NullType()), sa.Text))
        return sa.type_coerce(text, sa.types.NullType())
    return sa.type_coerce(column, sa.types.NullType())


def _reader(column: sa.Column[Any], dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    """How the value in the database becomes that of the program; None: it is that already."""
    if isinstance(column.type, EnumValue):
        return None
    if isinstance(column.type, UtcDateTime):
        return lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC)
    return column.type.dialect_impl(dialect).result_processor(dialect, None)


def _read(reader: Callable[[Any], Any] | None, value: object) -> object:
    try:
        return value if reader is None or value is None else reader(value)
    except (TypeError, ValueError):
        return value


def take_state(tx: Transaction) -> Mapping[str, int]:
    """Vouch once for every deciding row as it stands; how many there are, by table.

    Nothing is done, and nothing counted, where the log says that it was done, or began with marks:
    emptying the mark in the database lets nobody have a changed row vouched for.
    """
    if _is_taken(tx):
        return {}
    counts = {}
    for table in DECIDING_TABLES.values():
        digests = dict(_standing(tx, table))
        counts[table.name] = len(digests)
        about = audit.Entry(event=TAKEN, who="operator", subject=table.name)
        for entry in audit.rows_entries(about, digests) or [about]:
            audit.record(tx, entry)
    return counts


def _is_taken(session: Session) -> bool:
    """Whether the log began with marks, or says that they were taken."""
    said = ((seq, _read_leaf(leaf)) for seq, leaf in _rows_of(session, _LEAVES))
    return any(leaf.get("event") == TAKEN or (seq == 0 and "rows" in leaf) for seq, leaf in said)
