"""Which access is in force: what a leader may end, and what a reviewer should review.

Ids, kinds and periods; no title. Looking is audited.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import col, or_, select

from inbox.access import permit
from inbox.access.lists.pages import permitted_message_ids
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, OfGrant, OfInstallation, OfUnit
from inbox.domain import GrantKind, UnitId
from inbox.line import Line
from inbox.line.access.review import review_action_for
from inbox.line.authorize import active_policy, authorized_transaction, message_subject
from inbox.line.queue import unwrap_stored_key
from inbox.store import Transaction
from inbox.tables import AccessGrant, Assignment, Delegation, Message, Person, WrappedKey
from inbox.tables.periods import not_ended


class AccessKind(StrEnum):
    """How the access was obtained."""

    ASSIGNMENT = "assignment"
    GRANT = "grant"
    EMERGENCY = "emergency"
    DELEGATION = "delegation"


@dataclass(frozen=True, kw_only=True)
class OpenAccess:
    """One access in force: who has it, to what, from when and until when."""

    id: str
    kind: AccessKind
    person: str
    message_id: str | None = None
    instead_of: str | None = None
    """Whom a substitute stands in for."""
    given_by: str | None = None
    since: datetime
    until: datetime | None


def open_access_in_unit(line: Line, capacity: Capacity) -> Sequence[OpenAccess]:
    """All access in force to the messages of the leader's unit.

    Of messages that the leader may not list (a conflict of interest) there is nothing.
    """
    assert capacity.unit is not None
    subject = OfUnit(unit_id=UnitId(capacity.unit))
    with authorized_transaction(line, capacity, Action.END_ACCESS, subject) as authorized:
        authorized.record(event="access:listed", subject=capacity.unit, message_id=None)
        listed = permitted_message_ids(
            line.policies.current(authorized.tx), capacity, authorized.tx.now, Action.LIST
        )
        here = select(Message.id).where(
            col(Message.unit) == capacity.unit, col(Message.id).in_(listed)
        )
        return [
            *_assignments(authorized.tx, here),
            *_grants(authorized.tx, here),
            *_delegations(authorized.tx, capacity.unit),
        ]


def _assignments(tx: Transaction, here: sa.Select[str]) -> Sequence[OpenAccess]:
    rows = tx.exec(
        select(Assignment)
        .where(
            col(Assignment.message_id).in_(here),
            not_ended(Assignment, tx.now),
        )
        .order_by(col(Assignment.active_from), col(Assignment.id))
    )
    return [
        OpenAccess(
            id=row.id,
            kind=AccessKind.ASSIGNMENT,
            person=row.person,
            message_id=row.message_id,
            since=row.active_from,
            until=row.active_until,
        )
        for row in rows
    ]


def _grants(tx: Transaction, here: sa.Select[str]) -> Sequence[OpenAccess]:
    rows = tx.exec(
        select(AccessGrant)
        .where(col(AccessGrant.message_id).in_(here), not_ended(AccessGrant, tx.now))
        .order_by(col(AccessGrant.active_until), col(AccessGrant.id))
    )
    return [_from_grant(row) for row in rows]


def _from_grant(row: AccessGrant) -> OpenAccess:
    taken = row.kind is GrantKind.BREAKGLASS
    return OpenAccess(
        id=row.id,
        kind=AccessKind.EMERGENCY if taken else AccessKind.GRANT,
        person=row.person,
        message_id=row.message_id,
        given_by=row.given_by,
        since=row.active_from,
        until=row.active_until,
    )


def _delegations(tx: Transaction, unit: str) -> Sequence[OpenAccess]:
    rows = tx.exec(
        select(Delegation)
        .where(col(Delegation.unit) == unit, not_ended(Delegation, tx.now))
        .order_by(col(Delegation.active_until), col(Delegation.id))
    )
    return [
        OpenAccess(
            id=row.id,
            kind=AccessKind.DELEGATION,
            person=row.substitute,
            instead_of=row.absent,
            given_by=row.given_by,
            since=row.active_from,
            until=row.active_until,
        )
        for row in rows
    ]


@dataclass(frozen=True, kw_only=True)
class EmergencyAccess:
    """One emergency access, for the person who took it and for those who may end it."""

    name: str
    """Who took it."""
    reason: str = field(repr=False)
    """As it was given; empty once it has been erased."""
    since: datetime
    until: datetime


def emergency_access(line: Line, capacity: Capacity, access_id: str) -> EmergencyAccess | None:
    """An emergency access; None where there is none, or it is not this capacity's to know.

    One's own, and those to messages whose access this capacity may end (`end_access`).
    """
    with line.store.reading() as tx:
        found = tx.execute(
            sa.select(AccessGrant, col(Person.name))
            .join(Person, col(Person.id) == col(AccessGrant.person))
            .where(col(AccessGrant.id) == access_id, col(AccessGrant.kind) == GrantKind.BREAKGLASS)
        ).first()
        about = message_subject(access_id if found is None else found[0].message_id)
        ends = permit(
            tx,
            active_policy(line, tx),
            tx.now,
            capacity=capacity,
            action=Action.END_ACCESS,
            subject=about,
        )
        if found is None or not (found[0].person == capacity.person or ends.allowed):
            return None
        row, name = found
        return EmergencyAccess(
            name=name,
            reason=_reason(line, tx, row),
            since=row.active_from,
            until=row.active_until,
        )


def _reason(line: Line, tx: Transaction, row: AccessGrant) -> str:
    stored = tx.get(WrappedKey, row.message_id)
    key = None if stored is None else unwrap_stored_key(line, stored)
    if key is None:
        return ""
    raw = key.unseal(row.sealed_reason, table="access_grant", column="sealed_reason", row=row.id)
    return raw.decode()


def access_to_review(line: Line, capacity: Capacity) -> Sequence[OpenAccess]:
    """Emergency access that has not been reviewed, and grants in force, the oldest first.

    Only what this reviewer may review: nothing that they had a part in.
    """
    with authorized_transaction(line, capacity, Action.ACCESS_READ, OfInstallation()) as authorized:
        authorized.record(event="access:listed", subject=capacity.organisation, message_id=None)
        waiting = authorized.tx.exec(
            select(AccessGrant)
            .join(Message, col(Message.id) == col(AccessGrant.message_id))
            .where(
                col(Message.organisation) == capacity.organisation,
                col(AccessGrant.reviewed_at).is_(None),
                or_(
                    col(AccessGrant.kind) == GrantKind.BREAKGLASS,
                    not_ended(AccessGrant, authorized.tx.now),
                ),
            )
            .order_by(col(AccessGrant.active_from), col(AccessGrant.id))
        ).all()
        policy = line.policies.current(authorized.tx)
        return [
            _from_grant(row)
            for row in waiting
            if permit(
                authorized.tx,
                policy,
                authorized.tx.now,
                capacity=capacity,
                action=review_action_for(row.kind),
                subject=OfGrant(grant_id=row.id),
            ).allowed
        ]
