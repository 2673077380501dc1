"""What can be known about a capacity and a subject, by name, and the one SELECT that finds it out.

What each fact means stands in `policies/facts.toml`. Its one SQL form is a column when a subject is
decided and a filter when many are listed. Nothing is cached: a revocation holds at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Select
from sqlalchemy.orm import Session
from sqlmodel import col

from inbox.access import forms
from inbox.access.forms import Form
from inbox.access.subject import (
    Capacity,
    Given,
    OfArrival,
    OfInstallation,
    OfMessage,
    OfTask,
    Subject,
)
from inbox.message import MOVES, ArrivalState, DeliveryState, MessageState, TaskState
from inbox.tables import Arrival, Assignment, Delivery, Message, Proposal, Task, Unit

_M = MessageState
_REFUSABLE = tuple(state for state in MessageState if state in MOVES[MessageState]["refuse"])


@dataclass(frozen=True)
class Fact:
    """A row fact has a form for each kind of subject that it is about; elsewhere it is false.

    A fact of the request has `given` instead.
    """

    forms: Mapping[type[Subject], Form] = field(default_factory=dict)
    given: Callable[[Capacity, Given], bool] | None = None


def _message(form: Form) -> Fact:
    return Fact(forms={OfMessage: form})


def _request(given: Callable[[Capacity, Given], bool]) -> Fact:
    return Fact(given=given)


def _everywhere(form: Form) -> Mapping[type[Subject], Form]:
    return dict.fromkeys((OfMessage, OfArrival, OfTask, OfInstallation), form)


FACTS: Final[Mapping[str, Fact]] = {
    # The capacity, and its bond to the message.
    "active_capacity": Fact(_everywhere(forms.person_stands() | forms.system_stands())),
    "active_person": Fact(_everywhere(forms.person_is_active())),
    "own_organisation": Fact(
        {
            OfMessage: col(Message.organisation) == forms.ORGANISATION,
            OfArrival: col(Arrival.organisation) == forms.ORGANISATION,
            OfTask: forms.task_is_not_of_others(),
            OfInstallation: sa.true(),
        }
    ),
    "mailbox": Fact(
        {
            OfMessage: forms.serves_mailbox(Message.organisation),
            OfArrival: forms.serves_mailbox(Arrival.organisation),
        }
    ),
    "in_unit": _message(forms.in_unit()),
    "leads": _message(forms.leads()),
    "assigned": _message(forms.assigned(col(Assignment.person) == forms.PERSON)),
    "unassigned": _message(~forms.assigned()),
    "unit_shares": _message(forms.unit_is(col(Unit.shares_unassigned).is_(True))),
    "conflict": _message(forms.conflicted(forms.PERSON)),
    "cleared": _message(forms.cleared(forms.PERSON)),
    # The message.
    "unopened": _message(col(Message.opened_at).is_(None)),
    "unrouted": _message(forms.is_in(_M.UNROUTED)),
    "routed": _message(forms.is_in(_M.ROUTED)),
    "released": _message(forms.is_in(_M.RELEASED)),
    "offered": _message(forms.is_in(_M.OFFERED)),
    "returned": _message(forms.is_in(_M.RETURNED)),
    "quarantined": _message(forms.is_in(_M.QUARANTINED)),
    "refusable": _message(forms.is_in(*_REFUSABLE)),
    "uncollected": _message(
        forms.delivery_was(
            col(Delivery.state) == DeliveryState.OPEN, col(Delivery.collected_at).is_(None)
        )
    ),
    "receipt_failed": _message(forms.receipt_failed()),
    "late_word": Fact(
        {
            OfMessage: forms.late_word(),
            OfTask: (col(Task.kind) == forms.LATE_WORD) & (col(Task.state) == TaskState.OPEN),
        }
    ),
    "missed": Fact({OfArrival: col(Arrival.state) == ArrivalState.MISSED}),
    # Case systems.
    "unit_uses_system": _message(forms.unit_is(col(Unit.case_system) == forms.SYSTEM)),
    "system_cleared": _message(forms.system_is_of_message()),
    "own_delivery": _message(forms.own_delivery()),
    "own_open_delivery": _message(forms.own_delivery(forms.delivery_stands())),
    # Tasks and proposals.
    "own_task": Fact({OfMessage: forms.own_task_of_message(), OfTask: forms.own_task()}),
    "proposed_by_other": Fact(
        {
            OfMessage: forms.proposed_by_other(forms.about_message()),
            OfArrival: forms.proposed_by_other(col(Proposal.subject_id) == col(Arrival.id)),
            OfInstallation: forms.proposed_by_other(),
        }
    ),
    # The person that a message is assigned to.
    "target_in_unit": _message(forms.target_in_unit()),
    "target_cleared": _message(forms.cleared(forms.TARGET)),
    "target_conflict": _message(forms.conflicted(forms.TARGET)),
    "target_is_self": _request(
        lambda capacity, given: given.target is not None and given.target == capacity.person
    ),
    # The request.
    "strong_auth": _request(lambda capacity, given: capacity.strong_auth),  # noqa: ARG005 - one shape
    "reason_given": _request(lambda capacity, given: given.reason_given),  # noqa: ARG005 - one shape
    "reference_given": _request(lambda capacity, given: given.reference_given),  # noqa: ARG005 - one shape
    "waivable": _request(lambda capacity, given: given.waivable),  # noqa: ARG005 - one shape
    "same_documents": _request(lambda capacity, given: given.same_documents),  # noqa: ARG005 - one shape
}


def _select(kind: type[Subject], *, where: Form | None = None) -> Select[*tuple[bool, ...]]:
    # SQLite has no booleans of its own: said here, every answer is one.
    columns = [
        sa.type_coerce(fact.forms[kind], sa.Boolean).label(name)
        for name, fact in FACTS.items()
        if kind in fact.forms
    ]
    statement = sa.select(*columns)
    return statement if where is None else statement.where(where)


_FINDS: Final[Mapping[type[Subject], Select[*tuple[bool, ...]]]] = {
    OfMessage: _select(OfMessage, where=col(Message.id) == forms.bound("message_id")),
    OfArrival: _select(OfArrival, where=col(Arrival.id) == forms.bound("arrival_id")),
    OfTask: _select(OfTask, where=col(Task.id) == forms.TASK),
    OfInstallation: _select(OfInstallation),
}


def values_of(
    now: datetime, capacity: Capacity, given: Given, subject: Subject | None = None
) -> dict[str, object]:
    """What the forms are bound to; `now` is the database's time of this transaction."""
    named: dict[str, object] = {"delivery_id": None, "proposal_id": None, "task_id": None}
    if subject is not None:
        named |= asdict(subject)
    return named | {
        "now": now,
        "capacity": capacity.id,
        "person": capacity.person,
        "unit": capacity.unit,
        "role": capacity.role.value,
        "organisation": capacity.organisation,
        "case_system": capacity.case_system,
        "target": given.target,
    }


def facts_of_request(capacity: Capacity, given: Given) -> dict[str, bool]:
    """The facts that no row says."""
    return {
        name: fact.given(capacity, given) for name, fact in FACTS.items() if fact.given is not None
    }


def facts_about(
    session: Session, now: datetime, capacity: Capacity, subject: Subject, given: Given
) -> Mapping[str, bool] | None:
    """Every fact by name, found by one SELECT in the caller's transaction.

    None: there is no such subject.
    """
    row = (
        session.execute(_FINDS[type(subject)], values_of(now, capacity, given, subject))
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    return dict.fromkeys(FACTS, False) | facts_of_request(capacity, given) | dict(row)
