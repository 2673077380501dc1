"""The SQL statements of lists, prepared once: the filters of a policy joined by UNION.

In a page each branch is sorted and ends by itself, so that a full page reads little more than it
shows, however much there is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Dialect, Integer, Select, Subquery, bindparam

from inbox.access.facts.lookup import PARAMETER_NAMES
from inbox.access.facts.parameters import SqlCondition, text_parameter
from inbox.access.facts.prepared_select import PreparedSelect
from inbox.access.lists.filters import permit_branches
from inbox.access.lists.search import SEARCH_PARAMETER_NAMES, SearchFields, search_filters
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Role
from inbox.tables import Message, UtcDateTime, table_of

_TABLE: Final = table_of(Message)
_LIMIT: Final = bindparam("at_most", type_=Integer())
_AFTER_CURSOR: Final = sa.tuple_(
    bindparam("after_at", type_=UtcDateTime()), text_parameter("after_id")
)
_ALL_PARAMETER_NAMES: Final = (
    PARAMETER_NAMES | SEARCH_PARAMETER_NAMES | {"at_most", "after_at", "after_id"}
)
_FACET_COLUMNS: Final = ("state", "unit", "shielding")


class StatementKind(StrEnum):
    """The kind of list statement."""

    FIRST_PAGE = "page"
    NEXT_PAGE = "next"
    """A page after a place."""
    COUNT = "count"
    FACETS = "facets"


@dataclass(frozen=True, kw_only=True)
class StatementKey:
    """The cache key of a list statement.

    It contains everything that shapes the text of the statement, without the bind values. Policies
    are compared by identity.
    """

    policy: Policy
    action: Action
    role: Role
    request_facts: frozenset[tuple[str, bool]]
    """The facts of the request."""
    search_fields: SearchFields
    kind: StatementKind
    columns: tuple[str, ...] = ()
    """The columns of a page."""


@lru_cache(maxsize=1_000)
def prepared_statement(listing: StatementKey, dialect: Dialect) -> PreparedSelect:
    """The prepared statement for this key."""
    branches = permit_branches(
        listing.policy,
        listing.action,
        listing.role,
        dict(listing.request_facts),
        search_filters(listing.search_fields),
    )
    statement: Select[Any]
    if listing.kind in {StatementKind.FIRST_PAGE, StatementKind.NEXT_PAGE}:
        statement = _page_select(branches, listing)
    elif listing.kind is StatementKind.COUNT:
        statement = sa.select(sa.func.count()).select_from(union_of(branches, _TABLE.c.id))
    else:
        statement = _facets_select(branches)
    return PreparedSelect(statement, dialect, _ALL_PARAMETER_NAMES)


def _newest_first(selected: Select[Any]) -> Select[Any]:
    """The order of every list."""
    return selected.order_by(_TABLE.c.received_at.desc(), _TABLE.c.id.desc())


def union_of(branches: Sequence[SqlCondition], *columns: ColumnElement[Any]) -> Subquery:
    """The messages that match any of these filters, each once."""
    found = [sa.select(*columns).where(branch) for branch in branches]
    return (found[0] if len(found) == 1 else sa.union(*found)).subquery()


def _page_select(branches: Sequence[SqlCondition], listing: StatementKey) -> Select[Any]:
    """A SELECT of the newest messages of all branches together.

    It finds the newest messages of each branch, and then the newest of those. The columns are read
    only for the rows that remain.
    """
    at, message_id = _TABLE.c.received_at, _TABLE.c.id
    shown = [_TABLE.c[name] for name in listing.columns]
    place = (
        [sa.tuple_(at, message_id) < _AFTER_CURSOR]
        if listing.kind is StatementKind.NEXT_PAGE
        else []
    )
    if len(branches) == 1:
        return _newest_first(sa.select(*shown).where(*branches, *place)).limit(_LIMIT)
    newest = [
        sa.select(
            _newest_first(sa.select(message_id, at).where(branch, *place)).limit(_LIMIT).subquery()
        )
        for branch in branches
    ]
    ids = sa.union(*newest).subquery()
    # Sorted by what was found: by the table's own columns SQLite would walk the whole table.
    return (
        sa.select(*shown)
        .join_from(ids, _TABLE, message_id == ids.c.id)
        .order_by(ids.c.received_at.desc(), ids.c.id.desc())
        .limit(_LIMIT)
    )


def _facets_select(branches: Sequence[SqlCondition]) -> Select[Any]:
    seen = union_of(branches, _TABLE.c.id, *(_TABLE.c[name] for name in _FACET_COLUMNS))
    groups = [seen.c[name] for name in _FACET_COLUMNS]
    return sa.select(*groups, sa.func.count()).group_by(*groups)
