"""The stations, and `advance`, the one function that runs any of them.

Each station does one thing with at most one outside effect, which is safe to repeat; `advance`
alone knows what every kind of failure leads to.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from inbox import log
from inbox.domain import station_of
from inbox.errors import (
    ConcurrentWrite,
    Conflict,
    InboxError,
    IntegrityError,
    NotDue,
    Unavailable,
    WaitingForPeople,
)
from inbox.line import DecideInTransaction, Job, Line, Outcome, R, queue
from inbox.line.damage import is_content_damage, report_damage
from inbox.line.queue import postpone, settle_outcome
from inbox.line.settle import message_id_of
from inbox.line.stations.arrival import confirm, discard, fetch
from inbox.line.stations.erasure_dates import postpone_until_due
from inbox.line.stations.message import erase, offer, route
from inbox.line.stations.notify import notify
from inbox.line.stations.open import open_message
from inbox.line.stations.receipt import create, follow_up, send
from inbox.log import LogEvent, LogField

Station = Callable[[Line, Job[Any]], Outcome | DecideInTransaction]
"""What a station is: `Any`, because each takes the jobs of its own kind of row."""

INTAKE: Final = "fetch"
"""The station that works while a process holds still: it takes custody, and trusts nothing old.

The gateway keeps its copy until then: should the newest database be put in place, it shows the
message again.
"""
STATIONS: Final[Mapping[str, Station]] = {
    "fetch": fetch,
    "confirm": confirm,
    "discard": discard,
    "open": open_message,
    "route": route,
    "offer": offer,
    "erase": erase,
    "create": create,
    "send": send,
    "follow_up": follow_up,
    "notify": notify,
}


def advance(line: Line, job: Job[R]) -> Job[R] | None:
    """Run the station of one job.

    Returns the same row's next job, still leased, if its next station is due.

    An unavailable neighbour means same state, later; so do damaged bytes, which an operator is told
    of at once: they may be put back from a copy. A lost lease means that somebody else has the
    row: nothing is written.
    """
    station = station_of(job.row.state)
    assert station is not None
    if (gap := line.standstill.gap) is not None and station != INTAKE:
        postpone(line, job, gap.code)
        return None
    began = time.monotonic()
    try:
        following = _work(line, job, STATIONS[station])
    except InboxError as error:
        _put_off(line, job, error)
        _log(LogEvent.POSTPONED, job, began, code=error.code, status=getattr(error, "status", None))
        return None
    _log(LogEvent.STEP, job, began)
    return following


def _work(line: Line, job: Job[R], station: Station) -> Job[R] | None:
    outcome = station(line, job)
    with line.store.transaction() as tx:
        decided = outcome if isinstance(outcome, Outcome) else outcome(tx)
        return settle_outcome(line, job, decided, tx)


def _put_off(line: Line, job: Job[R], error: InboxError) -> None:
    """The same state, later; raises the error again where that is no answer to it."""
    match error:
        case NotDue():
            postpone_until_due(line, job, error.code)
        case WaitingForPeople() | ConcurrentWrite():
            postpone(line, job, error.code)
        case Unavailable():
            postpone_and_escalate(line, job, error.code)
        case IntegrityError() if is_content_damage(error):
            postpone_and_escalate(line, job, error.code)
            if (message_id := message_id_of(job.row)) is not None:
                report_damage(line, message_id, error.code)
        case Conflict():
            pass
        case _:
            raise error


def _log(event: LogEvent, job: Job[R], began: float, **more: str | int | None) -> None:
    """One line for one step, with the code and status of what put it off."""
    fields: dict[LogField, str | int | float | None] = {
        LogField.ROW: job.row.id,
        LogField.STATION: station_of(job.row.state),
        LogField.SECONDS: round(time.monotonic() - began, 3),
    }
    log.emit(event, fields | {LogField(name): value for name, value in more.items()})


def postpone_and_escalate(line: Line, job: Job[R], code: str) -> None:
    """Postpone the job; after a number of attempts a task for a person is opened, once."""
    with line.store.transaction() as tx:
        queue.postpone_and_escalate(line, job.row, code, tx)
