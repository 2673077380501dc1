"""What the line asks of a channel, whatever carries it.

Every method may raise `Unavailable` (try again later, nothing has changed as far as we know) and
holds no state between calls. Calls are safe to repeat; what repeating means is said at each.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from inbox.domain import OrgNumber, Service, WireId


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something waits for us on a channel; the first four fields say which thing."""

    channel: str
    service: Service
    organisation: OrgNumber
    """The organisation of ours that it is for."""
    wire_id: WireId
    envelope: bytes | None = None
    """The SBD as it came, where the channel gives one at this point. Confidential."""
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """An open transfer: `chunks` must be read inside the `with` of `Gateway.fetch`."""

    chunks: Iterator[bytes]
    envelope: bytes | None = None
    """Where the channel gives the envelope only now (Altinn)."""


class Confirmed(StrEnum):
    """What the channel said when told that the bytes are ours."""

    DELIVERED = "delivered"
    GONE = "gone"
    """It had gone already (404): ours all the same, but the sender may not see LEVERT."""


@dataclass(frozen=True, kw_only=True)
class ReceiptRoute:
    """Whether a kvittering can really reach the sender; `obstacle` is None if it can."""

    obstacle: str | None = None


class SentState(StrEnum):
    """How far a kvittering has come, by the gateway's own statuses."""

    UNKNOWN = "unknown"
    """The gateway knows no such message."""
    CREATED = "created"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    EXPIRED = "expired"


class Gateway(Protocol):
    """One channel with the organisations, services and processes it was set up with."""

    @property
    def channel(self) -> str:
        """The name of this channel in configuration, rows and metrics."""

    def announced(self, at_most: int) -> Iterator[Notice]:
        """What waits, at most so many; takes only what is ours and may lock it at the gateway."""

    def fetch(self, notice: Notice) -> AbstractContextManager[Fetched]:
        """Open the transfer of the bytes. Repeatable.

        Raises:
            Gone: the gateway has nothing under this id (any more).
            NeverAccepted: it has it but cannot give it (`gateway.no_package`, …).
            Unavailable: anything else, also while reading `chunks` (`gateway.truncated`).
        """

    def confirm(self, notice: Notice) -> Confirmed:
        """Say that the bytes are ours, or that two persons gave it up. Gone is as good as done."""

    def receipt_route(self, receiver: OrgNumber) -> ReceiptRoute:
        """Ask whether the receiver's response process resolves to DPO. Reads only."""

    def create_receipt(self, receipt_id: str, body: Mapping[str, object]) -> None:
        """Create the kvittering under our id; "already exists" means that it was created before.

        Raises `NeverAccepted` with the gateway's reason where repeating would not help;
        `gateway.receiver_does_not_accept` may be a registry outage and is worth repeating.
        """

    def send_receipt(self, receipt_id: str) -> None:
        """Queue the created kvittering for sending; sent before is as good as sent now."""

    def receipt_status(self, receipt_id: str) -> SentState:
        """How far it has come. Reads only."""

    def clock_skew(self) -> timedelta | None:
        """The gateway's clock minus ours, by its Date header; None if it gave none."""
