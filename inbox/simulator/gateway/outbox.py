"""What the own organisation sends: created, queued, handed over, taken by the other end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from inbox.simulator.packages import envelopes
from inbox.simulator.packages.envelopes import Envelope


class OtherEnd(StrEnum):
    """How the receiver of our messages behaves."""

    TAKES = "takes it"
    """SENDT, MOTTATT, LEVERT."""
    LEAVES = "leaves it"
    """SENDT, MOTTATT, and LEVETID_UTLOPT when the time has passed."""
    IS_AWAY = "is away"
    """SENDT, and LEVETID_UTLOPT when the time has passed; nothing arrives."""
    FAILS = "fails"
    """FEIL when sending; nothing arrives."""
    READS_FIRST = "reads first"
    """SENDT, LEST, MOTTATT, LEVERT: statuses travel on ways of their own."""


STEPS = {
    OtherEnd.TAKES: ("SENDT", "MOTTATT", "LEVERT"),
    OtherEnd.LEAVES: ("SENDT", "MOTTATT"),
    OtherEnd.IS_AWAY: ("SENDT",),
    OtherEnd.FAILS: ("FEIL",),
    OtherEnd.READS_FIRST: ("SENDT", "LEST", "MOTTATT", "LEVERT"),
}
DISCARDED = ("SENDT", "LEVERT", "LEST")
"""What the gateway claims at once of a kvittering that it discards (DPV, DPF; §2.3)."""


@dataclass(kw_only=True)
class Outgoing:
    """One message on its way out; it leaves the out-queue with SENDT."""

    envelope: Envelope
    service: str
    expires_at: datetime
    queued_at: datetime | None = None
    other_end: OtherEnd = OtherEnd.TAKES
    done: int = 0
    in_queue: bool = True
    over: bool = False

    @property
    def message_id(self) -> str:
        """Our own id of it."""
        return envelopes.message_id_of(self.envelope)

    def due(self, now: datetime, pace: timedelta) -> Iterator[tuple[str, datetime]]:
        """The statuses that have happened by now, each given once."""
        if self.queued_at is None or self.over:
            return
        steps = STEPS[self.other_end]
        while self.done < len(steps):
            at = self.queued_at + pace * (self.done + 1)
            if at > now:
                return
            self.done += 1
            self.in_queue = False
            yield steps[self.done - 1], at
        self.over = steps[-1] in ("LEVERT", "FEIL")
        if not self.over and self.expires_at <= now:
            self.over = True
            yield "LEVETID_UTLOPT", self.expires_at


class OutgoingMessages:
    """All outgoing messages; the caller holds the lock."""

    def __init__(self, pace: timedelta) -> None:
        self.pace = pace
        self.other_end = OtherEnd.TAKES
        self.end_of: dict[str, OtherEnd] = {}
        """Receivers that behave otherwise, by organisation number."""
        self._outgoing: dict[str, Outgoing] = {}

    def end_for(self, outgoing: Outgoing) -> OtherEnd:
        """How the receiver of this message behaves."""
        receiver = envelopes.org_of(outgoing.envelope, "receiver")
        return self.end_of.get(receiver, self.other_end)

    def add(self, outgoing: Outgoing) -> None:
        """Created, not sent."""
        self._outgoing[outgoing.message_id] = outgoing

    def queued(self, message_id: str) -> Outgoing | None:
        """The message while it is in the out-queue."""
        outgoing = self._outgoing.get(message_id)
        return outgoing if outgoing is not None and outgoing.in_queue else None

    def find(self, message_id: str) -> Outgoing | None:
        """The message, sent or not."""
        return self._outgoing.get(message_id)

    def put_back(self, message_id: str, outgoing: Outgoing | None) -> None:
        """As it was before; None: it was not there."""
        self._outgoing.pop(message_id, None)
        if outgoing is not None:
            self._outgoing[message_id] = outgoing

    def in_queue(self) -> list[Outgoing]:
        """Everything in the out-queue."""
        return [each for each in self._outgoing.values() if each.in_queue]

    def remove(self, message_id: str) -> None:
        """Discarded before it was sent."""
        del self._outgoing[message_id]

    def advance(self, now: datetime, tell: Callable[[Outgoing, str, datetime], None]) -> None:
        """Let time pass; `tell` hears each new status in order."""
        for outgoing in list(self._outgoing.values()):
            for name, at in outgoing.due(now, self.pace):
                tell(outgoing, name, at)
