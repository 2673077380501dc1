"""The SQL statements of queues: pages in either order, and counts by groups, prepared once.

The same filters as those of every list (`filters`), joined by UNION. A page reads each state by
itself: so an index gives its rows in their order, and a page reads little more than it shows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Dialect, Integer, Select, bindparam

from inbox.access.facts.lookup import PARAMETER_NAMES
from inbox.access.facts.parameters import SqlCondition, text_parameter
from inbox.access.facts.prepared_select import PreparedSelect
from inbox.access.lists.filters import permit_branches
from inbox.access.lists.queue_search import (
    QueueFields,
    finds_few,
    group_expressions,
    other_filters,
    state_filters,
)
from inbox.access.lists.statements import union_of
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Role
from inbox.tables import Message, Unit, UtcDateTime, WrappedKey, table_of

_TABLE: Final = table_of(Message)
_UNIT: Final = table_of(Unit)
_KEY: Final = table_of(WrappedKey)
_LIMIT: Final = bindparam("at_most", type_=Integer())
_PLACE: Final = sa.tuple_(bindparam("after_at", type_=UtcDateTime()), text_parameter("after_id"))
_PLACE_NAMES: Final = frozenset({"at_most", "after_at", "after_id"})
_OF_OTHER_TABLES: Final = {
    "unit_name": _UNIT.c.name,
    "kek_id": _KEY.c.kek_id,
    "wrapped": _KEY.c.wrapped,
}


class QueueOrder(StrEnum):
    """The order of a queue, by when its messages were received."""

    OLDEST_FIRST = "oldest"
    NEWEST_FIRST = "newest"

    @property
    def reversed(self) -> "QueueOrder":
        """The other order: what comes after a place in it stands before it in this one."""
        is_oldest = self is QueueOrder.OLDEST_FIRST
        return QueueOrder.NEWEST_FIRST if is_oldest else QueueOrder.OLDEST_FIRST


class QueueStatement(StrEnum):
    """The kind of a queue's statement."""

    FIRST_PAGE = "page"
    NEXT_PAGE = "next"
    NEIGHBOURS = "neighbours"
    """The first before a place and the first after it."""
    COUNTS = "counts"
    """How many there are of each group, and when the oldest was received."""


@dataclass(frozen=True, kw_only=True)
class QueueStatementKey:
    """Everything that shapes the text of a queue's statement, without the bind values."""

    policy: Policy
    action: Action
    role: Role
    request_facts: frozenset[tuple[str, bool]]
    fields: QueueFields
    kind: QueueStatement
    order: QueueOrder = QueueOrder.OLDEST_FIRST
    columns: tuple[str, ...] = ()
    """Of a page: its columns. Of counts: what they are counted by."""


@lru_cache(maxsize=500)
def prepared_queue_statement(key: QueueStatementKey, dialect: Dialect) -> PreparedSelect:
    """The prepared statement for this key."""
    statement = _SELECTS[key.kind](key)
    return PreparedSelect(statement, dialect, PARAMETER_NAMES | key.fields | _PLACE_NAMES)


def _branches(key: QueueStatementKey, sought: Sequence[SqlCondition]) -> list[SqlCondition]:
    return permit_branches(key.policy, key.action, key.role, dict(key.request_facts), sought)


def _page_select(key: QueueStatementKey) -> Select[Any]:
    at, message_id = _TABLE.c.received_at, _TABLE.c.id
    others, few = other_filters(key.fields), finds_few(key.fields)
    states = state_filters(key.fields)
    each_state = [[*others, state] for state in states] if states else [others]
    if few and states:
        each_state = [[*others, sa.or_(*states)]]
    place: list[SqlCondition] = []
    if key.kind is QueueStatement.NEXT_PAGE:
        here = sa.tuple_(at, message_id)
        is_oldest = key.order is QueueOrder.OLDEST_FIRST
        place = [here > _PLACE if is_oldest else here < _PLACE]
    found = []
    for sought in each_state:
        for branch in _branches(key, sought):
            ids = sa.select(message_id, at).where(branch, *place)
            if not few:
                ids = _ordered(ids, at, message_id, key.order).limit(_LIMIT)
            found.append(sa.select(ids.subquery()))
    some = (found[0] if len(found) == 1 else sa.union(*found)).subquery()
    # Sorted by what was found: by the table's own columns SQLite would walk the whole table.
    shown = [
        _OF_OTHER_TABLES[name] if name in _OF_OTHER_TABLES else _TABLE.c[name]
        for name in key.columns
    ]
    statement = sa.select(*shown).join_from(some, _TABLE, message_id == some.c.id)
    if "unit_name" in key.columns:
        statement = statement.join(_UNIT, _UNIT.c.id == _TABLE.c.unit, isouter=True)
    if "wrapped" in key.columns:
        statement = statement.join(_KEY, _KEY.c.id == message_id, isouter=True)
    return _ordered(statement, some.c.received_at, some.c.id, key.order).limit(_LIMIT)


def _ordered(
    statement: Select[Any],
    at: sa.ColumnElement[Any],
    message_id: sa.ColumnElement[Any],
    order: QueueOrder,
) -> Select[Any]:
    if order is QueueOrder.OLDEST_FIRST:
        return statement.order_by(at, message_id)
    return statement.order_by(at.desc(), message_id.desc())


def _neighbours_select(key: QueueStatementKey) -> Select[Any]:
    after = replace(key, kind=QueueStatement.NEXT_PAGE, columns=("id",))
    before = replace(after, order=key.order.reversed)
    sides = [
        sa.select(sa.literal(side).label("side"), _page_select(each).subquery().c.id)
        for side, each in (("after", after), ("before", before))
    ]
    return sa.select(sa.union_all(*sides).subquery())


def _counts_select(key: QueueStatementKey) -> Select[Any]:
    states = state_filters(key.fields)
    sought = [*other_filters(key.fields), *([sa.or_(*states)] if states else [])]
    groups = group_expressions(key.fields, key.columns)
    seen = union_of(_branches(key, sought), _TABLE.c.id, _TABLE.c.received_at, *groups)
    by = [seen.c[name] for name in key.columns]
    return sa.select(*by, sa.func.count(), sa.func.min(seen.c.received_at)).group_by(*by)


_SELECTS: Final[Mapping[QueueStatement, Callable[[QueueStatementKey], Select[Any]]]] = {
    QueueStatement.FIRST_PAGE: _page_select,
    QueueStatement.NEXT_PAGE: _page_select,
    QueueStatement.NEIGHBOURS: _neighbours_select,
    QueueStatement.COUNTS: _counts_select,
}
