"""What a capacity may not see changes nothing that the desk returns, nor by how many statements."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import (
    MessageId,
    new_id,
)
from inbox.errors import InboxError
from inbox.line.desk.approval_queue import approval_page
from inbox.line.desk.arrival_queue import arrival_page, arrival_view
from inbox.line.desk.front_page import front_page
from inbox.line.desk.message_view import message_view
from inbox.line.desk.queue_steps import find_by_reference, next_in_queue
from inbox.line.desk.queues import Queue, desk_side, queue_facets, queue_page
from inbox.line.desk.short_reference import short_reference_of
from inbox.line.desk.telephone import answer_caller
from inbox.tables import Message, WrappedKey
from tests.line.desk.desk_world import (
    CANARY,
    another_organisation,
    fill,
    statements,
    trusting,
)
from tests.line.school import School, school_on
from tests.worlds import SENDER

THEIRS = "915933149"
_WORDS = tuple(queue for queue in Queue if queue not in {Queue.MISSED, Queue.APPROVE})


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def hall(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[School]:
    with school_on(request, tmp_path) as made:
        made.world.edited = True
        yield made


def askers(hall: School) -> list[Capacity]:
    return [
        hall.anne(),
        hall.kari(),
        hall.handler(),
        hall.siv(),
        hall.world.person("odd", Role.OPERATOR, "desk", strong=False),
    ]


def everything(hall: School, capacity: Capacity, ids: list[str], wire_ids: list[str]) -> str:
    """All that the desk says to this capacity, as text."""
    line = trusting(hall.line)
    asked: list[Callable[[], object]] = [
        partial(front_page, line, capacity),
        lambda: sorted(desk_side(line, capacity).counts.items()),
        partial(approval_page, line, capacity),
        partial(arrival_page, line, capacity),
    ]
    for queue in _WORDS:
        asked += [
            partial(queue_page, line, capacity, queue, at_most=3),
            partial(queue_facets, line, capacity, queue),
            partial(next_in_queue, line, capacity, queue),
        ]
    for each in map(MessageId, ids):
        asked += [
            partial(message_view, line, capacity, each, queue=Queue.DISTRIBUTE),
            partial(arrival_view, line, capacity, each),
            partial(find_by_reference, line, capacity, short_reference_of(each)),
            partial(next_in_queue, line, capacity, Queue.DISTRIBUTE, after=each),
        ]
    asked += [
        partial(answer_caller, line, capacity, sender_id=each, caller=SENDER) for each in wire_ids
    ]
    return "\n".join(_said(each) for each in asked)


def _said(ask: Callable[[], object]) -> str:
    try:
        return repr(ask())
    except InboxError as error:
        return error.code


def test_mail_of_another_organisation_changes_nothing_and_costs_no_statement(
    hall: School,
) -> None:
    another_organisation(hall, THEIRS)
    fill(hall, "910075918")
    unknown, people = [new_id() for _ in range(14)], askers(hall)
    shared = (unknown, [new_id()])
    before = [everything(hall, each, *shared) for each in people]
    # Asked for by their own ids once they are there; by others while they are not.
    hidden = fill(hall, THEIRS)
    with hall.line.store.reading() as tx:
        found = tx.get_one(Message, hidden[0])
    assert len(hidden) == len(unknown)
    counted = []
    for each in people:
        texts_of = []
        for ids, wire_ids in (shared, (hidden, [found.wire_id])):
            with statements(hall.line.store.engine) as texts:
                said = everything(hall, each, ids, wire_ids)
            texts_of.append((said, len(texts)))
        counted.append(texts_of)

    for first, (missing, theirs) in zip(before, counted, strict=True):
        assert missing == theirs
        assert first == missing[0]
    assert CANARY not in "".join(before)


def test_desk_says_no_canary_to_anybody_about_anything(hall: School) -> None:
    made = fill(hall, "910075918")
    with hall.line.store.transaction() as tx:
        keys = [tx.get(WrappedKey, each) for each in made]
        assert any(keys)

    said = [everything(hall, each, made, []) for each in askers(hall)]

    assert CANARY not in "".join(said)
    assert any("UNROUTED" in each for each in said)
    # The guard can see: what is sealed does hold it.
    assert "Skole" in said[0]
