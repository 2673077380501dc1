"""What of a queue is late, and what its counts are made by: each group as it is by itself."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from sqlmodel import Session

from inbox.access import Action, Policy, Role
from inbox.access.facts.registry import FACTS
from inbox.access.lists.queue_pages import QueueReader
from inbox.access.lists.queue_search import Lateness, LateUntil, QueueSearch
from inbox.access.lists.queue_statements import QueueOrder
from inbox.access.lists.recheck import Recheck
from inbox.domain import MessageState, ReceiptState, UnitId
from inbox.tables import Message
from tests.access.town import NOW, Town, allow

_M = MessageState


def terms(hours: int) -> LateUntil:
    """Four instants, each of its own."""
    return LateUntil(
        unopened=NOW - timedelta(hours=hours + 1),
        unregistered=NOW - timedelta(hours=hours + 3),
        urgent_unopened=NOW - timedelta(hours=hours),
        urgent_unregistered=NOW - timedelta(hours=hours + 2),
    )


DEFAULT, OF_BV = terms(1), terms(10)
LATENESS = Lateness(
    default=DEFAULT,
    of_unit={UnitId("arkiv"): terms(20), UnitId("bv"): OF_BV, UnitId("x"): terms(30)},
)
STAGES = {
    (_M.QUARANTINED, False): "unopened",
    (_M.UNROUTED, False): "unopened",
    (_M.ROUTED, False): "unopened",
    (_M.ROUTED, True): "unregistered",
    (_M.RELEASED, False): "unregistered",
    (_M.OFFERED, False): "unregistered",
    (_M.RETURNED, False): "unregistered",
    (_M.RETURNED, True): "unregistered",
}
DONE = (_M.REGISTERED, _M.REFUSED, _M.ANSWERED, _M.ERASED)


@pytest.fixture
def reader(town: Town, session: Session) -> QueueReader:
    """Of an archivist who may distribute everything."""
    return QueueReader(
        session=session,
        policy=Policy([allow("A01", "route", "archivist", "always")], facts=FACTS, digest="d"),
        now=NOW,
        capacity=town.capacity("ada", Role.ARCHIVIST, "arkiv"),
        action=Action.ROUTE,
        recheck=Recheck(0),
    )


def late_and_others(town: Town) -> tuple[list[Message], list[Message]]:
    """For each deadline a message that has just reached it, and one that will at once."""
    late: list[Message] = []
    others: list[Message] = []
    for (state, opened), urgent, unit in product(STAGES, (False, True), (None, "bv", "ppt")):
        until = OF_BV if unit == "bv" else DEFAULT
        stage = STAGES[state, opened]
        deadline = getattr(until, f"urgent_{stage}" if urgent else stage)
        for made, received_at in (
            (late, deadline),
            (others, deadline + timedelta(microseconds=1)),
        ):
            message = town.message(state, unit=unit)
            message.urgent, message.received_at = urgent, received_at
            message.worked_at = NOW if opened else None
            made.append(message)
    for state in DONE:
        message = town.message(state)
        message.received_at = NOW - timedelta(days=99)
        others.append(message)
    town.session.flush()
    return late, others


def test_message_is_late_from_its_very_deadline_by_its_units_terms(
    town: Town, reader: QueueReader
) -> None:
    late, others = late_and_others(town)
    everything = QueueSearch(lateness=LATENESS)

    page = reader.page(
        replace(everything, late=True), QueueOrder.OLDEST_FIRST, after=None, at_most=500
    )

    assert {row.id for row in page.rows} == {message.id for message in late}
    counted = {bool(row[0]): row[1] for row in reader.counts(everything, ["late"])}
    assert counted == {True: len(late), False: len(others)}


def test_default_terms_hold_where_no_unit_has_terms_of_its_own(
    town: Town, reader: QueueReader
) -> None:
    message = town.message()
    message.received_at = DEFAULT.unopened
    town.session.flush()

    by_default = QueueSearch(lateness=Lateness(default=DEFAULT))

    assert [row[:2] for row in reader.counts(by_default, ["late"])] == [[1, 1]]
    assert [row[:2] for row in reader.counts(QueueSearch(lateness=LATENESS), ["late"])] == [[0, 1]]


def test_receipts_are_counted_where_a_decision_has_one(town: Town, reader: QueueReader) -> None:
    for state in (_M.REGISTERED, _M.REFUSED, _M.UNROUTED, _M.ANSWERED):
        town.receipt(town.message(state), ReceiptState.FAILED)
    town.receipt(town.message(_M.REGISTERED), ReceiptState.SENT)

    counted = reader.counts(QueueSearch(lateness=LATENESS), ["state", "receipt_failed"])

    assert {(MessageState(row[0]), bool(row[1])) for row in counted} == {
        *((state, True) for state in (_M.REGISTERED, _M.REFUSED)),
        *((state, False) for state in (_M.REGISTERED, _M.UNROUTED, _M.ANSWERED)),
    }


def test_units_are_counted_by_their_own_names(town: Town, reader: QueueReader) -> None:
    for unit in ("bv", "ppt", "bv", None):
        town.message(_M.UNROUTED, unit=unit)

    counted = reader.counts(QueueSearch(lateness=LATENESS), ["unit", "unit_name"])

    assert {tuple(row[:3]) for row in counted} == {
        ("bv", "bv", 2),
        ("ppt", "ppt", 1),
        (None, None, 1),
    }
