"""The queues of messages: what waits, oldest first, with the counts of what this capacity may see.

A queue is a filter over states, holds and receipts, joined to the filter that the rules about
`route` are compiled to; pages, counts and filters are made by the same query builder.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from inbox.access.lists.arrivals import count_missed
from inbox.access.lists.cursor import Cursor
from inbox.access.lists.queue_pages import QueuedMessage, QueueReader
from inbox.access.lists.queue_search import QueueSearch
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity
from inbox.domain import MessageId, MessageState, OrgNumber, UnitId
from inbox.line import Line
from inbox.line.damage import report_damage
from inbox.line.desk.approval_queue import approval_rows
from inbox.line.desk.deadlines import age_in_working_days
from inbox.line.desk.ground import read_ground
from inbox.line.desk.in_hand import in_hand_of
from inbox.line.desk.placings import PlacedMessage, read_placed
from inbox.line.desk.queue_filters import (
    COUNTED_STATES,
    NO_FILTERS,
    Queue,
    QueueFilters,
    order_of,
    queues_of,
    read_filters,
    search_of,
)
from inbox.line.desk.queue_row import InHand, MostlyTo, QueueRow, RowContext, queue_row
from inbox.line.desk.recent_rules import RecentRules, recent_rules
from inbox.line.desk.saved_views import SavedView
from inbox.line.desk.suggestion import past_placements, suggestion_for
from inbox.line.desk.unit_terms import UnitTermsTable
from inbox.line.people_lists import audit_shown, listing_snapshot, policy_without_duties
from inbox.routing.rule_book import RuleBook
from inbox.store import Transaction

__all__ = [
    "NO_FILTERS",
    "InHand",
    "MostlyTo",
    "Queue",
    "QueueCount",
    "QueueFacets",
    "QueueFilters",
    "QueuePage",
    "QueueRow",
    "queue_facets",
    "queue_page",
    "read_filters",
]

_K = TypeVar("_K")
_COUNTED_BY: Final = ("state", "code", "held", "receipt_failed", "late")
_NARROWED_BY: Final = ("sender", "channel", "unit", "late")


@dataclass(frozen=True, kw_only=True)
class QueueCount:
    """How much is in a queue, as far as this capacity may see."""

    count: int
    late: int
    oldest_at: datetime | None
    """When the oldest was received; None where there is nothing."""
    oldest_age: int | None = None
    """The same, in working days."""
    oldest_code: str | None = None
    """The code of the oldest: one cause, to be shown beside the figure."""


@dataclass(frozen=True, kw_only=True)
class QueueFacets:
    """What a queue can be narrowed by, with how much each would leave; the most first."""

    senders: tuple[tuple[OrgNumber, int], ...] = ()
    groups: tuple[tuple[str, int], ...] = ()
    in_no_group: int = 0
    """How much comes from senders that are in none of them, or from nobody who is known."""
    channels: tuple[tuple[str, int], ...] = ()
    units: tuple[tuple[UnitId, str, int], ...] = ()
    """Id, name, count."""
    late: int = 0


@dataclass(frozen=True, kw_only=True)
class QueuePage:
    """Some rows of a queue, in its order, and the cursor of the next page (None on the last)."""

    queue: Queue
    filters: QueueFilters
    made_at: datetime
    rows: tuple[QueueRow, ...]
    cursor: str | None
    counts: Mapping[Queue, QueueCount]
    facets: QueueFacets
    views: tuple[SavedView, ...]
    """What the person has saved, for the navigation too."""
    placings: tuple[PlacedMessage, ...]
    """In *Til fordeling*: what is on its way out of it."""
    told: PlacedMessage | None
    """How the message stands that was asked for."""


@dataclass(frozen=True, kw_only=True)
class DeskSide:
    """What stands at the side of every page."""

    counts: Mapping[Queue, QueueCount]
    """Of all queues that are counted, each over what this capacity may see."""
    views: tuple[SavedView, ...]
    """What the person has saved."""


@dataclass(frozen=True, kw_only=True)
class DeskReading:
    """What everything that is read for one page shares: one moment, one policy, one capacity."""

    line: Line
    tx: Transaction
    policy: Policy
    """The active one."""
    capacity: Capacity
    book: RuleBook | None
    terms: UnitTermsTable
    recent: RecentRules
    views: tuple[SavedView, ...]
    """What the person has saved."""
    action: Action = Action.ROUTE
    """What is shown: what one may distribute (`route`) or what one may see titles of (`list`)."""

    @property
    def free(self) -> Policy:
        """The policy without what it allows for a duty alone: counts are made by it."""
        return policy_without_duties(self.policy, self.action, self.capacity.role)

    def reader(self, policy: Policy) -> QueueReader:
        """Reads queues by these rules."""
        return QueueReader(
            session=self.tx,
            policy=policy,
            now=self.tx.now,
            capacity=self.capacity,
            action=self.action,
            recheck=self.line.recheck,
        )

    def search(self, queue: Queue, filters: QueueFilters) -> QueueSearch:
        """The queue with its filters, as it is searched now."""
        return search_of(queue, filters, self.terms.lateness(self.tx.now), self.book)


def begin_reading(
    line: Line,
    tx: Transaction,
    policy: Policy,
    capacity: Capacity,
    action: Action = Action.ROUTE,
) -> DeskReading:
    """Read what every page needs by one statement: terms, versions of the rule book, own views.

    Where the rules have changed lately, the version before is read too.
    """
    ground = read_ground(tx, capacity.organisation, capacity.person)
    book = None
    if ground.active_book is not None:
        book = line.rule_books.named(tx, capacity.organisation, *ground.active_book)
    return DeskReading(
        line=line,
        tx=tx,
        policy=policy,
        capacity=capacity,
        book=book,
        terms=ground.terms,
        views=ground.views,
        recent=recent_rules(line, tx, book, ground.versions),
        action=action,
    )


def queue_page(  # noqa: PLR0913 - what a page is asked for
    line: Line,
    capacity: Capacity,
    queue: Queue,
    filters: QueueFilters = NO_FILTERS,
    *,
    after: str | None = None,
    at_most: int = 50,
    tell_of: str | None = None,
) -> QueuePage:
    """One page of a queue of messages, after a cursor; `tell_of` is a message acted on before.

    Raises `Invalid` for a cursor that is not ours, a page that is too long, or a queue that has no
    messages, and `Unavailable` as every list does.
    """
    with listing_snapshot(line) as (tx, policy):
        reading = begin_reading(line, tx, policy, capacity)
        counts = counts_of(reading)
        facets = facets_of(reading, queue, filters)
        search, order = reading.search(queue, filters), order_of(queue)
        page = reading.reader(policy).page(search, order, after=after, at_most=at_most)
        free = reading.free
        owe_nothing = page.rows
        if free is not policy:
            owe_nothing = (
                reading.reader(free).page(search, order, after=after, at_most=at_most).rows
            )
        rows = rows_of(reading, page.rows)
        placed = placed_in(reading, every=queue is Queue.DISTRIBUTE, one=tell_of)
    ids = {each.id for each in owe_nothing}
    shown = tuple(
        row for row in rows if row.id in ids or audit_shown(line, capacity, Action.ROUTE, row.id)
    )
    for row in shown:
        if row.damaged is not None:
            report_damage(line, row.id, row.damaged)
    return QueuePage(
        queue=queue,
        filters=filters,
        made_at=tx.now,
        rows=shown,
        cursor=page.cursor,
        counts=counts,
        facets=facets,
        views=reading.views,
        placings=placed.placings,
        told=placed.told,
    )


def desk_side(line: Line, capacity: Capacity) -> DeskSide:
    """The side of a page that has read nothing of queues: a fixed number of statements."""
    with listing_snapshot(line) as (tx, policy):
        reading = begin_reading(line, tx, policy, capacity)
        return DeskSide(counts=counts_of(reading), views=reading.views)


@dataclass(frozen=True, kw_only=True)
class _Placed:
    placings: tuple[PlacedMessage, ...]
    told: PlacedMessage | None


def placed_in(reading: DeskReading, *, every: bool, one: str | None) -> _Placed:
    """What is being placed, if that is asked for, and one message more: one statement at most."""
    if not every and one is None:
        return _Placed(placings=(), told=None)
    found = read_placed(reading.tx, reading.free, reading.capacity, every=every, one=one)
    told = next((each for each in found if each.id == one), None)
    return _Placed(placings=tuple(each for each in found if every and each.is_placing), told=told)


def rows_of(reading: DeskReading, messages: Sequence[QueuedMessage]) -> tuple[QueueRow, ...]:
    """The rows of these messages, which it has been decided to show: two statements for all."""
    tx, book = reading.tx, reading.book
    senders = {each.sender for each in messages}
    placements = past_placements(tx, reading.free, reading.capacity, senders)
    mostly = {}
    for sender, found in placements.items():
        suggestion = suggestion_for(sender, found, reading.recent)
        if suggestion is not None:
            first = suggestion.units[0]
            mostly[sender] = MostlyTo(
                unit=first.unit, unit_name=first.unit_name, count=first.count, of=suggestion.of
            )
    context = RowContext(
        line=reading.line,
        now=tx.now,
        terms=reading.terms,
        book=book,
        mostly_to=mostly,
        in_hand=in_hand_of(tx, [each.id for each in messages]),
    )
    return tuple(queue_row(context, each) for each in messages)


def counts_of(reading: DeskReading) -> Mapping[Queue, QueueCount]:
    """The counts of all queues that are counted (*Ferdig* is not), proposals and arrivals included.

    In the caller's transaction: one statement each for mail, arrivals, proposals.
    """
    tx, now = reading.tx, reading.tx.now
    tallies: defaultdict[Queue, list[_Tally]] = defaultdict(list)
    search = QueueSearch(lateness=reading.terms.lateness(now), states=COUNTED_STATES)
    for group in reading.reader(reading.free).counts(search, _COUNTED_BY):
        state, code, held, receipt_failed, late, number, oldest_at = group
        tally = _Tally(count=number, late=bool(late), oldest_at=oldest_at, code=code)
        for queue in queues_of(
            MessageState(state), held=bool(held), receipt_failed=bool(receipt_failed)
        ):
            tallies[queue].append(tally)
    counts: dict[Queue, QueueCount] = {
        queue: _count(tallies[queue], now)
        for queue in Queue
        if queue not in {Queue.MISSED, Queue.APPROVE, Queue.DONE}
    }
    missed, missed_at, missed_code = count_missed(tx, reading.free, now, capacity=reading.capacity)
    counts[Queue.MISSED] = QueueCount(
        count=missed,
        late=0,
        oldest_at=missed_at,
        oldest_age=_age(missed_at, now),
        oldest_code=missed_code,
    )
    waiting = approval_rows(reading.line, tx, reading.policy, reading.capacity)
    first = waiting[0] if waiting else None
    counts[Queue.APPROVE] = QueueCount(
        count=len(waiting),
        late=0,
        oldest_at=None if first is None else first.created_at,
        oldest_age=None if first is None else first.age,
        oldest_code=None if first is None else first.kind.value,
    )
    return counts


@dataclass(frozen=True, kw_only=True)
class _Tally:
    count: int
    late: bool
    oldest_at: datetime
    code: str | None


def _count(tallies: Sequence[_Tally], now: datetime) -> QueueCount:
    oldest = min(tallies, key=lambda each: (each.oldest_at, each.code or ""), default=None)
    at = None if oldest is None else oldest.oldest_at
    return QueueCount(
        count=sum(each.count for each in tallies),
        late=sum(each.count for each in tallies if each.late),
        oldest_at=at,
        oldest_age=_age(at, now),
        oldest_code=None if oldest is None else oldest.code,
    )


def _age(at: datetime | None, now: datetime) -> int | None:
    return None if at is None else age_in_working_days(at, now)


def queue_facets(
    line: Line, capacity: Capacity, queue: Queue, filters: QueueFilters = NO_FILTERS
) -> QueueFacets:
    """What the queue can be narrowed by beside these filters; nothing for *Ferdig*."""
    with listing_snapshot(line) as (tx, policy):
        return facets_of(begin_reading(line, tx, policy, capacity), queue, filters)


def facets_of(reading: DeskReading, queue: Queue, filters: QueueFilters) -> QueueFacets:
    """The same in the caller's transaction, by one statement."""
    if queue is Queue.DONE:
        return QueueFacets()
    search = reading.search(queue, filters)
    groups = reading.reader(reading.free).counts(search, (*_NARROWED_BY, "unit_name"))
    senders, channels, units = Counter[OrgNumber](), Counter[str](), Counter[tuple[UnitId, str]]()
    late = 0
    for sender, channel, unit, is_late, unit_name, number, _ in groups:
        channels[channel] += number
        late += number if is_late else 0
        if sender is not None:
            senders[OrgNumber(sender)] += number
        if unit is not None:
            units[UnitId(unit), unit_name or unit] += number
    named = {} if reading.book is None else reading.book.groups
    in_groups = {name: sum(senders[each] for each in set(them)) for name, them in named.items()}
    in_any = sum(senders[each] for each in set().union(*named.values()))
    return QueueFacets(
        senders=_most_first(senders),
        groups=_most_first(in_groups),
        in_no_group=channels.total() - in_any,
        channels=_most_first(channels),
        units=tuple((unit, name, number) for (unit, name), number in _most_first(units)),
        late=late,
    )


def _most_first(counted: Mapping[_K, int]) -> tuple[tuple[_K, int], ...]:
    """What there is any of, the most first; of as many in the order of their names."""
    found: Iterable[tuple[_K, int]] = ((key, number) for key, number in counted.items() if number)
    return tuple(sorted(found, key=lambda pair: (-pair[1], str(pair[0]))))


def neighbours_of(
    reading: DeskReading, queue: Queue, filters: QueueFilters, place: Cursor
) -> tuple[MessageId | None, MessageId | None]:
    """The message before a place in a queue, and the one after it."""
    search = reading.search(queue, filters)
    return reading.reader(reading.free).neighbours(search, order_of(queue), place)
