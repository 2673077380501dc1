"""Once a night, compares every row that decides with the audit, and tells a security reviewer.

Which night it was done last stands in the database (a pulse), so that of several workers one does
it, and a restart does not repeat it. The task is closed by a person: a row that was changed and put
back was changed all the same.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from inbox.audit.state import StateReport, verify_state
from inbox.days import day_of, in_norway
from inbox.errors import ConcurrentWrite, IntegrityError
from inbox.line import Line
from inbox.line.settle import open_task
from inbox.line.task_kinds import TaskKind
from inbox.store import Transaction
from inbox.tables import Pulse

_PULSE: Final = "state.check"
"""Its time is when the last comparison began."""
_NIGHT: Final = range(1, 5)
"""The hours in Norway in which it begins."""
_LONGEST_PAUSE: Final = timedelta(hours=36)
"""After this it begins by day too: a machine may sleep at night."""
SUBJECT: Final = "state"


def check_state_nightly(
    line: Line, *, stopped: Callable[[], bool] = lambda: False
) -> StateReport | None:
    """Compare if it is time to; None if it is not, or another worker does it.

    What differs is in the task only as a code: `inbox audit verify --state` names the rows.
    """
    if not _take_turn(line):
        return None
    try:
        with line.store.snapshot() as tx:
            report = verify_state(tx, line.keyring.row_key(), stopped=stopped)
    except IntegrityError as error:  # A value that no row of ours can have.
        _tell(line, error.code)
        raise
    if report.findings:
        _tell(line, report.findings[0].code)
    return report


def _tell(line: Line, code: str) -> None:
    with line.store.transaction() as tx:
        open_task(tx, kind=TaskKind.STATE_DIFFERS, subject=SUBJECT, code=code)


def _take_turn(line: Line) -> bool:
    with line.store.reading() as tx:
        pulse = tx.get(Pulse, _PULSE)
    if pulse is not None and not _is_due(pulse.at, tx.now):
        return False
    try:
        with line.store.transaction() as tx:
            return _begin(tx)
    except ConcurrentWrite:
        return False


def _begin(tx: Transaction) -> bool:
    """Whether it is time to still; the first time waits for the first night."""
    pulse = tx.get(Pulse, _PULSE, with_for_update=True)
    if pulse is None:
        tx.add(Pulse(name=_PULSE, at=tx.now))
        return False
    due = _is_due(pulse.at, tx.now)
    if due:
        pulse.at = tx.now
    return due


def _is_due(last: datetime | None, now: datetime) -> bool:
    if last is None or abs(now - last) >= _LONGEST_PAUSE:
        return True
    here, then = in_norway(now), in_norway(last)
    return here.hour in _NIGHT and (day_of(last) != day_of(now) or then.hour < _NIGHT.start)
