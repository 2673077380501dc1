"""Stations of an arrival: take custody of the package, confirm that to the gateway, or discard it.

The order is the promise: bytes synced in the vault, rows and audit committed, *then* DELETE.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from inbox.domain import ArrivalState, MessageState, OrgNumber, WireId, new_id
from inbox.errors import Gone, NeverAccepted, Unavailable
from inbox.gateway import ConfirmResult, Notice
from inbox.keys import DataKey, WrappedDataKey
from inbox.line import Job, Line, Outcome
from inbox.line.queue import renew_lease
from inbox.line.settle import open_task
from inbox.line.stations.station import Settling
from inbox.line.task_kinds import OTHER_BYTES_CODE, TaskKind
from inbox.line.throttle.transfer_slots import LONG_TRANSFER_BYTES
from inbox.package.zip.reader import has_complete_end
from inbox.store import Transaction
from inbox.tables import Arrival, Message, table_of
from inbox.tables import WrappedKey as WrappedKeyRow
from inbox.vault import StoredObject

_DISCARDED_BY_GATEWAY = frozenset(
    {"gateway.file_missing", "gateway.no_package", "gateway.unreadable"}
)
"""What the gateway said of a message before it threw it away: that is why it is gone."""
_FIRST_MISS_WAIT = timedelta(minutes=5)
_LONGEST_MISS_WAIT = timedelta(hours=24)


def notice_of(job: Job[Arrival]) -> Notice:
    """The notice by which the gateway knows this arrival."""
    row = job.row
    return Notice(
        channel=row.channel,
        service=row.service,
        organisation=OrgNumber(row.organisation),
        wire_id=WireId(row.wire_id),
        expires_at=row.expires_at,
    )


def fetch(line: Line, job: Job[Arrival]) -> "Outcome | Custody":
    """Stream the package into the vault under a new data key.

    If repeated, it stores another object.
    """
    row = job.row
    if not line.has_free_space():
        raise Unavailable("vault.full", "too little free space to take custody")
    try:
        return _take_custody(line, job)
    except Gone as error:
        return _missed_outcome(job, row.code if row.code in _DISCARDED_BY_GATEWAY else error.code)
    except (NeverAccepted, Unavailable) as error:
        hopeless = isinstance(error, NeverAccepted) or error.code == "gateway.truncated"
        if not hopeless:
            raise
        if row.attempts < line.terms.max_tries:
            raise Unavailable(error.code) from error
        return _missed_outcome(job, error.code)


@dataclass(frozen=True, kw_only=True)
class Custody:
    """Bytes that are synced to disk, and the only copy of the key to them."""

    name: str
    stored: StoredObject
    key: DataKey
    wrapped: WrappedDataKey
    envelope: bytes | None


def _take_custody(line: Line, job: Job[Arrival]) -> Custody:
    key, wrapped = line.keyring.new_data_key()
    name = f"{job.row.id}.{job.row.version}"
    gateway = line.gateways[job.row.channel]
    notice = notice_of(job)
    sealed = job.row.sealed_envelope is not None
    waiting = None if sealed else gateway.waiting_envelope(notice)
    with gateway.fetch(notice) as fetched:
        stored = line.vault.store(
            name, _with_lease_renewal(line, job, fetched.chunks), key.object_key()
        )
        envelope = fetched.envelope or waiting
    with line.vault.open(name, key.object_key()) as source:
        whole = has_complete_end(source)
    if not whole:
        line.vault.remove(name)
        raise Unavailable("gateway.truncated", "no complete end of the container")
    return Custody(name=name, stored=stored, key=key, wrapped=wrapped, envelope=envelope)


def _with_lease_renewal(line: Line, job: Job[Arrival], chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks, with the lease renewed while they come, and a long transfer in a long slot."""
    every = line.terms.lease.total_seconds() / 3
    renewed, taken = time.monotonic(), 0
    for chunk in chunks:
        taken += len(chunk)
        if taken > LONG_TRANSFER_BYTES:
            line.transfer_slots.move_to_long_slot()
        if time.monotonic() - renewed > every:
            renew_lease(line, job)
            renewed = time.monotonic()
        yield chunk


def _missed_outcome(job: Job[Arrival], code: str) -> Outcome:
    wait = min(_FIRST_MISS_WAIT * 2 ** min(job.row.misses, 10), _LONGEST_MISS_WAIT)
    return Outcome(
        became=ArrivalState.MISSED,
        code=code,
        values={"misses": job.row.misses + 1},
        due_at=job.now + wait,
    )


def record_custody(settling: Settling[Arrival], custody: Outcome | Custody) -> None:
    """The first bytes under a wire id make a message; the same again are a redelivery."""
    if isinstance(custody, Outcome):
        settling.move(custody)
        return
    job, tx = settling.job, settling.tx
    row = job.row
    known = tx.exec(
        select(Message).where(
            col(Message.organisation) == row.organisation,
            col(Message.channel) == row.channel,
            col(Message.wire_id) == row.wire_id,
        )
    ).all()
    same = next((m for m in known if m.digest == custody.stored.sha256), None)
    values: dict[str, object] = {
        "digest": custody.stored.sha256,
        "size": custody.stored.size,
        "stored_at": tx.now,
        "sealed_envelope": None,
    }
    if same is not None:
        settling.line.vault.remove(custody.name)
        values["message_id"] = same.id
    else:
        values["message_id"] = _new_message(job, custody, tx, shares=bool(known))
    _destroy_key(tx, row.id)
    settling.move(Outcome(became=ArrivalState.STORED, values=values))


def _new_message(job: Job[Arrival], custody: Custody, tx: Transaction, *, shares: bool) -> str:
    row, message_id = job.row, new_id()
    envelope = custody.envelope
    if envelope is None and row.sealed_envelope is not None:
        envelope = job.keys[row.id].unseal(
            row.sealed_envelope, table="arrival", column="sealed_envelope", row=row.id
        )
    message = Message(
        id=message_id,
        state=MessageState.QUARANTINED if shares else MessageState.RECEIVED,
        due_at=None if shares else tx.now,
        code=OTHER_BYTES_CODE if shares else None,
        organisation=row.organisation,
        channel=row.channel,
        service=row.service,
        wire_id=row.wire_id,
        digest=custody.stored.sha256,
        size=custody.stored.size,
        object_name=custody.name,
        received_at=tx.now,
        shares_wire_id=shares,
        sealed_envelope=None
        if envelope is None
        else custody.key.seal(envelope, table="message", column="sealed_envelope", row=message_id),
    )
    tx.add(message)
    tx.add(
        WrappedKeyRow(
            id=message_id,
            kek_id=custody.wrapped.kek_id,
            wrapped=custody.wrapped.wrapped,
            created_at=tx.now,
        )
    )
    tx.flush()
    for kind in (TaskKind.QUARANTINE, TaskKind.OTHER_BYTES) if shares else ():
        open_task(tx, kind=kind, subject=message_id, message_id=message_id, code=message.code)
    return message_id


def _destroy_key(tx: Transaction, arrival_id: str) -> None:
    """Destroy the arrival's own key: its envelope is sealed anew, or dropped."""
    keys = table_of(WrappedKeyRow)
    tx.execute(
        sa.update(keys)
        .where(keys.c.id == arrival_id)
        .values(kek_id=None, wrapped=None, destroyed_at=tx.now)
    )


def delete_at_gateway(line: Line, job: Job[Arrival]) -> ConfirmResult:
    """Confirm to the gateway that we have the package, or want none, so that it deletes its copy.

    Safe to repeat: "gone" counts as deleted.
    """
    return line.gateways[job.row.channel].confirm(notice_of(job))


def record_confirmed(settling: Settling[Arrival], answer: ConfirmResult) -> None:
    """`confirmed_at` is never before the DELETE: `announce` rests on it."""
    settling.move(
        Outcome(
            became=ArrivalState.CONFIRMED,
            values={"confirmed_as": answer.value, "confirmed_at": settling.tx.now},
        )
    )


def record_abandoned(settling: Settling[Arrival], answer: ConfirmResult) -> None:
    """Two people have given it up, and the gateway has it no more."""
    settling.move(
        Outcome(
            became=ArrivalState.ABANDONED,
            values={"confirmed_as": answer.value, "sealed_envelope": None},
        )
    )
    _destroy_key(settling.tx, settling.job.row.id)
