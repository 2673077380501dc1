"""A message with what stands beside it in other tables, read before it is decided who may see it.

Nothing of it is shown until that is decided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from inbox.access.lists.queue_pages import QueuedMessage
from inbox.access.question import Capacity
from inbox.errors import IntegrityError
from inbox.keys import DataKey
from inbox.line import Line
from inbox.line.desk.message.history import verified_at
from inbox.line.desk.message.lamps import MessageProgress
from inbox.line.desk.placings import PlacedMessage, placed_as
from inbox.line.queue import unwrap_stored_key
from inbox.line.sealed_content import unseal_json
from inbox.store import Transaction
from inbox.tables import Delivery, Message, Person, Receipt, Unit, WrappedKey


@dataclass(frozen=True, kw_only=True)
class FoundMessage:
    """The message, and what stands beside it in other tables."""

    message: Message
    unit_name: str | None
    stored_key: WrappedKey | None
    receipt: Receipt | None
    collected_at: datetime | None

    def key(self, line: Line) -> DataKey | None:
        """Its data key; None where it was destroyed, or does not open."""
        try:
            return None if self.stored_key is None else unwrap_stored_key(line, self.stored_key)
        except IntegrityError:
            return None

    def unsealed(self, key: DataKey | None) -> tuple[Mapping[str, Any], Sequence[Any]]:
        """What routing may see, and the documents: nothing where it does not open."""
        if key is None:
            return {}, ()
        try:
            return (
                unseal_json(self.message, key, "sealed_metadata") or {},
                unseal_json(self.message, key, "sealed_documents") or (),
            )
        except IntegrityError:
            return {}, ()

    def queued(self) -> QueuedMessage:
        """As it would be in a queue."""
        plain = {
            name: getattr(self.message, name)
            for name in QueuedMessage._fields
            if name not in {"unit_name", "kek_id", "wrapped"}
        }
        stored = self.stored_key
        return QueuedMessage(
            **plain,
            unit_name=self.unit_name,
            kek_id=None if stored is None else stored.kek_id,
            wrapped=None if stored is None else stored.wrapped,
        )

    def progress(self, leaves: Sequence[bytes]) -> MessageProgress:
        """How far it has come, by its row and by these entries of the audit."""
        message, receipt = self.message, self.receipt
        return MessageProgress(
            state=message.state,
            received_at=message.received_at,
            verified_at=verified_at(leaves),
            collected_at=self.collected_at,
            registered_at=message.registered_at,
            refused_at=message.refused_at,
            receipt_state=None if receipt is None else receipt.state,
            receipt_outcome=None if receipt is None else receipt.outcome,
        )


def find_message(
    tx: Transaction,
    message_id: str,
    capacity: Capacity,
    visible: sa.Select[str],
    tell_of: str | None,
) -> tuple[FoundMessage | None, PlacedMessage | None]:
    """The message, and by the same statement another one, if that is this capacity's to see."""
    collected = (
        sa.select(sa.func.max(col(Delivery.collected_at)))
        .where(col(Delivery.message_id) == col(Message.id))
        .scalar_subquery()
    )
    going_to = aliased(Unit)
    rows = tx.execute(
        sa.select(
            Message,
            col(Unit.name),
            WrappedKey,
            Receipt,
            collected,
            col(going_to.name),
            col(Person.name),
            sa.case((col(Message.id).in_(visible), 1), else_=0),
        )
        .join(Unit, col(Unit.id) == col(Message.unit), isouter=True)
        .join(WrappedKey, col(WrappedKey.id) == col(Message.id), isouter=True)
        .join(Receipt, col(Receipt.message_id) == col(Message.id), isouter=True)
        .join(going_to, col(going_to.id) == col(Message.placing_unit), isouter=True)
        .join(Person, col(Person.id) == col(Message.moved_by), isouter=True)
        .where(col(Message.id).in_({message_id, tell_of or message_id}))
    ).all()
    found, told = None, None
    for message, unit_name, stored_key, receipt, collected_at, aim, by_name, is_visible in rows:
        if message.id == message_id:
            found = FoundMessage(
                message=message,
                unit_name=unit_name,
                stored_key=stored_key,
                receipt=receipt,
                collected_at=collected_at,
            )
        if message.id == tell_of and is_visible:
            told = placed_as(message, (unit_name, aim, by_name), capacity)
    return found, told
