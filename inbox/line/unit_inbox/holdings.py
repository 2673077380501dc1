"""Whose work messages are, and by what this person has to do with them: one statement for a page.

Asked only about messages that this person may list.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import col

from inbox.access.lists.queue_search import Whose
from inbox.access.question import Capacity
from inbox.domain import DeliveryState, GrantKind, MessageId, Mode, PersonId
from inbox.line.moves.registration import ACTIVE_DELIVERY_STATES
from inbox.store import Transaction
from inbox.tables import (
    AccessGrant,
    Assignment,
    CaseSystem,
    Delegation,
    Delivery,
    Message,
    Person,
    UtcDateTime,
)
from inbox.tables.periods import active_on

_GRANTS: Final = {GrantKind.GIVEN: Whose.GRANTED, GrantKind.BREAKGLASS: Whose.EMERGENCY}


@dataclass(frozen=True, kw_only=True)
class Holding:
    """One way in which a person has to do with a message."""

    whose: Whose
    person: PersonId
    """Who has it: the assignee, the absent colleague, who gave access; oneself in an emergency."""
    name: str
    access_id: str
    """Of the assignment, grant or standing in: what can be ended."""
    since: datetime
    until: datetime | None


@dataclass(frozen=True, kw_only=True)
class OpenDelivery:
    """The delivery of a message that is open, or was collected."""

    case_system: str
    """Its name."""
    by_hand: bool
    state: DeliveryState
    offered_at: datetime


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """Of one message."""

    assigned_to: Holding | None = None
    """The one who has it; None if nobody has."""
    own: tuple[Holding, ...] = ()
    """By what the person who asks has to do with it, the strongest first."""
    delivery: OpenDelivery | None = None

    @property
    def whose(self) -> Whose | None:
        """The strongest of them."""
        return self.own[0].whose if self.own else None


def holdings_of(
    tx: Transaction, capacity: Capacity, ids: Collection[str]
) -> Mapping[MessageId, Holdings]:
    """By message; one that nobody has to do with is there, too."""
    rows = tx.execute(
        sa.union_all(
            _assignments(tx, ids), _covered(tx, capacity, ids), _granted(tx, capacity, ids)
        ).order_by("since", "id")
        if ids
        else sa.select(sa.literal(1)).where(sa.false())
    ).all()
    deliveries = _deliveries(tx, ids)
    found: defaultdict[str, list[Holding]] = defaultdict(list)
    for row in rows:
        found[row.message_id].append(
            Holding(
                whose=Whose(row.whose),
                person=PersonId(row.person),
                name=row.name,
                access_id=row.id,
                since=row.since,
                until=row.until,
            )
        )
    return {MessageId(each): _holdings(capacity, found[each], deliveries.get(each)) for each in ids}


def _holdings(capacity: Capacity, found: list[Holding], delivery: OpenDelivery | None) -> Holdings:
    assigned = next((each for each in found if each.whose is Whose.OWN), None)
    own = [
        each
        for whose in (Whose.OWN, Whose.COVERED, Whose.GRANTED, Whose.EMERGENCY)
        for each in found
        if each.whose is whose and (whose is not Whose.OWN or each.person == capacity.person)
    ]
    return Holdings(assigned_to=assigned, own=tuple(own), delivery=delivery)


def _row(whose: sa.ColumnElement[str], table: Any, message_id: Any) -> list[Any]:
    return [
        whose.label("whose"),
        message_id.label("message_id"),
        col(table.id).label("id"),
        col(Person.id).label("person"),
        col(Person.name).label("name"),
        sa.type_coerce(col(table.active_from), UtcDateTime).label("since"),
        sa.type_coerce(col(table.active_until), UtcDateTime).label("until"),
    ]


def _literal(whose: Whose) -> sa.ColumnElement[str]:
    return sa.literal(whose.value, sa.String())


def _assignments(tx: Transaction, ids: Collection[str]) -> sa.Select[Any]:
    return (
        sa.select(*_row(_literal(Whose.OWN), Assignment, col(Assignment.message_id)))
        .join(Person, col(Person.id) == col(Assignment.person))
        .where(col(Assignment.message_id).in_(ids), active_on(Assignment, tx.now))
    )


def _covered(tx: Transaction, capacity: Capacity, ids: Collection[str]) -> sa.Select[Any]:
    return (
        sa.select(*_row(_literal(Whose.COVERED), Delegation, col(Assignment.message_id)))
        .join(Person, col(Person.id) == col(Delegation.absent))
        .join(Assignment, col(Assignment.person) == col(Delegation.absent))
        .join(Message, col(Message.id) == col(Assignment.message_id))
        .where(
            col(Assignment.message_id).in_(ids),
            col(Delegation.substitute) == capacity.person,
            col(Delegation.unit) == col(Message.unit),
            active_on(Assignment, tx.now),
            active_on(Delegation, tx.now),
        )
    )


def _granted(tx: Transaction, capacity: Capacity, ids: Collection[str]) -> sa.Select[Any]:
    kind = sa.case(
        *((col(AccessGrant.kind) == grant, whose.value) for grant, whose in _GRANTS.items())
    )
    return (
        sa.select(*_row(kind, AccessGrant, col(AccessGrant.message_id)))
        .join(Person, col(Person.id) == col(AccessGrant.given_by))
        .join(Message, col(Message.id) == col(AccessGrant.message_id))
        .where(
            col(AccessGrant.message_id).in_(ids),
            col(AccessGrant.person) == capacity.person,
            col(AccessGrant.unit) == col(Message.unit),
            active_on(AccessGrant, tx.now),
        )
    )


def _deliveries(tx: Transaction, ids: Collection[str]) -> Mapping[str, OpenDelivery]:
    rows = tx.execute(
        sa.select(Delivery, col(CaseSystem.name), col(CaseSystem.mode))
        .join(CaseSystem, col(CaseSystem.id) == col(Delivery.case_system))
        .where(col(Delivery.message_id).in_(ids), col(Delivery.state).in_(ACTIVE_DELIVERY_STATES))
    ).all()
    return {
        delivery.message_id: OpenDelivery(
            case_system=name,
            by_hand=mode is Mode.BY_HAND,
            state=delivery.state,
            offered_at=delivery.offered_at,
        )
        for delivery, name, mode in rows
    }
