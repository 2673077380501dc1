"""The SQL of facts about the capacity and its relation to a message."""

import sqlalchemy as sa
from sqlalchemy import and_, exists, or_
from sqlalchemy.orm import Mapped
from sqlmodel import col

from inbox.access.facts.parameters import (
    CAPACITY,
    CASE_SYSTEM,
    NOW,
    ORGANISATION,
    PERSON,
    ROLE,
    TARGET,
    UNIT,
    SqlCondition,
    TextParameter,
    row_exists,
)
from inbox.access.policy.vocabulary import Role
from inbox.domain import GrantKind
from inbox.tables import (
    AccessGrant,
    Assignment,
    CapacityRow,
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
from inbox.tables.periods import active_on


def _active_capacity_exists(*where: SqlCondition) -> SqlCondition:
    """Such a capacity exists, and it, its person and its unit are active."""
    rows = (
        sa.select(sa.literal(1))
        .select_from(CapacityRow)
        .join(Person, col(Person.id) == col(CapacityRow.person))
        .join(Unit, col(Unit.id) == col(CapacityRow.unit))
        .where(
            *where,
            active_on(CapacityRow, NOW),
            active_on(Person, NOW),
            active_on(Unit, NOW),
        )
    )
    return exists(rows.correlate_except(CapacityRow, Person, Unit))


def person_capacity_is_active(*where: SqlCondition) -> SqlCondition:
    """The capacity is active and is the same as its row in the database.

    Active means that the capacity, its person and its unit are all active.
    """
    return _active_capacity_exists(
        col(CapacityRow.id) == CAPACITY,
        col(CapacityRow.person) == PERSON,
        col(CapacityRow.unit) == UNIT,
        col(CapacityRow.role) == ROLE,
        col(Unit.organisation) == ORGANISATION,
        *where,
    )


def case_system_is_active(*where: SqlCondition) -> SqlCondition:
    """The case system is active and belongs to the organisation that it claims."""
    return row_exists(
        CaseSystem,
        col(CaseSystem.id) == CASE_SYSTEM,
        col(CaseSystem.organisation) == ORGANISATION,
        active_on(CaseSystem, NOW),
        *where,
    )


def case_system_has_message_organisation() -> SqlCondition:
    """The case system belongs to the organisation that received the message."""
    return case_system_is_active(col(CaseSystem.organisation) == col(Message.organisation))


def person_is_active() -> SqlCondition:
    """The person of the capacity is active."""
    return row_exists(Person, col(Person.id) == PERSON, active_on(Person, NOW))


def serves_mailbox(organisation: str) -> SqlCondition:
    """The capacity is an archivist's, in a unit of the organisation that received the mail."""
    return person_capacity_is_active(
        col(CapacityRow.role) == Role.ARCHIVIST.value, col(Unit.organisation) == col(organisation)
    )


def in_unit(*where: SqlCondition) -> SqlCondition:
    """The capacity's unit is the message's unit.

    Said of the message itself, so that a list is found by the index of units; never NULL.
    """
    return sa.and_(
        col(Message.unit).is_not(None), col(Message.unit) == UNIT, person_capacity_is_active(*where)
    )


def leads_unit() -> SqlCondition:
    """The capacity is a leader's, in the message's unit."""
    return in_unit(col(CapacityRow.role) == Role.LEADER.value)


def in_parent_unit() -> SqlCondition:
    """The capacity's unit is above the message's unit in the hierarchy, at any distance."""
    above = row_exists(
        UnitAbove,
        col(UnitAbove.unit) == col(Message.unit),
        col(UnitAbove.above) == UNIT,
        col(UnitAbove.above) != col(UnitAbove.unit),
        active_on(UnitAbove, NOW),
    )
    return and_(above, person_capacity_is_active())


def is_assigned(*where: SqlCondition) -> SqlCondition:
    """The message has an active assignment that fulfils these conditions."""
    return row_exists(
        Assignment,
        col(Assignment.message_id) == col(Message.id),
        active_on(Assignment, NOW),
        *where,
    )


def substitutes_for_assignee() -> SqlCondition:
    """The person is the active substitute for the colleague the message is assigned to.

    The substitution is in the message's unit.
    """
    rows = (
        sa.select(sa.literal(1))
        .select_from(Delegation)
        .join(Assignment, col(Assignment.person) == col(Delegation.absent))
        .where(
            col(Delegation.substitute) == PERSON,
            col(Delegation.unit) == col(Message.unit),
            active_on(Delegation, NOW),
            col(Assignment.message_id) == col(Message.id),
            active_on(Assignment, NOW),
        )
    )
    return and_(exists(rows.correlate_except(Delegation, Assignment)), in_unit())


def has_grant(kind: GrantKind) -> SqlCondition:
    """The person has an active access grant of this kind to the message.

    The grant was given for the unit that the message is still in.
    """
    row = row_exists(
        AccessGrant,
        col(AccessGrant.person) == PERSON,
        col(AccessGrant.kind) == kind,
        col(AccessGrant.message_id) == col(Message.id),
        col(AccessGrant.unit) == col(Message.unit),
        active_on(AccessGrant, NOW),
    )
    return and_(row, person_capacity_is_active())


def has_conflict_of_interest(person: TextParameter | Mapped[str]) -> SqlCondition:
    """The person has a conflict of interest (*inhabilitet*) concerning the message.

    The conflict can be with the message itself, its case or its sender.
    """
    return row_exists(
        ConflictOfInterest,
        col(ConflictOfInterest.person) == person,
        or_(
            col(ConflictOfInterest.message_id) == col(Message.id),
            col(ConflictOfInterest.sender) == col(Message.sender),
            row_exists(
                MessageReference,
                col(MessageReference.message_id) == col(Message.id),
                col(MessageReference.reference_hash) == col(ConflictOfInterest.reference_hash),
            ),
        ),
        active_on(ConflictOfInterest, NOW),
    )


def is_cleared_for(person: TextParameter, shielding: Mapped[str | None]) -> SqlCondition:
    """There is no shielding, or the person has an active clearance for its code."""
    return or_(
        shielding.is_(None),
        row_exists(
            Clearance,
            col(Clearance.person) == person,
            col(Clearance.shielding) == shielding,
            active_on(Clearance, NOW),
        ),
    )


def target_is_handler_in(unit: Mapped[str | None] | TextParameter) -> SqlCondition:
    """The target person is an active handler in this unit."""
    return _active_capacity_exists(
        col(CapacityRow.person) == TARGET,
        col(CapacityRow.role) == Role.HANDLER.value,
        col(CapacityRow.unit) == unit,
    )
