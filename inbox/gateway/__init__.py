"""The interface to a gateway (a channel), as the line uses it.

Every method may raise `Unavailable` (try again later, nothing has changed as far as we know) and
holds no state between calls. Calls are safe to repeat; what repeating means is said at each.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from inbox.domain import OrgNumber, Service, WireId


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A message that waits for us on a channel; the first four fields identify it."""

    channel: str
    service: Service
    organisation: OrgNumber
    """The organisation of ours that it is for."""
    wire_id: WireId
    envelope: bytes | None = None
    """The SBD as it came, where the channel gives one at this point. Confidential."""
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class IncomingPackage:
    """An open transfer of a package: `chunks` must be read inside the `with` of `Gateway.fetch`."""

    chunks: Iterator[bytes]
    envelope: bytes | None = None
    """Where the channel gives the envelope only now (Altinn)."""


class ConfirmResult(StrEnum):
    """The channel's answer when we confirm that we have the package."""

    DELIVERED = "delivered"
    GONE = "gone"
    """It had gone already (404): ours all the same, but the sender may not see LEVERT."""


@dataclass(frozen=True, kw_only=True)
class ReceiptRoute:
    """Whether a kvittering can reach the sender; `obstacle` is None if it can."""

    obstacle: str | None = None


class SendStatus(StrEnum):
    """How far the sending of a kvittering has come, by the gateway's statuses."""

    UNKNOWN = "unknown"
    """The gateway knows no such message."""
    CREATED = "created"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class SetupFault:
    """A gateway answers, and mail for us cannot come by it."""

    code: str
    """`gateway.not_registered`: a process of ours is not ours there. `gateway.another`: what comes
    to it is for others."""
    reason: str


FORGOTTEN: Final = "gateway.forgotten"
"""The code where a gateway has never heard of what it had taken from us: after a crash, perhaps."""


class Gateway(Protocol):
    """One channel, with the organisations, services and processes it is configured for."""

    @property
    def channel(self) -> str:
        """The name of this channel in configuration, rows and metrics."""

    def waiting_notices(self, at_most: int) -> Iterator[Notice]:
        """Notices of waiting messages, at most `at_most`.

        Only ours are taken, and the gateway may lock them.
        """

    def fetch(self, notice: Notice) -> AbstractContextManager[IncomingPackage]:
        """Open the transfer of a package. Safe to repeat.

        Raises:
            Gone: the gateway has nothing under this id (any more).
            NeverAccepted: it has it but cannot give it (`gateway.package_error`, …).
            Unavailable: anything else, also while reading `chunks` (`gateway.truncated`).
        """

    def confirm(self, notice: Notice) -> ConfirmResult:
        """Confirm that we have the package, or that two people gave it up.

        "Gone" counts as success.
        """

    def undelivered(self, since: datetime) -> Iterator[Mapping[WireId, str]]:
        """The ids of messages that expired or failed since then, with our code; page by page.

        Also of others' messages, and of what was to be sent. Reads only.
        """

    def undelivered_notice(self, wire_id: WireId) -> Notice | None:
        """The notice of a message that came and was never taken, if it was for us. Reads only."""

    def taken(self, since: datetime) -> Iterator[list[WireId]]:
        """The ids of messages that somebody took since then, newest first, by page; as above."""

    def taken_notice(self, wire_id: WireId) -> Notice | None:
        """The notice of a message that came and was taken, if it was for us. Reads only."""

    def waiting_envelope(self, notice: Notice) -> bytes | None:
        """The envelope of a message that waits, locked or not; None if it does not. Reads only."""

    def receipt_route(self, receiver: OrgNumber) -> ReceiptRoute:
        """Ask whether the receiver's response process resolves to DPO. Reads only."""

    def create_receipt(self, receipt_id: str, body: Mapping[str, object]) -> None:
        """Create the kvittering under our id; "already exists" means an earlier attempt did.

        Raises `NeverAccepted` with the gateway's reason where repeating would not help;
        `gateway.receiver_does_not_accept` may be a registry outage and is worth repeating.
        """

    def send_receipt(self, receipt_id: str) -> None:
        """Queue the created kvittering for sending; if it was sent before, that is success.

        Raises `Gone` if it is not there any more; `FORGOTTEN` says that it can be created again.
        """

    def receipt_status(self, receipt_id: str) -> SendStatus:
        """How far the kvittering has come. Reads only."""

    def setup_faults(self) -> tuple[SetupFault, ...]:
        """What is wrong with how it is set up for us, though it answers. Locks nothing."""

    def clock_skew(self) -> timedelta | None:
        """The gateway's clock minus ours, by its Date header; None if it gave none."""
