"""Working time: hours of the day on clocks in Norway, on days that are no weekend and no holiday.

Days and hours are Norwegian; instants and spans are in UTC, so that an hour is an hour on the days
on which the clock changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import accumulate
from typing import Final

import holidays

from inbox.days import at_clock, day_of

_DAY: Final = timedelta(days=1)
_NOTHING: Final = timedelta(0)
_SATURDAY: Final = 5
_FIRST_YEAR: Final = 2000
"""Days are numbered from here: no message of eFormidling is older."""


@cache
def _holidays_of(year: int) -> frozenset[date]:
    """The public holidays of a year in Norway."""
    return frozenset(holidays.country_holidays("NO", years=[year]))


def is_working_day(day: date) -> bool:
    """Neither Saturday, Sunday nor a public holiday in Norway."""
    return day.weekday() < _SATURDAY and day not in _holidays_of(day.year)


@cache
def _numbers_in(year: int) -> tuple[int, ...]:
    """For each day of a year, how many working days it has had up to and with that day."""
    first = date(year, 1, 1)
    days = (first + number * _DAY for number in range((date(year + 1, 1, 1) - first).days))
    return tuple(accumulate(int(is_working_day(day)) for day in days))


@cache
def _before_year(year: int) -> int:
    """How many working days there were before that year."""
    if year <= _FIRST_YEAR:
        return 0
    return sum(_numbers_in(each)[-1] for each in range(_FIRST_YEAR, year))


def working_day_number(day: date) -> int:
    """The number of working days up to and with this day; their difference is an age."""
    return _before_year(day.year) + _numbers_in(day.year)[day.timetuple().tm_yday - 1]


@dataclass(frozen=True, kw_only=True)
class WorkingHours:
    """The hours in which people work on a working day. Raises `ValueError` if there are none."""

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.opens >= self.closes or self.opens.tzinfo or self.closes.tzinfo:
            raise ValueError("working hours open before they close, on clocks in Norway")

    @property
    def length(self) -> timedelta:
        """How long an ordinary working day is."""
        return _since_midnight(self.closes) - _since_midnight(self.opens)

    def after(self, begin: datetime, span: timedelta) -> datetime:
        """The first instant by which so much working time has passed since `begin`."""
        left, day = span, day_of(begin)
        while True:
            for opens, closes in self._period_of(day):
                start = max(opens, begin)
                if start <= closes and left <= closes - start:
                    return start + left
                left -= max(_NOTHING, closes - start)
            day += _DAY

    def before(self, end: datetime, span: timedelta) -> datetime:
        """The last instant from which so much working time has passed until `end`."""
        left, day = span, day_of(end)
        while True:
            for opens, closes in self._period_of(day):
                stop = min(closes, end)
                if opens <= stop and left <= stop - opens:
                    return stop - left
                left -= max(_NOTHING, stop - opens)
            day -= _DAY

    def between(self, begin: datetime, end: datetime) -> timedelta:
        """How much working time lies between two instants."""
        total, day, last = _NOTHING, day_of(begin), day_of(end)
        while day <= last:
            for opens, closes in self._period_of(day):
                total += max(_NOTHING, min(closes, end) - max(opens, begin))
            day += _DAY
        return total

    def _period_of(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The working time of a day as instants; nothing where nobody works."""
        if is_working_day(day):
            yield _instants(day, self.opens, self.closes)


def _since_midnight(at: time) -> timedelta:
    return timedelta(
        hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond
    )


@lru_cache(maxsize=10_000)
def _instants(day: date, opens: time, closes: time) -> tuple[datetime, datetime]:
    return at_clock(day, opens), at_clock(day, closes)
