"""The SQL form of each row fact: an expression over the subject's row and bound values.

Every form is true or false, never NULL: it is `EXISTS`, `IS NULL`, or compares what cannot be NULL.
Periods are half open: a thing holds from `active_from` until just before `active_until`.
"""

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, String, and_, bindparam, exists, or_
from sqlmodel import SQLModel, col

from inbox.access.words import Role
from inbox.message import DeliveryState, MessageState, ProposalState, ReceiptState, TaskState
from inbox.tables import (
    Arrival,
    Assignment,
    Capacity,
    CaseSystem,
    Clearance,
    ConflictOfInterest,
    Delivery,
    Message,
    Person,
    Proposal,
    Receipt,
    Task,
    Unit,
    Utc,
)

Form = ColumnElement[bool]
Bound = sa.BindParameter[str]
LATE_WORD: Final = "late_word"
"""The kind of the task that keeps what a case system said too late."""


def bound(name: str) -> Bound:
    """A value that comes with the request; its type is said, because PostgreSQL asks for it."""
    return bindparam(name, type_=String())


NOW: Final = bindparam("now", type_=Utc())
CAPACITY: Final = bound("capacity")
PERSON: Final = bound("person")
UNIT: Final = bound("unit")
ROLE: Final = bound("role")
ORGANISATION: Final = bound("organisation")
SYSTEM: Final = bound("case_system")
TARGET: Final = bound("target")
DELIVERY: Final = bound("delivery_id")
PROPOSAL: Final = bound("proposal_id")
TASK: Final = bound("task_id")


def lasts(since: datetime, until: datetime | None) -> Form:
    """The period of a row holds now."""
    return and_(col(since) <= NOW, or_(col(until).is_(None), col(until) > NOW))


def any_of(table: type[SQLModel], *where: Form) -> Form:
    """There is such a row; what is no column of `table` belongs to the subject around it."""
    return exists(sa.select(sa.literal(1)).select_from(table).where(*where).correlate_except(table))


def person_stands(*where: Form) -> Form:
    """The capacity is as its row says, and it, its person and its unit are active."""
    rows = (
        sa.select(sa.literal(1))
        .select_from(Capacity)
        .join(Person, col(Person.id) == col(Capacity.person))
        .join(Unit, col(Unit.id) == col(Capacity.unit))
        .where(
            col(Capacity.id) == CAPACITY,
            col(Capacity.person) == PERSON,
            col(Capacity.unit) == UNIT,
            col(Capacity.role) == ROLE,
            col(Unit.organisation) == ORGANISATION,
            lasts(Capacity.active_from, Capacity.active_until),
            lasts(Person.active_from, Person.active_until),
            lasts(Unit.active_from, Unit.active_until),
            *where,
        )
    )
    return exists(rows.correlate_except(Capacity, Person, Unit))


def system_stands(*where: Form) -> Form:
    """The case system is of the organisation that it says, and active."""
    return any_of(
        CaseSystem,
        col(CaseSystem.id) == SYSTEM,
        col(CaseSystem.organisation) == ORGANISATION,
        lasts(CaseSystem.active_from, CaseSystem.active_until),
        *where,
    )


def system_is_of_message() -> Form:
    """The case system belongs to the organisation that the message came to."""
    return system_stands(col(CaseSystem.organisation) == col(Message.organisation))


def person_is_active() -> Form:
    """The person of the capacity has not left."""
    return any_of(Person, col(Person.id) == PERSON, lasts(Person.active_from, Person.active_until))


def serves_mailbox(organisation: str) -> Form:
    """An archivist's capacity, in a unit of the organisation that the mail came to."""
    return person_stands(
        col(Capacity.role) == Role.ARCHIVIST.value, col(Unit.organisation) == col(organisation)
    )


def in_unit(*where: Form) -> Form:
    """The capacity's unit is the message's unit.

    Said of the message itself, so that a list is found by the index of units; never NULL.
    """
    return sa.and_(col(Message.unit).is_not(None), col(Message.unit) == UNIT, person_stands(*where))


def leads() -> Form:
    """A leader's capacity in the message's unit."""
    return in_unit(col(Capacity.role) == Role.LEADER.value)


def assigned(*where: Form) -> Form:
    """There is an open assignment on the message."""
    return any_of(
        Assignment,
        col(Assignment.message_id) == col(Message.id),
        lasts(Assignment.active_from, Assignment.active_until),
        *where,
    )


def unit_is(*where: Form) -> Form:
    """The message has an active unit of which this holds."""
    return any_of(
        Unit, col(Unit.id) == col(Message.unit), lasts(Unit.active_from, Unit.active_until), *where
    )


def conflicted(person: Bound) -> Form:
    """A conflict of interest of this person with the message or its sender."""
    return any_of(
        ConflictOfInterest,
        col(ConflictOfInterest.person) == person,
        or_(
            col(ConflictOfInterest.message_id) == col(Message.id),
            col(ConflictOfInterest.sender) == col(Message.sender),
        ),
        lasts(ConflictOfInterest.active_from, ConflictOfInterest.active_until),
    )


def cleared(person: Bound) -> Form:
    """The message is not shielded, or this person is cleared for its code."""
    return or_(
        col(Message.shielding).is_(None),
        any_of(
            Clearance,
            col(Clearance.person) == person,
            col(Clearance.shielding) == col(Message.shielding),
            lasts(Clearance.active_from, Clearance.active_until),
        ),
    )


def target_in_unit() -> Form:
    """The person it is meant for is a handler in the message's unit."""
    rows = (
        sa.select(sa.literal(1))
        .select_from(Capacity)
        .join(Person, col(Person.id) == col(Capacity.person))
        .join(Unit, col(Unit.id) == col(Capacity.unit))
        .where(
            col(Capacity.person) == TARGET,
            col(Capacity.role) == Role.HANDLER.value,
            col(Capacity.unit) == col(Message.unit),
            lasts(Capacity.active_from, Capacity.active_until),
            lasts(Person.active_from, Person.active_until),
            lasts(Unit.active_from, Unit.active_until),
        )
    )
    return exists(rows.correlate_except(Capacity, Person, Unit))


def is_in(*states: MessageState) -> Form:
    """The message is in one of these states."""
    return or_(*(col(Message.state) == state for state in states))


def delivery_was(*where: Form) -> Form:
    """There is such a delivery of the message."""
    return any_of(Delivery, col(Delivery.message_id) == col(Message.id), *where)


def own_delivery(*where: Form) -> Form:
    """A delivery to the asking case system: the named one, where one is named."""
    return delivery_was(
        col(Delivery.case_system) == SYSTEM,
        or_(DELIVERY.is_(None), col(Delivery.id) == DELIVERY),
        *where,
    )


def delivery_stands() -> Form:
    """Neither registered, refused, withdrawn nor superseded."""
    return col(Delivery.state).in_([DeliveryState.OPEN, DeliveryState.COLLECTED])


def receipt_failed() -> Form:
    """The receipt of the message did not reach the sender, and nobody has accepted that."""
    return any_of(
        Receipt,
        col(Receipt.message_id) == col(Message.id),
        col(Receipt.state).in_([ReceiptState.FAILED, ReceiptState.IMPOSSIBLE]),
        col(Receipt.settled_at).is_(None),
    )


def late_word() -> Form:
    """An open task with a case system's late word: the named one, where one is named."""
    return any_of(
        Task,
        col(Task.message_id) == col(Message.id),
        col(Task.kind) == LATE_WORD,
        col(Task.state) == TaskState.OPEN,
        or_(TASK.is_(None), col(Task.id) == TASK),
    )


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
    """The named task is the message's, and this capacity's to close."""
    return any_of(Task, col(Task.id) == TASK, col(Task.message_id) == col(Message.id), own_task())


def task_is_not_of_others() -> Form:
    """Neither unit, message nor arrival of the task belongs to another organisation."""
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
    """The named proposal is open, has not expired, and another person made it."""
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
