"""Small worlds by seed, as rows in memory, in which rows meet: periods that touch, NULLs, forgers.

The rows are written into a database as they are, and an independent reader can look at them here.
"""

# ruff: noqa: S311 - drawn by seed, not secret

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy.orm import Session
from sqlmodel import SQLModel

from inbox.access import (
    Capacity,
    OfArrival,
    OfInstallation,
    OfMessage,
    OfTask,
    RequestFacts,
    Role,
    Subject,
)
from inbox.access.question import OfConflict, OfGrant, OfProposal, OfUnit
from inbox.domain import (
    ArrivalId,
    ArrivalState,
    CaseSystemId,
    DeliveryId,
    DeliveryState,
    GrantKind,
    MessageId,
    MessageState,
    Mode,
    OrgNumber,
    PersonId,
    ProposalState,
    ReceiptState,
    Service,
    TaskState,
    UnitId,
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
    table_of,
)
from tests.access.town import AFTER, BEFORE, BERGVIK, HAVNES, NOW

R = TypeVar("R", bound=SQLModel)
T = TypeVar("T")
TICK = timedelta(microseconds=1)
PERIODS = ((BEFORE, None), (BEFORE, AFTER), (NOW, None), (BEFORE, NOW + TICK))
"""They hold now; the last two only just."""
OVER = ((BEFORE, NOW), (NOW + TICK, None), (BEFORE, BEFORE + TICK), (NOW, NOW))
"""They do not; the first two only just."""
SENDERS = (None, "974760673", "915933149")
REFERENCES = (None, "case one", "case two")
SHIELDINGS = (None, "13", "26", "?")
STAFF = tuple(role for role in Role if role is not Role.CASE_SYSTEM)


@dataclass
class RandomWorld:
    """Rows, and all who may ask about all that can be asked about."""

    chance: random.Random
    rows: dict[type[SQLModel], list[Any]] = field(default_factory=lambda: defaultdict(list))
    capacities: list[Capacity] = field(default_factory=list)
    _number: int = 0

    def all(self, kind: type[R]) -> list[R]:
        """The rows of one table."""
        return self.rows[kind]

    def new_id(self, kind: str) -> str:
        """An id that no other row of this world has."""
        self._number += 1
        return f"{kind}{self._number}"

    def likely(self, share: float) -> bool:
        """True this often."""
        return self.chance.random() < share

    def one_of(self, values: Sequence[T]) -> T:
        """Any of them."""
        return self.chance.choice(values)

    def period(self, over: float = 0.3) -> tuple[datetime, datetime | None]:
        """From when until when; `over` is the share of those that do not hold now."""
        return self.one_of(OVER if self.likely(over) else PERIODS)

    def add(self, row: R) -> R:
        """A row more, never attached to a database."""
        self.rows[type(row)].append(row)
        return row

    def named(self, kind: type[R], share: float = 0.7) -> str | None:
        """The id of any row of this kind, of none that is there, or nothing."""
        ids = [row.model_dump()["id"] for row in self.all(kind)]
        return self.one_of([*ids, "nobody"]) if self.likely(share) else None

    def given(self) -> RequestFacts:
        """What a request may bring."""
        target = self.named(Person)
        return RequestFacts(
            reason_given=self.likely(0.5),
            reference_given=self.likely(0.5),
            period_given=self.likely(0.5),
            target=None if target is None else PersonId(target),
            waivable=self.likely(0.5),
            needs_reviewer=self.likely(0.5),
            same_documents=self.likely(0.5),
        )

    def subjects(self) -> list[Subject]:
        """Everything that can be asked about, with what a request may name beside it."""
        found: list[Subject] = []
        for message in self.all(Message):
            delivery = self.named(Delivery)
            found.append(
                OfMessage(
                    message_id=MessageId(message.id),
                    delivery_id=None if delivery is None else DeliveryId(delivery),
                    proposal_id=self.named(Proposal),
                    task_id=self.named(Task),
                )
            )
        for arrival in self.all(Arrival):
            named = self.named(Proposal)
            found.append(OfArrival(arrival_id=ArrivalId(arrival.id), proposal_id=named))
        found += [OfTask(task_id=task.id) for task in self.all(Task)]
        found += [OfUnit(unit_id=UnitId(unit.id)) for unit in self.all(Unit)]
        found += [OfGrant(grant_id=grant.id) for grant in self.all(AccessGrant)]
        for conflict in self.all(ConflictOfInterest):
            found.append(OfConflict(conflict_id=conflict.id, proposal_id=self.named(Proposal)))
        found += [OfProposal(proposal_id=proposal.id) for proposal in self.all(Proposal)]
        return [*found, OfInstallation()]


def world_of(seed: int | str, messages: int = 5) -> RandomWorld:
    """The world of this seed."""
    world = RandomWorld(random.Random(seed))
    _add_places(world)
    _add_people(world)
    for _ in range(messages):
        _add_message(world)
    _add_bonds(world)
    for _ in range(2):
        _add_arrival(world)
    _add_tasks(world)
    _add_proposals(world)
    return world


def write(session: Session, world: RandomWorld) -> None:
    """All rows of the world, in the order that foreign keys ask for."""
    order = SQLModel.metadata.sorted_tables
    for kind in sorted(world.rows, key=lambda kind: order.index(table_of(kind))):
        if rows := [row.model_dump() for row in world.rows[kind]]:
            session.execute(table_of(kind).insert(), rows)


def _add_places(world: RandomWorld) -> None:
    pull, by_hand = Mode.PULL, Mode.BY_HAND
    systems = (("acos", BERGVIK, pull), ("visma", BERGVIK, by_hand), ("foreign", HAVNES, pull))
    for system, home, mode in systems:
        since, until = world.period(0.2)
        world.add(
            CaseSystem(
                id=system,
                organisation=home,
                name="S",
                mode=mode,
                active_from=since,
                active_until=until,
            )
        )
    for unit, home, parent in (("bv", BERGVIK, None), ("ppt", BERGVIK, "bv"), ("x", HAVNES, None)):
        since, until = world.period(0.15)
        world.add(
            Unit(
                id=unit,
                organisation=home,
                name="U",
                parent=world.one_of([None, parent]),
                case_system=world.one_of([None, "acos", "foreign"]),
                shares_unassigned=world.likely(0.5),
                active_from=since,
                active_until=until,
            )
        )
    for unit in ("bv", "ppt", "x"):
        for above in ("bv", "ppt", "x"):
            since, until = world.period()
            if world.likely(0.5):
                world.add(
                    UnitAbove(
                        id=world.new_id("above"),
                        unit=unit,
                        above=above,
                        active_from=since,
                        active_until=until,
                    )
                )


def _add_people(world: RandomWorld) -> None:
    for person in ("kari", "ola", "lise"):
        since, until = world.period(0.15)
        world.add(Person(id=person, name="N", active_from=since, active_until=until))
        for _ in range(world.one_of([1, 2])):
            _add_capacity(world, person)
    world.capacities += [
        Capacity(
            id=system.id,
            role=Role.CASE_SYSTEM,
            organisation=world.one_of([OrgNumber(system.organisation), HAVNES]),
            case_system=CaseSystemId(system.id),
            strong_auth=world.likely(0.5),
        )
        for system in world.all(CaseSystem)
    ]
    forged = world.one_of(world.capacities[:3])
    world.capacities.append(
        replace(
            forged,
            **world.one_of(  # type: ignore[arg-type] # one field, of its own type
                [
                    {"id": "nobody"},
                    {"person": world.one_of(["kari", "ola"])},
                    {"unit": world.one_of(["bv", "ppt", "x"])},
                    {"role": world.one_of(STAFF)},
                    {"organisation": HAVNES},
                ]
            ),
        )
    )


def _add_capacity(world: RandomWorld, person: str) -> None:
    unit = world.one_of([*world.all(Unit), *world.all(Unit)[:2] * 3])
    since, until = world.period(0.15)
    row = world.add(
        CapacityRow(
            id=world.new_id("capacity"),
            person=person,
            unit=unit.id,
            role=world.one_of([*STAFF, *[Role.HANDLER, Role.LEADER, Role.ARCHIVIST] * 3]).value,
            active_from=since,
            active_until=until,
        )
    )
    world.capacities.append(
        Capacity(
            id=row.id,
            person=PersonId(person),
            role=Role(row.role),
            unit=UnitId(unit.id),
            organisation=OrgNumber(unit.organisation),
            strong_auth=world.likely(0.5),
        )
    )


def _add_message(world: RandomWorld) -> None:
    unit = world.one_of([None, *world.all(Unit), *world.all(Unit)[:2] * 2])
    home = BERGVIK if unit is None or world.likely(0.1) else unit.organisation
    world.add(
        Message(
            id=world.new_id("message"),
            state=world.one_of([*MessageState, MessageState.ROUTED, MessageState.OFFERED]),
            unit=None if unit is None else unit.id,
            organisation=home,
            channel="ip",
            service=Service.DPO,
            wire_id=world.new_id("wire"),
            digest="d",
            size=1,
            received_at=world.one_of([BEFORE, NOW]),
            sender=world.one_of(SENDERS),
            shielding=world.one_of([None, *SHIELDINGS]),
            opened_at=world.one_of([None, NOW]),
            transfers=world.one_of([0, 2, 3]),
            moved_by=world.one_of([None, *(person.id for person in world.all(Person))]),
        )
    )


def _add_bonds(world: RandomWorld) -> None:
    """What binds people and case systems to messages."""
    for message in world.all(Message):
        for reference in REFERENCES[1:]:
            if world.likely(0.3):
                world.add(MessageReference(message_id=message.id, reference_hash=reference))
        _add_grants(world, message)
        for person in world.all(Person):
            if world.likely(0.4):
                since, until = world.period()
                world.add(
                    Assignment(
                        id=world.new_id("assignment"),
                        message_id=message.id,
                        person=person.id,
                        active_from=since,
                        active_until=until,
                    )
                )
        for number in range(world.one_of([0, 1, 1, 2])):
            _add_delivery(world, message, number)
        if world.likely(0.5):
            world.add(
                Receipt(
                    id=world.new_id("receipt"),
                    message_id=message.id,
                    answers=message.wire_id,
                    outcome="OK",
                    state=world.one_of([*ReceiptState]),
                    chosen_at=BEFORE,
                    settled_at=world.one_of([None, None, NOW]),
                )
            )
    for person in world.all(Person):
        _add_traits(world, person)
    for _ in range(4):
        _add_delegation(world)


def _add_grants(world: RandomWorld, message: Message) -> None:
    for _ in range(world.one_of([0, 0, 1, 2, 3])):
        since, until = world.period()
        elsewhere = world.one_of(world.all(Unit)).id
        world.add(
            AccessGrant(
                id=world.new_id("grant"),
                kind=world.one_of([*GrantKind]),
                message_id=message.id,
                unit=world.one_of(
                    [elsewhere, message.unit or elsewhere, message.unit or elsewhere]
                ),
                person=world.one_of(world.all(Person)).id,
                given_by=world.one_of(world.all(Person)).id,
                sealed_reason=b"",
                active_from=since,
                active_until=until or AFTER,
            )
        )


def _add_delegation(world: RandomWorld) -> None:
    since, until = world.period()
    world.add(
        Delegation(
            id=world.new_id("delegation"),
            unit=world.one_of(["bv", "bv", "ppt", "x"]),
            absent=world.one_of(world.all(Person)).id,
            substitute=world.one_of(world.all(Person)).id,
            given_by=world.one_of(world.all(Person)).id,
            active_from=since,
            active_until=until or AFTER,
        )
    )


def _add_delivery(world: RandomWorld, message: Message, number: int) -> None:
    over = [DeliveryState.REFUSED, DeliveryState.WITHDRAWN, DeliveryState.SUPERSEDED]
    world.add(
        Delivery(
            id=world.new_id("delivery"),
            message_id=message.id,
            number=number,
            case_system=world.one_of(world.all(CaseSystem)).id,
            state=world.one_of(over if number else [*DeliveryState]),
            offered_at=BEFORE,
            collected_at=world.one_of([None, NOW]),
        )
    )


def _add_traits(world: RandomWorld, person: Person) -> None:
    for shielding in SHIELDINGS[1:]:
        if world.likely(0.5):
            since, until = world.period()
            world.add(
                Clearance(
                    id=world.new_id("clearance"),
                    person=person.id,
                    shielding=shielding,
                    active_from=since,
                    active_until=until,
                )
            )
    for _ in range(world.one_of([0, 0, 1, 2])):
        since, until = world.period()
        message = world.one_of(world.all(Message)).id
        message_id, sender, reference = world.one_of(
            [
                (message, None, None),
                (None, world.one_of(SENDERS), None),
                (None, None, world.one_of(REFERENCES)),
            ]
        )
        world.add(
            ConflictOfInterest(
                id=world.new_id("conflict"),
                person=person.id,
                message_id=message_id,
                sender=sender,
                reference_hash=reference,
                active_from=since,
                active_until=until,
            )
        )


def _add_arrival(world: RandomWorld) -> None:
    world.add(
        Arrival(
            id=world.new_id("arrival"),
            channel="ip",
            service=Service.DPO,
            organisation=world.one_of([BERGVIK, BERGVIK, HAVNES]),
            wire_id=world.new_id("wire"),
            state=world.one_of([*ArrivalState, ArrivalState.MISSED]),
            announced_at=BEFORE,
        )
    )


def _add_tasks(world: RandomWorld) -> None:
    for _ in range(5):
        message = world.one_of([None, *world.all(Message)])
        unit = world.one_of([None, None, *world.all(Unit)])
        arrival = world.one_of(world.all(Arrival)).id
        kind = world.one_of(["late_word", "late_word", "release", "unassignable"])
        task_id = world.new_id("task")
        subject = arrival if message is None else message.id
        taken = any((t.kind, t.subject_id) == (kind, subject) for t in world.all(Task))
        world.add(
            Task(
                id=task_id,
                kind=kind,
                subject_id=f"other {task_id}" if taken else subject,
                message_id=None if message is None else message.id,
                role=world.one_of([c.role for c in world.capacities]).value,
                unit=None if unit is None else unit.id,
                state=world.one_of([*TaskState, TaskState.OPEN, TaskState.OPEN]),
                opened_at=BEFORE,
            )
        )


def _add_proposals(world: RandomWorld) -> None:
    about = [
        row.id for kind in (Message, Arrival, Task, ConflictOfInterest) for row in world.rows[kind]
    ]
    for _ in range(6):
        world.add(
            Proposal(
                id=world.new_id("proposal"),
                kind=world.one_of(["refuse", "refuse", "policy"]),
                subject_id=world.one_of([*about, BERGVIK, BERGVIK, HAVNES]),
                state=world.one_of([*ProposalState, ProposalState.OPEN]),
                proposer=world.one_of(world.all(Person)).id,
                sealed_payload=b"",
                created_at=BEFORE,
                expires_at=world.one_of([AFTER, NOW, NOW + TICK]),
            )
        )
