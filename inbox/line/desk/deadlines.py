"""When a message is late: received plus the hours of its unit, in the unit's working time.

The one function of deadlines, which pages, lists and whatever warns people use.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from inbox.access.lists.queue_search import DONE_STATES, ON_ITS_WAY_STATES
from inbox.days import day_of
from inbox.domain import MessageState
from inbox.line.desk.working_time import WorkingHours, working_day_number

_DAY: Final = timedelta(days=1)


class DeadlineStage(StrEnum):
    """What a message must leave before its deadline."""

    UNOPENED = "unopened"
    """Nobody who works on it has read it, and no case system has been given it."""
    UNREGISTERED = "unregistered"
    """It has not been registered (*journalført*) or refused."""


@dataclass(frozen=True, kw_only=True)
class UnitDeadlines:
    """The terms (*frister*) of a unit; these are those of a unit that has set none."""

    unopened_hours: int = 4
    """Working hours until somebody who works on it must have read it."""
    unregistered_days: int = 3
    """Working days until it must be registered."""
    opens: time = time(8)
    closes: time = time(16)
    """On clocks in Norway, on days that are neither weekend nor holiday."""

    @property
    def hours(self) -> WorkingHours:
        """The unit's working time."""
        return WorkingHours(opens=self.opens, closes=self.closes)


DEFAULT_DEADLINES: Final = UnitDeadlines()


def stage_of(state: MessageState, worked_at: datetime | None) -> DeadlineStage | None:
    """What the message must leave before its deadline; None where it has none (any more)."""
    if state in DONE_STATES:
        return None
    if state in ON_ITS_WAY_STATES or worked_at is not None:
        return DeadlineStage.UNREGISTERED
    return DeadlineStage.UNOPENED


def deadline_of(
    received_at: datetime, stage: DeadlineStage, terms: UnitDeadlines, *, urgent: bool
) -> datetime:
    """The deadline of what was received at that instant; of *urgent* mail it runs day and night."""
    if urgent:
        return received_at + _span_round_the_clock(stage, terms)
    return terms.hours.after(received_at, _working_span(stage, terms))


def late_until(
    now: datetime, stage: DeadlineStage, terms: UnitDeadlines, *, urgent: bool
) -> datetime:
    """The last instant of reception whose deadline has been reached by now: `deadline_of` undone.

    What was received at it or before is late, and nothing that was received later.
    """
    if urgent:
        return now - _span_round_the_clock(stage, terms)
    return terms.hours.before(now, _working_span(stage, terms))


def age_in_working_days(received_at: datetime, now: datetime) -> int:
    """How many working days have begun since the day of reception: 0 on that day itself."""
    return max(0, working_day_number(day_of(now)) - working_day_number(day_of(received_at)))


def _working_span(stage: DeadlineStage, terms: UnitDeadlines) -> timedelta:
    if stage is DeadlineStage.UNOPENED:
        return timedelta(hours=terms.unopened_hours)
    return terms.unregistered_days * terms.hours.length


def _span_round_the_clock(stage: DeadlineStage, terms: UnitDeadlines) -> timedelta:
    if stage is DeadlineStage.UNOPENED:
        return timedelta(hours=terms.unopened_hours)
    return terms.unregistered_days * _DAY
