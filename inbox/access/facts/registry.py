"""The registry of facts: everything that a rule can ask about a capacity and a subject, by name.

What each fact means stands in `policy/facts.toml`. Its one SQL form is a column when a subject is
decided and a filter when many are listed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa
from sqlmodel import col

from inbox.access.facts import message, other_subjects, parameters, relationship
from inbox.access.facts.parameters import SqlCondition
from inbox.access.policy.vocabulary import Action
from inbox.access.question import (
    Capacity,
    OfArrival,
    OfConflict,
    OfGrant,
    OfInstallation,
    OfMessage,
    OfProposal,
    OfTask,
    OfUnit,
    RequestFacts,
    Subject,
)
from inbox.domain import (
    MOVES,
    READABLE_STATES,
    ArrivalState,
    DeliveryState,
    GrantKind,
    MessageState,
    TaskState,
)
from inbox.tables import (
    Arrival,
    Assignment,
    ConflictOfInterest,
    Delivery,
    Message,
    Proposal,
    Task,
    Unit,
)

_M = MessageState


@dataclass(frozen=True)
class Fact:
    """One fact that conditions can name.

    A database fact has one SQL expression for each kind of subject that it is defined for. It is
    false for all other subjects.

    A fact of the request has `given` instead, and is known of the kinds in `of`.
    """

    sql_by_subject: Mapping[type[Subject], SqlCondition] = field(default_factory=dict)
    from_request: Callable[[Capacity, RequestFacts], bool] | None = None
    request_subjects: frozenset[type[Subject]] = frozenset()

    def is_defined_for(self, kind: type[Subject]) -> bool:
        """Whether a rule about this kind of subject may use the fact."""
        return kind in self.sql_by_subject or kind in self.request_subjects


def _message_fact(form: SqlCondition) -> Fact:
    return Fact(sql_by_subject={OfMessage: form})


_SUBJECT_KINDS: Final = (
    *(OfMessage, OfArrival, OfTask, OfUnit, OfGrant, OfConflict, OfProposal, OfInstallation),
)


STATES_OF_FACT: Final[Mapping[str, tuple[MessageState, ...]]] = {
    "unrouted": (_M.UNROUTED,),
    "routed": (_M.ROUTED,),
    "released": (_M.RELEASED,),
    "offered": (_M.OFFERED,),
    "returned": (_M.RETURNED,),
    "quarantined": (_M.QUARANTINED,),
    "readable": READABLE_STATES,
    "refusable": tuple(state for state in _M if state in MOVES[_M]["refuse"]),
}
"""The facts that say nothing of a message but its state, and the states that they hold in."""


def _request_fact(
    given: Callable[[Capacity, RequestFacts], bool], of: tuple[type[Subject], ...] = (OfMessage,)
) -> Fact:
    return Fact(from_request=given, request_subjects=frozenset(of))


def _for_every_subject(form: SqlCondition) -> Mapping[type[Subject], SqlCondition]:
    return dict.fromkeys(_SUBJECT_KINDS, form)


FACTS: Final[Mapping[str, Fact]] = {
    # The capacity, and its bond to the message.
    "active_capacity": Fact(
        _for_every_subject(
            relationship.person_capacity_is_active() | relationship.case_system_is_active()
        )
    ),
    "active_person": Fact(_for_every_subject(relationship.person_is_active())),
    "own_organisation": Fact(
        {
            OfMessage: col(Message.organisation) == parameters.ORGANISATION,
            OfArrival: col(Arrival.organisation) == parameters.ORGANISATION,
            OfTask: other_subjects.task_is_of_no_other_organisation(),
            OfUnit: col(Unit.organisation) == parameters.ORGANISATION,
            OfGrant: other_subjects.grant_is_of_organisation(),
            OfConflict: other_subjects.conflict_is_of_organisation(),
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
    "in_unit": _message_fact(relationship.in_unit()),
    "in_parent_unit": _message_fact(relationship.in_parent_unit()),
    "leads": Fact(
        {OfMessage: relationship.leads_unit(), OfUnit: other_subjects.leads_subject_unit()}
    ),
    "assigned": _message_fact(
        relationship.is_assigned(col(Assignment.person) == parameters.PERSON)
    ),
    "covers": _message_fact(relationship.substitutes_for_assignee()),
    "has_grant": _message_fact(relationship.has_grant(GrantKind.GIVEN)),
    "has_breakglass": _message_fact(relationship.has_grant(GrantKind.BREAKGLASS)),
    "involved": Fact({OfGrant: other_subjects.is_involved_in_grant()}),
    "unassigned": _message_fact(~relationship.is_assigned()),
    "unit_shares": _message_fact(message.has_active_unit(col(Unit.shares_unassigned).is_(True))),
    "conflict": Fact(
        {
            OfMessage: relationship.has_conflict_of_interest(parameters.PERSON),
            OfConflict: other_subjects.is_own_conflict(),
        }
    ),
    "leads_person": Fact({OfConflict: other_subjects.leads_person_in_conflict()}),
    "cleared": _message_fact(
        relationship.is_cleared_for(parameters.PERSON, col(Message.shielding))
    ),
    # The message.
    "unopened": _message_fact(col(Message.opened_at).is_(None)),
    **{
        name: _message_fact(message.is_in_state(*states)) for name, states in STATES_OF_FACT.items()
    },
    "own_recent_move": _message_fact(message.was_moved_by(parameters.PERSON)),
    "escalated": _message_fact(message.is_escalated()),
    "unassignable": _message_fact(message.is_unassignable()),
    "uncollected": _message_fact(
        message.has_delivery(
            col(Delivery.state) == DeliveryState.OPEN, col(Delivery.collected_at).is_(None)
        )
    ),
    "by_hand": _message_fact(message.has_delivery_by_hand()),
    "receipt_failed": _message_fact(message.receipt_failed()),
    "late_word": Fact(
        {
            OfMessage: message.has_late_word_task(),
            OfTask: (col(Task.kind) == parameters.LATE_WORD) & (col(Task.state) == TaskState.OPEN),
        }
    ),
    "missed": Fact({OfArrival: col(Arrival.state) == ArrivalState.MISSED}),
    # Case systems.
    "unit_uses_system": _message_fact(
        message.has_active_unit(col(Unit.case_system) == parameters.CASE_SYSTEM)
    ),
    "system_cleared": _message_fact(relationship.case_system_has_message_organisation()),
    "own_delivery": _message_fact(message.has_delivery_to_system()),
    "own_open_delivery": _message_fact(
        message.has_delivery_to_system(message.delivery_is_active())
    ),
    # Tasks and proposals.
    "own_task": Fact(
        {OfMessage: other_subjects.own_task_of_message(), OfTask: other_subjects.own_task()}
    ),
    "proposed_by_other": Fact(
        {
            OfMessage: other_subjects.proposed_by_other(other_subjects.proposal_is_about_message()),
            OfArrival: other_subjects.proposed_by_other(
                col(Proposal.subject_id) == col(Arrival.id)
            ),
            OfConflict: other_subjects.proposed_by_other(
                col(Proposal.subject_id) == col(ConflictOfInterest.id)
            ),
            OfProposal: other_subjects.proposed_by_other(),
        }
    ),
    # The person that something is given to.
    "target_in_unit": Fact(
        {
            OfMessage: relationship.target_is_handler_in(col(Message.unit)),
            OfUnit: relationship.target_is_handler_in(parameters.SUBJECT_UNIT),
        }
    ),
    "target_cleared": _message_fact(
        relationship.is_cleared_for(parameters.TARGET, col(Message.shielding))
    ),
    "target_conflict": _message_fact(relationship.has_conflict_of_interest(parameters.TARGET)),
    "target_is_self": _request_fact(
        lambda capacity, given: given.target is not None and given.target == capacity.person,
        (OfMessage, OfUnit),
    ),
    # The request.
    "strong_auth": _request_fact(lambda capacity, given: capacity.strong_auth, _SUBJECT_KINDS),  # noqa: ARG005 - one shape
    "reason_given": _request_fact(lambda capacity, given: given.reason_given, _SUBJECT_KINDS),  # noqa: ARG005 - one shape
    "period_given": _request_fact(
        lambda capacity, given: given.period_given,  # noqa: ARG005 - one shape
        (OfMessage, OfUnit),
    ),
    "reference_given": _request_fact(lambda capacity, given: given.reference_given),  # noqa: ARG005 - one shape
    "waivable": _request_fact(lambda capacity, given: given.waivable),  # noqa: ARG005 - one shape
    "needs_reviewer": _request_fact(lambda capacity, given: given.needs_reviewer),  # noqa: ARG005 - one shape
    "same_documents": _request_fact(lambda capacity, given: given.same_documents),  # noqa: ARG005 - one shape
}


ACTION_SUBJECTS: Final[Mapping[Action, tuple[type[Subject], ...]]] = dict.fromkeys(
    Action, (OfMessage,)
) | {
    Action.ROUTE: (OfMessage, OfArrival),
    Action.PROPOSE: (OfMessage, OfArrival, OfConflict),
    Action.DECLINE: (OfMessage, OfArrival, OfConflict, OfProposal),
    Action.REFETCH: (OfArrival,),
    Action.ABANDON: (OfArrival,),
    Action.CLOSE_TASK: (OfMessage, OfTask),
    Action.DELEGATE: (OfUnit,),
    Action.END_ACCESS: (OfMessage, OfUnit),
    Action.ACCESS_REVIEW: (OfGrant,),
    Action.BREAKGLASS_REVIEW: (OfGrant,),
    Action.END_CONFLICT: (OfConflict,),
    Action.POLICY_APPROVE: (OfProposal,),
    Action.ROUTE_APPROVE: (OfProposal,),
    Action.DIRECTORY_APPROVE: (OfProposal,),
    Action.POLICY_EDIT: (OfInstallation,),
    Action.ROUTE_EDIT: (OfInstallation,),
    Action.DIRECTORY_EDIT: (OfInstallation,),
    Action.OPERATE: (OfInstallation,),
    Action.AUDIT_READ: (OfInstallation,),
    Action.ACCESS_READ: (OfInstallation,),
    Action.FIGURES: (OfUnit,),
}
"""What each action can be asked about; about anything else the answer is no."""


def fact_names_of(kind: type[Subject]) -> frozenset[str]:
    """The names of all facts that are defined for this kind of subject."""
    return frozenset(name for name, fact in FACTS.items() if fact.is_defined_for(kind))
