"""The SQL of facts about tasks, proposals, units and grants under review."""

import sqlalchemy as sa
from sqlalchemy import and_, exists, or_
from sqlalchemy.orm import aliased
from sqlmodel import col

from inbox.access.facts.parameters import (
    NOW,
    ORGANISATION,
    PERSON,
    POLICY,
    PROPOSAL,
    SUBJECT_UNIT,
    TASK,
    Form,
    any_of,
)
from inbox.access.facts.relationship import person_stands
from inbox.access.policy.vocabulary import Role
from inbox.domain import ProposalState, TaskState
from inbox.tables import AccessGrant, Arrival, Assignment, Capacity, Message, Proposal, Task, Unit


def own_task() -> Form:
    """The task around it is open and this capacity's to close; archivists' tasks have no unit."""
    return person_stands(
        col(Task.state) == TaskState.OPEN,
        col(Task.role) == col(Capacity.role),
        or_(
            col(Task.unit).is_(None),
            col(Task.unit) == col(Capacity.unit),
            col(Capacity.role) == Role.ARCHIVIST.value,
        ),
    )


def own_task_of_message() -> Form:
    """The task that the request names belongs to the message, and this capacity may close it."""
    return any_of(Task, col(Task.id) == TASK, col(Task.message_id) == col(Message.id), own_task())


def task_is_not_of_others() -> Form:
    """Neither the unit, the message nor the arrival of the task belongs to another organisation."""
    other = [
        any_of(Unit, col(Unit.id) == col(Task.unit), col(Unit.organisation) != ORGANISATION),
        any_of(
            Message,
            col(Message.id) == col(Task.message_id),
            col(Message.organisation) != ORGANISATION,
        ),
        any_of(
            Arrival,
            col(Arrival.id) == col(Task.subject_id),
            col(Arrival.organisation) != ORGANISATION,
        ),
    ]
    return ~or_(*other)


def proposed_by_other(*where: Form) -> Form:
    """The named proposal is open, has not expired, and was made by another person."""
    return any_of(
        Proposal,
        col(Proposal.id) == PROPOSAL,
        col(Proposal.state) == ProposalState.OPEN,
        col(Proposal.expires_at) > NOW,
        col(Proposal.proposer) != PERSON,
        *where,
    )


def about_message() -> Form:
    """The proposal is about the message, or about the named task of it."""
    return or_(
        col(Proposal.subject_id) == col(Message.id),
        and_(
            col(Proposal.subject_id) == TASK,
            any_of(Task, col(Task.id) == TASK, col(Task.message_id) == col(Message.id)),
        ),
    )


def proposal_is_of_organisation() -> Form:
    """The proposal around it is about the whole installation, or the capacity's organisation."""
    return or_(
        col(Proposal.kind) == POLICY,
        col(Proposal.subject_id) == ORGANISATION,
    )


def leads_subject_unit() -> Form:
    """The capacity is a leader's, in the unit that the question is about."""
    return person_stands(
        col(Capacity.role) == Role.LEADER.value, col(Capacity.unit) == SUBJECT_UNIT
    )


def grant_is_of_organisation() -> Form:
    """The grant of the enclosing query gives access to a message of the capacity's organisation."""
    return any_of(
        Message,
        col(Message.id) == col(AccessGrant.message_id),
        col(Message.organisation) == ORGANISATION,
    )


def involved() -> Form:
    """The person is involved in the grant under review, and so may not review it.

    So: whoever got the grant or gave it, was ever assigned the message or granted access to it, or
    leads the unit that it was with.
    """
    assigned_once = any_of(
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
    leads_it = any_of(
        Capacity,
        col(Capacity.unit) == col(AccessGrant.unit),
        col(Capacity.role) == Role.LEADER.value,
        col(Capacity.person) == PERSON,
    )
    return or_(assigned_once, granted_once, leads_it)
