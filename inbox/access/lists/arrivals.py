"""The arrivals that a capacity may see: what was missed, oldest first, by prepared statements."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Dialect, Integer, bindparam
from sqlalchemy.orm import Session

from inbox.access.facts.lookup import PARAMETER_NAMES, parameter_values, request_fact_values
from inbox.access.facts.parameters import ORGANISATION, text_parameter
from inbox.access.facts.prepared_select import PreparedSelect
from inbox.access.lists.cursor import Cursor
from inbox.access.lists.filters import permit_filter
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import Capacity, OfArrival, RequestFacts
from inbox.domain import ArrivalId, ArrivalState
from inbox.tables import Arrival, UtcDateTime, WrappedKey, table_of

_ARRIVAL: Final = table_of(Arrival)
_KEY: Final = table_of(WrappedKey)
_OF_KEY: Final = ("kek_id", "wrapped")
_NOTHING_GIVEN: Final = RequestFacts()


class ListedArrival(NamedTuple):
    """An arrival, with its sealed envelope and the key of it."""

    id: ArrivalId
    state: ArrivalState
    version: int
    code: str | None
    channel: str
    organisation: str
    wire_id: str
    announced_at: datetime
    expires_at: datetime | None
    misses: int
    sealed_envelope: bytes | None
    kek_id: str | None
    wrapped: bytes | None


def missed_arrivals(
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    capacity: Capacity,
    after: Cursor | None,
    at_most: int,
) -> tuple[ListedArrival, ...]:
    """The oldest missed arrivals that the capacity may see, after a place if one is given."""
    place: Mapping[str, object] = (
        {} if after is None else {"after_at": after.at, "after_id": after.id}
    )
    rows = _fetch(
        session,
        policy,
        now,
        capacity,
        kind="first" if after is None else "next",
        values={**place, "at_most": at_most},
    )
    return tuple(ListedArrival(*row) for row in rows)


def arrivals_of_wire_id(
    session: Session, policy: Policy, now: datetime, *, capacity: Capacity, wire_id: str
) -> tuple[ListedArrival, ...]:
    """The arrivals under a sender's id that the capacity may see, whatever became of them."""
    values = {"wire_id": wire_id, "at_most": 100}
    rows = _fetch(session, policy, now, capacity, kind="wire_id", values=values)
    return tuple(ListedArrival(*row) for row in rows)


def count_missed(
    session: Session, policy: Policy, now: datetime, *, capacity: Capacity
) -> tuple[int, datetime | None, str | None]:
    """How many arrivals were missed, when the oldest was announced, and its code."""
    rows = _fetch(session, policy, now, capacity, kind="count", values={})
    total = sum(row[1] for row in rows)
    oldest = min(rows, key=lambda row: row[2], default=None)
    return (total, None, None) if oldest is None else (total, oldest[2], oldest[0])


def _fetch(
    session: Session,
    policy: Policy,
    now: datetime,
    capacity: Capacity,
    kind: str,
    values: Mapping[str, object],
) -> list[list[Any]]:
    given = request_fact_values(capacity, _NOTHING_GIVEN)
    statement = _statement(
        policy, capacity.role, frozenset(given.items()), session.get_bind().dialect, kind
    )
    return statement.fetch(session, {**parameter_values(now, capacity, _NOTHING_GIVEN), **values})


@lru_cache(maxsize=100)
def _statement(
    policy: Policy,
    role: Role,
    requested: frozenset[tuple[str, bool]],
    dialect: Dialect,
    kind: str,
) -> PreparedSelect:
    may = permit_filter(policy, Action.ROUTE, role, dict(requested), OfArrival)
    names = PARAMETER_NAMES | {"at_most", "after_at", "after_id", "wire_id"}
    if kind == "count":
        counted: sa.Select[Any] = (
            sa.select(_ARRIVAL.c.code, sa.func.count(), sa.func.min(_ARRIVAL.c.announced_at))
            .where(
                _ARRIVAL.c.organisation == ORGANISATION,
                _ARRIVAL.c.state == ArrivalState.MISSED,
                may,
            )
            .group_by(_ARRIVAL.c.code)
            .order_by(_ARRIVAL.c.code)
        )
        return PreparedSelect(counted, dialect, names)
    columns = [
        _KEY.c[name] if name in _OF_KEY else _ARRIVAL.c[name] for name in ListedArrival._fields
    ]
    shown = (
        sa.select(*columns)
        .join_from(_ARRIVAL, _KEY, _KEY.c.id == _ARRIVAL.c.id, isouter=True)
        .where(_ARRIVAL.c.organisation == ORGANISATION, may)
        .order_by(_ARRIVAL.c.announced_at, _ARRIVAL.c.id)
        .limit(bindparam("at_most", type_=Integer()))
    )
    if kind == "wire_id":
        shown = shown.where(_ARRIVAL.c.wire_id == text_parameter("wire_id"))
    else:
        # Written out, so that the index of what was missed is used.
        shown = shown.where(_ARRIVAL.c.state == sa.literal_column("'MISSED'"))
    if kind == "next":
        place = sa.tuple_(bindparam("after_at", type_=UtcDateTime()), text_parameter("after_id"))
        shown = shown.where(sa.tuple_(_ARRIVAL.c.announced_at, _ARRIVAL.c.id) > place)
    return PreparedSelect(shown, dialect, names)
