"""Reads, slowly and round after round, all stored content that is not erased, to find damage early.

A round goes through the messages in the order in which they were received. How far it is stands in
the database (two pulses): a restart goes on where it was, and several workers share a round.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from inbox.domain import new_id
from inbox.errors import ConcurrentWrite, ConfigurationError, IntegrityError, Unavailable
from inbox.keys import DataKey
from inbox.line import Line
from inbox.line.damage import report_damage
from inbox.line.queue import unwrap_stored_key
from inbox.line.settle import WORKER, close_tasks, has_open_task
from inbox.line.task_kinds import TaskKind
from inbox.tables import Message, Pulse, WrappedKey

ROUND: Final = timedelta(days=1)
"""A round begins at most so often."""
BYTES_PER_STEP: Final = 64 << 20
"""A step ends after the message that exceeds this."""
_PLACE: Final = "scrub.place"
"""Its time is when the message was received that was read last; none at the begin of a round."""
_BEGUN: Final = "scrub.begun"
"""Its time is when the round began."""
_CHUNK: Final = 256 << 10
_SEALED_COLUMNS: Final = (
    "sealed_envelope",
    "sealed_metadata",
    "sealed_archive",
    "sealed_documents",
    "sealed_reference",
)


def scrub_step(
    line: Line, *, max_bytes: int = BYTES_PER_STEP, stopped: Callable[[], bool] = lambda: False
) -> int:
    """Read the next stored messages whole; returns how many were read.

    Damage becomes a task for an operator; the task is closed when the message is found whole again,
    because somebody put a good copy in its place.
    """
    read, size = 0, 0
    while size < max_bytes and not stopped():
        batch = _take_next(line)
        if not batch:
            break
        for message_id in batch:
            size += _check_message(line, message_id)
            read += 1
    return read


def _take_next(line: Line) -> Sequence[str]:
    """The ids of the messages that were received next, all of one moment; the place moves on."""
    try:
        with line.store.transaction() as tx:
            place, begun = _pulse(tx, _PLACE), _pulse(tx, _BEGUN)
            if begun.at is None:
                begun.at = tx.now
            batch = _received_after(tx, place.at)
            if not batch and abs(tx.now - begun.at) >= ROUND:
                begun.at, place.at = tx.now, None
                batch = _received_after(tx, None)
            if batch:
                place.at = batch[0].received_at
            return [message.id for message in batch]
    except ConcurrentWrite:
        return []


def _pulse(session: Session, name: str) -> Pulse:
    """The pulse of this name, locked; made if there is none."""
    found = session.get(Pulse, name, with_for_update=True)
    if found is None:
        found = Pulse(name=name)
        session.add(found)
        session.flush()
    return found


def _received_after(session: Session, place: datetime | None) -> Sequence[Message]:
    stored = select(Message).where(col(Message.object_name).is_not(None))
    after = stored if place is None else stored.where(col(Message.received_at) > place)
    first = session.exec(after.order_by(col(Message.received_at)).limit(1)).first()
    if first is None:
        return []
    same_moment = stored.where(col(Message.received_at) == first.received_at)
    return session.exec(same_moment.order_by(col(Message.id))).all()


def _check_message(line: Line, message_id: str) -> int:
    """Read all that is stored of one message; how many bytes its package has."""
    with line.store.reading() as tx:
        message = tx.get_one(Message, message_id)
        stored = tx.get(WrappedKey, message_id)
    if message.object_name is None:
        return 0
    try:
        _read_whole(line, message, _key_of(line, stored))
    except IntegrityError as error:
        report_damage(line, message_id, error.code)
    except Unavailable as error:
        if _vault_works(line):  # So it is this object that the disk does not give.
            report_damage(line, message_id, error.code)
    except ConfigurationError:
        return 0  # A key that this process does not have: that is reported elsewhere.
    else:
        _close_damage_task(line, message_id)
    return message.size


def _key_of(line: Line, stored: WrappedKey | None) -> DataKey:
    key = None if stored is None else unwrap_stored_key(line, stored)
    if key is None:
        raise IntegrityError("keys.missing", "a message with content and without its key")
    return key


def _read_whole(line: Line, message: Message, key: DataKey) -> None:
    for column in _SEALED_COLUMNS:
        sealed = getattr(message, column)
        if sealed is not None:
            key.unseal(sealed, table="message", column=column, row=message.id)
    digest = hashlib.sha256()
    with line.vault.open(message.object_name or "", key.object_key()) as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != message.digest:
        raise IntegrityError("vault.digest", "the object is whole, but not what was received")


def _vault_works(line: Line) -> bool:
    name = f"scrub-{new_id()}"
    with suppress(Unavailable):
        line.vault.store(name, [b"scrub"], secrets.token_bytes(32))
        line.vault.remove(name)
        return True
    return False


def _close_damage_task(line: Line, message_id: str) -> None:
    with line.store.reading() as tx:
        if not has_open_task(tx, TaskKind.DAMAGED, message_id):
            return
    with line.store.transaction() as tx:
        close_tasks(tx, subject=message_id, kinds=[TaskKind.DAMAGED], who=WORKER)
