"""Neighbours whose effects are points: noted before and after, and where a process may be ended."""

import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import event as sqlalchemy_event
from sqlmodel import Session

from inbox import audit
from inbox.casesystem import DeliveryEvent, EventSender
from inbox.domain import OrgNumber, WireId
from inbox.gateway import (
    ConfirmResult,
    Gateway,
    IncomingPackage,
    Notice,
    ReceiptRoute,
    SendStatus,
    SetupFault,
)
from inbox.store import Transaction
from inbox.vault import StoredObject, Vault


class EffectPoints:
    """The places just before and just after each effect."""

    def __init__(self, note: Path, die_at: int | None) -> None:
        self._file = os.open(note, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        self._die_at, self._passed = die_at, 0

    def passed(self, name: str) -> None:
        """One more; the process may end here."""
        self._passed += 1
        os.write(self._file, f"{name}\n".encode())
        if self._passed == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        """Before and after what happens inside; not after, if it raised."""
        self.passed(f"before {name}")
        yield
        self.passed(f"after {name}")

    def seal(self, tx: Transaction) -> None:
        """The audit's own, with a point before and after each commit, named by what it settles."""
        entries: list[audit.Entry] = tx.entries
        names = [f"{e.event}/{e.by}" for e in entries] or ["commit"]
        audit.seal(tx)
        for name in names:
            self.passed(f"before {name}")

        def committed(_: Session) -> None:
            for name in names:
                self.passed(f"after {name}")

        sqlalchemy_event.listen(tx, "after_commit", committed, once=True)


@dataclass(frozen=True)
class WatchedVault:
    """A vault whose writes and removals are points."""

    real: Vault
    points: EffectPoints

    def store(self, name: str, chunks: Iterable[bytes], key: bytes) -> StoredObject:
        """As the vault's, with a point after each chunk too."""
        with self.points.around("vault:store"):
            return self.real.store(name, self._seen(chunks), key)

    def _seen(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            yield chunk
            self.points.passed("during vault:store")

    def open(self, name: str, key: bytes) -> BinaryIO:
        """As the vault's."""
        return self.real.open(name, key)

    def remove(self, name: str) -> None:
        """As the vault's."""
        with self.points.around("vault:remove"):
            self.real.remove(name)

    def names(self) -> Iterator[tuple[str, datetime]]:
        """As the vault's."""
        return self.real.names()

    def set_aside(self, name: str) -> None:
        """As the vault's."""
        self.real.set_aside(name)

    def restore_from_aside(self, name: str) -> bool:
        """As the vault's."""
        return self.real.restore_from_aside(name)

    def remove_set_aside(self, before: datetime) -> int:
        """As the vault's."""
        return self.real.remove_set_aside(before)

    def remove_partial_objects(self, before: datetime) -> int:
        """As the vault's."""
        return self.real.remove_partial_objects(before)

    def free_bytes(self) -> int:
        """As the vault's."""
        return self.real.free_bytes()


@dataclass(frozen=True)
class WatchedGateway:
    """A channel whose calls are points."""

    real: Gateway
    points: EffectPoints

    @property
    def channel(self) -> str:
        """As the channel's."""
        return self.real.channel

    def waiting_notices(self, at_most: int) -> Iterator[Notice]:
        """As the channel's."""
        for notice in self.real.waiting_notices(at_most):
            self.points.passed("after gateway:announced")
            yield notice

    @contextmanager
    def fetch(self, notice: Notice) -> Iterator[IncomingPackage]:
        """As the channel's."""
        with self.points.around("gateway:fetch"), self.real.fetch(notice) as fetched:
            yield fetched

    def confirm(self, notice: Notice) -> ConfirmResult:
        """As the channel's."""
        with self.points.around("gateway:confirm"):
            return self.real.confirm(notice)

    def undelivered(self, since: datetime) -> Iterator[Mapping[WireId, str]]:
        """As the channel's."""
        return self.real.undelivered(since)

    def undelivered_notice(self, wire_id: WireId) -> Notice | None:
        """As the channel's."""
        return self.real.undelivered_notice(wire_id)

    def taken(self, since: datetime) -> Iterator[list[WireId]]:
        """As the channel's."""
        return self.real.taken(since)

    def taken_notice(self, wire_id: WireId) -> Notice | None:
        """As the channel's."""
        return self.real.taken_notice(wire_id)

    def waiting_envelope(self, notice: Notice) -> bytes | None:
        """As the channel's."""
        return self.real.waiting_envelope(notice)

    def receipt_route(self, receiver: OrgNumber) -> ReceiptRoute:
        """As the channel's."""
        return self.real.receipt_route(receiver)

    def setup_faults(self) -> tuple[SetupFault, ...]:
        """As the channel's."""
        return self.real.setup_faults()

    def create_receipt(self, receipt_id: str, body: Mapping[str, object]) -> None:
        """As the channel's."""
        with self.points.around("gateway:create_receipt"):
            self.real.create_receipt(receipt_id, body)

    def send_receipt(self, receipt_id: str) -> None:
        """As the channel's."""
        with self.points.around("gateway:send_receipt"):
            self.real.send_receipt(receipt_id)

    def receipt_status(self, receipt_id: str) -> SendStatus:
        """As the channel's."""
        return self.real.receipt_status(receipt_id)

    def clock_skew(self) -> timedelta | None:
        """As the channel's."""
        return self.real.clock_skew()


@dataclass(frozen=True)
class WatchedSender:
    """A sender of events whose sends are points."""

    real: EventSender
    points: EffectPoints

    def send(self, url: str, secret: bytes, event: DeliveryEvent, now: datetime) -> None:
        """As the sender's."""
        with self.points.around("event:send"):
            self.real.send(url, secret, event, now)
