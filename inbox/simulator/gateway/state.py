"""What one simulated integrasjonspunkt knows, behind one lock, up to date at each look."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from inbox.simulator.gateway.outbox import DISCARDED, OtherEnd, Outgoing, OutgoingMessages
from inbox.simulator.gateway.queue import GatewayQueue, Package, Waiting
from inbox.simulator.gateway.statuses import Ledger
from inbox.simulator.gateway.undo import WriteLog
from inbox.simulator.gateway.webhooks import Subscriptions
from inbox.simulator.packages import envelopes
from inbox.simulator.packages.envelopes import DEFAULT_LIFE, Envelope
from inbox.simulator.sender import SenderSide

STATUS_SERVICES = ("DPO", "DPE")
"""Services whose sender hears of the DELETE (§1.5)."""

Capabilities = Mapping[str, Mapping[str, str]]
"""Organisation number -> process URN -> service that carries it there."""


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What the transport has once delivered, so that it can do it again."""

    envelope: Envelope
    package: Package
    service: str


@dataclass(kw_only=True)
class Setup:
    """How this gateway is set up; may be changed while it runs."""

    own_org: str
    capabilities: dict[str, dict[str, str]]
    enabled: frozenset[str]
    credentials: tuple[str, str] | None
    trailing_slash: bool
    healthy: bool = True
    registry_cached_for: timedelta = timedelta()
    """How long an answer of the registry is kept, whatever changes there."""
    delivered_late_by: timedelta = timedelta()
    """How long the status LEVERT takes to the sender: a kvittering may be quicker."""
    _cached: dict[str, tuple[datetime, dict[str, str] | None]] = field(default_factory=dict)

    def look_up(self, org_number: str, now: datetime) -> dict[str, str] | None:
        """What the registry says of an organisation (process -> service), or said a while ago."""
        asked_at, found = self._cached.get(org_number, (None, None))
        if asked_at is None or now - asked_at >= self.registry_cached_for:
            known = self.capabilities.get(org_number)
            found = None if known is None else dict(known)
            self._cached[org_number] = (now, found)
        return found


@dataclass(kw_only=True)
class Inside:
    """The parts, to be touched only inside `State.look`."""

    now: datetime
    queue: GatewayQueue
    outbox: OutgoingMessages
    ledger: Ledger
    sender: SenderSide
    subscriptions: Subscriptions
    delivered: dict[str, Delivered] = field(default_factory=dict)
    again: list[tuple[datetime, str]] = field(default_factory=list)
    delivered_late_by: timedelta = timedelta()
    late: list[tuple[datetime, str]] = field(default_factory=list)
    """Senders that are still to hear LEVERT, and when."""
    writes: WriteLog = field(default_factory=WriteLog)

    def remember(self, message_id: str, *, unlocked: Waiting | None = None) -> None:
        """Keep what is known of a message as it is before a write, so that a crash can undo it."""
        waiting = unlocked or self.queue.find(message_id)
        outgoing, conversation = self.outbox.find(message_id), self.ledger.find(message_id)
        before = None if waiting is None else replace(waiting)
        sent = None if outgoing is None else replace(outgoing)
        known = conversation and replace(conversation, statuses=list(conversation.statuses))

        def undo() -> None:
            self.queue.put_back(message_id, before)
            self.outbox.put_back(message_id, sent)
            self.ledger.put_back(message_id, known)

        self.writes.add(undo)

    def receive(self, envelope: Envelope, package: Package, service: str) -> None:
        """The transport delivers: into the queue, or dropped when it has expired."""
        message_id = envelopes.message_id_of(envelope)
        self.delivered[message_id] = Delivered(envelope=envelope, package=package, service=service)
        self.ledger.open(
            envelope,
            direction="INCOMING",
            service=service,
            expires_at=envelopes.life_ends_at(envelope) or self.now + DEFAULT_LIFE,
        )
        self.sender.handed_over(message_id, service)
        if self.queue.put(envelope, package, service, self.now):
            self.ledger.record(message_id, "OPPRETTET", self.now)
            self.ledger.record(message_id, "INNKOMMENDE_MOTTATT", self.now)
        else:
            self.expire(message_id, service)

    def redeliver(self, message_id: str, package: Package) -> None:
        """The transport delivers once more what it delivered before, with these bytes."""
        before = self.delivered[message_id]
        self.receive(before.envelope, package, before.service)

    def expire(self, message_id: str, service: str) -> None:
        """The time to live ran out."""
        self.ledger.record(message_id, "LEVETID_UTLOPT", self.now)
        self.sender.expired(message_id, service)

    def delete(self, waiting: Waiting) -> None:
        """The client has it: this, and only this, gives the sender LEVERT."""
        self.queue.remove(waiting.message_id)
        self.ledger.record(waiting.message_id, "INNKOMMENDE_LEVERT", self.now)
        if waiting.service in STATUS_SERVICES:
            self.late.append((self.now + self.delivered_late_by, waiting.message_id))
            self.tell_late_senders()

    def tell_late_senders(self) -> None:
        """LEVERT has reached the senders whose time has come."""
        for _, message_id in (each for each in self.late if each[0] <= self.now):
            self.sender.add(message_id, "LEVERT")
        self.late = [each for each in self.late if each[0] > self.now]

    def queue_for_sending(self, outgoing: Outgoing) -> None:
        """Hand it over; what resolves to DPV or DPF is discarded with false statuses (§2.3)."""
        if outgoing.queued_at is not None:
            return
        outgoing.queued_at, outgoing.other_end = self.now, self.outbox.end_for(outgoing)
        if outgoing.service != "DPO":
            outgoing.in_queue, outgoing.over = False, True
            for name in DISCARDED:
                self.ledger.record(outgoing.message_id, name, self.now)

    def progress(self, outgoing: Outgoing, name: str, at: datetime) -> None:
        """One status of something of ours on its way."""
        self.ledger.record(outgoing.message_id, name, at)
        if name == "MOTTATT":
            self.sender.arrived(outgoing.envelope)


class State:
    """The lock and the passing of time around `Inside`."""

    def __init__(
        self, setup: Setup, clock: Callable[[], datetime], *, lock_time: timedelta, pace: timedelta
    ) -> None:
        self.setup = setup
        self.clock = clock
        self._lock = threading.RLock()
        subscriptions = Subscriptions()
        self._inside = Inside(
            now=clock(),
            queue=GatewayQueue(lock_time),
            outbox=OutgoingMessages(pace),
            ledger=Ledger(subscriptions.tell),
            sender=SenderSide(),
            subscriptions=subscriptions,
        )

    @contextmanager
    def look(self) -> Iterator[Inside]:
        """The parts as they are now: locks that ran out, expiry and sending have happened."""
        with self._lock:
            inside = self._inside
            inside.now = self.clock()
            due = [each for each in inside.again if each[0] <= inside.now]
            inside.again = [each for each in inside.again if each[0] > inside.now]
            for _, message_id in due:
                inside.redeliver(message_id, inside.delivered[message_id].package)
            for waiting in inside.queue.tidy(inside.now):
                inside.expire(waiting.message_id, waiting.service)
            inside.outbox.advance(inside.now, inside.progress)
            inside.delivered_late_by = self.setup.delivered_late_by
            inside.tell_late_senders()
            yield inside


def service_for(setup: Setup, receiver: str, process: str, now: datetime) -> str | None:
    """The service that carries this process to the receiver, None if none does."""
    return (setup.look_up(receiver, now) or {}).get(process)


__all__ = ["Capabilities", "Delivered", "Inside", "OtherEnd", "Setup", "State", "service_for"]
