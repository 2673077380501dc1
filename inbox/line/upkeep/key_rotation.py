"""Wraps every data key anew under the active key-encryption key, so that old ones may go.

A data key is stored wrapped (RFC 5649) by a key-encryption key, which is a file. `inbox keys add`
makes a new file; what is stored stays under the old one until it is rewrapped here. The data keys
themselves, and so everything that they encrypt, stay as they are.

Safe to stop anywhere, and to begin again: each batch is one transaction, and a row says by the id
of its key whether it is done. The line may work meanwhile:

* A row that another transaction holds is left for the next round (`SKIP LOCKED`), so nobody waits
  for this and this waits for nobody. SQLite has one writer at a time.
* The row is locked from reading to writing. So a data key that is destroyed at the same moment, to
  erase a message, stays destroyed.
* Processes read a key file that came into their folder after they began (`Keyring`).

What this cannot know is whether a worker goes on wrapping new data keys with an old key. So every
worker notes with which one it does, and an old key is not called free while one was seen lately.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import col, select

from inbox import audit
from inbox.errors import ConfigurationError, Conflict, IntegrityError
from inbox.keys import Keyring, WrappedDataKey, proof_kek_id
from inbox.line import Line
from inbox.line.pulses import WRAPS_WITH
from inbox.store import Transaction
from inbox.tables import Installation, Pulse, WrappedKey, table_of

SEEN_LATELY: Final = timedelta(minutes=2)
"""A worker notes its key every ten seconds; one that has not for so long has ended."""
_BATCH: Final = 200
"""So few that SQLite's only writer is busy for some hundredths of a second."""
_KEYS: Final = table_of(WrappedKey)


@dataclass(frozen=True, kw_only=True)
class KekUse:
    """What still needs one key-encryption key."""

    kek_id: str
    is_active: bool
    is_at_hand: bool
    data_keys: int
    """How many are wrapped by it."""
    proves: bool
    """Whether the proof that the keys belong to this database was made with it."""
    wraps_at: datetime | None
    """When a worker was seen lately that wraps new data keys with it; None: none was."""

    @property
    def is_free(self) -> bool:
        """Whether it may be taken away from the key folder."""
        used = self.is_active or self.proves or self.wraps_at is not None
        return not used and self.data_keys == 0


@dataclass(frozen=True, kw_only=True)
class RewrappedBatch:
    """What one transaction did."""

    rewrapped: int
    refused: tuple[tuple[str, str], ...]
    """Owner and code of each data key that cannot be unwrapped: it stays as it is."""
    last: str
    """The last owner that it came to."""


def kek_uses(tx: Transaction, keyring: Keyring) -> tuple[KekUse, ...]:
    """Every key-encryption key that is at hand or needed, and what still needs it."""
    found = tx.execute(
        sa.select(_KEYS.c.kek_id, sa.func.count())
        .where(_KEYS.c.kek_id.is_not(None), _KEYS.c.wrapped.is_not(None))
        .group_by(_KEYS.c.kek_id)
    )
    wrapped: dict[str, int] = dict(map(tuple, found))
    proof = tx.exec(select(Installation.key_proof)).first()
    proves = None if proof is None else proof_kek_id(proof)
    seen = _seen_lately(tx)
    return tuple(
        KekUse(
            kek_id=kek_id,
            is_active=kek_id == keyring.active,
            is_at_hand=kek_id in keyring.kek_ids(),
            data_keys=wrapped.get(kek_id, 0),
            proves=kek_id == proves,
            wraps_at=seen.get(kek_id),
        )
        for kek_id in sorted({*keyring.kek_ids(), *wrapped, *seen})
    )


def check_may_rotate(uses: tuple[KekUse, ...]) -> None:
    """Raise if what is wrapped by the active key could not be opened, or would not stay so.

    `keys.active_differs` (`ConfigurationError`): the database knows of a newer key than this folder
    calls active. `keys.worker_behind` (`Conflict`): a worker wraps with another key, and may not
    have the active one at all.
    """
    active = next(use for use in uses if use.is_active)
    if not active.proves:
        raise ConfigurationError(
            "keys.active_differs",
            f"{active.kek_id} is active in this key folder, and this database was last given"
            " another key: copy the key folder of the machine where `inbox keys add` ran, or run"
            " it again here if it was interrupted",
        )
    for use in uses:
        if use.wraps_at is not None and not use.is_active:
            raise Conflict(
                "keys.worker_behind",
                f"a worker still wraps with {use.kek_id}, seen at {use.wraps_at:%H:%M:%S} UTC: copy"
                " the key folder to its machine, start it anew, and rotate two minutes later",
            )


def rewrap_keys(line: Line, *, batch_size: int = _BATCH) -> Iterator[RewrappedBatch]:
    """Wrap what is under other keys under the active one, batch by batch, each committed.

    Rounds go on until one changes nothing: what others had locked is reached by the next one.
    """
    moved = 1
    while moved:
        moved, place = 0, ""
        while (batch := _rewrap_batch(line, place, batch_size)) is not None:
            moved, place = moved + batch.rewrapped, batch.last
            yield batch


def _rewrap_batch(line: Line, after: str, size: int) -> RewrappedBatch | None:
    """The next data keys that are under other keys, in the order of their owners."""
    active, refused = line.keyring.active, []
    with line.store.transaction() as tx:
        rows = tx.execute(
            sa.select(_KEYS.c.id, _KEYS.c.kek_id, _KEYS.c.wrapped)
            .where(_KEYS.c.id > after, _KEYS.c.kek_id != active, _KEYS.c.wrapped.is_not(None))
            .order_by(_KEYS.c.id)
            .limit(size)
            .with_for_update(skip_locked=True)
        ).all()
        if not rows:
            return None
        for owner, kek_id, wrapped in rows:
            try:
                fresh = line.keyring.rewrap(WrappedDataKey(kek_id=kek_id, wrapped=wrapped))
            except (ConfigurationError, IntegrityError) as error:
                refused.append((owner, error.code))
                continue
            tx.execute(
                sa.update(_KEYS)
                .where(_KEYS.c.id == owner, _KEYS.c.wrapped == wrapped)
                .values(kek_id=fresh.kek_id, wrapped=fresh.wrapped)
            )
        if len(refused) < len(rows):
            audit.record(tx, audit.Entry(event="key:rewrapped", who="operator", subject=active))
    return RewrappedBatch(
        rewrapped=len(rows) - len(refused), refused=tuple(refused), last=rows[-1].id
    )


def _seen_lately(tx: Transaction) -> dict[str, datetime]:
    """By the id of a key, when a worker was seen that wraps with it."""
    found = tx.exec(select(Pulse).where(col(Pulse.name).startswith(WRAPS_WITH)))
    return {
        pulse.name.removeprefix(WRAPS_WITH): pulse.at
        for pulse in found
        if pulse.at is not None and abs(tx.now - pulse.at) < SEEN_LATELY
    }
