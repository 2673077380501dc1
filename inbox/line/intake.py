"""Polls gateways for waiting messages, and records each notice before acting on it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlmodel import col, or_, select

from inbox import audit
from inbox.domain import ArrivalState, new_id
from inbox.errors import Conflict, Unavailable
from inbox.gateway import Gateway, Notice
from inbox.line import Line
from inbox.line.delivery_events import repeat_unanswered_events
from inbox.line.pulses import GATEWAY, record_pulse, remember_absence
from inbox.line.queue import bring_forward_gateway_work
from inbox.line.receipts import choose_due_receipts_again
from inbox.line.settle import Step, settle
from inbox.store import Transaction
from inbox.tables import Arrival, WrappedKey

NOTICES_PER_ROUND: Final = 50
"""At most so many notices are taken from a channel at a time: a peek locks at the gateway."""

_FINISHED: Final = (ArrivalState.CONFIRMED, ArrivalState.ABANDONED)


def ask_again(line: Line) -> None:
    """Repeat what has waited too long for an answer. Safe to repeat; no neighbour is called."""
    if line.standstill.gap is not None:
        return
    repeat_unanswered_events(line)
    choose_due_receipts_again(line)


def poll_gateway(line: Line, gateway: Gateway) -> int:
    """Poll one gateway once; returns how many notices were new. Safe to repeat.

    Nothing is asked of it while there is too little space to take custody. What waited while it was
    away is due at once when it answers again.
    """
    name = GATEWAY + gateway.channel
    if not line.has_free_space():
        record_pulse(line, name, "vault.full")
        return 0
    new = 0
    try:
        for notice, asked_at in _notices(line, gateway):
            new += announce(line, notice, asked_at)
    except Unavailable as error:
        record_pulse(line, name, error.code, error.status)
    else:
        remember_absence(line, gateway.channel)
        if record_pulse(line, name, None):
            bring_forward_gateway_work(line, gateway.channel)
    return new


def _notices(line: Line, gateway: Gateway) -> Iterator[tuple[Notice, datetime]]:
    """Each with a time before the gateway was asked for it."""
    asked_at = _database_now(line)
    for notice in gateway.waiting_notices(NOTICES_PER_ROUND):
        yield notice, asked_at
        asked_at = _database_now(line)


def _database_now(line: Line) -> datetime:
    with line.store.reading() as tx:
        return tx.now


def announce(line: Line, notice: Notice, asked_at: datetime) -> bool:
    """Record a notice as an arrival.

    Returns False if we have it already and are not finished with it.

    What was confirmed since the gateway was asked may be gone from there by now: that is no news.
    If it has been delivered again, the gateway shows it again. Of two processes that see it at once
    one writes it down; the round of the other goes on.
    """
    try:
        return _record_if_new(line, notice, asked_at)
    except Conflict:
        return False


def _record_if_new(line: Line, notice: Notice, asked_at: datetime) -> bool:
    with line.store.transaction() as tx:
        standing = tx.exec(
            select(Arrival).where(
                col(Arrival.channel) == notice.channel,
                col(Arrival.service) == notice.service,
                col(Arrival.organisation) == notice.organisation,
                col(Arrival.wire_id) == notice.wire_id,
                or_(col(Arrival.state).not_in(_FINISHED), col(Arrival.confirmed_at) > asked_at),
            )
        ).first()
        if standing is not None:
            _retry_missed(tx, standing)
            return False
        insert_arrival(line, tx, notice)
        return True


def _retry_missed(tx: Transaction, arrival: Arrival) -> None:
    """A missed arrival that the gateway shows again is tried again, with back-off."""
    if arrival.state is not ArrivalState.MISSED:
        return
    if arrival.due_at is not None and arrival.due_at > tx.now:
        return
    settle(tx, Step(row=arrival, became=ArrivalState.ANNOUNCED, by="announce"))


def insert_arrival(line: Line, tx: Transaction, notice: Notice) -> Arrival:
    """Insert the arrival of a notice, ANNOUNCED, with its audit entry."""
    arrival_id = new_id()
    key, wrapped = line.keyring.new_data_key()
    tx.add(
        WrappedKey(id=arrival_id, kek_id=wrapped.kek_id, wrapped=wrapped.wrapped, created_at=tx.now)
    )
    sealed = None
    if notice.envelope is not None:
        sealed = key.seal(
            notice.envelope, table="arrival", column="sealed_envelope", row=arrival_id
        )
    arrival = Arrival(
        id=arrival_id,
        channel=notice.channel,
        service=notice.service,
        organisation=notice.organisation,
        wire_id=notice.wire_id,
        state=ArrivalState.ANNOUNCED,
        due_at=tx.now,
        expires_at=notice.expires_at,
        announced_at=tx.now,
        sealed_envelope=sealed,
    )
    tx.add(arrival)
    audit.record(
        tx,
        audit.Entry(
            event="arrival:announced",
            who="worker",
            subject=arrival_id,
            became=ArrivalState.ANNOUNCED.value,
        ),
    )
    return arrival
