"""When a part of the program last worked, and what is wrong with a neighbour, if anything is."""

from contextlib import suppress
from datetime import timedelta
from typing import Final

from sqlmodel import Session, col, select

from inbox.errors import Conflict
from inbox.line import Line
from inbox.tables import Pulse

PULSE_INTERVAL: Final = timedelta(seconds=10)
"""How exactly it is known when something last worked."""
WORKER: Final = "worker"
GATEWAY: Final = "gateway:"
CASE_SYSTEM: Final = "case_system:"
PROVIDER: Final = "provider:"
"""When an identity provider last answered; asked when somebody signs in, by no worker."""
WRAPS_WITH: Final = "kek:"
"""When a worker was last seen that wraps new data keys with the key of that id."""
STATUSES: Final = "statuses:"
"""When the statuses of a gateway were last read for mail that ended undelivered."""
ABSENCE: Final = timedelta(hours=3)
"""Without contact to a gateway for longer than this, mail may have expired there unseen."""
AFTER_ABSENCE: Final = "statuses.after_absence"
"""The code of a pulse of `STATUSES`: they are to be read again, whenever that was last done."""


def record_pulse(line: Line, name: str, code: str | None, status: int | None = None) -> bool:
    """Record that something ran just now, and the code and status of its error if there was one.

    Returns whether it works again after an error. Nothing is written if the same was recorded less
    than `PULSE_INTERVAL` ago. Another process may record the first pulse of a name at the same
    moment: that one is enough.
    """
    with line.store.reading() as tx:
        noted = tx.get(Pulse, name)
        fresh = code is not None or (noted and noted.at and abs(tx.now - noted.at) < PULSE_INTERVAL)
    if noted is not None and (noted.code, noted.status) == (code, status) and fresh:
        return False
    with suppress(Conflict), line.store.transaction() as tx:
        pulse = tx.get(Pulse, name)
        if pulse is None:
            pulse = Pulse(name=name)
            tx.add(pulse)
        pulse.code, pulse.status = code, status
        if code is None:
            pulse.at = tx.now
    return noted is not None and noted.code is not None and code is None


def remember_absence(line: Line, channel: str) -> None:
    """If this is the first contact to a gateway for hours, remember that.

    To be called before the contact itself is recorded: a process that stops in between, or another
    one that is quicker, forgets nothing.
    """
    with line.store.reading() as tx:
        contact = tx.get(Pulse, GATEWAY + channel)
    if contact is None or contact.at is None or abs(tx.now - contact.at) > ABSENCE:
        record_pulse(line, STATUSES + channel, AFTER_ABSENCE)


def neighbours_away(session: Session, kind: str) -> frozenset[str]:
    """The channels (`GATEWAY`) or case systems (`CASE_SYSTEM`) that are known to be away."""
    found = session.exec(
        select(Pulse.name).where(col(Pulse.name).startswith(kind), col(Pulse.code).is_not(None))
    )
    return frozenset(name.removeprefix(kind) for name in found)


def all_neighbours_away(session: Session) -> frozenset[str]:
    """The channels and case systems that are known to be away."""
    return neighbours_away(session, GATEWAY) | neighbours_away(session, CASE_SYSTEM)
