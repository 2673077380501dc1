"""The terms of units as they stand in the database, and what is late by them now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from inbox.access.lists.queue_search import Lateness, LateUntil
from inbox.domain import UnitId
from inbox.line.desk.deadlines import DEFAULT_DEADLINES, DeadlineStage, UnitDeadlines, late_until


@dataclass(frozen=True, kw_only=True)
class UnitTermsTable:
    """The terms of every unit that has its own; all others have the default."""

    own: Mapping[UnitId, UnitDeadlines] = field(default_factory=dict)

    def of(self, unit: UnitId | None) -> UnitDeadlines:
        """The terms of a unit; those of mail that has none are the default."""
        return DEFAULT_DEADLINES if unit is None else self.own.get(unit, DEFAULT_DEADLINES)

    def lateness(self, now: datetime) -> Lateness:
        """What is late by now, for the filters of lists."""
        return Lateness(
            default=_late_until(now, DEFAULT_DEADLINES),
            of_unit={unit: _late_until(now, terms) for unit, terms in self.own.items()},
        )


def _late_until(now: datetime, terms: UnitDeadlines) -> LateUntil:
    def until(stage: DeadlineStage, *, urgent: bool) -> datetime:
        return late_until(now, stage, terms, urgent=urgent)

    return LateUntil(
        unopened=until(DeadlineStage.UNOPENED, urgent=False),
        unregistered=until(DeadlineStage.UNREGISTERED, urgent=False),
        urgent_unopened=until(DeadlineStage.UNOPENED, urgent=True),
        urgent_unregistered=until(DeadlineStage.UNREGISTERED, urgent=True),
    )
