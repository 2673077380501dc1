"""Finds our rows by what the sender calls them: the id of the message, or of its conversation.

The id of a message stands in the clear, that of a conversation nowhere: of an opened message there
is a keyed hash, which narrows, and of every other the sealed envelope. What was erased is found by
the id of the message alone.
"""

from dataclasses import dataclass

from sqlalchemy import exists
from sqlmodel import Session, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from inbox.errors import ConfigurationError, IntegrityError, PackageRejected
from inbox.keys import Keyring, WrappedDataKey
from inbox.package.envelope import read_envelope
from inbox.tables import Arrival, Message, MessageReference, WrappedKey


@dataclass(frozen=True, kw_only=True)
class SentRows:
    """The ids of the arrivals and messages that came under an id of the sender's."""

    arrivals: frozenset[str]
    messages: frozenset[str]


def rows_sent_as(session: Session, keyring: Keyring, sender_id: str) -> SentRows:
    """Find what came under this id. An envelope that cannot be opened or read is skipped."""
    messages = frozenset(
        row.id
        for row in session.exec(_possible_messages(keyring, sender_id))
        if row.wire_id == sender_id or _is_conversation(session, keyring, row, sender_id)
    )
    possible = select(Arrival).where(
        or_(
            col(Arrival.wire_id) == sender_id,
            col(Arrival.message_id).in_(messages),
            col(Arrival.sealed_envelope).is_not(None),
        )
    )
    arrivals = frozenset(
        row.id
        for row in session.exec(possible)
        if row.wire_id == sender_id
        or row.message_id in messages
        or _is_conversation(session, keyring, row, sender_id)
    )
    return SentRows(arrivals=arrivals, messages=messages)


def _possible_messages(keyring: Keyring, sender_id: str) -> SelectOfScalar[Message]:
    """Those with the id, with its hash, or without any: not opened, or without a conversation."""
    hashed = keyring.lookup_hash("reference", sender_id).hex()
    of_message = col(MessageReference.message_id) == col(Message.id)
    return select(Message).where(
        or_(
            col(Message.wire_id) == sender_id,
            exists().where(of_message, col(MessageReference.reference_hash) == hashed),
            col(Message.sealed_envelope).is_not(None) & ~exists().where(of_message),
        )
    )


def _is_conversation(
    session: Session, keyring: Keyring, row: Arrival | Message, sender_id: str
) -> bool:
    table = "arrival" if isinstance(row, Arrival) else "message"
    stored = session.get(WrappedKey, row.id)
    if row.sealed_envelope is None or stored is None:
        return False
    if stored.kek_id is None or stored.wrapped is None:
        return False
    try:
        key = keyring.unwrap(WrappedDataKey(kek_id=stored.kek_id, wrapped=stored.wrapped))
        raw = key.unseal(row.sealed_envelope, table=table, column="sealed_envelope", row=row.id)
        return read_envelope(raw).conversation_id == sender_id
    except (ConfigurationError, IntegrityError, PackageRejected):
        return False
