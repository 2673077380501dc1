"""Notes in the database since when something is wrong, and logs when it begins, changes and ends.

Several workers may do so at once: each ends what it saw itself, and what nobody has seen lately.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, select

from inbox import log
from inbox.domain import new_id
from inbox.errors import Conflict
from inbox.health.condition import HealthCondition, Level
from inbox.health.current import working_conditions
from inbox.health.people import people_conditions
from inbox.line import Line
from inbox.log import LogEvent, LogField
from inbox.store import Transaction
from inbox.tables import HealthConditionRow

PEOPLE_SECONDS: Final = 60.0
"""How often units and people are looked at, which takes a question to each."""
_SEEN_AGAIN: Final = timedelta(seconds=20)
_FORGOTTEN: Final = timedelta(minutes=1)
"""What a worker that ended had seen, and nobody sees now, has ended."""
_Key = tuple[str, str]
_Found = dict[_Key, HealthCondition]
_Rows = dict[_Key, HealthConditionRow]


class ConditionRecorder:
    """The looks of one run of a worker. `tick` counts seconds."""

    def __init__(self, line: Line, *, tick: Callable[[], float]) -> None:
        self._line = line
        self._tick = tick
        self._run = new_id()
        self._people: Sequence[HealthCondition] = ()
        self._people_at: float | None = None

    def look(self) -> None:
        """Look once. Safe to repeat; raises `Unavailable` while the database is away."""
        now = self._tick()
        if self._people_at is None or now - self._people_at >= PEOPLE_SECONDS:
            self._people, self._people_at = (
                tuple(people_conditions(self._line.store, self._line.rule_books)),
                now,
            )
        found = {
            (each.subject, each.code): each
            for each in (*working_conditions(self._line), *self._people)
            if each.level is not Level.WAITING
        }
        events: list[tuple[LogEvent, HealthCondition, datetime, datetime]] = []
        with self._line.store.reading() as tx:
            if not self._is_news(tx, found):
                return
        with suppress(Conflict):  # Another worker has just noted the same.
            with self._line.store.transaction() as tx:
                events = self._note(tx, found)
            for event, condition, since, seen in events:
                _log(event, condition, seen - since)

    def _is_news(self, tx: Transaction, found: _Found) -> bool:
        """Whether there is anything to write; mostly there is not, and a write waits for others."""
        rows = _rows(tx)
        return bool(
            found.keys() - rows.keys()
            or self._over(rows, tx.now, found)
            or any(self._is_due(row, tx.now) for key, row in rows.items() if key in found)
        )

    def _over(
        self,
        rows: _Rows,
        now: datetime,
        found: _Found,
    ) -> _Rows:
        """What is not so any more: seen by this run, or by nobody lately."""
        return {
            key: row
            for key, row in rows.items()
            if key not in found and (row.seen_by == self._run or now - row.seen_at > _FORGOTTEN)
        }

    def _is_due(self, row: HealthConditionRow, now: datetime) -> bool:
        """Whether it is to be noted that this run sees it."""
        return row.seen_by != self._run or now - row.seen_at > _SEEN_AGAIN

    def _note(
        self, tx: Transaction, found: _Found
    ) -> list[tuple[LogEvent, HealthCondition, datetime, datetime]]:
        rows = _rows(tx)
        over = self._over(rows, tx.now, found)
        since_before = {row.subject: row.since for row in over.values()}
        events = []
        for key, condition in found.items():
            row = rows.get(key)
            if row is None:
                since = since_before.get(condition.subject, condition.since or tx.now)
                row = HealthConditionRow(
                    subject=condition.subject,
                    code=condition.code,
                    since=since,
                    seen_at=tx.now,
                    seen_by=self._run,
                    level=condition.level.value,
                )
                tx.add(row)
                was = condition.subject in since_before
                event = LogEvent.CONDITION_CHANGED if was else LogEvent.CONDITION_BEGAN
                events.append((event, condition, since, tx.now))
            elif self._is_due(row, tx.now):
                row.seen_at, row.seen_by = tx.now, self._run
                row.level = condition.level.value
        changed = {
            each.subject for event, each, *_ in events if event is LogEvent.CONDITION_CHANGED
        }
        for row in over.values():
            if row.subject not in changed:
                ended = HealthCondition(subject=row.subject, code=row.code, level=Level.WARNING)
                events.append((LogEvent.CONDITION_ENDED, ended, row.since, tx.now))
            tx.delete(row)
        return events


def _rows(session: Session) -> _Rows:
    return {(row.subject, row.code): row for row in session.exec(select(HealthConditionRow))}


def _log(event: LogEvent, condition: HealthCondition, lasted: timedelta) -> None:
    fields: dict[LogField, str | int | float | None] = {
        LogField.SUBJECT: condition.subject,
        LogField.CODE: condition.code,
    }
    if event is LogEvent.CONDITION_ENDED:
        fields[LogField.SECONDS] = round(lasted.total_seconds(), 3)
    else:
        fields |= {
            LogField.SEVERITY: condition.level.value,
            LogField.STATUS: condition.status,
            LogField.COUNT: condition.count,
        }
    log.emit(event, fields)
