"""What a leader shares out: unassigned work, who has how much, who is cleared, who stands in.

What the leader may list is counted; a conflict of interest is in none of it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from inbox.access.lists.queue_search import QueueSearch
from inbox.access.policy.vocabulary import Action, Role
from inbox.access.question import Capacity
from inbox.domain import PersonId
from inbox.errors import NotFound
from inbox.line import Line
from inbox.line.desk.queues import DeskReading, begin_reading
from inbox.line.people_lists import listing_snapshot
from inbox.line.unit_inbox.lists import (
    OPEN_STATES,
    Holder,
    ListFilters,
    UnitList,
    UnitRow,
    UnitSide,
    read_list,
    shown_rows,
    side_of_unit,
)
from inbox.store import Transaction
from inbox.tables import CapacityRow, Clearance, Delegation, Person
from inbox.tables.periods import active_on, not_ended


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """One colleague stands in for another (*vikar*), now or later."""

    access_id: str
    absent: PersonId
    absent_name: str
    substitute_name: str
    since: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Colleague:
    """A case handler of the unit, with what they have to do and are cleared for."""

    person: PersonId
    name: str
    clearances: tuple[str, ...]
    open: int
    late: int
    oldest_at: datetime | None
    """When the oldest of it was received."""


@dataclass(frozen=True, kw_only=True)
class LeaderPage:
    """The page *Min enhet* of a leader."""

    made_at: datetime
    unassigned: tuple[UnitRow, ...]
    """The oldest first; as many as a page has."""
    colleagues: tuple[Colleague, ...]
    """By name."""
    stand_ins: tuple[StandIn, ...]
    side: UnitSide


def leader_page(line: Line, capacity: Capacity, *, at_most: int = 50) -> LeaderPage:
    """The page of the unit that this capacity leads. Raises `NotFound` for any other capacity."""
    if capacity.role is not Role.LEADER:
        raise NotFound
    with listing_snapshot(line) as (tx, policy):
        reading = begin_reading(line, tx, policy, capacity, Action.LIST)
        filters = ListFilters(holder=Holder.NOBODY)
        unassigned = read_list(reading, UnitList.UNIT, filters, after=None, at_most=at_most)
        found = LeaderPage(
            made_at=tx.now,
            unassigned=(),
            colleagues=_colleagues(reading),
            stand_ins=_stand_ins(tx, capacity),
            side=side_of_unit(reading),
        )
    return LeaderPage(**{**vars(found), "unassigned": shown_rows(line, capacity, unassigned)})


@dataclass(frozen=True, kw_only=True)
class WorkOfColleague:
    """What one colleague has to do, and to whom it can be given."""

    name: str
    rows: tuple[UnitRow, ...]
    """Open, as far as the leader may list it; the oldest first."""
    others: Mapping[PersonId, str]
    """The other case handlers of the unit, by name."""
    side: UnitSide


def work_of(line: Line, capacity: Capacity, person: str, *, at_most: int = 500) -> WorkOfColleague:
    """The open work of one colleague. Raises `NotFound` for somebody of another unit."""
    if capacity.role is not Role.LEADER:
        raise NotFound
    with listing_snapshot(line) as (tx, policy):
        reading = begin_reading(line, tx, policy, capacity, Action.LIST)
        names = _names(tx, capacity)
        if PersonId(person) not in names:
            raise NotFound
        read = read_list(reading, UnitList.UNIT, ListFilters(), after=None, at_most=at_most)
        side = side_of_unit(reading)
    rows = tuple(
        each
        for each in shown_rows(line, capacity, read)
        if each.holdings.assigned_to is not None and each.holdings.assigned_to.person == person
    )
    others = {each: name for each, name in names.items() if each != person}
    return WorkOfColleague(name=names[PersonId(person)], rows=rows, others=others, side=side)


def names_of_colleagues(line: Line, capacity: Capacity) -> Mapping[PersonId, str]:
    """The case handlers of the capacity's unit, by name."""
    with line.store.reading() as tx:
        return _names(tx, capacity)


def _names(tx: Transaction, capacity: Capacity) -> Mapping[PersonId, str]:
    rows = tx.execute(
        sa.select(col(Person.id), col(Person.name))
        .join(CapacityRow, col(CapacityRow.person) == col(Person.id))
        .where(
            col(CapacityRow.unit) == capacity.unit,
            col(CapacityRow.role) == Role.HANDLER.value,
            active_on(CapacityRow, tx.now),
            active_on(Person, tx.now),
        )
        .order_by(col(Person.name), col(Person.id))
    ).all()
    return {PersonId(person): name for person, name in rows}


def _colleagues(reading: DeskReading) -> tuple[Colleague, ...]:
    tx, capacity = reading.tx, reading.capacity
    work = _work(reading)
    rows = tx.execute(
        sa.select(col(Person.id), col(Person.name), col(Clearance.shielding))
        .join(CapacityRow, col(CapacityRow.person) == col(Person.id))
        .join(
            Clearance,
            sa.and_(col(Clearance.person) == col(Person.id), active_on(Clearance, tx.now)),
            isouter=True,
        )
        .where(
            col(CapacityRow.unit) == capacity.unit,
            col(CapacityRow.role) == Role.HANDLER.value,
            active_on(CapacityRow, tx.now),
            active_on(Person, tx.now),
        )
        .distinct()
        .order_by(col(Person.name), col(Person.id), col(Clearance.shielding))
    ).all()
    cleared: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for person, name, shielding in rows:
        cleared[person, name] += [] if shielding is None else [shielding]
    return tuple(
        _colleague(person, name, codes, work.get(person, ()))
        for (person, name), codes in cleared.items()
    )


def _colleague(
    person: str, name: str, clearances: Sequence[str], work: Sequence[tuple[bool, int, datetime]]
) -> Colleague:
    return Colleague(
        person=PersonId(person),
        name=name,
        clearances=tuple(clearances),
        open=sum(number for _, number, _ in work),
        late=sum(number for late, number, _ in work if late),
        oldest_at=min((oldest for _, _, oldest in work), default=None),
    )


def _work(reading: DeskReading) -> Mapping[str, Sequence[tuple[bool, int, datetime]]]:
    """By who has it: whether it is late, how much, and when the oldest came."""
    search = QueueSearch(lateness=reading.terms.lateness(reading.tx.now), states=OPEN_STATES)
    found: defaultdict[str, list[tuple[bool, int, datetime]]] = defaultdict(list)
    groups = reading.reader(reading.free).counts(search, ("assigned_to", "late"))
    for person, late, number, oldest in groups:
        if person is not None:
            found[person].append((bool(late), number, oldest))
    return found


def _stand_ins(tx: Transaction, capacity: Capacity) -> tuple[StandIn, ...]:
    absent, substitute = aliased(Person), aliased(Person)
    rows = tx.execute(
        sa.select(Delegation, col(absent.name), col(substitute.name))
        .join(absent, col(absent.id) == col(Delegation.absent))
        .join(substitute, col(substitute.id) == col(Delegation.substitute))
        .where(col(Delegation.unit) == capacity.unit, not_ended(Delegation, tx.now))
        .order_by(col(Delegation.active_from), col(Delegation.id))
    ).all()
    return tuple(
        StandIn(
            access_id=row.id,
            absent=PersonId(row.absent),
            absent_name=absent_name,
            substitute_name=substitute_name,
            since=row.active_from,
            until=row.active_until,
        )
        for row, absent_name, substitute_name in rows
    )
