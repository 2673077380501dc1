"""The stations, and `advance`, the one function that runs any of them.

Each station does one thing with at most one outside effect, which is safe to repeat; `advance`
alone knows what every kind of failure leads to.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from inbox.domain import station_of
from inbox.errors import Conflict, Raced, Unavailable, Waits
from inbox.line import Job, Late, Line, Outcome, R, queue
from inbox.line.queue import finish, postpone
from inbox.line.stations.arrival import confirm, discard, fetch
from inbox.line.stations.message import erase, offer, route
from inbox.line.stations.notify import notify
from inbox.line.stations.open import open_
from inbox.line.stations.receipt import create, follow_up, send

Station = Callable[[Line, Job[Any]], Outcome | Late]
"""What a station is: `Any`, because each takes the jobs of its own kind of row."""

STATIONS: Final[Mapping[str, Station]] = {
    "fetch": fetch,
    "confirm": confirm,
    "discard": discard,
    "open": open_,
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

    An unavailable neighbour means same state, later. A lost lease means that somebody else has the
    row: nothing is written.
    """
    station = station_of(job.row.state)
    assert station is not None
    try:
        outcome = STATIONS[station](line, job)
        with line.store.transaction() as (session, now):
            decided = outcome if isinstance(outcome, Outcome) else outcome(session, now)
            return finish(line, job, decided, session, now)
    except (Waits, Raced) as error:
        postpone(line, job, error.code)
    except Unavailable as error:
        put_off(line, job, error.code)
    except Conflict:
        return None
    return None


def put_off(line: Line, job: Job[R], code: str) -> None:
    """Postpone the job; after a number of attempts a task for a person is opened, once."""
    with line.store.transaction() as (session, now):
        queue.put_off(line, job.row, code, session, now)
