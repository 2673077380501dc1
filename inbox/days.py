"""Days are days in Norway: the one place where a day becomes an instant, or an instant a day.

People here write dates, and mean the day from midnight to midnight on their own clocks. Instants
are kept in UTC, where that day begins one hour earlier in winter and two in summer, and lasts 23 or
25 hours on the two days on which the clock changes.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

OSLO: Final = ZoneInfo("Europe/Oslo")
_DAY: Final = timedelta(days=1)
_WRITTEN: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def in_norway(at: datetime) -> datetime:
    """The instant as clocks here show it, for people to read."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at.astimezone(OSLO)


def day_of(at: datetime) -> date:
    """The day on which the instant is."""
    return in_norway(at).date()


def at_clock(day: date, clock: time) -> datetime:
    """The instant at which clocks here show this time on that day."""
    return datetime.combine(day, clock, OSLO).astimezone(UTC)


def at_hour(day: date, hour: int) -> datetime:
    """The instant at which clocks here show the full hour on that day."""
    return at_clock(day, time(hour))


def start_of_day(day: date) -> datetime:
    """The first instant of the day. Raises `OverflowError` outside what can be written."""
    return at_hour(day, 0)


def end_of_day(day: date) -> datetime:
    """The first instant after the day, so that the day itself is included (*til og med*)."""
    return start_of_day(day + _DAY)


def is_midnight(at: datetime) -> bool:
    """Whether a day begins at this instant."""
    return in_norway(at).time() == time()


def last_day_before(at: datetime) -> date:
    """The last day that is over at this instant, which is a midnight: *til og med* that day."""
    return day_of(at) - _DAY


def later(at: datetime, span: timedelta) -> datetime:
    """So much later: whole days by clocks here, so the time of day stays; the rest as it passes."""
    days = timedelta(days=span.days)
    return (in_norway(at) + days).astimezone(UTC) + (span - days)


def read_day(text: str) -> date:
    """A day as it is written here, 2026-01-31. Raises `ValueError` for anything else."""
    if _WRITTEN.fullmatch(text) is None:
        raise ValueError("a day is written as 2026-01-31")
    return date.fromisoformat(text)


def typed_day(typed: datetime) -> date:
    """The day that somebody typed, from a reader of options that makes a time of it."""
    if typed.tzinfo is not None or typed.time() != time():
        raise ValueError("no day, but a time")
    return typed.date()
