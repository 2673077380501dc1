"""A small town to ask questions in: two organisations, their units, people and mail."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlmodel import Session, SQLModel

from inbox.access import Capacity, Role
from inbox.access.files.folder import ALL_FILES, OLDER_FILES
from inbox.access.policy.vocabulary import Effect, PolicyRule
from inbox.domain import (
    ArrivalState,
    CaseSystemId,
    DeliveryState,
    GrantKind,
    MessageState,
    Mode,
    OrgNumber,
    PersonId,
    ProposalState,
    ReceiptState,
    Service,
    TaskState,
    UnitId,
    new_id,
)
from inbox.tables import (
    AccessGrant,
    Arrival,
    Assignment,
    CapacityRow,
    CaseSystem,
    Clearance,
    ConflictOfInterest,
    Delegation,
    Delivery,
    Message,
    MessageReference,
    Person,
    Proposal,
    Receipt,
    Task,
    Unit,
    UnitAbove,
)

POLICIES = Path(__file__).parents[2] / "policies"
KEPT_BEFORE = Path(__file__).parent / "files" / "policy_of_vocabulary_1"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
BEFORE, AFTER = NOW - timedelta(days=30), NOW + timedelta(days=30)
BERGVIK, HAVNES = OrgNumber("910075918"), OrgNumber("915933149")


R = TypeVar("R", bound=SQLModel)


def policy_files() -> dict[str, bytes]:
    return {name: (POLICIES / name).read_bytes() for name in ALL_FILES}


def files_of_vocabulary_1() -> dict[str, bytes]:
    """A folder as it was kept before `policy.toml`, by a program with fewer facts."""
    return {name: (KEPT_BEFORE / name).read_bytes() for name in OLDER_FILES}


def files_of_vocabulary_2() -> dict[str, bytes]:
    """The folder that was shipped before a placing could be undone."""
    kept = KEPT_BEFORE.with_name("policy_of_vocabulary_2")
    return {name: (kept / name).read_bytes() for name in ALL_FILES}


def allow(rule_id: str, act: str, role: str, when: str) -> PolicyRule:
    return PolicyRule(id=rule_id, actions=act, roles=role, when=when, effect=Effect.ALLOW)


def deny(rule_id: str, act: str, role: str, when: str) -> PolicyRule:
    return PolicyRule(id=rule_id, actions=act, roles=role, when=when, effect=Effect.DENY)


class Town:
    """Writes rows into a session; every row can be had back and changed."""

    def __init__(self, session: Session) -> None:
        self.session = session
        for organisation, unit in (
            (BERGVIK, "bv"),
            (BERGVIK, "ppt"),
            (BERGVIK, "arkiv"),
            (HAVNES, "x"),
        ):
            self.add(Unit(id=unit, organisation=organisation, name=unit, active_from=BEFORE))

    def add(self, row: R) -> R:
        self.session.add(row)
        self.session.flush()
        return row

    def person(self, person: str) -> Person:
        return self.add(Person(id=person, name="N. N.", active_from=BEFORE))

    def capacity(
        self, person: str, role: Role, unit: str, *, strong_auth: bool = False
    ) -> Capacity:
        """A person, who is made where not there yet, in a role in a unit."""
        if self.session.get(Person, person) is None:
            self.person(person)
        row = self.add(
            CapacityRow(id=new_id(), person=person, unit=unit, role=role.value, active_from=BEFORE)
        )
        home = self.session.get_one(Unit, unit)
        return Capacity(
            id=row.id,
            person=PersonId(person),
            role=role,
            unit=UnitId(unit),
            organisation=OrgNumber(home.organisation),
            strong_auth=strong_auth,
        )

    def row_of(self, capacity: Capacity) -> CapacityRow:
        return self.session.get_one(CapacityRow, capacity.id)

    def system(self, system: str, organisation: OrgNumber = BERGVIK) -> Capacity:
        self.add(
            CaseSystem(
                id=system, organisation=organisation, name="S", mode=Mode.PULL, active_from=BEFORE
            )
        )
        return Capacity(
            id=system,
            role=Role.CASE_SYSTEM,
            organisation=organisation,
            case_system=CaseSystemId(system),
        )

    def message(
        self,
        state: MessageState = MessageState.ROUTED,
        unit: str | None = "bv",
        organisation: OrgNumber = BERGVIK,
        message_id: str | None = None,
    ) -> Message:
        return self.add(
            Message(
                id=message_id or new_id(),
                state=state,
                unit=unit,
                organisation=organisation,
                channel="ip",
                service=Service.DPO,
                wire_id=new_id(),
                digest="d",
                size=1,
                received_at=NOW,
                sender="974760673",
            )
        )

    def assign(self, message: Message, person: str, until: datetime | None = None) -> Assignment:
        return self.add(
            Assignment(
                id=new_id(),
                message_id=message.id,
                person=person,
                active_from=BEFORE,
                active_until=until,
            )
        )

    def clear(self, person: str, shielding: str) -> Clearance:
        return self.add(
            Clearance(id=new_id(), person=person, shielding=shielding, active_from=BEFORE)
        )

    def above(self, unit: str, above: str) -> UnitAbove:
        return self.add(UnitAbove(id=new_id(), unit=unit, above=above, active_from=BEFORE))

    def grant(
        self, message: Message, person: str, given_by: str, kind: GrantKind = GrantKind.GIVEN
    ) -> AccessGrant:
        return self.add(
            AccessGrant(
                id=new_id(),
                kind=kind,
                message_id=message.id,
                unit=message.unit or "bv",
                person=person,
                given_by=given_by,
                sealed_reason=b"",
                active_from=BEFORE,
                active_until=AFTER,
            )
        )

    def delegation(self, unit: str, absent: str, substitute: str, given_by: str) -> Delegation:
        return self.add(
            Delegation(
                id=new_id(),
                unit=unit,
                absent=absent,
                substitute=substitute,
                given_by=given_by,
                active_from=BEFORE,
                active_until=AFTER,
            )
        )

    def reference(self, message: Message, reference_hash: str) -> MessageReference:
        return self.add(MessageReference(message_id=message.id, reference_hash=reference_hash))

    def conflict(
        self,
        person: str,
        *,
        message_id: str | None = None,
        sender: str | None = None,
        reference_hash: str | None = None,
    ) -> ConflictOfInterest:
        return self.add(
            ConflictOfInterest(
                id=new_id(),
                person=person,
                message_id=message_id,
                sender=sender,
                reference_hash=reference_hash,
                active_from=BEFORE,
            )
        )

    def delivery(
        self, message: Message, system: str, state: DeliveryState = DeliveryState.OPEN
    ) -> Delivery:
        return self.add(
            Delivery(
                id=new_id(),
                message_id=message.id,
                number=1,
                case_system=system,
                state=state,
                offered_at=NOW,
            )
        )

    def receipt(self, message: Message, state: ReceiptState) -> Receipt:
        return self.add(
            Receipt(
                id=new_id(),
                message_id=message.id,
                answers=new_id(),
                outcome="OK",
                state=state,
                chosen_at=NOW,
            )
        )

    def task(
        self,
        kind: str,
        role: Role,
        *,
        message: Message | None = None,
        subject: str | None = None,
        unit: str | None = None,
        state: TaskState = TaskState.OPEN,
    ) -> Task:
        return self.add(
            Task(
                id=new_id(),
                kind=kind,
                subject_id=subject or new_id(),
                message_id=None if message is None else message.id,
                role=role.value,
                unit=unit,
                state=state,
                opened_at=NOW,
            )
        )

    def proposal(
        self,
        subject_id: str,
        proposer: str,
        expires_at: datetime = AFTER,
        kind: str = "refuse",
    ) -> Proposal:
        return self.add(
            Proposal(
                id=new_id(),
                kind=kind,
                subject_id=subject_id,
                state=ProposalState.OPEN,
                proposer=proposer,
                sealed_payload=b"",
                created_at=BEFORE,
                expires_at=expires_at,
            )
        )

    def arrival(
        self, state: ArrivalState = ArrivalState.MISSED, organisation: OrgNumber = BERGVIK
    ) -> Arrival:
        return self.add(
            Arrival(
                id=new_id(),
                channel="ip",
                service=Service.DPO,
                organisation=organisation,
                wire_id=new_id(),
                state=state,
                announced_at=NOW,
            )
        )


def strongly(capacity: Capacity) -> Capacity:
    return replace(capacity, strong_auth=True)
