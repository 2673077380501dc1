"""Days are days in Norway, around midnight in winter and summer and when the clock changes."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox import days


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-12-01T22:30", "2026-12-01"),
        ("2026-12-01T22:59", "2026-12-01"),
        ("2026-12-01T23:00", "2026-12-02"),
        ("2026-12-01T23:30", "2026-12-02"),
        ("2026-07-01T21:30", "2026-07-01"),
        ("2026-07-01T22:00", "2026-07-02"),
        ("2026-07-01T22:30", "2026-07-02"),
        ("2026-12-31T23:30", "2027-01-01"),
        ("2027-03-27T22:59", "2027-03-27"),
        ("2027-03-27T23:00", "2027-03-28"),
        ("2027-03-28T21:59", "2027-03-28"),
        ("2027-03-28T22:00", "2027-03-29"),
        ("2026-10-24T22:00", "2026-10-25"),
        ("2026-10-25T22:59", "2026-10-25"),
        ("2026-10-25T23:00", "2026-10-26"),
    ],
)
def test_day_of_an_instant_is_the_day_in_norway(at: str, day: str) -> None:
    instant = datetime.fromisoformat(at).replace(tzinfo=UTC)

    assert days.day_of(instant) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("day", "begins", "hours"),
    [
        ("2026-12-01", "2026-11-30T23:00", 24),
        ("2026-07-01", "2026-06-30T22:00", 24),
        ("2027-03-28", "2027-03-27T23:00", 23),
        ("2026-10-25", "2026-10-24T22:00", 25),
        ("2028-02-29", "2028-02-28T23:00", 24),
    ],
)
def test_day_lasts_from_midnight_to_midnight_in_norway(day: str, begins: str, hours: int) -> None:
    begun, ended = (of(date.fromisoformat(day)) for of in (days.start_of_day, days.end_of_day))

    assert begun == datetime.fromisoformat(begins).replace(tzinfo=UTC)
    assert ended - begun == timedelta(hours=hours)
    assert (begun.tzinfo, ended.tzinfo) == (UTC, UTC)


def test_noon_is_noon_by_clocks_here_also_when_the_clock_changes() -> None:
    noons = [days.at_hour(date(*day), 12) for day in ((2026, 10, 25), (2027, 3, 28), (2026, 7, 1))]

    assert [noon.hour for noon in noons] == [11, 10, 10]


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(9000, 1, 1)))
def test_every_instant_of_a_day_is_on_that_day_and_both_ends_are_midnights(day: date) -> None:
    begun, ended = days.start_of_day(day), days.end_of_day(day)

    inside = (begun, begun + timedelta(hours=12), ended - timedelta(microseconds=1))
    assert {days.day_of(each) for each in inside} == {day}
    assert days.is_midnight(begun)
    assert days.is_midnight(ended)
    assert days.last_day_before(ended) == day


def test_midnight_in_utc_is_not_midnight_in_norway() -> None:
    assert not days.is_midnight(datetime(2026, 12, 1, tzinfo=UTC))
    assert not days.is_midnight(datetime(2026, 7, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("at", "span", "later"),
    [
        ("2026-10-24T12:00", timedelta(days=1), "2026-10-25T13:00"),
        ("2027-03-27T12:00", timedelta(days=1), "2027-03-28T11:00"),
        ("2026-10-24T23:30", timedelta(hours=1), "2026-10-25T00:30"),
        ("2026-10-24T12:00", timedelta(days=1, hours=2), "2026-10-25T15:00"),
        ("2026-06-01T12:00", timedelta(days=90), "2026-08-30T12:00"),
    ],
)
def test_days_later_keep_the_time_of_day_by_clocks_here(
    at: str, span: timedelta, later: str
) -> None:
    begins, ends = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (at, later))

    assert days.later(begins, span) == ends


@pytest.mark.parametrize(
    "text",
    [
        *("20261124", "2026-W48-2", "2026-1-3", "24.11.2026", "", "2026-02-30"),
        *("2026-11-24T12:00", "\u0662026-11-24", "2026-11-24\n"),
    ],
)
def test_day_that_is_written_otherwise_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any words
        days.read_day(text)


def test_time_without_a_zone_and_typed_time_are_refused_as_days() -> None:
    with pytest.raises(ValueError, match="zone"):
        days.day_of(datetime(2026, 11, 24))  # noqa: DTZ001 - what is refused
    with pytest.raises(ValueError, match="no day"):
        days.typed_day(datetime(2026, 11, 24, 12))  # noqa: DTZ001 - what is refused
    assert days.typed_day(datetime.combine(date(2026, 11, 24), time())) == date(2026, 11, 24)
