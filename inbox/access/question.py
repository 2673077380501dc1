"""The parts of a question about access.

They are the capacity that asks, the subject it asks about, and the facts that the request supplies.
"""

from dataclasses import dataclass

from inbox.access.policy.vocabulary import Role
from inbox.domain import (
    ArrivalId,
    CaseSystemId,
    DeliveryId,
    MessageId,
    MessageState,
    OrgNumber,
    PersonId,
    UnitId,
)


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """A person in a role in a unit, or a case system; exactly one, chosen at sign-in.

    It proves nothing by itself: `active_capacity` compares every field with the rows on each
    request. A case system has its own id as `id`, and neither person nor unit.
    """

    id: str
    role: Role
    organisation: OrgNumber
    person: PersonId | None = None
    unit: UnitId | None = None
    case_system: CaseSystemId | None = None
    strong_auth: bool = False
    """Signed in at the high assurance level in this session."""

    def __post_init__(self) -> None:
        is_system = self.case_system is not None
        if is_system is not (self.role is Role.CASE_SYSTEM):
            raise ValueError("a case system, and nothing else, has the role of one")
        if is_system is not (self.person is None) or is_system is not (self.unit is None):
            raise ValueError("a capacity is a person in a unit, or a case system")


@dataclass(frozen=True, kw_only=True)
class RequestFacts:
    """Facts that the request supplies and the database does not know. The caller vouches for it."""

    reason_given: bool = False
    reference_given: bool = False
    period_given: bool = False
    """The request says when it ends."""
    target: PersonId | None = None
    """The person that something is given to."""
    waivable: bool = False
    """The code that the message is quarantined with may be waived."""
    needs_reviewer: bool = False
    """A security reviewer must approve that code, or one that it is proposed to waive."""
    in_state: MessageState | None = None
    """The state that a message is decided about in, instead of its own: the one from which somebody
    placed it, when the placing is decided again, or undone. Only for facts about the state."""
    same_documents: bool = False
    """The archive has registered a message of the same sender with the same documents."""


@dataclass(frozen=True, kw_only=True)
class OfMessage:
    """A message, and the delivery, proposal or task of it that the request names.

    A delivery, proposal or task that is not this message's counts as not there. The caller checks
    that the proposal is of the kind that it carries out.
    """

    message_id: MessageId
    delivery_id: DeliveryId | None = None
    proposal_id: str | None = None
    task_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class OfArrival:
    """An arrival, and the proposal about it that the request names."""

    arrival_id: ArrivalId
    proposal_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class OfTask:
    """A task, whatever it is about."""

    task_id: str


@dataclass(frozen=True, kw_only=True)
class OfUnit:
    """A unit, for example when one of its handlers delegates to another."""

    unit_id: UnitId


@dataclass(frozen=True, kw_only=True)
class OfGrant:
    """A grant that is under review: one that a leader gave, or emergency access (break glass)."""

    grant_id: str


@dataclass(frozen=True, kw_only=True)
class OfConflict:
    """A conflict of interest (*inhabilitet*) of a person, and the proposal to end it, if named."""

    conflict_id: str
    proposal_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class OfProposal:
    """A proposal that is about no message: about policies, routing rules or the directory."""

    proposal_id: str


@dataclass(frozen=True, kw_only=True)
class OfInstallation:
    """The installation itself: its rules, its directory, its operation."""


Subject = (
    OfMessage | OfArrival | OfTask | OfUnit | OfGrant | OfConflict | OfProposal | OfInstallation
)
