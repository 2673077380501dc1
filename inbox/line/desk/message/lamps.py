"""The four lamps of a message, and what its sender sees now: all that the sender may hear."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from inbox.domain import ArrivalState, MessageState, ReceiptState
from inbox.receipt_document import ReceiptType

_M, _A, _R = MessageState, ArrivalState, ReceiptState
_UNVERIFIED: Final = frozenset({_M.RECEIVED, _M.QUARANTINED})
_ENDED: Final = frozenset({_A.ABANDONING, _A.ABANDONED})


class LampState(StrEnum):
    """How a lamp burns."""

    ON = "on"
    OFF = "off"
    STOPPED = "stopped"
    """It does not come on by itself: a check failed, or somebody refused it."""


@dataclass(frozen=True, kw_only=True)
class Lamp:
    """One lamp, and since when it burns where that is known."""

    state: LampState
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Lamps:
    """*Hentet, verifisert, levert (til fagsystemet), journalført*."""

    fetched: Lamp
    verified: Lamp
    delivered: Lamp
    registered: Lamp


class SenderSees(StrEnum):
    """What the sender's own system shows now."""

    SENT = "sent"
    """Sent, and not delivered: it has not come to us, and may still."""
    EXPIRED = "expired"
    """The gateway, or we, gave it up (*levetid utløpt*): nothing will come of it."""
    DELIVERED = "delivered"
    """Delivered, that is to say here; no kvittering yet."""
    RECEIPT_OK = "receipt_ok"
    """Delivered, with a kvittering that it was registered."""
    RECEIPT_REFUSED = "receipt_refused"
    """Delivered, with a kvittering that it was refused, and the code."""
    RECEIPT_MISSING = "receipt_missing"
    """Delivered; it is decided here, but the kvittering has not reached the sender."""


@dataclass(frozen=True, kw_only=True)
class MessageProgress:
    """How far a message has come: what lamps are made of."""

    state: MessageState
    received_at: datetime
    verified_at: datetime | None = None
    """When its checks were passed, as the audit has it."""
    collected_at: datetime | None = None
    """When a case system took the first of it."""
    registered_at: datetime | None = None
    refused_at: datetime | None = None
    receipt_state: ReceiptState | None = None
    receipt_outcome: str | None = None


_DARK: Final = Lamp(state=LampState.OFF)
_STOPPED: Final = Lamp(state=LampState.STOPPED)


def lamps_of(progress: MessageProgress) -> Lamps:
    """The lamps of a message."""
    is_refused = progress.refused_at is not None
    ends = _STOPPED if is_refused else _DARK
    if progress.verified_at is not None or progress.state not in _UNVERIFIED:
        verified = Lamp(state=LampState.ON, at=progress.verified_at)
    else:
        verified = _STOPPED if progress.state is _M.QUARANTINED else _DARK
    if is_refused and progress.verified_at is None:
        verified = _STOPPED  # refused out of quarantine
    return Lamps(
        fetched=Lamp(state=LampState.ON, at=progress.received_at),
        verified=verified,
        delivered=_lit(progress.collected_at) or ends,
        registered=_lit(progress.registered_at) or ends,
    )


def lamps_of_arrival(state: ArrivalState, stored_at: datetime | None) -> Lamps:
    """The lamps of what never became a message of ours."""
    fetched = _lit(stored_at) or (_STOPPED if state in {_A.MISSED, *_ENDED} else _DARK)
    return Lamps(fetched=fetched, verified=_DARK, delivered=_DARK, registered=_DARK)


def _lit(at: datetime | None) -> Lamp | None:
    return None if at is None else Lamp(state=LampState.ON, at=at)


def sender_sees(progress: MessageProgress) -> SenderSees:
    """What the sender of a message sees."""
    if progress.receipt_state is None:
        return SenderSees.DELIVERED
    if progress.receipt_state in {_R.SENT, _R.CONFIRMED}:
        is_ok = progress.receipt_outcome == ReceiptType.OK
        return SenderSees.RECEIPT_OK if is_ok else SenderSees.RECEIPT_REFUSED
    if progress.receipt_state in {_R.FAILED, _R.IMPOSSIBLE}:
        return SenderSees.RECEIPT_MISSING
    return SenderSees.DELIVERED


def sender_sees_arrival(state: ArrivalState) -> SenderSees:
    """What the sender sees of something that has not become ours."""
    if state in {_A.MISSED, *_ENDED}:
        return SenderSees.EXPIRED
    return SenderSees.DELIVERED if state is _A.CONFIRMED else SenderSees.SENT
