"""What the registration of a message writes: the reference, the known case, the keys."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from inbox.domain import DeliveryState, Mode, new_id
from inbox.errors import Conflict, Invalid
from inbox.keys import DataKey
from inbox.line import Line
from inbox.line.copies import Copy
from inbox.line.queue import unwrap_stored_key
from inbox.receipt_document import is_archive_reference
from inbox.store import Transaction
from inbox.tables import CaseSystem, Delivery, KnownReference, Message, WrappedKey, table_of

ACTIVE_DELIVERY_STATES: Final = (DeliveryState.OPEN, DeliveryState.COLLECTED)


@dataclass(frozen=True, kw_only=True)
class CollectedMessage:
    """What the caller may now read: the message, its delivery, and the data key of both."""

    message: Message
    delivery: Delivery
    key: DataKey
    copies: tuple[Copy, ...] = ()
    """Other messages with the same content that the caller has already."""


def data_key(session: Session, line: Line, owner: str) -> DataKey:
    """The data key of a message or arrival. Raises `Conflict` if it has been erased."""
    stored = session.get(WrappedKey, owner)
    key = None if stored is None else unwrap_stored_key(line, stored)
    if key is None:
        raise Conflict("erased", "its content has been erased")
    return key


def active_delivery(session: Session, message_id: str) -> Delivery | None:
    """The message's delivery that is OPEN or COLLECTED, if there is one."""
    return session.exec(
        select(Delivery).where(
            col(Delivery.message_id) == message_id, col(Delivery.state).in_(ACTIVE_DELIVERY_STATES)
        )
    ).first()


def is_by_hand(session: Session, delivery: Delivery) -> bool:
    """Whether people get it themselves, and no case system."""
    return session.get_one(CaseSystem, delivery.case_system).mode is Mode.BY_HAND


def check_reference(reference: str) -> None:
    """Raise `Invalid` unless it can be the reference of an archive: the kvittering is final."""
    if not is_archive_reference(reference):
        raise Invalid(
            "reference.shape",
            "a reference is one line of at most 200 characters, with a number other than zero",
        )


def registration_columns(
    tx: Transaction, line: Line, message: Message, reference: str, how: str
) -> dict[str, object]:
    """The columns that registration fills; the reference is encrypted."""
    sealed = data_key(tx, line, message.id).seal(
        reference.encode(), table="message", column="sealed_reference", row=message.id
    )
    return {"registered_at": tx.now, "registered_by": how, "sealed_reference": sealed}


def store_known_reference(tx: Transaction, line: Line, message: Message, reference: str) -> None:
    """Store it as a keyed hash, so that the sender's next message about it finds the unit."""
    if message.sender is None or message.unit is None:
        return
    hashed = line.keyring.lookup_hash("reference", reference).hex()
    latest = {"unit": message.unit, "recorded_at": tx.now}
    row = {
        "id": new_id(),
        "organisation": message.organisation,
        "counterparty": message.sender,
        "reference_hash": hashed,
        "source": "registered",
        **latest,
    }
    # Another message may be registered under it at this moment: no reason to turn a word away.
    on_sqlite = tx.get_bind().dialect.name == "sqlite"
    insert = (sqlite if on_sqlite else postgresql).insert(table_of(KnownReference)).values(row)
    unique = ("organisation", "counterparty", "reference_hash")
    tx.execute(insert.on_conflict_do_update(index_elements=unique, set_=latest))
