"""Finds other messages with the same content: a sender who repeats a letter gives it a new id.

They are messages of their own, and each is answered. But a person who registers the second must be
able to see that there is a first, as far as the first is theirs to see.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from inbox.domain import CaseSystemId, DeliveryState, MessageId
from inbox.tables import Delivery, Message

_TAKEN = (DeliveryState.COLLECTED, DeliveryState.REGISTERED, DeliveryState.REFUSED)


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A message with the same content as another, by ids and times only."""

    message_id: MessageId
    received_at: datetime


def copies_taken_by(
    session: Session, case_system: CaseSystemId, message: Message
) -> tuple[Copy, ...]:
    """Other messages with the same bytes or documents that this case system has, oldest first.

    An erased message is known by the digest of its container, which stays.
    """
    taken = (
        sa.exists()
        .where(col(Delivery.message_id) == col(Message.id))
        .where(col(Delivery.case_system) == case_system)
        .where(col(Delivery.state).in_(_TAKEN) | col(Delivery.collected_at).is_not(None))
    )
    same = col(Message.digest) == message.digest
    if message.documents_hash is not None:
        same |= col(Message.documents_hash) == message.documents_hash
    found = session.execute(
        sa.select(col(Message.id), col(Message.received_at))
        .where(
            col(Message.organisation) == message.organisation,
            col(Message.sender) == message.sender,
            col(Message.id) != message.id,
            same,
            taken,
        )
        .order_by(col(Message.received_at), col(Message.id))
    )
    return tuple(Copy(message_id=MessageId(row[0]), received_at=row[1]) for row in found)


def earlier_copies(
    session: Session, message_ids: Collection[str], visible: sa.Select[str]
) -> Mapping[str, tuple[MessageId, ...]]:
    """By message, the visible messages with the same documents that came before, oldest first."""
    this, other = aliased(Message), aliased(Message)
    found = session.execute(
        sa.select(col(this.id), col(other.id))
        .join(other, col(other.documents_hash) == col(this.documents_hash))
        .where(
            col(this.id).in_(message_ids),
            col(other.id) != col(this.id),
            col(other.organisation) == col(this.organisation),
            col(other.sender) == col(this.sender),
            col(other.received_at) <= col(this.received_at),
            col(other.id).in_(visible),
        )
        .order_by(col(other.received_at), col(other.id))
    )
    copies: defaultdict[str, list[MessageId]] = defaultdict(list)
    for message_id, copy_id in found:
        copies[message_id].append(MessageId(copy_id))
    return {message_id: tuple(ids) for message_id, ids in copies.items()}
