"""The queues: what is in which, in their order, counted and narrowed as far as one may see."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from inbox.access.lists.recheck import Recheck
from inbox.domain import MessageState, OrgNumber, ReceiptState, UnitId
from inbox.errors import Invalid
from inbox.line.desk.queue_filters import NO_FILTERS, filters_from_text
from inbox.line.desk.queues import (
    Queue,
    QueueFilters,
    desk_side,
    queue_facets,
    queue_page,
    read_filters,
)
from tests.line.desk.desk_world import (
    CANARY,
    arrival,
    at,
    mail,
    on_hold,
    receipt,
    set_terms,
    statements,
    trusting,
    verdict_of,
)
from tests.line.school import School, school_on
from tests.worlds import SENDER

_M = MessageState
OTHER = OrgNumber("974760673")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def hall(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[School]:
    with school_on(request, tmp_path) as made:
        made.world.edited = True
        yield made


def ids(hall: School, queue: Queue, filters: QueueFilters = NO_FILTERS) -> list[str]:
    return [row.id for row in queue_page(hall.line, hall.anne(), queue, filters).rows]


def test_queues_have_the_messages_of_their_states(hall: School) -> None:
    made = {state: mail(hall, state) for state in MessageState}
    receipt(hall, made[_M.REGISTERED], ReceiptState.FAILED)
    receipt(hall, made[_M.REFUSED], ReceiptState.SENT)

    assert ids(hall, Queue.DISTRIBUTE) == [made[_M.UNROUTED]]
    assert ids(hall, Queue.QUARANTINE) == [made[_M.QUARANTINED]]
    assert ids(hall, Queue.WITHOUT_RECEIPT) == [made[_M.REGISTERED]]
    assert set(ids(hall, Queue.WAITING)) == {made[_M.RELEASED], made[_M.OFFERED]}
    assert ids(hall, Queue.RETURNED) == [made[_M.RETURNED]]
    assert set(ids(hall, Queue.DONE)) == {
        made[state] for state in (_M.REGISTERED, _M.REFUSED, _M.ANSWERED, _M.ERASED)
    }


def test_hold_moves_a_message_to_the_queue_of_holds_until_then(hall: School) -> None:
    held, other = mail(hall), mail(hall)
    on_hold(hall, held)

    assert (ids(hall, Queue.ON_HOLD), ids(hall, Queue.DISTRIBUTE)) == ([held], [other])

    hall.later(days=4)

    assert ids(hall, Queue.ON_HOLD) == []
    assert set(ids(hall, Queue.DISTRIBUTE)) == {held, other}


def test_queue_pages_are_oldest_first_and_go_on_after_their_cursor(hall: School) -> None:
    made = [mail(hall, received_at=at(hall, hours=hours)) for hours in range(7)]
    made += [mail(hall, received_at=at(hall, hours=3)) for _ in range(2)]
    found, cursor = [], None
    for _ in range(5):
        page = queue_page(hall.line, hall.anne(), Queue.DISTRIBUTE, after=cursor, at_most=2)
        found += [(row.received_at, row.id) for row in page.rows]
        cursor = page.cursor

    assert cursor is None
    assert found == sorted(found)
    assert {message_id for _, message_id in found} == set(made)


def test_done_messages_are_newest_first_across_their_states(hall: School) -> None:
    states = [_M.ANSWERED, _M.ERASED, _M.REGISTERED]
    made = [mail(hall, states[n % 3], received_at=at(hall, hours=n)) for n in range(7)]

    first = queue_page(hall.line, hall.anne(), Queue.DONE, at_most=4)
    rest = queue_page(hall.line, hall.anne(), Queue.DONE, after=first.cursor, at_most=4)

    assert [row.id for row in (*first.rows, *rest.rows)] == made


def test_row_says_reference_age_deadline_sender_and_rule(hall: School) -> None:
    mail(
        hall,
        received_at=at(hall, days=1),
        rule="skole",
        verdict=verdict_of(SENDER, "Statsforvalteren"),
        code="unit.passive",
    )

    (row,) = queue_page(hall.line, hall.anne(), Queue.DISTRIBUTE).rows

    assert (row.age, row.late, row.sender, row.sender_name) == (1, True, SENDER, "Statsforvalteren")
    assert (row.process, row.rule, row.because) == ("urn:p", "skole", "Skole vurderes")
    assert row.deadline is not None
    assert row.deadline - row.received_at == timedelta(hours=4)
    assert (row.code, len(row.reference)) == ("unit.passive", 9)
    assert CANARY not in repr(row)


@pytest.mark.parametrize(
    "verdict",
    [
        verdict_of(OTHER, "Leverandør AS"),
        verdict_of(SENDER, "Ukjent", chain=False),
        verdict_of(SENDER, "Ukjent", signer_is="stranger"),
        None,
    ],
)
def test_sender_has_no_name_that_its_own_certificate_does_not_prove(
    hall: School, verdict: str | None
) -> None:
    mail(hall, verdict=verdict)

    (row,) = queue_page(hall.line, hall.anne(), Queue.DISTRIBUTE).rows

    assert (row.sender, row.sender_name) == (SENDER, None)


def test_counts_equal_the_pages_of_every_queue(hall: School) -> None:
    for state in MessageState:
        for days in (0, 1, 9):
            made = mail(hall, state, received_at=at(hall, days=days), code=f"c.{days}")
            if days == 9 and state in {_M.REGISTERED, _M.REFUSED}:
                receipt(hall, made, ReceiptState.FAILED)
            if days == 1 and state is _M.UNROUTED:
                on_hold(hall, made)
    arrival(hall)

    counts = desk_side(hall.line, hall.anne()).counts

    assert counts.keys() == set(Queue) - {Queue.DONE}
    for queue, count in counts.items():
        if queue in {Queue.MISSED, Queue.APPROVE}:
            continue
        rows = queue_page(hall.line, hall.anne(), queue).rows
        assert rows, queue
        assert (count.count, count.late) == (len(rows), sum(row.late for row in rows)), queue
        assert count.oldest_at == rows[0].received_at
        assert (count.oldest_code, count.oldest_age) == (rows[0].code, rows[0].age)
    assert (counts[Queue.MISSED].count, counts[Queue.MISSED].oldest_code) == (1, "arrival.expired")
    assert (counts[Queue.APPROVE].count, counts[Queue.APPROVE].oldest_at) == (0, None)


def test_filters_narrow_the_page_and_the_facets_alike(hall: School) -> None:
    late = mail(hall, received_at=at(hall, days=9), sender=OTHER, channel="a")
    mail(hall, sender=OTHER, channel="b")
    mail(hall, channel="b")
    unit = mail(hall, _M.RETURNED, unit="ppt")

    facets = queue_facets(hall.line, hall.anne(), Queue.DISTRIBUTE)
    narrowed = queue_facets(hall.line, hall.anne(), Queue.DISTRIBUTE, QueueFilters(channel="b"))

    assert facets.senders == ((OTHER, 2), (SENDER, 1))
    assert (facets.channels, facets.units, facets.late) == ((("b", 2), ("a", 1)), (), 1)
    assert (facets.groups, facets.in_no_group) == ((), 3)
    assert narrowed.senders == ((SENDER, 1), (OTHER, 1))
    assert len(ids(hall, Queue.DISTRIBUTE, QueueFilters(sender=OTHER))) == 2
    assert ids(hall, Queue.DISTRIBUTE, QueueFilters(late=True)) == [late]
    assert ids(hall, Queue.RETURNED, QueueFilters(unit=UnitId("ppt"))) == [unit]
    assert ids(hall, Queue.RETURNED, QueueFilters(unit=UnitId("skole"))) == []
    assert ids(hall, Queue.DISTRIBUTE, QueueFilters(group="ingen")) == []


def test_lateness_in_lists_is_that_of_rows_under_terms_of_their_own(hall: School) -> None:
    set_terms(hall, "ppt", unopened_hours=1, unregistered_days=1)
    set_terms(hall, "skole", unopened_hours=40, unregistered_days=9)
    for unit in ("ppt", "skole", "bv"):
        for days in (0, 1, 2, 5, 30):
            for urgent in (False, True):
                for opened in (None, at(hall)):
                    mail(
                        hall,
                        _M.RETURNED if opened else _M.QUARANTINED,
                        unit=unit,
                        received_at=at(hall, days=days, hours=2),
                        urgent=urgent,
                        worked_at=opened,
                    )

    for queue in (Queue.RETURNED, Queue.QUARANTINE):
        rows = queue_page(hall.line, hall.anne(), queue).rows
        late = {row.id for row in rows if row.late}
        assert 0 < len(late) < len(rows)
        assert set(ids(hall, queue, QueueFilters(late=True))) == late
        assert desk_side(hall.line, hall.anne()).counts[queue].late == len(late)


def test_message_is_late_in_lists_at_the_very_instant_of_its_deadline(hall: School) -> None:
    message_id = mail(hall, received_at=at(hall, hours=20))
    mail(hall, received_at=at(hall, hours=20) + timedelta(microseconds=1))

    rows = queue_page(hall.line, hall.anne(), Queue.DISTRIBUTE).rows

    assert rows[0].deadline == hall.world.clock.now
    assert [row.late for row in rows] == [True, False]
    assert ids(hall, Queue.DISTRIBUTE, QueueFilters(late=True)) == [message_id]


def test_queues_are_empty_for_those_who_may_not_distribute(hall: School) -> None:
    mail(hall)
    arrival(hall)

    for capacity in (hall.kari(), hall.handler(), hall.siv()):
        assert queue_page(hall.line, capacity, Queue.DISTRIBUTE).rows == ()
        assert {count.count for count in desk_side(hall.line, capacity).counts.values()} == {0}
        assert queue_facets(hall.line, capacity, Queue.DISTRIBUTE).channels == ()


def test_queue_statements_do_not_grow_with_the_rows(hall: School) -> None:
    line, anne = trusting(hall.line), hall.anne()
    seen = []
    for number in (1, 9):
        for n in range(number):
            mail(hall, sender=OTHER if n % 2 else SENDER)
            arrival(hall)
        with statements(line.store.engine) as texts:
            queue_page(line, anne, Queue.DISTRIBUTE)
            pages = len(texts)
            desk_side(line, anne)
        seen.append((pages, len(texts) - pages))

    assert seen[0] == seen[1]
    pages, counts = seen[0]
    assert pages <= 11
    assert counts <= 7


def test_queue_list_that_differs_from_a_decision_is_found_by_the_recheck(hall: School) -> None:
    mail(hall)

    assert isinstance(hall.line.recheck, Recheck)
    assert hall.line.recheck.share == 1
    assert len(ids(hall, Queue.DISTRIBUTE)) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"sender": "123456789"},
        {"channel": "x' OR 1=1"},
        {"unit": ""},
        {"group": "Å"},
        {"late": "yes"},
    ],
)
def test_filters_refuse_what_no_link_has(query: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        read_filters(query)


def test_filters_are_read_as_they_were_written() -> None:
    filters = QueueFilters(
        sender=OrgNumber(SENDER), group="g", channel="eformidling", unit=UnitId("bv"), late=True
    )

    assert read_filters({**filters.as_query(), "etter": "x"}) == filters
    assert filters_from_text(filters.as_text()) == filters
    assert NO_FILTERS.as_text() == ""


def test_queue_page_refuses_the_queues_of_proposals_and_arrivals(hall: School) -> None:
    for queue in (Queue.MISSED, Queue.APPROVE):
        with pytest.raises(Invalid, match=r"queue\.unknown"):
            queue_page(hall.line, hall.anne(), queue)
