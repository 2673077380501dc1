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

from inbox.access.facts.lookup import NAMES
from inbox.access.facts.parameters import Form, bound
from inbox.access.facts.prepared import Kept
from inbox.access.lists.filters import branches_of
from inbox.access.lists.search import SOUGHT, Shape, filters_of
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Role
from inbox.tables import Message, Utc, table_of

_TABLE: Final = table_of(Message)
_AT_MOST: Final = bindparam("at_most", type_=Integer())
_AFTER: Final = sa.tuple_(bindparam("after_at", type_=Utc()), bound("after_id"))
_NAMES: Final = NAMES | SOUGHT | {"at_most", "after_at", "after_id"}
_GROUPED: Final = ("state", "unit", "shielding")


class Kind(StrEnum):
    """The kind of list statement."""

    PAGE = "page"
    NEXT = "next"
    """A page after a place."""
    COUNT = "count"
    FACETS = "facets"


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a statement is made of, values apart; a policy is known by the object that it is."""

    policy: Policy
    action: Action
    role: Role
    requested: frozenset[tuple[str, bool]]
    """The facts of the request."""
    shape: Shape
    kind: Kind
    shown: tuple[str, ...] = ()
    """The columns of a page."""


@lru_cache(maxsize=1_000)
def statement_of(listing: Listing, dialect: Dialect) -> Kept:
    """The prepared statement for this key."""
    branches = branches_of(
        listing.policy,
        listing.action,
        listing.role,
        dict(listing.requested),
        filters_of(listing.shape),
    )
    statement: Select[Any]
    if listing.kind in {Kind.PAGE, Kind.NEXT}:
        statement = _page(branches, listing)
    elif listing.kind is Kind.COUNT:
        statement = sa.select(sa.func.count()).select_from(joined(branches, _TABLE.c.id))
    else:
        statement = _facets(branches)
    return Kept(statement, dialect, _NAMES)


def _newest_first(selected: Select[Any]) -> Select[Any]:
    """The order of every list."""
    return selected.order_by(_TABLE.c.received_at.desc(), _TABLE.c.id.desc())


def joined(branches: Sequence[Form], *columns: ColumnElement[Any]) -> Subquery:
    """The messages that match any of these filters, each once."""
    found = [sa.select(*columns).where(branch) for branch in branches]
    return (found[0] if len(found) == 1 else sa.union(*found)).subquery()


def _page(branches: Sequence[Form], listing: Listing) -> Select[Any]:
    """The newest of each branch, of these the newest, and only then their columns."""
    at, message_id = _TABLE.c.received_at, _TABLE.c.id
    shown = [_TABLE.c[name] for name in listing.shown]
    place = [sa.tuple_(at, message_id) < _AFTER] if listing.kind is Kind.NEXT else []
    if len(branches) == 1:
        return _newest_first(sa.select(*shown).where(*branches, *place)).limit(_AT_MOST)
    newest = [
        sa.select(
            _newest_first(sa.select(message_id, at).where(branch, *place))
            .limit(_AT_MOST)
            .subquery()
        )
        for branch in branches
    ]
    ids = sa.union(*newest).subquery()
    # Sorted by what was found: by the table's own columns SQLite would walk the whole table.
    return (
        sa.select(*shown)
        .join_from(ids, _TABLE, message_id == ids.c.id)
        .order_by(ids.c.received_at.desc(), ids.c.id.desc())
        .limit(_AT_MOST)
    )


def _facets(branches: Sequence[Form]) -> Select[Any]:
    seen = joined(branches, _TABLE.c.id, *(_TABLE.c[name] for name in _GROUPED))
    groups = [seen.c[name] for name in _GROUPED]
    return sa.select(*groups, sa.func.count()).group_by(*groups)
