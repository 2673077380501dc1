"""The SQL of facts about the capacity and its relation to a message."""

import sqlalchemy as sa
from sqlalchemy import and_, exists, or_
from sqlalchemy.orm import Mapped
from sqlmodel import col

from inbox.access.facts.parameters import (
    CAPACITY,
    NOW,
    ORGANISATION,
    PERSON,
    ROLE,
    SYSTEM,
    TARGET,
    UNIT,
    Bound,
    Form,
    any_of,
)
from inbox.access.policy.vocabulary import Role
from inbox.domain import GrantKind
from inbox.tables import (
    AccessGrant,
    Assignment,
    Capacity,
    CaseSystem,
    Clearance,
    ConflictOfInterest,
    Delegation,
    Message,
    MessageReference,
    Person,
    Unit,
    UnitAbove,
)
from inbox.tables.periods import lasts


def _capacity_stands(*where: Form) -> Form:
    """Such a capacity exists, and it, its person and its unit are active."""
    rows = (
        sa.select(sa.literal(1))
        .select_from(Capacity)
        .join(Person, col(Person.id) == col(Capacity.person))
        .join(Unit, col(Unit.id) == col(Capacity.unit))
        .where(
            *where,
            lasts(Capacity, NOW),
            lasts(Person, NOW),
            lasts(Unit, NOW),
        )
    )
    return exists(rows.correlate_except(Capacity, Person, Unit))


def person_stands(*where: Form) -> Form:
    """The capacity is as its row says, and it, its person and its unit are active."""
    return _capacity_stands(
        col(Capacity.id) == CAPACITY,
        col(Capacity.person) == PERSON,
        col(Capacity.unit) == UNIT,
        col(Capacity.role) == ROLE,
        col(Unit.organisation) == ORGANISATION,
        *where,
    )


def system_stands(*where: Form) -> Form:
    """The case system is active and belongs to the organisation that it claims."""
    return any_of(
        CaseSystem,
        col(CaseSystem.id) == SYSTEM,
        col(CaseSystem.organisation) == ORGANISATION,
        lasts(CaseSystem, NOW),
        *where,
    )


def system_is_of_message() -> Form:
    """The case system belongs to the organisation that received the message."""
    return system_stands(col(CaseSystem.organisation) == col(Message.organisation))


def person_is_active() -> Form:
    """The person of the capacity is active."""
    return any_of(Person, col(Person.id) == PERSON, lasts(Person, NOW))


def serves_mailbox(organisation: str) -> Form:
    """The capacity is an archivist's, in a unit of the organisation that received the mail."""
    return person_stands(
        col(Capacity.role) == Role.ARCHIVIST.value, col(Unit.organisation) == col(organisation)
    )


def in_unit(*where: Form) -> Form:
    """The capacity's unit is the message's unit.

    Said of the message itself, so that a list is found by the index of units; never NULL.
    """
    return sa.and_(col(Message.unit).is_not(None), col(Message.unit) == UNIT, person_stands(*where))


def leads() -> Form:
    """The capacity is a leader's, in the message's unit."""
    return in_unit(col(Capacity.role) == Role.LEADER.value)


def in_parent_unit() -> Form:
    """The capacity's unit is above the message's unit in the hierarchy, at any distance."""
    above = any_of(
        UnitAbove,
        col(UnitAbove.unit) == col(Message.unit),
        col(UnitAbove.above) == UNIT,
        col(UnitAbove.above) != col(UnitAbove.unit),
        lasts(UnitAbove, NOW),
    )
    return and_(above, person_stands())


def assigned(*where: Form) -> Form:
    """The message has an active assignment that fulfils these conditions."""
    return any_of(
        Assignment,
        col(Assignment.message_id) == col(Message.id),
        lasts(Assignment, NOW),
        *where,
    )


def covers() -> Form:
    """In the message's unit the person stands in for the colleague that it is assigned to."""
    rows = (
        sa.select(sa.literal(1))
        .select_from(Delegation)
        .join(Assignment, col(Assignment.person) == col(Delegation.absent))
        .where(
            col(Delegation.substitute) == PERSON,
            col(Delegation.unit) == col(Message.unit),
            lasts(Delegation, NOW),
            col(Assignment.message_id) == col(Message.id),
            lasts(Assignment, NOW),
        )
    )
    return and_(exists(rows.correlate_except(Delegation, Assignment)), in_unit())


def granted(kind: GrantKind) -> Form:
    """Access of this kind to the message, for as long as it is with the unit that it was with."""
    row = any_of(
        AccessGrant,
        col(AccessGrant.person) == PERSON,
        col(AccessGrant.kind) == kind,
        col(AccessGrant.message_id) == col(Message.id),
        col(AccessGrant.unit) == col(Message.unit),
        lasts(AccessGrant, NOW),
    )
    return and_(row, person_stands())


def conflicted(person: Bound) -> Form:
    """A conflict of interest of this person with the message, its case or its sender."""
    return any_of(
        ConflictOfInterest,
        col(ConflictOfInterest.person) == person,
        or_(
            col(ConflictOfInterest.message_id) == col(Message.id),
            col(ConflictOfInterest.sender) == col(Message.sender),
            any_of(
                MessageReference,
                col(MessageReference.message_id) == col(Message.id),
                col(MessageReference.reference_hash) == col(ConflictOfInterest.reference_hash),
            ),
        ),
        lasts(ConflictOfInterest, NOW),
    )


def cleared(person: Bound, shielding: Mapped[str | None]) -> Form:
    """There is no shielding, or the person has an active clearance for its code."""
    return or_(
        shielding.is_(None),
        any_of(
            Clearance,
            col(Clearance.person) == person,
            col(Clearance.shielding) == shielding,
            lasts(Clearance, NOW),
        ),
    )


def target_in(unit: Mapped[str | None] | Bound) -> Form:
    """The target person is an active handler in this unit."""
    return _capacity_stands(
        col(Capacity.person) == TARGET,
        col(Capacity.role) == Role.HANDLER.value,
        col(Capacity.unit) == unit,
    )
