"""Pages, neighbours and counts of queues at their ends: the last row, the very instant, no key."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import Session

from inbox.access import Action, Policy, Role
from inbox.access.facts.registry import FACTS
from inbox.access.lists.cursor import Cursor
from inbox.access.lists.pages import MAX_PAGE_ROWS
from inbox.access.lists.queue_pages import QueueReader
from inbox.access.lists.queue_search import Lateness, LateUntil, QueueSearch
from inbox.access.lists.queue_statements import QueueOrder
from inbox.access.lists.recheck import Recheck
from inbox.domain import MessageId, MessageState
from inbox.errors import Invalid
from inbox.tables import Message, WrappedKey
from tests.access.town import BEFORE, NOW, Town, allow

NEVER_LATE = LateUntil(
    unopened=BEFORE, unregistered=BEFORE, urgent_unopened=BEFORE, urgent_unregistered=BEFORE
)
UNROUTED = QueueSearch(lateness=Lateness(default=NEVER_LATE), states=(MessageState.UNROUTED,))
BOTH = replace(UNROUTED, states=(MessageState.UNROUTED, MessageState.QUARANTINED))
OLDEST, NEWEST = QueueOrder.OLDEST_FIRST, QueueOrder.NEWEST_FIRST


@pytest.fixture
def reader(town: Town, session: Session) -> QueueReader:
    """Of an archivist who may distribute everything."""
    return QueueReader(
        session=session,
        policy=Policy([allow("A01", "route", "archivist", "always")], facts=FACTS, digest="d"),
        now=NOW,
        capacity=town.capacity("ada", Role.ARCHIVIST, "arkiv"),
        action=Action.ROUTE,
        recheck=Recheck(1),
    )


def received(town: Town, *states: MessageState) -> list[Message]:
    """A message in each of these states, the oldest first."""
    made = [town.message(state, unit=None) for state in states]
    for age, message in enumerate(reversed(made)):
        message.received_at = NOW - timedelta(hours=age)
    town.session.flush()
    return made


def listed(reader: QueueReader, query: QueueSearch) -> list[str]:
    return [row.id for row in reader.page(query, OLDEST, after=None, at_most=50).rows]


def test_queue_page_has_a_cursor_only_if_a_row_is_left(town: Town, reader: QueueReader) -> None:
    first, second = received(town, *[MessageState.UNROUTED] * 2)

    whole = reader.page(UNROUTED, OLDEST, after=None, at_most=2)
    half = reader.page(UNROUTED, OLDEST, after=None, at_most=1)
    rest = reader.page(UNROUTED, OLDEST, after=half.cursor, at_most=1)

    assert ([row.id for row in whole.rows], whole.cursor) == ([first.id, second.id], None)
    assert half.cursor is not None
    assert [row.id for row in half.rows] == [first.id]
    assert ([row.id for row in rest.rows], rest.cursor) == ([second.id], None)


def test_queue_page_has_one_row_at_least_and_as_many_as_any_list(reader: QueueReader) -> None:
    for at_most in (1, MAX_PAGE_ROWS):
        assert reader.page(UNROUTED, OLDEST, after=None, at_most=at_most).rows == ()
    for at_most in (0, MAX_PAGE_ROWS + 1):
        with pytest.raises(Invalid, match=r"list\.page_size"):
            reader.page(UNROUTED, OLDEST, after=None, at_most=at_most)


def test_queue_of_two_states_is_one_list_in_either_order(town: Town, reader: QueueReader) -> None:
    made = received(town, MessageState.QUARANTINED, MessageState.UNROUTED, MessageState.QUARANTINED)
    received(town, MessageState.ROUTED)

    newest = reader.page(BOTH, NEWEST, after=None, at_most=2)
    rest = reader.page(BOTH, NEWEST, after=newest.cursor, at_most=2)

    assert listed(reader, BOTH) == [message.id for message in made]
    assert [row.id for row in (*newest.rows, *rest.rows)] == [each.id for each in reversed(made)]
    assert {row[0]: row[1] for row in reader.counts(BOTH, ["state"])} == {
        MessageState.QUARANTINED: 2,
        MessageState.UNROUTED: 1,
    }


@pytest.mark.parametrize("order", QueueOrder)
def test_neighbours_of_a_place_follow_the_order_of_the_queue(
    town: Town, reader: QueueReader, order: QueueOrder
) -> None:
    made = received(town, *[MessageState.UNROUTED] * 3)
    ids = [MessageId(each.id) for each in (made if order is OLDEST else reversed(made))]
    places = {message.id: Cursor(at=message.received_at, id=message.id) for message in made}

    around = [reader.neighbours(UNROUTED, order, places[each]) for each in ids]

    assert around == [(None, ids[1]), (ids[0], ids[2]), (ids[1], None)]
    after = [reader.first_after(UNROUTED, order, places[each]) for each in ids]
    assert after == [ids[1], ids[2], None]
    assert reader.first_after(UNROUTED, order, None) == ids[0]


def test_hold_ends_at_its_very_instant(town: Town, reader: QueueReader) -> None:
    ended, held, never = received(town, *[MessageState.UNROUTED] * 3)
    ended.held_until, held.held_until = NOW, NOW + timedelta(microseconds=1)
    town.session.flush()

    on_hold = QueueSearch(lateness=UNROUTED.lateness, held=True)

    assert listed(reader, on_hold) == [held.id]
    assert listed(reader, replace(on_hold, states=BOTH.states)) == [held.id]
    assert listed(reader, replace(UNROUTED, held=False)) == [ended.id, never.id]
    assert sorted(row[:2] for row in reader.counts(UNROUTED, ["held"])) == [[0, 2], [1, 1]]


def test_message_is_listed_with_its_own_key_or_without_one(town: Town, reader: QueueReader) -> None:
    bare, sealed = received(town, *[MessageState.UNROUTED] * 2)
    town.add(WrappedKey(id=sealed.id, kek_id="k", wrapped=b"w", created_at=NOW))
    sealed.unit = "bv"
    town.session.flush()

    rows = reader.page(UNROUTED, OLDEST, after=None, at_most=9).rows

    assert [(row.id, row.kek_id, row.wrapped, row.unit_name) for row in rows] == [
        (bare.id, None, None, None),
        (sealed.id, "k", b"w", "bv"),
    ]
