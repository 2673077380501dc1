"""Nothing is erased on the word of a clock that jumped, nor faster than the pace."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from inbox import audit
from inbox.domain import ArrivalState, MessageState
from inbox.line import Line
from inbox.line.queue import QUEUE_ROW_TYPES, claim
from inbox.line.stations import advance
from inbox.line.throttle.erasure_pace import CONFIRMED_FOR, ErasurePace
from inbox.line.upkeep.far_times import bring_back_far_times
from inbox.store import SteadyClock, Store
from inbox.tables import Message, WrappedKey
from tests.worlds import BEGIN, Clock, World

KEEP = timedelta(days=14)


class Off:
    """The database's clock: everybody's, and an error that is put into it."""

    def __init__(self, right: Clock) -> None:
        self.right = right
        self.by = timedelta(0)

    def __call__(self, session: Session) -> datetime:
        return self.right(session) + self.by


def _answered(world: World) -> str:
    """A message that was answered now, due for erasure in a fortnight; its id."""
    wire_id = world.send()
    world.collect()
    world.work()
    message = world.message(wire_id)
    with world.line.store.transaction() as tx:
        row = tx.get_one(Message, message.id)
        row.state, row.registered_at, row.answered_at = MessageState.ANSWERED, tx.now, tx.now
        row.due_at = tx.now + KEEP
    return message.id


def _line_with(world: World, clock: Callable[[Session], datetime]) -> Line:
    """The same line as a process would have it that began now."""
    store = Store(world.line.store.engine, seal=audit.seal, clock=clock)
    return replace(world.line, store=store, erasure_pace=ErasurePace())


def _work(line: Line) -> None:
    for _ in range(50):
        job = next((j for kind in QUEUE_ROW_TYPES if (j := claim(line, kind))), None)
        while job is not None:
            job = advance(line, job)


def _erased(world: World) -> int:
    return sum(m.state is MessageState.ERASED for m in world.messages())


@pytest.mark.parametrize("restarted", [False, True])
def test_clock_400_days_ahead_for_a_moment_erases_nothing_and_loses_no_time(
    world: World,
    restarted: bool,  # noqa: FBT001 - a case of the table
) -> None:
    message_id = _answered(world)
    off = Off(world.clock)
    clock = SteadyClock(off)
    line = _line_with(world, clock)
    with line.store.reading():
        pass
    off.by = timedelta(days=400)
    _work(_line_with(world, SteadyClock(off)) if restarted else line)
    off.by = timedelta(0)

    world.clock.advance(timedelta(hours=2))
    bring_back_far_times(line)
    _work(line)

    assert _erased(world) == 0
    with line.store.reading() as tx:
        row = tx.get_one(Message, message_id)
        assert tx.get_one(WrappedKey, message_id).wrapped is not None
    assert tx.now == world.clock.now
    assert row.due_at == BEGIN + KEEP


def test_content_is_erased_when_the_gateway_confirms_the_time(world: World) -> None:
    _answered(world)
    line = _line_with(world, SteadyClock(Off(world.clock)))
    with line.store.reading():
        pass

    world.clock.advance(KEEP - timedelta(hours=1))
    _work(line)
    before = _erased(world)
    world.clock.advance(timedelta(hours=2))
    _work(line)

    assert (before, _erased(world)) == (0, 1)


def test_without_a_gateway_a_clock_that_jumped_or_left_the_audit_behind_erases_nothing(
    world: World,
) -> None:
    _answered(world)
    steady = replace(_line_with(world, SteadyClock(Off(world.clock))), gateways={})
    with steady.store.reading():
        pass
    world.clock.advance(KEEP + timedelta(days=1))

    _work(steady)
    _work(replace(_line_with(world, world.clock), gateways={}))

    assert _erased(world) == 0


def test_without_a_gateway_a_steady_clock_and_a_recent_entry_allow_erasing(world: World) -> None:
    _answered(world)
    world.clock.advance(KEEP + timedelta(days=1))
    with world.line.store.transaction() as tx:
        audit.record(tx, audit.Entry(event="x:y", who="w", subject="s"))

    _work(replace(_line_with(world, SteadyClock(Off(world.clock))), gateways={}))

    assert _erased(world) == 1


def test_no_more_is_erased_in_an_hour_than_the_pace_allows(world: World) -> None:
    for _ in range(5):
        _answered(world)
    ticks = [0.0]
    line = replace(
        world.line,
        terms=replace(world.line.terms, erasures_per_hour=2),
        erasure_pace=ErasurePace(tick=lambda: ticks[0]),
    )
    world.clock.advance(KEEP + timedelta(hours=1))
    erased = []

    for _ in range(3):
        _work(line)
        erased.append(_erased(world))
        ticks[0] += 3601
        world.clock.advance(timedelta(hours=2))

    assert erased == [2, 4, 5]


def test_confirmation_of_a_clock_holds_for_a_moment_and_for_no_other_time() -> None:
    ticks = [0.0]
    pace = ErasurePace(tick=lambda: ticks[0])
    pace.confirm(BEGIN)
    ticks[0] = 30.0

    near, far = BEGIN + timedelta(seconds=31), BEGIN + timedelta(days=400)

    assert (pace.is_confirmed(near), pace.is_confirmed(far)) == (True, False)
    ticks[0] = CONFIRMED_FOR.total_seconds()
    assert not pace.is_confirmed(BEGIN + CONFIRMED_FOR)


def test_mail_that_a_wrong_clock_put_off_for_a_year_is_due_again(world: World) -> None:
    wire_id = world.send()
    world.collect()
    arrival = world.arrival(wire_id)
    with world.line.store.transaction() as tx:
        row = tx.merge(arrival)
        row.due_at, row.leased_until = tx.now + timedelta(days=400), tx.now + timedelta(days=400)

    assert bring_back_far_times(world.line) == 1
    world.work()

    assert world.arrival(wire_id).state is ArrivalState.CONFIRMED
    with world.line.store.reading() as tx:
        assert tx.exec(select(Message)).first() is not None
