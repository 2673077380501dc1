"""The demo's clock: from the past to the present, and never back."""

from datetime import UTC, datetime, timedelta

from inbox.cli.demo.clock import DemoClock

A_WHILE = timedelta(seconds=60)


def near(moment: datetime, other: datetime) -> bool:
    return abs(moment - other) < A_WHILE


def test_demo_clock_without_a_start_is_the_clock_of_the_machine() -> None:
    clock = DemoClock()

    assert clock.is_present
    assert near(clock.now(), datetime.now(UTC))


def test_demo_clock_moves_forward_and_never_back() -> None:
    start = datetime.now(UTC) - timedelta(days=21)
    clock = DemoClock(start)

    clock.move_to(start + timedelta(days=2))
    clock.move_to(start + timedelta(days=1))

    assert not clock.is_present
    assert near(clock.now(), start + timedelta(days=2))


def test_demo_clock_stops_at_the_present() -> None:
    clock = DemoClock(datetime.now(UTC) - timedelta(hours=1))

    clock.move_to(datetime.now(UTC) + timedelta(days=1))

    assert near(clock.now(), datetime.now(UTC))


def test_demo_clock_that_has_returned_is_the_clock_of_the_machine() -> None:
    clock = DemoClock(datetime.now(UTC) - timedelta(days=21))

    clock.return_to_present()

    assert clock.is_present
    assert near(clock.now(), datetime.now(UTC))
