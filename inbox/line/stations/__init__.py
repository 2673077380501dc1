"""The stations, and `advance`, the one function that runs any of them.

Each station does one thing with at most one outside effect, which is safe to repeat; `advance`
alone knows what every kind of failure leads to.
"""

import time
from collections.abc import Mapping
from typing import Final

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
from inbox.line import Job, Line, R, queue
from inbox.line.damage import is_content_damage, report_damage
from inbox.line.queue import postpone
from inbox.line.settle import message_id_of
from inbox.line.stations.arrival import (
    delete_at_gateway,
    fetch,
    record_abandoned,
    record_confirmed,
    record_custody,
)
from inbox.line.stations.erasure_dates import postpone_until_due
from inbox.line.stations.message import check_erasable, erase, offer, record_route, route
from inbox.line.stations.notify import notify, record_notified
from inbox.line.stations.open import open_message, record_opened
from inbox.line.stations.placement import place
from inbox.line.stations.receipt import create, follow_up, record_status, send
from inbox.line.stations.station import Settling, Station, move_only, no_effect
from inbox.log import LogEvent, LogField

INTAKE: Final = "fetch"
"""The station that works while a process holds still: it takes custody, and trusts nothing old.

The gateway keeps its copy until then: should the newest database be put in place, it shows the
message again.
"""
STATIONS: Final[Mapping[str, Station]] = {
    "fetch": Station(fetch, record_custody),
    "confirm": Station(delete_at_gateway, record_confirmed),
    "discard": Station(delete_at_gateway, record_abandoned),
    "open": Station(open_message, record_opened),
    "route": Station(route, record_route),
    "place": Station(no_effect, place),
    "offer": Station(no_effect, offer),
    "erase": Station(check_erasable, erase),
    "create": Station(create, move_only),
    "send": Station(send, move_only),
    "follow_up": Station(follow_up, record_status),
    "notify": Station(notify, record_notified),
}


def advance(line: Line, job: Job[R]) -> Job[R] | None:
    """Run the station of one job.

    Returns the same row's next job, still leased, if its next station is due.

    An unavailable neighbour means same state, later. So do damaged bytes: an operator gets a task,
    for they may be restored from a copy. A lost lease means that somebody else has the row:
    nothing is written.
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
    found = station.act(line, job)
    with line.store.transaction() as tx:
        settling = Settling(line=line, job=job, tx=tx)
        station.settle(settling, found)
    return settling.following


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
