"""The queue of incoming messages: filters, ownerless locks that run out, time to live."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from inbox.simulator.http.wire import Refusal
from inbox.simulator.packages import envelopes
from inbox.simulator.packages.envelopes import DEFAULT_LIFE, Envelope

CANDIDATES = 20
SERVICES = ("DPO", "DPF", "DPE", "DPH", "DPV", "DPI", "UNKNOWN")


class Damage(StrEnum):
    """Ways in which the gateway can hold a package and yet not give it (§1.4, §11)."""

    UNDECRYPTABLE = "undecryptable"
    """pop answers 204, and the message stays."""
    FILE_MISSING = "file missing"
    """pop answers 404 FileNotFound once; the message is removed, its status here is FEIL."""
    FILE_GONE = "file gone"
    """pop answers 404 FileNotFound for ever: the removal is rolled back, as in older builds."""
    EMPTY = "empty"
    """pop answers 200 with `Content-Length: 0`, and the message stays."""
    UNREADABLE = "unreadable"
    """pop answers 500 AsicRead, and the message stays."""


Source = bytes | Path | Callable[[], Iterator[bytes]]
Package = Source | Damage | None
"""None: nothing was stored at all, and pop answers 500 UnexpectedRollback for ever."""


@dataclass(kw_only=True)
class Waiting:
    """One message in the queue."""

    envelope: Envelope
    package: Package
    service: str
    last_updated: datetime
    expires_at: datetime
    number: int
    locked_until: datetime | None = None

    @property
    def message_id(self) -> str:
        """The sender's id of it."""
        return envelopes.message_id_of(self.envelope)


FILTERS: Mapping[str, Callable[[Waiting], str]] = {
    "messageId": lambda waiting: waiting.message_id,
    "conversationId": lambda waiting: envelopes.conversation_id_of(waiting.envelope),
    "receiverIdentifier": lambda waiting: envelopes.org_of(waiting.envelope, "receiver"),
    "senderIdentifier": lambda waiting: envelopes.org_of(waiting.envelope, "sender"),
    "serviceIdentifier": lambda waiting: waiting.service,
    "process": lambda waiting: envelopes.process_of(waiting.envelope),
}
"""Exact names and values; a name that is not here is ignored, as in the real thing."""


class GatewayQueue:
    """What waits; the caller holds the lock and has called `tidy` first."""

    def __init__(self, lock_time: timedelta) -> None:
        self._lock_time = lock_time
        self._waiting: dict[str, Waiting] = {}
        self._arrivals = 0

    def put(self, envelope: Envelope, package: Package, service: str, now: datetime) -> bool:
        """A delivery by the transport; False if the time to live is over already.

        While the same id waits it is dropped as a duplicate, but its package has then already
        overwritten the stored one (§1.6).
        """
        expires_at = envelopes.life_ends_at(envelope) or now + DEFAULT_LIFE
        if service == "DPF" and expires_at <= now:
            expires_at = now + DEFAULT_LIFE  # counted from download, whatever the shipment's age
        if expires_at <= now:
            return False
        there = self._waiting.get(envelopes.message_id_of(envelope))
        if there is not None:
            there.package = package
            return True
        self._arrivals += 1
        waiting = Waiting(
            envelope=envelope,
            package=package,
            service=service,
            last_updated=now,
            expires_at=expires_at,
            number=self._arrivals,
        )
        self._waiting[waiting.message_id] = waiting
        return True

    def tidy(self, now: datetime) -> list[Waiting]:
        """Clear locks that ran out; remove what expired, locked or not, and give it."""
        for waiting in self._waiting.values():
            if waiting.locked_until is not None and waiting.locked_until <= now:
                waiting.last_updated = waiting.locked_until
                waiting.locked_until = None
        expired = [each for each in self._waiting.values() if each.expires_at <= now]
        for waiting in expired:
            del self._waiting[waiting.message_id]
        return expired

    def matching(self, query: Mapping[str, str]) -> list[Waiting]:
        """Locked and unlocked alike, in no promised order."""
        wanted = {name: value for name, value in query.items() if name in FILTERS}
        service = wanted.get("serviceIdentifier")
        if service and service not in SERVICES:
            raise Refusal(
                500,
                "org.springframework.dao.InvalidDataAccessApiUsageException",
                "No enum constant ServiceIdentifier." + service,
            )
        return [
            waiting
            for waiting in self._waiting.values()
            if all(value and FILTERS[name](waiting) == value for name, value in wanted.items())
        ]

    def peek(self, query: Mapping[str, str], now: datetime) -> Waiting | None:
        """Lock the oldest by `lastUpdated` of at most twenty unlocked candidates."""
        free = [waiting for waiting in self.matching(query) if waiting.locked_until is None]
        free.sort(key=lambda waiting: (waiting.last_updated, waiting.number))
        for waiting in free[:CANDIDATES]:
            waiting.locked_until = now + self._lock_time
            return waiting
        return None

    def locked(self, message_id: str) -> Waiting:
        """The message, which anyone may have locked; otherwise 404 or 400."""
        waiting = self._waiting.get(message_id)
        if waiting is None:
            raise Refusal(
                404, "MessageNotFoundException", f"Message with id {message_id} not found"
            )
        if waiting.locked_until is None:
            message = f"Message with id {message_id} is not locked"
            raise Refusal(400, "MessageNotLockedException", message)
        return waiting

    def unlock(self, message_id: str, now: datetime) -> None:
        """The lock is gone, which moves the message to the back of the queue."""
        waiting = self._waiting.get(message_id)
        if waiting is not None and waiting.locked_until is not None:
            waiting.locked_until = None
            waiting.last_updated = now

    def expire(self, message_id: str, now: datetime) -> None:
        """It has expired from now on."""
        waiting = self._waiting.get(message_id)
        if waiting is not None:
            waiting.expires_at = now

    def remove(self, message_id: str) -> None:
        """It is gone; safe to repeat."""
        self._waiting.pop(message_id, None)

    def find(self, message_id: str) -> Waiting | None:
        """The message, if it waits."""
        return self._waiting.get(message_id)

    def put_back(self, message_id: str, waiting: Waiting | None) -> None:
        """As it was before; None: it did not wait."""
        self._waiting.pop(message_id, None)
        if waiting is not None:
            self._waiting[message_id] = waiting

    def all(self) -> list[Waiting]:
        """Everything that waits, in the order it came."""
        return sorted(self._waiting.values(), key=lambda waiting: waiting.number)
