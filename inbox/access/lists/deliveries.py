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

from inbox.access.facts.lookup import PARAMETER_NAMES, parameter_values, request_fact_values
from inbox.access.facts.parameters import CASE_SYSTEM, text_parameter
from inbox.access.facts.prepared_select import PreparedSelect
from inbox.access.lists.filters import permit_filter
from inbox.access.lists.recheck import Recheck
from inbox.access.lists.statements import StatementKind
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import Capacity, RequestFacts
from inbox.domain import DeliveryState, MessageId
from inbox.tables import Delivery, Message, UtcDateTime, table_of

_DELIVERY: Final = table_of(Delivery).alias("offered")
_MESSAGE: Final = table_of(Message)
_ACTIVE_STATES: Final = (DeliveryState.OPEN, DeliveryState.COLLECTED)
_CURSOR_PARAMETERS: Final = ("after_at", "after_id")


class CollectableDelivery(NamedTuple):
    """An active delivery, by ids and times only."""

    id: str
    message_id: MessageId
    number: int
    state: DeliveryState
    offered_at: datetime
    collected_at: datetime | None


def collectable_deliveries(  # noqa: PLR0913 - whose, from where, how many
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    capacity: Capacity,
    recheck: Recheck,
    after: tuple[datetime, str] | None,
    at_most: int,
) -> tuple[CollectableDelivery, ...]:
    """The oldest collectable deliveries, after a cursor if one is given.

    A sample of the deliveries is decided again.

    Being listed here is not a collection, so no audit entry is due yet; `collect` writes it.
    """
    given = RequestFacts()
    kept = _statement(
        policy,
        capacity.role,
        frozenset(request_fact_values(capacity, given).items()),
        session.get_bind().dialect,
        StatementKind.FIRST_PAGE if after is None else StatementKind.NEXT_PAGE,
    )
    place = dict(zip(_CURSOR_PARAMETERS, after or (), strict=False))
    bound_to = parameter_values(now, capacity, given) | place | {"at_most": at_most}
    found = tuple(CollectableDelivery(*row) for row in kept.fetch(session, bound_to))
    recheck.check(
        session,
        policy,
        now,
        capacity=capacity,
        action=Action.COLLECT,
        request=given,
        listed=[offer.message_id for offer in found],
    )
    return found


@lru_cache(maxsize=100)
def _statement(
    policy: Policy,
    role: Role,
    requested: frozenset[tuple[str, bool]],
    dialect: Dialect,
    kind: StatementKind,
) -> PreparedSelect:
    place: list[Any] = []
    if kind is StatementKind.NEXT_PAGE:
        at, last = bindparam("after_at", type_=UtcDateTime()), text_parameter("after_id")
        place = [sa.tuple_(_DELIVERY.c.offered_at, _DELIVERY.c.id) > sa.tuple_(at, last)]
    # As a CASE it is asked row by row: otherwise PostgreSQL joins all that stand before it begins.
    filtered = permit_filter(policy, Action.COLLECT, role, dict(requested))
    may = sa.case((filtered, 1), else_=0) == 1
    at_most = bindparam("at_most", type_=Integer())
    # Each state by itself: so they are read in order, and the filter is asked of few.
    oldest = [
        sa.select(
            sa.select(*(_DELIVERY.c[name] for name in CollectableDelivery._fields))
            .join_from(_DELIVERY, _MESSAGE, _MESSAGE.c.id == _DELIVERY.c.message_id)
            .where(_DELIVERY.c.case_system == CASE_SYSTEM, _DELIVERY.c.state == state, *place, may)
            .order_by(_DELIVERY.c.offered_at, _DELIVERY.c.id)
            .limit(at_most)
            .subquery()
        )
        for state in _ACTIVE_STATES
    ]
    found = sa.union_all(*oldest).subquery()
    statement = sa.select(found).order_by(found.c.offered_at, found.c.id).limit(at_most)
    return PreparedSelect(statement, dialect, PARAMETER_NAMES | {*_CURSOR_PARAMETERS, "at_most"})
