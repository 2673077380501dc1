"""What each fact means, told again in Python over rows in memory.

Written from the words of `inbox/access/policy/facts.toml`, not from the SQL: the two must agree.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from inbox.access import Capacity, OfArrival, OfMessage, OfTask, RequestFacts, Subject
from inbox.access.question import OfConflict, OfGrant, OfProposal, OfUnit
from inbox.domain import (
    MOVES,
    ArrivalState,
    DeliveryState,
    GrantKind,
    MessageState,
    Mode,
    ReceiptState,
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
from tests.access.random_world import RandomWorld


class Lasting(Protocol):
    """A row with a period."""

    @property
    def active_from(self) -> datetime: ...

    @property
    def active_until(self) -> datetime | None: ...


@dataclass(frozen=True)
class Question:
    """Who asks about what, in which world, with what in hand, when."""

    world: RandomWorld
    now: datetime
    capacity: Capacity
    subject: Subject
    given: RequestFacts

    def lasts(self, row: Lasting) -> bool:
        """From its first moment until just before its last."""
        started = row.active_from <= self.now
        return started and (row.active_until is None or self.now < row.active_until)

    @property
    def message(self) -> Message | None:
        """The message that it is about, if it is about one."""
        if not isinstance(self.subject, OfMessage):
            return None
        wanted = self.subject.message_id
        return next(m for m in self.world.all(Message) if m.id == wanted)

    @property
    def arrival(self) -> Arrival | None:
        """The arrival that it is about, if it is about one."""
        if not isinstance(self.subject, OfArrival):
            return None
        wanted = self.subject.arrival_id
        return next(a for a in self.world.all(Arrival) if a.id == wanted)

    @property
    def task(self) -> Task | None:
        """The task that is named, of this message where there is one, or that it is about."""
        if not isinstance(self.subject, OfTask | OfMessage):
            return None
        wanted, message = self.subject.task_id, self.message
        for task in self.world.all(Task):
            if task.id == wanted and (message is None or task.message_id == message.id):
                return task
        return None

    @property
    def grant(self) -> AccessGrant | None:
        """The grant that is reviewed, if one is."""
        if not isinstance(self.subject, OfGrant):
            return None
        wanted = self.subject.grant_id
        return next(g for g in self.world.all(AccessGrant) if g.id == wanted)

    @property
    def conflict(self) -> ConflictOfInterest | None:
        """The conflict of interest that it is about, if it is about one."""
        if not isinstance(self.subject, OfConflict):
            return None
        wanted = self.subject.conflict_id
        return next(c for c in self.world.all(ConflictOfInterest) if c.id == wanted)

    @property
    def unit(self) -> Unit | None:
        """The unit that the message is with, or that it is about."""
        wanted: str | None = None
        if isinstance(self.subject, OfUnit):
            wanted = self.subject.unit_id
        elif self.message is not None:
            wanted = self.message.unit
        return next((u for u in self.world.all(Unit) if u.id == wanted), None)

    def is_active(self, person: str | None) -> bool:
        """The person is there and has not left."""
        return any(p.id == person and self.lasts(p) for p in self.world.all(Person))

    def person_stands(self) -> bool:
        """The capacity is just as the directory has it, and all of it is active."""
        asks = self.capacity
        for row in self.world.all(CapacityRow):
            home = next(u for u in self.world.all(Unit) if u.id == row.unit)
            said = (row.id, row.person, row.unit, row.role, home.organisation)
            claimed = (asks.id, asks.person, asks.unit, asks.role.value, asks.organisation)
            if said == claimed and self.is_active(row.person):
                return self.lasts(row) and self.lasts(home)
        return False

    def system_stands(self) -> bool:
        """The case system is just as the directory has it, and active."""
        asks = self.capacity
        return any(
            (s.id, s.organisation) == (asks.case_system, asks.organisation) and self.lasts(s)
            for s in self.world.all(CaseSystem)
        )

    def assigned_to(self) -> set[str]:
        """Whom the message is assigned to now."""
        message = self.message
        return {
            a.person
            for a in self.world.all(Assignment)
            if message is not None and a.message_id == message.id and self.lasts(a)
        }

    def in_conflict(self, person: str | None) -> bool:
        """This person has a conflict of interest with the message or its sender."""
        message = self.message
        if message is None:
            return False
        cases = {
            row.reference_hash
            for row in self.world.all(MessageReference)
            if row.message_id == message.id
        }
        for conflict in self.world.all(ConflictOfInterest):
            about = conflict.message_id == message.id or conflict.reference_hash in cases
            from_sender = conflict.sender is not None and conflict.sender == message.sender
            if conflict.person == person and self.lasts(conflict) and (about or from_sender):
                return True
        return False

    def granted(self, kind: GrantKind) -> bool:
        """Access to the message that lasts, while it is with the unit that it was with."""
        message = self.message
        return (
            message is not None
            and self.person_stands()
            and any(
                g.person == self.capacity.person
                and g.kind is kind
                and (g.message_id, g.unit) == (message.id, message.unit)
                and self.lasts(g)
                for g in self.world.all(AccessGrant)
            )
        )

    def is_cleared(self, person: str | None) -> bool:
        """The message is not shielded, or this person is cleared for its code."""
        message = self.message
        if message is None:
            return False
        return message.shielding is None or any(
            c.person == person and c.shielding == message.shielding and self.lasts(c)
            for c in self.world.all(Clearance)
        )

    def deliveries(self) -> list[Delivery]:
        """The message's."""
        message = self.message
        every = self.world.all(Delivery)
        return [d for d in every if message is not None and d.message_id == message.id]

    def own_deliveries(self) -> list[Delivery]:
        """Those to the case system that asks: the named one, where one is named."""
        named = self.subject.delivery_id if isinstance(self.subject, OfMessage) else None
        system = self.capacity.case_system
        return [d for d in self.deliveries() if d.case_system == system and named in {None, d.id}]


def is_in(*states: MessageState) -> Callable[[Question], bool]:
    """The message is in one of these states."""
    return lambda q: q.message is not None and q.message.state in states


def own_recent_move(q: Question) -> bool:
    """The person moved it, and it is on its way still."""
    message = q.message
    if message is None or message.state not in {MessageState.PLACING, MessageState.RELEASED}:
        return False
    return message.moved_by is not None and message.moved_by == q.capacity.person


def escalated(q: Question) -> bool:
    """It was placed three times or more, and its place is not settled."""
    message = q.message
    looking = {"UNROUTED", "PLACING", "ROUTED", "RELEASED", "OFFERED", "RETURNED"}
    return message is not None and message.transfers > 2 and message.state.value in looking


def by_hand(q: Question) -> bool:
    """A delivery of it stands, and people get it."""
    systems = {s.id for s in q.world.all(CaseSystem) if s.mode is Mode.BY_HAND}
    return any(
        d.state in {_D.OPEN, _D.COLLECTED} and d.case_system in systems for d in q.deliveries()
    )


def proposal_of(q: Question) -> str | None:
    """The proposal that is named."""
    if isinstance(q.subject, OfMessage | OfArrival | OfProposal | OfConflict):
        return q.subject.proposal_id
    return None


def own_organisation(q: Question) -> bool:
    """It belongs to the organisation of the capacity alone, or to none."""
    if q.conflict is not None:
        return q.capacity.organisation in homes_of(q, q.conflict.person)
    return set(owners(q)) <= {q.capacity.organisation}


def own_conflict(q: Question) -> bool:
    """It is the person's own conflict of interest, or one with the message."""
    own = q.conflict is not None and q.conflict.person == q.capacity.person
    return own or q.in_conflict(q.capacity.person)


def homes_of(q: Question, person: str) -> set[str]:
    """The organisations that a person works, or has worked, in."""
    units = {c.unit for c in q.world.all(CapacityRow) if c.person == person}
    return {u.organisation for u in q.world.all(Unit) if u.id in units}


def leads_person(q: Question) -> bool:
    """Leads a unit where the person in conflict works, or one above such a unit."""
    if q.conflict is None or q.capacity.role != "leader" or not q.person_stands():
        return False
    theirs = {
        c.unit for c in q.world.all(CapacityRow) if c.person == q.conflict.person and q.lasts(c)
    }
    below = {
        row.unit for row in q.world.all(UnitAbove) if row.above == q.capacity.unit and q.lasts(row)
    }
    return bool(theirs & (below | {str(q.capacity.unit)}))


def unassignable(q: Question) -> bool:
    """A task says that nobody in the unit may assign the message."""
    message = q.message
    return message is not None and any(
        (t.message_id, t.kind, t.state) == (message.id, "unassignable", "OPEN")
        for t in q.world.all(Task)
    )


def owners(q: Question) -> list[str]:
    """The organisations that the subject belongs to."""
    world, subject, task = q.world, q.subject, q.task
    mail = q.message or q.arrival
    if isinstance(subject, OfUnit):
        return [u.organisation for u in world.all(Unit) if u.id == subject.unit_id]
    if isinstance(subject, OfProposal):
        named = [p for p in world.all(Proposal) if p.id == subject.proposal_id]
        return [p.subject_id for p in named if p.kind != "policy"]
    if q.grant is not None:
        about = q.grant.message_id
        return [m.organisation for m in world.all(Message) if m.id == about]
    if mail is not None:
        return [mail.organisation]
    if task is None:
        return []
    units = [u.organisation for u in world.all(Unit) if u.id == task.unit]
    messages = [m.organisation for m in world.all(Message) if m.id == task.message_id]
    return (
        units + messages + [a.organisation for a in world.all(Arrival) if a.id == task.subject_id]
    )


def mailbox(q: Question) -> bool:
    """An archivist of the organisation that the mail came to."""
    mail = q.message or q.arrival
    return (
        mail is not None
        and q.capacity.role == "archivist"
        and q.person_stands()
        and mail.organisation == q.capacity.organisation
    )


def in_unit(q: Question) -> bool:
    """Acts in the unit that the message is with."""
    message = q.message
    if message is None or message.unit is None or message.unit != q.capacity.unit:
        return False
    return q.person_stands()


def leads(q: Question) -> bool:
    """Leads the unit that the message is with, or that it is about."""
    if q.capacity.role != "leader" or q.unit is None:
        return False
    return q.unit.id == q.capacity.unit and q.person_stands()


def in_parent_unit(q: Question) -> bool:
    """Acts in another unit, which is above the one that the message is with."""
    message = q.message
    if message is None or message.unit is None or message.unit == q.capacity.unit:
        return False
    return q.person_stands() and any(
        (row.unit, row.above) == (message.unit, q.capacity.unit) and q.lasts(row)
        for row in q.world.all(UnitAbove)
    )


def covers(q: Question) -> bool:
    """Stands in, in the message's unit, for somebody that it is assigned to."""
    return in_unit(q) and any(
        d.substitute == q.capacity.person
        and q.unit is not None
        and d.unit == q.unit.id
        and d.absent in q.assigned_to()
        and q.lasts(d)
        for d in q.world.all(Delegation)
    )


def involved(q: Question) -> bool:
    """Has, had, gave or leads something of what is reviewed."""
    grant, person = q.grant, q.capacity.person
    if grant is None or person is None:
        return False
    had = {a.person for a in q.world.all(Assignment) if a.message_id == grant.message_id}
    for other in q.world.all(AccessGrant):
        if other.message_id == grant.message_id:
            had |= {other.person, other.given_by}
    leaders = [c for c in q.world.all(CapacityRow) if (c.unit, c.role) == (grant.unit, "leader")]
    return person in had | {leader.person for leader in leaders}


def unit_shares(q: Question) -> bool:
    """The message's unit is active and shares."""
    return (
        q.message is not None
        and q.unit is not None
        and q.lasts(q.unit)
        and q.unit.shares_unassigned
    )


def unit_uses_system(q: Question) -> bool:
    """The unit is active and uses the case system that asks."""
    if q.message is None or q.unit is None or q.capacity.case_system is None:
        return False
    return q.lasts(q.unit) and q.unit.case_system == q.capacity.case_system


def receipt_failed(q: Question) -> bool:
    """The receipt did not arrive, and nobody has accepted that."""
    lost = {ReceiptState.FAILED, ReceiptState.IMPOSSIBLE}
    return q.message is not None and any(
        r.message_id == q.message.id and r.state in lost and r.settled_at is None
        for r in q.world.all(Receipt)
    )


def late_word(q: Question) -> bool:
    """A word that came too late is not settled: the named one, where one is named."""
    if isinstance(q.subject, OfTask):
        words = [q.task]
    elif isinstance(q.subject, OfMessage):
        about = [t for t in q.world.all(Task) if t.message_id == q.subject.message_id]
        words = [t for t in about if q.subject.task_id in {None, t.id}]
    else:
        return False
    return any(t is not None and t.kind == "late_word" and t.state == "OPEN" for t in words)


def own_task(q: Question) -> bool:
    """The task is open and belongs to role and unit; an archivist's unit does not matter."""
    task = q.task
    if task is None or task.state != "OPEN" or not q.person_stands():
        return False
    anywhere = task.unit is None or q.capacity.role == "archivist"
    return task.role == q.capacity.role.value and (anywhere or task.unit == q.capacity.unit)


def proposed_by_other(q: Question) -> bool:
    """Another person has proposed it, about this, and the proposal stands."""
    wanted = proposal_of(q)
    if q.capacity.person is None:
        return False
    about = {row.id for row in (q.message, q.arrival, q.task, q.conflict) if row is not None}
    return any(
        p.id == wanted
        and p.state == "OPEN"
        and q.now < p.expires_at
        and p.proposer != q.capacity.person
        and (isinstance(q.subject, OfProposal) or p.subject_id in about)
        for p in q.world.all(Proposal)
    )


def target_in_unit(q: Question) -> bool:
    """The person it is for is a handler in the message's unit, and all of that is active."""
    unit, target = q.unit, q.given.target
    if unit is None or not q.lasts(unit) or not q.is_active(target):
        return False
    return any(
        (c.person, c.unit, c.role) == (target, unit.id, "handler") and q.lasts(c)
        for c in q.world.all(CapacityRow)
    )


_M, _D = MessageState, DeliveryState
MEANINGS: Final[Mapping[str, Callable[[Question], bool]]] = {
    "active_capacity": lambda q: q.person_stands() or q.system_stands(),
    "active_person": lambda q: q.is_active(q.capacity.person),
    "own_organisation": own_organisation,
    "mailbox": mailbox,
    "in_unit": in_unit,
    "in_parent_unit": in_parent_unit,
    "leads": leads,
    "covers": covers,
    "has_grant": lambda q: q.granted(GrantKind.GIVEN),
    "has_breakglass": lambda q: q.granted(GrantKind.BREAKGLASS),
    "involved": involved,
    "assigned": lambda q: q.capacity.person in q.assigned_to(),
    "unassigned": lambda q: q.message is not None and not q.assigned_to(),
    "unit_shares": unit_shares,
    "conflict": own_conflict,
    "cleared": lambda q: q.is_cleared(q.capacity.person),
    "unopened": lambda q: q.message is not None and q.message.opened_at is None,
    "unrouted": is_in(_M.UNROUTED),
    "routed": is_in(_M.ROUTED),
    "released": is_in(_M.RELEASED),
    "offered": is_in(_M.OFFERED),
    "returned": is_in(_M.RETURNED),
    "own_recent_move": own_recent_move,
    "escalated": escalated,
    "leads_person": leads_person,
    "unassignable": unassignable,
    "quarantined": is_in(_M.QUARANTINED),
    "readable": is_in(_M.ROUTED, _M.RELEASED, _M.OFFERED, _M.RETURNED, _M.REGISTERED, _M.ANSWERED),
    "refusable": is_in(*(s for s in MessageState if s in MOVES[MessageState]["refuse"])),
    "uncollected": lambda q: any(
        d.state is _D.OPEN and d.collected_at is None for d in q.deliveries()
    ),
    "by_hand": by_hand,
    "receipt_failed": receipt_failed,
    "late_word": late_word,
    "missed": lambda q: q.arrival is not None and q.arrival.state is ArrivalState.MISSED,
    "unit_uses_system": unit_uses_system,
    "system_cleared": lambda q: (
        q.message is not None
        and q.system_stands()
        and q.message.organisation == q.capacity.organisation
    ),
    "own_delivery": lambda q: bool(q.own_deliveries()),
    "own_open_delivery": lambda q: any(
        d.state in {_D.OPEN, _D.COLLECTED} for d in q.own_deliveries()
    ),
    "own_task": own_task,
    "proposed_by_other": proposed_by_other,
    "target_in_unit": target_in_unit,
    "target_cleared": lambda q: q.is_cleared(q.given.target),
    "target_conflict": lambda q: q.in_conflict(q.given.target),
    "target_is_self": lambda q: q.given.target is not None and q.given.target == q.capacity.person,
    "strong_auth": lambda q: q.capacity.strong_auth,
    "reason_given": lambda q: q.given.reason_given,
    "period_given": lambda q: q.given.period_given,
    "reference_given": lambda q: q.given.reference_given,
    "waivable": lambda q: q.given.waivable,
    "needs_reviewer": lambda q: q.given.needs_reviewer,
    "same_documents": lambda q: q.given.same_documents,
}


def facts_told(question: Question) -> dict[str, bool]:
    """Every fact by name."""
    return {name: meaning(question) for name, meaning in MEANINGS.items()}
