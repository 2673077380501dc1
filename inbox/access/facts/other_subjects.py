"""The SQL of facts about tasks, proposals, units and grants under review."""

import sqlalchemy as sa
from sqlalchemy import and_, exists, or_
from sqlalchemy.orm import aliased
from sqlmodel import col

from inbox.access.facts.parameters import (
    NOW,
    ORGANISATION,
    PERSON,
    POLICY_PROPOSAL,
    PROPOSAL,
    SUBJECT_UNIT,
    TASK,
    UNIT,
    SqlCondition,
    row_exists,
)
from inbox.access.facts.relationship import person_capacity_is_active
from inbox.access.policy.vocabulary import Role
from inbox.domain import ProposalState, TaskState
from inbox.tables import (
    AccessGrant,
    Arrival,
    Assignment,
    CapacityRow,
    ConflictOfInterest,
    Message,
    Proposal,
    Task,
    Unit,
    UnitAbove,
)
from inbox.tables.periods import active_on


def own_task() -> SqlCondition:
    """The task of the enclosing query is open, and this capacity may close it.

    Tasks for archivists have no unit.
    """
    return person_capacity_is_active(
        col(Task.state) == TaskState.OPEN,
        col(Task.role) == col(CapacityRow.role),
        or_(
            col(Task.unit).is_(None),
            col(Task.unit) == col(CapacityRow.unit),
            col(CapacityRow.role) == Role.ARCHIVIST.value,
        ),
    )


def own_task_of_message() -> SqlCondition:
    """The task that the request names belongs to the message, and this capacity may close it."""
    return row_exists(
        Task, col(Task.id) == TASK, col(Task.message_id) == col(Message.id), own_task()
    )


def task_is_of_no_other_organisation() -> SqlCondition:
    """Neither the unit, the message nor the arrival of the task belongs to another organisation."""
    other = [
        row_exists(Unit, col(Unit.id) == col(Task.unit), col(Unit.organisation) != ORGANISATION),
        row_exists(
            Message,
            col(Message.id) == col(Task.message_id),
            col(Message.organisation) != ORGANISATION,
        ),
        row_exists(
            Arrival,
            col(Arrival.id) == col(Task.subject_id),
            col(Arrival.organisation) != ORGANISATION,
        ),
    ]
    return ~or_(*other)


def proposed_by_other(*where: SqlCondition) -> SqlCondition:
    """The named proposal is open, has not expired, and was made by another person."""
    return row_exists(
        Proposal,
        col(Proposal.id) == PROPOSAL,
        col(Proposal.state) == ProposalState.OPEN,
        col(Proposal.expires_at) > NOW,
        col(Proposal.proposer) != PERSON,
        *where,
    )


def proposal_is_about_message() -> SqlCondition:
    """The proposal is about the message, or about the named task of it."""
    return or_(
        col(Proposal.subject_id) == col(Message.id),
        and_(
            col(Proposal.subject_id) == TASK,
            row_exists(Task, col(Task.id) == TASK, col(Task.message_id) == col(Message.id)),
        ),
    )


def proposal_is_of_organisation() -> SqlCondition:
    """The proposal concerns the whole installation or the capacity's organisation.

    It is the proposal of the enclosing query.
    """
    return or_(
        col(Proposal.kind) == POLICY_PROPOSAL,
        col(Proposal.subject_id) == ORGANISATION,
    )


def leads_subject_unit() -> SqlCondition:
    """The capacity is a leader's, in the unit that the question is about."""
    return person_capacity_is_active(
        col(CapacityRow.role) == Role.LEADER.value, col(CapacityRow.unit) == SUBJECT_UNIT
    )


def grant_is_of_organisation() -> SqlCondition:
    """The grant of the enclosing query gives access to a message of the capacity's organisation."""
    return row_exists(
        Message,
        col(Message.id) == col(AccessGrant.message_id),
        col(Message.organisation) == ORGANISATION,
    )


def is_involved_in_grant() -> SqlCondition:
    """The person is involved in the grant under review, and so may not review it.

    Involved are those who got the grant or gave it, who were ever assigned the message or granted
    access to it, and who lead the unit that it was with.
    """
    assigned_once = row_exists(
        Assignment,
        col(Assignment.message_id) == col(AccessGrant.message_id),
        col(Assignment.person) == PERSON,
    )
    other = aliased(AccessGrant)
    granted_once = exists(
        sa.select(sa.literal(1))
        .select_from(other)
        .where(
            col(other.message_id) == col(AccessGrant.message_id),
            or_(col(other.person) == PERSON, col(other.given_by) == PERSON),
        )
        .correlate_except(other)
    )
    leads_it = row_exists(
        CapacityRow,
        col(CapacityRow.unit) == col(AccessGrant.unit),
        col(CapacityRow.role) == Role.LEADER.value,
        col(CapacityRow.person) == PERSON,
    )
    return or_(assigned_once, granted_once, leads_it)


def conflict_is_of_organisation() -> SqlCondition:
    """The person in conflict has, or had, a capacity in the capacity's organisation."""
    works_here = (
        sa.select(sa.literal(1))
        .select_from(CapacityRow)
        .join(Unit, col(Unit.id) == col(CapacityRow.unit))
        .where(
            col(CapacityRow.person) == col(ConflictOfInterest.person),
            col(Unit.organisation) == ORGANISATION,
        )
    )
    return exists(works_here.correlate_except(CapacityRow, Unit))


def is_own_conflict() -> SqlCondition:
    """The conflict of the enclosing query is the person's own; never NULL."""
    # A case system has no person: without the first part the comparison would be NULL.
    return and_(PERSON.is_not(None), col(ConflictOfInterest.person) == PERSON)


def leads_person_in_conflict() -> SqlCondition:
    """The capacity is a leader's, in a unit where the person in conflict works, or above it."""
    theirs = aliased(CapacityRow)
    works_below = exists(
        sa.select(sa.literal(1))
        .select_from(UnitAbove)
        .where(
            col(UnitAbove.unit) == col(theirs.unit),
            col(UnitAbove.above) == UNIT,
            active_on(UnitAbove, NOW),
        )
        .correlate_except(UnitAbove)
    )
    works_there = exists(
        sa.select(sa.literal(1))
        .select_from(theirs)
        .where(
            col(theirs.person) == col(ConflictOfInterest.person),
            active_on(theirs, NOW),
            or_(col(theirs.unit) == UNIT, works_below),
        )
        .correlate_except(theirs)
    )
    return and_(works_there, person_capacity_is_active(col(CapacityRow.role) == Role.LEADER.value))
