"""Deadlines and ages: in working time, over weekends, holidays and changes of the clock."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.days import OSLO, in_norway
from inbox.domain import MessageState
from inbox.line.desk.deadlines import (
    DEFAULT_DEADLINES,
    DeadlineStage,
    UnitDeadlines,
    age_in_working_days,
    deadline_of,
    late_until,
    stage_of,
)
from inbox.line.desk.working_time import WorkingHours, is_working_day

INSTANTS = st.datetimes(
    min_value=datetime(2024, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2031, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    timezones=st.just(UTC),
)
TERMS = st.builds(
    UnitDeadlines,
    unopened_hours=st.integers(0, 30),
    unregistered_days=st.integers(1, 12),
    opens=st.times(max_value=time(11)),
    closes=st.times(min_value=time(12)),
)
STAGES = st.sampled_from(DeadlineStage)


def here(text: str) -> datetime:
    """An instant, as clocks in Norway show it."""
    return datetime.fromisoformat(text).replace(tzinfo=OSLO).astimezone(UTC)


def deadline(
    received: str, stage: DeadlineStage = DeadlineStage.UNOPENED, *, urgent: bool = False
) -> str:
    found = deadline_of(here(received), stage, DEFAULT_DEADLINES, urgent=urgent)
    return in_norway(found).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2026-11-30 09:00", "2026-11-30 13:00"),
        ("2026-11-30 06:00", "2026-11-30 12:00"),
        ("2026-11-30 14:00", "2026-12-01 10:00"),
        ("2026-11-27 15:00", "2026-11-30 11:00"),  # over a weekend
        ("2026-11-28 11:00", "2026-11-30 12:00"),  # on a Saturday
        ("2026-04-01 15:00", "2026-04-07 11:00"),  # before Easter
        ("2026-12-24 15:00", "2026-12-28 11:00"),  # before Christmas and a weekend
        ("2026-05-13 15:00", "2026-05-15 11:00"),  # before Ascension Day
        ("2026-03-27 15:00", "2026-03-30 11:00"),  # the clock goes forward on Sunday
        ("2026-10-23 15:00", "2026-10-26 11:00"),  # and back
    ],
)
def test_deadline_for_opening_is_four_working_hours_later(received: str, expected: str) -> None:
    assert deadline(received) == expected


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2026-11-30 10:00", "2026-12-03 10:00"),
        ("2026-11-26 10:00", "2026-12-01 10:00"),
        ("2026-12-23 10:00", "2026-12-29 10:00"),
    ],
)
def test_deadline_for_registering_is_three_working_days_later(received: str, expected: str) -> None:
    assert deadline(received, DeadlineStage.UNREGISTERED) == expected


def test_deadline_of_urgent_mail_runs_round_the_clock() -> None:
    assert deadline("2026-12-25 22:00", urgent=True) == "2026-12-26 02:00"
    assert (
        deadline("2026-12-25 22:00", DeadlineStage.UNREGISTERED, urgent=True) == "2026-12-28 22:00"
    )


@pytest.mark.parametrize(
    ("received", "now", "days"),
    [
        ("2026-11-30 07:00", "2026-11-30 23:00", 0),
        ("2026-11-30 23:00", "2026-12-01 00:30", 1),
        ("2026-11-27 12:00", "2026-11-29 12:00", 0),
        ("2026-11-27 12:00", "2026-11-30 12:00", 1),
        ("2026-03-31 12:00", "2026-04-07 12:00", 2),
        ("2025-12-30 12:00", "2026-01-02 12:00", 2),
        ("2026-12-01 12:00", "2026-11-30 12:00", 0),
    ],
)
def test_age_counts_the_working_days_that_began_since_reception(
    received: str, now: str, days: int
) -> None:
    assert age_in_working_days(here(received), here(now)) == days


def test_working_days_leave_out_weekends_and_norwegian_holidays() -> None:
    days = [date(2026, 5, number) for number in range(1, 32)]

    working = [day.day for day in days if is_working_day(day)]

    assert {1, 14, 17, 24, 25}.isdisjoint(working)  # May Day, Ascension, 17 May, Whitsun
    assert not [day for day in working if date(2026, 5, day).weekday() > 4]
    assert len(working) == 18


def test_working_hours_that_close_before_they_open_are_refused() -> None:
    with pytest.raises(ValueError, match="open before they close"):
        WorkingHours(opens=time(16), closes=time(8))


@given(INSTANTS, STAGES, TERMS)
def test_deadline_is_reached_after_exactly_the_working_time(
    received: datetime, stage: DeadlineStage, terms: UnitDeadlines
) -> None:
    found = deadline_of(received, stage, terms, urgent=False)

    span = (
        timedelta(hours=terms.unopened_hours)
        if stage is DeadlineStage.UNOPENED
        else terms.unregistered_days * terms.hours.length
    )
    assert terms.hours.between(received, found) == span


@given(INSTANTS, STAGES, TERMS, st.booleans(), st.integers(-200_000, 200_000))
def test_late_is_exactly_what_has_reached_its_deadline(
    received: datetime,
    stage: DeadlineStage,
    terms: UnitDeadlines,
    urgent: bool,  # noqa: FBT001 - drawn
    seconds: int,
) -> None:
    due = deadline_of(received, stage, terms, urgent=urgent)
    now = due + timedelta(seconds=seconds)

    is_late = received <= late_until(now, stage, terms, urgent=urgent)

    assert is_late is (due <= now)


@given(INSTANTS, st.integers(0, 5_000_000), STAGES, TERMS)
def test_deadline_never_comes_earlier_for_what_came_later(
    received: datetime, seconds: int, stage: DeadlineStage, terms: UnitDeadlines
) -> None:
    later = received + timedelta(seconds=seconds)

    first, second = (deadline_of(each, stage, terms, urgent=False) for each in (received, later))

    assert first <= second


@pytest.mark.parametrize(
    ("state", "opened", "stage"),
    [
        (MessageState.UNROUTED, False, DeadlineStage.UNOPENED),
        (MessageState.QUARANTINED, False, DeadlineStage.UNOPENED),
        (MessageState.ROUTED, False, DeadlineStage.UNOPENED),
        (MessageState.ROUTED, True, DeadlineStage.UNREGISTERED),
        (MessageState.RELEASED, False, DeadlineStage.UNREGISTERED),
        (MessageState.OFFERED, False, DeadlineStage.UNREGISTERED),
        (MessageState.RETURNED, False, DeadlineStage.UNREGISTERED),
        (MessageState.REGISTERED, False, None),
        (MessageState.REFUSED, True, None),
        (MessageState.ANSWERED, True, None),
        (MessageState.ERASED, True, None),
    ],
)
def test_stage_of_a_message_follows_its_state_and_whether_a_person_opened_it(
    state: MessageState,
    opened: bool,  # noqa: FBT001 - a column of the table
    stage: DeadlineStage | None,
) -> None:
    assert stage_of(state, here("2026-11-30 09:00") if opened else None) is stage
