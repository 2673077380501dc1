"""Facts about all messages for many people at once: each fact's one SQL form, as a join.

A form is taken apart at `and`, `or` and `not`. What is left compares, or says that a row exists:
asked for all capacities and all messages at once, over no more of their columns than it names. So
nothing here knows what a fact means.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import reduce
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BooleanClauseList, Grouping, UnaryExpression
from sqlalchemy.sql.selectable import Exists
from sqlalchemy.sql.util import find_tables

from inbox.access.facts.parameters import Form
from inbox.access.facts.registry import FACTS
from inbox.access.question import OfMessage
from inbox.tables import Capacity, Message, Unit, table_of

_MESSAGE: Final = table_of(Message)


@dataclass(frozen=True, kw_only=True)
class Asker:
    """A capacity of a person, as stored in its row, whether it is active or not."""

    capacity: str
    person: str
    unit: str
    role: str
    organisation: str


_FIELDS: Final = tuple(field.name for field in fields(Asker))
_Held = Callable[[Asker], int]
"""The messages of which something holds for this one: a bit each."""


class Relations:
    """All capacities and messages at one moment; each form is asked once, when it is needed."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        # A named delivery or task there is none; what else a request brings is not asked here.
        self._values = {
            "now": now,
            **dict.fromkeys(("case_system", "delivery_id", "task_id", "proposal_id", "target")),
        }
        self.askers: Final = [Asker(**row) for row in session.execute(_ASKERS).mappings()]
        ids = session.execute(sa.select(_MESSAGE.c.id).order_by(_MESSAGE.c.id)).scalars()
        self.messages: Final = tuple(ids)
        self.all: Final = (1 << len(self.messages)) - 1
        self._known: dict[str, _Held] = {}
        self._indexes: dict[tuple[str, ...], Mapping[tuple[object, ...], int]] = {}

    def holds(self, name: str, asker: Asker) -> int:
        """The messages for which the fact is true for this capacity, as a bitset."""
        if name not in self._known:
            self._known[name] = self._held(FACTS[name].forms.get(OfMessage, sa.false()))
        return self._known[name](asker)

    def ids(self, bits: int, at_most: int) -> tuple[str, ...]:
        """The ids of the first messages of a bitset."""
        found: list[str] = []
        while bits and len(found) < at_most:
            found.append(self.messages[(bits & -bits).bit_length() - 1])
            bits &= bits - 1
        return tuple(found)

    def _held(self, form: Any) -> _Held:
        match form:
            case Grouping():
                return self._held(form.element)
            case BooleanClauseList():
                return self._joined([self._held(part) for part in form.clauses], form.operator)
            case UnaryExpression() if form.operator is operators.inv:
                part = self._held(form.element)
                return lambda asker: self.all & ~part(asker)
        either = [self._related(*each) for each in _pulled(form)]
        return self._joined(either, operators.or_)

    def _joined(self, parts: Sequence[_Held], operator: object) -> _Held:
        def every(asker: Asker) -> int:
            bits = self.all
            for part in parts:
                bits &= part(asker)
            return bits

        def some(asker: Asker) -> int:
            bits = 0
            for part in parts:
                bits |= part(asker)
            return bits

        return every if operator is operators.and_ else some

    def _related(self, froms: Sequence[Any], conditions: Sequence[Form]) -> _Held:
        """Which capacities and messages some rows bind together, by the columns that they name."""
        asked = _named(conditions, sa.BindParameter, _FIELDS)
        told = _named(conditions, sa.Column, _MESSAGE.c.keys())
        asker, about = _distinct(_ASKERS.subquery(), asked), _distinct(_MESSAGE, told)

        def replaced(element: Any, **_: object) -> Any:
            if isinstance(element, sa.BindParameter) and element.key in asked:
                return asker.c[element.key]
            if isinstance(element, sa.Column) and element.table.name == _MESSAGE.name:
                return about.c[element.name]
            return None

        where = [visitors.replacement_traverse(each, {}, replaced) for each in conditions]
        columns = [*(asker.c[name] for name in asked), *(about.c[name] for name in told)]
        tables = [each for each in (*froms, asker, about) if each is not None]
        statement = sa.select(*(columns or [sa.literal(1)])).where(*where)
        if tables:
            # Said as joins: where nothing binds two of them, every pair is meant.
            joined = reduce(lambda left, right: left.join(right, sa.true()), tables)
            statement = statement.select_from(joined)
        found: dict[tuple[object, ...], list[tuple[object, ...]]] = {}
        for row in self._session.execute(statement.distinct(), self._values):
            found.setdefault(tuple(row[: len(asked)]), []).append(tuple(row[len(asked) :]))
        return self._lookup(asked, told, found)

    def _lookup(
        self,
        asked: Sequence[str],
        told: tuple[str, ...],
        found: Mapping[tuple[object, ...], Sequence[tuple[object, ...]]],
    ) -> _Held:
        index = self._index(told)
        kept: dict[tuple[tuple[object, ...], ...], int] = {}

        def held(asker: Asker) -> int:
            rows = found.get(tuple(getattr(asker, name) for name in asked))
            if rows is None:
                return 0
            if "id" in told:
                return _bits((index[row] for row in rows), len(self.messages))
            key = tuple(rows)
            if key not in kept:
                kept[key] = 0
                for row in key:
                    kept[key] |= index[row]
            return kept[key]

        return held if asked else _fixed(held(_NOBODY))

    def _index(self, told: tuple[str, ...]) -> Mapping[tuple[object, ...], int]:
        """The place of the message, where its id is among the columns; otherwise the messages."""
        if not told:
            return {(): self.all}
        if told not in self._indexes:
            columns = (_MESSAGE.c[name] for name in told)
            rows = self._session.execute(sa.select(*columns).order_by(_MESSAGE.c.id))
            places: dict[tuple[object, ...], list[int]] = {}
            for place, row in enumerate(rows):
                places.setdefault(tuple(row), []).append(place)
            if "id" in told:
                self._indexes[told] = {row: only[0] for row, only in places.items()}
            else:
                size = len(self.messages)
                self._indexes[told] = {row: _bits(each, size) for row, each in places.items()}
        return self._indexes[told]


def _fixed(bits: int) -> _Held:
    """The same messages for every capacity."""

    def held(_: Asker) -> int:
        return bits

    return held


def _bits(places: Iterable[int], size: int) -> int:
    held = bytearray(size // 8 + 1)
    for place in places:
        held[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(held, "little")


_CAPACITY, _UNIT = table_of(Capacity).alias("asking"), table_of(Unit).alias("asking_unit")
_ASKERS: Final = (
    sa.select(
        _CAPACITY.c.id.label("capacity"),
        _CAPACITY.c.person,
        _CAPACITY.c.unit,
        _CAPACITY.c.role,
        _UNIT.c.organisation,
    )
    .join(_UNIT, _UNIT.c.id == _CAPACITY.c.unit)
    .order_by(_CAPACITY.c.id)
)
_NOBODY: Final = Asker(capacity="", person="", unit="", role="", organisation="")


def _named(conditions: Iterable[Form], kind: type[Any], names: Iterable[str]) -> tuple[str, ...]:
    """The capacity's values, or the message's columns, that conditions name."""
    known, found = set(names), set()
    for element in (part for each in conditions for part in visitors.iterate(each)):
        if not isinstance(element, kind) or element.key not in known:
            continue
        if kind is sa.BindParameter or element.table.name == _MESSAGE.name:
            found.add(element.key)
    return tuple(sorted(found))


def _distinct(rows: Any, names: tuple[str, ...]) -> Any:
    """The distinct combinations of these columns; None if there are no columns."""
    if not names:
        return None
    return sa.select(*(rows.c[name] for name in names)).distinct().subquery()


def _pulled(form: Form) -> Iterator[tuple[list[Any], list[Form]]]:
    """The rows that a form says exist, and their conditions, in ways of which one must hold.

    A row that exists beside another is pulled out with it; an `or` about the message is split, for
    a join over an `or` would look at every message for every row.
    """
    if not isinstance(form, Exists):
        yield [], [form]
        return
    inner: Any = form.element.element
    froms = [each for each in inner.get_final_froms() if _is_own(inner, each)]
    ways: list[tuple[list[Any], list[Form]]] = [(froms, [])]
    for condition in _conjuncts(inner.whereclause):
        further = [each for part in _alternatives(condition) for each in _beside(part, froms)]
        ways = [
            ([*tables, *more], [*conditions, *beside])
            for tables, conditions in ways
            for more, beside in further
        ]
    yield from ways


def _is_own(inner: Any, each: Any) -> bool:
    """Whether a SELECT was said to be from it; what else it names belongs to what is around it."""
    said = inner._from_obj  # noqa: SLF001 - nothing public tells
    return isinstance(each, sa.Join) or any(each is one for one in said)


def _alternatives(condition: Form) -> list[Form]:
    bare = _bare(condition)
    is_or = isinstance(bare, BooleanClauseList) and bare.operator is operators.or_
    if is_or and _named([condition], sa.Column, _MESSAGE.c.keys()):
        return [_bare(part) for part in bare.clauses]
    return [condition]


def _beside(part: Form, froms: Sequence[Any]) -> Iterator[tuple[list[Any], list[Form]]]:
    """The tables and conditions of a nested EXISTS; it stays as it is if it uses the same table."""
    tables = {table for each in froms for table in find_tables(each, include_joins=True)}
    for more, conditions in _pulled(part):
        if any(tables & set(find_tables(each, include_joins=True)) for each in more):
            yield [], [part]
            return
        yield more, conditions


def _bare(form: Any) -> Any:
    while isinstance(form, Grouping):
        form = form.element
    return form


def _conjuncts(form: Any) -> Iterator[Form]:
    bare = _bare(form)
    if isinstance(bare, BooleanClauseList) and bare.operator is operators.and_:
        for part in bare.clauses:
            yield from _conjuncts(part)
    else:
        yield bare
