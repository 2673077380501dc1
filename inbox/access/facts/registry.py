"""The registry of facts: everything that a rule can ask about a capacity and a subject, by name.

What each fact means stands in `policies/facts.toml`. Its one SQL form is a column when a subject is
decided and a filter when many are listed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa
from sqlmodel import col

from inbox.access.facts import message, other_subjects, parameters, relationship
from inbox.access.facts.parameters import Form
from inbox.access.policy.vocabulary import Action
from inbox.access.question import (
    Capacity,
    Given,
    OfArrival,
    OfInstallation,
    OfMessage,
    OfProposal,
    OfReview,
    OfTask,
    OfUnit,
    Subject,
)
from inbox.domain import MOVES, ArrivalState, DeliveryState, GrantKind, MessageState, TaskState
from inbox.tables import Arrival, Assignment, Delivery, Message, Proposal, Task, Unit

_M = MessageState
_REFUSABLE = tuple(state for state in MessageState if state in MOVES[MessageState]["refuse"])


@dataclass(frozen=True)
class Fact:
    """A row fact has a form for each kind of subject that it is about; elsewhere it is false.

    A fact of the request has `given` instead, and is known of the kinds in `of`.
    """

    forms: Mapping[type[Subject], Form] = field(default_factory=dict)
    given: Callable[[Capacity, Given], bool] | None = None
    of: frozenset[type[Subject]] = frozenset()

    def known_of(self, kind: type[Subject]) -> bool:
        """Whether a rule about this kind of subject may use the fact."""
        return kind in self.forms or kind in self.of


def _message(form: Form) -> Fact:
    return Fact(forms={OfMessage: form})


_KINDS: Final = (OfMessage, OfArrival, OfTask, OfUnit, OfReview, OfProposal, OfInstallation)


def _request(
    given: Callable[[Capacity, Given], bool], of: tuple[type[Subject], ...] = (OfMessage,)
) -> Fact:
    return Fact(given=given, of=frozenset(of))


def _everywhere(form: Form) -> Mapping[type[Subject], Form]:
    return dict.fromkeys(_KINDS, form)


FACTS: Final[Mapping[str, Fact]] = {
    # The capacity, and its bond to the message.
    "active_capacity": Fact(
        _everywhere(relationship.person_stands() | relationship.system_stands())
    ),
    "active_person": Fact(_everywhere(relationship.person_is_active())),
    "own_organisation": Fact(
        {
            OfMessage: col(Message.organisation) == parameters.ORGANISATION,
            OfArrival: col(Arrival.organisation) == parameters.ORGANISATION,
            OfTask: other_subjects.task_is_not_of_others(),
            OfUnit: col(Unit.organisation) == parameters.ORGANISATION,
            OfReview: other_subjects.grant_is_of_organisation(),
            OfProposal: other_subjects.proposal_is_of_organisation(),
            OfInstallation: sa.true(),
        }
    ),
    "mailbox": Fact(
        {
            OfMessage: relationship.serves_mailbox(Message.organisation),
            OfArrival: relationship.serves_mailbox(Arrival.organisation),
        }
    ),
    "in_unit": _message(relationship.in_unit()),
    "in_parent_unit": _message(relationship.in_parent_unit()),
    "leads": Fact({OfMessage: relationship.leads(), OfUnit: other_subjects.leads_subject_unit()}),
    "assigned": _message(relationship.assigned(col(Assignment.person) == parameters.PERSON)),
    "covers": _message(relationship.covers()),
    "has_grant": _message(relationship.granted(GrantKind.GIVEN)),
    "has_breakglass": _message(relationship.granted(GrantKind.BREAKGLASS)),
    "involved": Fact({OfReview: other_subjects.involved()}),
    "unassigned": _message(~relationship.assigned()),
    "unit_shares": _message(message.unit_is(col(Unit.shares_unassigned).is_(True))),
    "conflict": _message(relationship.conflicted(parameters.PERSON)),
    "cleared": _message(relationship.cleared(parameters.PERSON, col(Message.shielding))),
    # The message.
    "unopened": _message(col(Message.opened_at).is_(None)),
    "unrouted": _message(message.is_in(_M.UNROUTED)),
    "routed": _message(message.is_in(_M.ROUTED)),
    "released": _message(message.is_in(_M.RELEASED)),
    "offered": _message(message.is_in(_M.OFFERED)),
    "returned": _message(message.is_in(_M.RETURNED)),
    "quarantined": _message(message.is_in(_M.QUARANTINED)),
    "refusable": _message(message.is_in(*_REFUSABLE)),
    "uncollected": _message(
        message.delivery_was(
            col(Delivery.state) == DeliveryState.OPEN, col(Delivery.collected_at).is_(None)
        )
    ),
    "receipt_failed": _message(message.receipt_failed()),
    "late_word": Fact(
        {
            OfMessage: message.late_word(),
            OfTask: (col(Task.kind) == parameters.LATE_WORD) & (col(Task.state) == TaskState.OPEN),
        }
    ),
    "missed": Fact({OfArrival: col(Arrival.state) == ArrivalState.MISSED}),
    # Case systems.
    "unit_uses_system": _message(message.unit_is(col(Unit.case_system) == parameters.SYSTEM)),
    "system_cleared": _message(relationship.system_is_of_message()),
    "own_delivery": _message(message.own_delivery()),
    "own_open_delivery": _message(message.own_delivery(message.delivery_stands())),
    # Tasks and proposals.
    "own_task": Fact(
        {OfMessage: other_subjects.own_task_of_message(), OfTask: other_subjects.own_task()}
    ),
    "proposed_by_other": Fact(
        {
            OfMessage: other_subjects.proposed_by_other(other_subjects.about_message()),
            OfArrival: other_subjects.proposed_by_other(
                col(Proposal.subject_id) == col(Arrival.id)
            ),
            OfProposal: other_subjects.proposed_by_other(),
        }
    ),
    # The person that something is given to.
    "target_in_unit": Fact(
        {
            OfMessage: relationship.target_in(col(Message.unit)),
            OfUnit: relationship.target_in(parameters.SUBJECT_UNIT),
        }
    ),
    "target_cleared": _message(relationship.cleared(parameters.TARGET, col(Message.shielding))),
    "target_conflict": _message(relationship.conflicted(parameters.TARGET)),
    "target_is_self": _request(
        lambda capacity, given: given.target is not None and given.target == capacity.person,
        (OfMessage, OfUnit),
    ),
    # The request.
    "strong_auth": _request(lambda capacity, given: capacity.strong_auth, _KINDS),  # noqa: ARG005 - one shape
    "reason_given": _request(lambda capacity, given: given.reason_given, _KINDS),  # noqa: ARG005 - one shape
    "period_given": _request(
        lambda capacity, given: given.period_given,  # noqa: ARG005 - one shape
        (OfMessage, OfUnit),
    ),
    "reference_given": _request(lambda capacity, given: given.reference_given),  # noqa: ARG005 - one shape
    "waivable": _request(lambda capacity, given: given.waivable),  # noqa: ARG005 - one shape
    "same_documents": _request(lambda capacity, given: given.same_documents),  # noqa: ARG005 - one shape
}


SUBJECTS: Final[Mapping[Action, tuple[type[Subject], ...]]] = dict.fromkeys(
    Action, (OfMessage,)
) | {
    Action.ROUTE: (OfMessage, OfArrival),
    Action.PROPOSE: (OfMessage, OfArrival),
    Action.REFETCH: (OfArrival,),
    Action.ABANDON: (OfArrival,),
    Action.CLOSE_TASK: (OfMessage, OfTask),
    Action.DELEGATE: (OfUnit,),
    Action.END_ACCESS: (OfMessage, OfUnit),
    Action.ACCESS_REVIEW: (OfReview,),
    Action.BREAKGLASS_REVIEW: (OfReview,),
    Action.POLICY_APPROVE: (OfProposal,),
    Action.ROUTE_APPROVE: (OfProposal,),
    Action.DIRECTORY_APPROVE: (OfProposal,),
    Action.POLICY_EDIT: (OfInstallation,),
    Action.ROUTE_EDIT: (OfInstallation,),
    Action.DIRECTORY_EDIT: (OfInstallation,),
    Action.OPERATE: (OfInstallation,),
    Action.AUDIT_READ: (OfInstallation,),
    Action.ACCESS_READ: (OfInstallation,),
}
"""What each action can be asked about; about anything else the answer is no."""


def facts_of(kind: type[Subject]) -> frozenset[str]:
    """The names of all facts that are defined for this kind of subject."""
    return frozenset(name for name, fact in FACTS.items() if fact.known_of(kind))
