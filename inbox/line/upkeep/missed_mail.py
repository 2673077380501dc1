"""Finds mail that ended at a gateway undelivered while nobody asked for it.

The gateway removes what expires (after 24 hours by default), so mail that came and went during an
absence of ours never shows. What is left are its statuses. They are read after an absence, and once
a day; a message that ended there and has no arrival of ours becomes a MISSED one, with a task.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import col, select

from inbox.domain import ArrivalState, WireId
from inbox.errors import Conflict, Unavailable
from inbox.gateway import Gateway, Notice
from inbox.line import Line
from inbox.line.intake import insert_arrival
from inbox.line.pulses import STATUSES, record_pulse
from inbox.line.settle import Step, settle
from inbox.store import Transaction
from inbox.tables import Arrival, Installation, Pulse

READ_EVERY: Final = timedelta(days=1)
_OVERLAP: Final = timedelta(days=1)
"""What is read twice: the gateway's clock is not ours, and a reading takes time."""


def find_missed_mail(
    line: Line, gateway: Gateway, *, stopped: Callable[[], bool] = lambda: False
) -> int:
    """Read the gateway's statuses, if that is due; returns how many messages were missed.

    Safe to repeat, and for several processes at once. What a gateway does not answer, and what was
    not read when the process was `stopped`, is read later, from where the last whole reading began.
    """
    with line.store.reading() as tx:
        since = _unread_since(tx, gateway.channel)
    if since is None:
        return 0
    name, missed = STATUSES + gateway.channel, 0
    try:
        for codes in gateway.undelivered(since):
            if stopped():
                return missed
            for wire_id in _unknown(line, gateway.channel, codes):
                if stopped():
                    return missed
                notice = gateway.undelivered_notice(wire_id)
                if notice is not None:
                    missed += _record_missed(line, notice, codes[wire_id])
    except Unavailable as error:
        record_pulse(line, name, error.code, error.status)
    else:
        record_pulse(line, name, None)
    return missed


def _unread_since(tx: Transaction, channel: str) -> datetime | None:
    """From when on statuses are to be read; None while that is not due.

    A time of the last reading that lies ahead is the word of a clock that was wrong.
    """
    installed_at = tx.exec(select(Installation.created_at)).one()
    pulse = tx.get(Pulse, STATUSES + channel)
    if pulse is None or pulse.at is None or pulse.at > tx.now:
        return installed_at
    if pulse.code is None and tx.now - pulse.at < READ_EVERY:
        return None
    return max(installed_at, pulse.at - _OVERLAP)


def _unknown(line: Line, channel: str, wire_ids: Iterable[WireId]) -> list[WireId]:
    """Those without an arrival of ours, whatever became of it."""
    with line.store.reading() as tx:
        of_these = select(Arrival.wire_id).where(
            col(Arrival.channel) == channel, col(Arrival.wire_id).in_(list(wire_ids))
        )
        known = set(tx.exec(of_these))
    return [each for each in wire_ids if each not in known]


def _record_missed(line: Line, notice: Notice, code: str) -> bool:
    """Record a message that nobody can fetch any more; False if another process just did."""
    with suppress(Conflict), line.store.transaction() as tx:
        known = select(Arrival.id).where(
            col(Arrival.channel) == notice.channel, col(Arrival.wire_id) == notice.wire_id
        )
        if tx.exec(known).first() is not None:
            return False
        arrival = insert_arrival(line, tx, notice)
        tx.flush()
        step = Step(
            row=arrival,
            became=ArrivalState.MISSED,
            by="fetch",
            code=code,
            values={"misses": 1},
        )
        settle(tx, step)
        return True
    return False
