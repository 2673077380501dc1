"""*Min enhet* and *Tildelt meg*: what a person may list, the oldest first, with titles.

A list is a filter over states, deadlines and whose work it is, joined to the filter that the rules
about `list` are compiled to. What a rule shows only to those who leave an entry in the audit is in
no count, and on a page once that entry is committed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from inbox.access.lists.cursor import Cursor
from inbox.access.lists.queue_pages import QueuedMessage
from inbox.access.lists.queue_search import QueueSearch, Whose
from inbox.access.lists.queue_statements import QueueOrder
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity
from inbox.domain import MessageId, MessageState
from inbox.errors import IntegrityError, Invalid
from inbox.keys import WrappedDataKey
from inbox.line import Line
from inbox.line.damage import report_damage
from inbox.line.desk.approval_queue import approval_rows
from inbox.line.desk.front_page import TaskLine, tasks_of_capacity
from inbox.line.desk.queue_row import QueueRow, RowContext, queue_row
from inbox.line.desk.queues import DeskReading, begin_reading
from inbox.line.people_lists import audit_shown, listing_snapshot
from inbox.line.sealed_content import titles_in
from inbox.line.unit_inbox.holdings import Holdings, holdings_of

_M = MessageState
OPEN_STATES: Final = (_M.ROUTED, _M.RELEASED, _M.OFFERED, _M.RETURNED)
DONE_STATES: Final = (_M.REGISTERED, _M.ANSWERED)
"""Registered, and readable until it is erased."""
_YES: Final = "1"
_COUNTED_BY: Final = ("late", *(each.value for each in Whose if each is not Whose.MINE))
_MOST: Final = 50


class UnitList(StrEnum):
    """The lists, by their names in an address."""

    UNIT = "min-enhet"
    OWN = "tildelt"


class Holder(StrEnum):
    """What *Min enhet* can be narrowed to, by whose work it is."""

    NOBODY = "ingen"
    OWN = "meg"


_WHOSE: Final = {Holder.NOBODY: Whose.NOBODY, Holder.OWN: Whose.OWN}


@dataclass(frozen=True, kw_only=True)
class ListFilters:
    """What a list is narrowed by: closed values only. All of them must match."""

    holder: Holder | None = None
    late: bool = False
    """Only what is past its deadline."""
    done: bool = False
    """What has been registered, instead of what is open."""

    def as_query(self) -> Mapping[str, str]:
        """As the parameters of an address, without what does not narrow."""
        given = {
            "hos": None if self.holder is None else self.holder.value,
            "late": _YES if self.late else None,
            "ferdig": _YES if self.done else None,
        }
        return {name: value for name, value in given.items() if value is not None}


NOT_NARROWED: Final = ListFilters()


def read_list_filters(query: Mapping[str, str]) -> ListFilters:
    """Read the parameters of an address. Raises `Invalid` for a value that no link of ours has."""
    holder, flags = query.get("hos"), {name: query.get(name) for name in ("late", "ferdig")}
    if holder not in {None, *Holder} or not {*flags.values()} <= {None, _YES}:
        raise Invalid("list.filter", "a value that no link of ours has")
    return ListFilters(
        holder=None if holder is None else Holder(holder),
        late=flags["late"] == _YES,
        done=flags["ferdig"] == _YES,
    )


@dataclass(frozen=True, kw_only=True)
class UnitCount:
    """How much there is, and how much of it is past its deadline."""

    count: int = 0
    late: int = 0


@dataclass(frozen=True, kw_only=True)
class UnitSide:
    """The numbers at the side of every page of a handler or leader, over what they may list."""

    unit: UnitCount
    """Open, of the unit."""
    own: UnitCount
    """Open, and this person's to work on or look at."""
    nobody: UnitCount
    """Open, and assigned to nobody."""
    approvals: int
    """Proposals that wait for this person, or are theirs."""


@dataclass(frozen=True, kw_only=True)
class UnitRow:
    """One message of a list, for somebody who may see titles."""

    row: QueueRow
    title: str | None = field(repr=False)
    """None once it has been erased, where it has none, or where it does not open."""
    case_title: str | None = field(repr=False)
    holdings: Holdings
    is_read: bool
    """Whether somebody who works on it has read it."""


@dataclass(frozen=True, kw_only=True)
class UnitFrontPage:
    """The front page of a handler or leader."""

    made_at: datetime
    side: UnitSide
    late: tuple[UnitRow, ...]
    """The messages that are furthest past their deadline."""
    tasks: tuple[TaskLine, ...]
    """*Mine oppgaver*, oldest first."""
    more_tasks: bool
    """Whether there are more than are shown."""


@dataclass(frozen=True, kw_only=True)
class UnitPage:
    """Some rows of a list, oldest first (what is done newest first), and the next page's cursor."""

    list: UnitList
    filters: ListFilters
    made_at: datetime
    rows: tuple[UnitRow, ...]
    cursor: str | None
    side: UnitSide


def unit_page(
    line: Line,
    capacity: Capacity,
    which: UnitList,
    filters: ListFilters = NOT_NARROWED,
    *,
    after: str | None = None,
    at_most: int = _MOST,
) -> UnitPage:
    """One page of a list, after a cursor.

    Raises `Invalid` for a cursor that is not ours or a page that is too long, and `Unavailable` as
    every list does.
    """
    with listing_snapshot(line) as (tx, policy):
        reading = begin_reading(line, tx, policy, capacity, Action.LIST)
        read = read_list(reading, which, filters, after=after, at_most=at_most)
        side = side_of_unit(reading)
    return UnitPage(
        list=which,
        filters=filters,
        made_at=tx.now,
        rows=shown_rows(line, capacity, read),
        cursor=read.cursor,
        side=side,
    )


@dataclass(frozen=True, kw_only=True)
class ReadList:
    """Rows of a list as they were read; some may be shown only once that is in the audit."""

    rows: tuple[UnitRow, ...]
    owe_nothing: frozenset[MessageId]
    cursor: str | None


def read_list(
    reading: DeskReading,
    which: UnitList,
    filters: ListFilters,
    *,
    after: str | None,
    at_most: int = _MOST,
) -> ReadList:
    """One page of a list, in the caller's transaction. Raises `Invalid` as `unit_page` does."""
    search, order = _search(reading, which, filters), _order(filters)
    policy, free = reading.policy, reading.free
    page = reading.reader(policy).page(search, order, after=after, at_most=at_most)
    owe_nothing = page.rows
    if free is not policy:
        owe_nothing = reading.reader(free).page(search, order, after=after, at_most=at_most).rows
    holdings = holdings_of(reading.tx, reading.capacity, [each.id for each in page.rows])
    return ReadList(
        rows=tuple(_row(reading, each, page.titles, holdings) for each in page.rows),
        owe_nothing=frozenset(each.id for each in owe_nothing),
        cursor=page.cursor,
    )


def shown_rows(line: Line, capacity: Capacity, read: ReadList) -> tuple[UnitRow, ...]:
    """The rows that may be shown: each for which something is owed, once it is in the audit."""
    shown = tuple(
        each
        for each in read.rows
        if each.row.id in read.owe_nothing or audit_shown(line, capacity, Action.LIST, each.row.id)
    )
    for each in shown:
        if each.row.damaged is not None:
            report_damage(line, each.row.id, each.row.damaged)
    return shown


def unit_front_page(
    line: Line, capacity: Capacity, *, late_at_most: int = 10, tasks_at_most: int = 20
) -> UnitFrontPage:
    """The front page of a capacity in a unit: a fixed number of statements, whatever there is.

    What a rule shows only to those who leave an entry in the audit is not on it.
    """
    with listing_snapshot(line) as (tx, policy):
        reading = begin_reading(line, tx, policy, capacity, Action.LIST)
        tasks = tasks_of_capacity(reading, tasks_at_most + 1)
        search = _search(reading, UnitList.UNIT, ListFilters(late=True))
        page = reading.reader(reading.free).page(
            search, QueueOrder.OLDEST_FIRST, after=None, at_most=late_at_most
        )
        holdings = holdings_of(tx, capacity, [each.id for each in page.rows])
        return UnitFrontPage(
            made_at=tx.now,
            side=side_of_unit(reading),
            late=tuple(_row(reading, each, page.titles, holdings) for each in page.rows),
            tasks=tasks[:tasks_at_most],
            more_tasks=len(tasks) > tasks_at_most,
        )


def unit_side(line: Line, capacity: Capacity) -> UnitSide:
    """The side of a page that has read nothing of lists: a fixed number of statements."""
    with listing_snapshot(line) as (tx, policy):
        return side_of_unit(begin_reading(line, tx, policy, capacity, Action.LIST))


def side_of_unit(reading: DeskReading) -> UnitSide:
    """The same in the caller's transaction: one statement for mail, one for proposals."""
    lateness = reading.terms.lateness(reading.tx.now)
    search = QueueSearch(lateness=lateness, states=OPEN_STATES)
    groups = reading.reader(reading.free).counts(search, _COUNTED_BY)
    tallies = [(dict(zip(_COUNTED_BY, group, strict=False)), group[-2]) for group in groups]
    own = frozenset(each.value for each in Whose) - {Whose.NOBODY.value, Whose.MINE.value}
    waiting = approval_rows(reading.line, reading.tx, reading.policy, reading.capacity)
    return UnitSide(
        unit=_tally(tallies, frozenset()),
        own=_tally(tallies, own),
        nobody=_tally(tallies, frozenset({Whose.NOBODY.value})),
        approvals=len(waiting),
    )


def _tally(groups: list[tuple[dict[str, Any], int]], any_of: frozenset[str]) -> UnitCount:
    """Of the groups that have any of these facts; of all where none is named."""
    chosen = [
        (facts, number)
        for facts, number in groups
        if not any_of or any(facts[name] for name in any_of)
    ]
    return UnitCount(
        count=sum(number for _, number in chosen),
        late=sum(number for facts, number in chosen if facts["late"]),
    )


def neighbours_in_list(
    reading: DeskReading, which: UnitList, filters: ListFilters, place: Cursor
) -> tuple[MessageId | None, MessageId | None]:
    """The message before a place in a list, and the one after it."""
    search = _search(reading, which, filters)
    return reading.reader(reading.free).neighbours(search, _order(filters), place)


def _order(filters: ListFilters) -> QueueOrder:
    return QueueOrder.NEWEST_FIRST if filters.done else QueueOrder.OLDEST_FIRST


def _search(reading: DeskReading, which: UnitList, filters: ListFilters) -> QueueSearch:
    whose = Whose.MINE if which is UnitList.OWN else None
    return QueueSearch(
        lateness=reading.terms.lateness(reading.tx.now),
        states=DONE_STATES if filters.done else OPEN_STATES,
        late=True if filters.late else None,
        whose=whose if filters.holder is None else _WHOSE[filters.holder],
    )


def _row(
    reading: DeskReading,
    message: QueuedMessage,
    titles: Mapping[MessageId, bytes | None],
    holdings: Mapping[MessageId, Holdings],
) -> UnitRow:
    title, case_title, damaged = _titles(reading.line, message, titles[message.id])
    row = row_in_unit(reading, message)
    return UnitRow(
        row=row if damaged is None else replace(row, damaged=damaged),
        title=title,
        case_title=case_title,
        holdings=holdings[message.id],
        is_read=message.worked_at is not None,
    )


def row_in_unit(reading: DeskReading, message: QueuedMessage) -> QueueRow:
    """The plain part of a row: what the desk shows, without its suggestions."""
    context = RowContext(
        line=reading.line,
        now=reading.tx.now,
        terms=reading.terms,
        book=reading.book,
        mostly_to={},
        in_hand={},
    )
    return queue_row(context, message)


def _titles(
    line: Line, message: QueuedMessage, sealed: bytes | None
) -> tuple[str | None, str | None, str | None]:
    """The title, the case's title, and the code of why they do not open."""
    if sealed is None or message.kek_id is None or message.wrapped is None:
        return None, None, None
    try:
        key = line.keyring.unwrap(WrappedDataKey(kek_id=message.kek_id, wrapped=message.wrapped))
        raw = key.unseal(sealed, table="message", column="sealed_archive", row=message.id)
    except IntegrityError as error:
        return None, None, error.code
    return (*titles_in(json.loads(raw) or {}), None)
