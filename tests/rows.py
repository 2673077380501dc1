"""Rows that a test puts there itself, where how they came is not what it is about."""

from datetime import datetime

from sqlmodel import Session, col, select

from inbox.domain import MessageState, Service, new_id
from inbox.tables import AuditEntry, Message
from tests.worlds import OURS


def message_row(
    now: datetime,
    *,
    message_id: str | None = None,
    state: MessageState = MessageState.ROUTED,
    unit: str | None = "bv",
    organisation: str = OURS,
    sender: str | None = None,
    shielding: str | None = None,
) -> Message:
    """A message that came now, without bytes and without a key."""
    return Message(
        id=message_id or new_id(),
        state=state,
        unit=unit,
        organisation=organisation,
        channel="eformidling",
        service=Service.DPO,
        wire_id=new_id(),
        digest="d" * 64,
        size=1,
        received_at=now,
        sender=sender,
        shielding=shielding,
    )


def audited(session: Session) -> list[bytes]:
    """Every leaf of the audit, in its order."""
    return list(session.exec(select(AuditEntry.leaf).order_by(col(AuditEntry.seq))))
