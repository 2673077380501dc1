"""The active deliveries that a case system may collect, found by one prepared statement.

Oldest first. The filter is that of the rules about `collect`: a delivery of a message that a rule
denies is not there.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Dialect, Integer, bindparam
from sqlalchemy.orm import Session

from inbox.access.facts.lookup import NAMES, facts_of_request, values_of
from inbox.access.facts.parameters import SYSTEM, bound
from inbox.access.facts.prepared import Kept
from inbox.access.lists.filters import form_beside
from inbox.access.lists.recheck import Recheck
from inbox.access.lists.statements import Kind
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import Capacity, Given
from inbox.domain import DeliveryState, MessageId
from inbox.tables import Delivery, Message, Utc, table_of

_D: Final = table_of(Delivery).alias("offered")
_M: Final = table_of(Message)
_STANDING: Final = (DeliveryState.OPEN, DeliveryState.COLLECTED)
_AFTER: Final = ("after_at", "after_id")


class Offer(NamedTuple):
    """An active delivery, by ids and times only."""

    id: str
    message_id: MessageId
    number: int
    state: DeliveryState
    offered_at: datetime
    collected_at: datetime | None


def offers(  # noqa: PLR0913 - whose, from where, how many
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    capacity: Capacity,
    recheck: Recheck,
    after: tuple[datetime, str] | None,
    at_most: int,
) -> tuple[Offer, ...]:
    """The first so many after a place, if one is given; a share of them is decided again.

    That it may collect is no collecting: the duty to log binds whoever does.
    """
    given = Given()
    kept = _statement(
        policy,
        capacity.role,
        frozenset(facts_of_request(capacity, given).items()),
        session.get_bind().dialect,
        Kind.PAGE if after is None else Kind.NEXT,
    )
    place = dict(zip(_AFTER, after or (), strict=False))
    bound_to = values_of(now, capacity, given) | place | {"at_most": at_most}
    found = tuple(Offer(*row) for row in kept.rows(session, bound_to))
    recheck.check(
        session,
        policy,
        now,
        capacity=capacity,
        action=Action.COLLECT,
        given=given,
        listed=[offer.message_id for offer in found],
    )
    return found


@lru_cache(maxsize=100)
def _statement(
    policy: Policy,
    role: Role,
    requested: frozenset[tuple[str, bool]],
    dialect: Dialect,
    kind: Kind,
) -> Kept:
    place: list[Any] = []
    if kind is Kind.NEXT:
        at, last = bindparam("after_at", type_=Utc()), bound("after_id")
        place = [sa.tuple_(_D.c.offered_at, _D.c.id) > sa.tuple_(at, last)]
    # As a CASE it is asked row by row: otherwise PostgreSQL joins all that stand before it begins.
    filtered = form_beside(policy, Action.COLLECT, role, dict(requested))
    may = sa.case((filtered, 1), else_=0) == 1
    at_most = bindparam("at_most", type_=Integer())
    # Each state by itself: so they are read in order, and the filter is asked of few.
    oldest = [
        sa.select(
            sa.select(*(_D.c[name] for name in Offer._fields))
            .join_from(_D, _M, _M.c.id == _D.c.message_id)
            .where(_D.c.case_system == SYSTEM, _D.c.state == state, *place, may)
            .order_by(_D.c.offered_at, _D.c.id)
            .limit(at_most)
            .subquery()
        )
        for state in _STANDING
    ]
    found = sa.union_all(*oldest).subquery()
    statement = sa.select(found).order_by(found.c.offered_at, found.c.id).limit(at_most)
    return Kept(statement, dialect, NAMES | {*_AFTER, "at_most"})
