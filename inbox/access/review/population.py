"""Evaluates facts for the whole population at once: for each capacity, a set of messages.

The problem: "whom does this change of the policy touch" concerns five thousand capacities and a
hundred thousand messages. That is 500 million decisions in a command that people wait for.

The method: set-at-a-time evaluation. A correlated EXISTS becomes a join of its tables with all
capacities and all messages (the unnesting of Kim 1982). Of both it joins only the columns that the
EXISTS names, each combination of values once. The result is kept as a bitset for each capacity, one
bit for each message, as in a bitmap index; `and`, `or` and `not` are operations on whole bitsets.

An example with three messages: Kari is assigned to the first and the third, and has a conflict of
interest with the third. `assigned and not conflict` holds for the first alone. The rightmost bit is
the first message:

    >>> assigned, conflict, everything = _bitset([0, 2], 3), _bitset([2], 3), 0b111
    >>> bin(assigned & (everything & ~conflict))
    '0b1'

The fact `assigned` names the person of the capacity and the id of the message, so its query is
`SELECT DISTINCT person, id FROM assignment JOIN <distinct persons> JOIN <message ids> WHERE …`.

In the names below, `asked` are columns of the capacity, `told` are columns of the message.

Not done here: what a request supplies (a target, a delivery, a task) is NULL, so facts about it are
false; case systems are left out. What a fact means stands in `facts.registry`. No decision uses
this module. `test_impact.py` compares it with the lists, on both databases.
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

from inbox.access.facts.parameters import SqlCondition
from inbox.access.facts.registry import FACTS
from inbox.access.question import OfMessage
from inbox.tables import CapacityRow, Message, Unit, table_of

_MESSAGE: Final = table_of(Message)


@dataclass(frozen=True, kw_only=True)
class CapacityHolder:
    """A capacity of a person, as stored in its row, whether it is active or not."""

    capacity: str
    person: str
    unit: str
    role: str
    organisation: str


_FIELDS: Final = tuple(field.name for field in fields(CapacityHolder))
_MessageBits = Callable[[CapacityHolder], int]
"""Gives, for a capacity, the bitset of the messages for which some condition is true."""


class Population:
    """All capacities and messages at one moment.

    Each fact is queried once, when it is first needed.
    """

    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        # The request names no delivery, task, proposal or target. Facts that need one are false.
        self._values = {
            "now": now,
            **dict.fromkeys(("case_system", "delivery_id", "task_id", "proposal_id", "target")),
        }
        self.holders: Final = [
            CapacityHolder(**row) for row in session.execute(_HOLDERS_SELECT).mappings()
        ]
        ids = session.execute(sa.select(_MESSAGE.c.id).order_by(_MESSAGE.c.id)).scalars()
        self.messages: Final = tuple(ids)
        self.all_messages: Final = (1 << len(self.messages)) - 1
        self._evaluated: dict[str, _MessageBits] = {}
        self._indexes: dict[tuple[str, ...], Mapping[tuple[object, ...], int]] = {}

    def messages_where(self, name: str, holder: CapacityHolder) -> int:
        """The messages for which the fact is true for this capacity, as a bitset."""
        if name not in self._evaluated:
            self._evaluated[name] = self._evaluate(
                FACTS[name].sql_by_subject.get(OfMessage, sa.false())
            )
        return self._evaluated[name](holder)

    def ids_of(self, bits: int, at_most: int) -> tuple[str, ...]:
        """The ids of the first messages of a bitset."""
        found: list[str] = []
        while bits and len(found) < at_most:
            found.append(self.messages[(bits & -bits).bit_length() - 1])
            bits &= bits - 1
        return tuple(found)

    def _evaluate(self, form: Any) -> _MessageBits:
        match form:
            case Grouping():
                return self._evaluate(form.element)
            case BooleanClauseList():
                return self._combine([self._evaluate(part) for part in form.clauses], form.operator)
            case UnaryExpression() if form.operator is operators.inv:
                part = self._evaluate(form.element)
                return lambda holder: self.all_messages & ~part(holder)
        # A leaf is a comparison or an EXISTS. Each of its alternatives is one join; any may hold.
        either = [self._evaluate_join(*each) for each in _flatten_exists(form)]
        return self._combine(either, operators.or_)

    def _combine(self, parts: Sequence[_MessageBits], operator: object) -> _MessageBits:
        def every(holder: CapacityHolder) -> int:
            bits = self.all_messages
            for part in parts:
                bits &= part(holder)
            return bits

        def some(holder: CapacityHolder) -> int:
            bits = 0
            for part in parts:
                bits |= part(holder)
            return bits

        return every if operator is operators.and_ else some

    def _evaluate_join(
        self, froms: Sequence[Any], conditions: Sequence[SqlCondition]
    ) -> _MessageBits:
        """Which capacities and messages fulfil these conditions together.

        They are found by joining on the columns that the conditions name.
        """
        asked = _mentioned_names(conditions, sa.BindParameter, _FIELDS)
        told = _mentioned_names(conditions, sa.Column, _MESSAGE.c.keys())
        holder, about = (
            _distinct_rows(_HOLDERS_SELECT.subquery(), asked),
            _distinct_rows(_MESSAGE, told),
        )

        def replaced(element: Any, **_: object) -> Any:
            if isinstance(element, sa.BindParameter) and element.key in asked:
                return holder.c[element.key]
            if isinstance(element, sa.Column) and element.table.name == _MESSAGE.name:
                return about.c[element.name]
            return None

        # As in `who_can`, a column replaces each bind parameter; here it has each value once.
        where = [visitors.replacement_traverse(each, {}, replaced) for each in conditions]
        columns = [*(holder.c[name] for name in asked), *(about.c[name] for name in told)]
        tables = [each for each in (*froms, holder, about) if each is not None]
        statement = sa.select(*(columns or [sa.literal(1)])).where(*where)
        if tables:
            # `JOIN … ON true`: tables that no condition connects are meant to give every pair.
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
    ) -> _MessageBits:
        index = self._index(told)
        kept: dict[tuple[tuple[object, ...], ...], int] = {}

        def held(holder: CapacityHolder) -> int:
            rows = found.get(tuple(getattr(holder, name) for name in asked))
            if rows is None:
                return 0
            # With the id among the columns, a row is one message, hence one bit. Without it, a row
            # stands for all messages with these values, and the index has their bitset.
            if "id" in told:
                return _bitset((index[row] for row in rows), len(self.messages))
            key = tuple(rows)
            if key not in kept:
                kept[key] = 0
                for row in key:
                    kept[key] |= index[row]
            return kept[key]

        return held if asked else _constant(held(_NO_HOLDER))

    def _index(self, told: tuple[str, ...]) -> Mapping[tuple[object, ...], int]:
        """For each combination of values of these columns, the bitset of messages that have it.

        If the id is among the columns, each combination is one message. Then the value is its
        position in `messages`, and no bitset.
        """
        if not told:
            return {(): self.all_messages}
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
                self._indexes[told] = {row: _bitset(each, size) for row, each in places.items()}
        return self._indexes[told]


def _constant(bits: int) -> _MessageBits:
    """The same messages for every capacity."""

    def held(_: CapacityHolder) -> int:
        return bits

    return held


def _bitset(places: Iterable[int], size: int) -> int:
    held = bytearray(size // 8 + 1)
    for place in places:
        held[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(held, "little")


_CAPACITY, _UNIT = table_of(CapacityRow).alias("asking"), table_of(Unit).alias("asking_unit")
_HOLDERS_SELECT: Final = (
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
_NO_HOLDER: Final = CapacityHolder(capacity="", person="", unit="", role="", organisation="")


def _mentioned_names(
    conditions: Iterable[SqlCondition], kind: type[Any], names: Iterable[str]
) -> tuple[str, ...]:
    """Which of these names the conditions use, sorted.

    By `kind` they are bind parameters, or columns of the message.
    """
    known, found = set(names), set()
    for element in (part for each in conditions for part in visitors.iterate(each)):
        if not isinstance(element, kind) or element.key not in known:
            continue
        if kind is sa.BindParameter or element.table.name == _MESSAGE.name:
            found.add(element.key)
    return tuple(sorted(found))


def _distinct_rows(rows: Any, names: tuple[str, ...]) -> Any:
    """The distinct combinations of these columns; None if there are no columns."""
    if not names:
        return None
    return sa.select(*(rows.c[name] for name in names)).distinct().subquery()


def _flatten_exists(form: SqlCondition) -> Iterator[tuple[list[Any], list[SqlCondition]]]:
    """Turn an EXISTS condition into joins.

    Each result is one alternative: the tables of the subquery, and the conditions on them. The
    EXISTS is true if at least one alternative finds a row. Any other condition is its own only
    alternative, without tables.

    A nested EXISTS is joined as well. An `or` that names columns of the message is split into
    alternatives, because a join over an `or` compares every message with every row.
    """
    if not isinstance(form, Exists):
        yield [], [form]
        return
    inner: Any = form.element.element
    froms = [each for each in inner.get_final_froms() if _is_from_clause(inner, each)]
    ways: list[tuple[list[Any], list[SqlCondition]]] = [(froms, [])]
    for condition in _conjuncts(inner.whereclause):
        further = [each for part in _or_parts(condition) for each in _flatten_nested(part, froms)]
        # Alternatives multiply: one from each condition of the subquery.
        ways = [
            ([*tables, *more], [*conditions, *beside])
            for tables, conditions in ways
            for more, beside in further
        ]
    yield from ways


def _is_from_clause(inner: Any, each: Any) -> bool:
    """Whether the SELECT has this FROM clause itself.

    Other tables that the SELECT names belong to the enclosing query.
    """
    said = inner._from_obj  # noqa: SLF001 - nothing public tells
    return isinstance(each, sa.Join) or any(each is one for one in said)


def _or_parts(condition: SqlCondition) -> list[SqlCondition]:
    bare = _ungrouped(condition)
    is_or = isinstance(bare, BooleanClauseList) and bare.operator is operators.or_
    if is_or and _mentioned_names([condition], sa.Column, _MESSAGE.c.keys()):
        return [_ungrouped(part) for part in bare.clauses]
    return [condition]


def _flatten_nested(
    part: SqlCondition, froms: Sequence[Any]
) -> Iterator[tuple[list[Any], list[SqlCondition]]]:
    """The tables and conditions of a nested EXISTS; it stays as it is if it uses the same table."""
    tables = {table for each in froms for table in find_tables(each, include_joins=True)}
    for more, conditions in _flatten_exists(part):
        if any(tables & set(find_tables(each, include_joins=True)) for each in more):
            yield [], [part]
            return
        yield more, conditions


def _ungrouped(form: Any) -> Any:
    while isinstance(form, Grouping):
        form = form.element
    return form


def _conjuncts(form: Any) -> Iterator[SqlCondition]:
    bare = _ungrouped(form)
    if isinstance(bare, BooleanClauseList) and bare.operator is operators.and_:
        for part in bare.clauses:
            yield from _conjuncts(part)
    else:
        yield bare
