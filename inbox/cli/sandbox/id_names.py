"""Says what an id is that was taken for that of a delivery."""

from sqlmodel import col, select

from inbox.line import Line
from inbox.tables import Message, Outbox


def name_of_id(line: Line, text: str) -> str | None:
    """What has this id; None if it is unknown or a delivery's."""
    with line.store.reading() as tx:
        if tx.get(Outbox, text) is not None:
            return "the id of an event (`webhook-id`)"
        if tx.get(Message, text) is not None:
            return "the `message_id`"
        if tx.exec(select(Message.id).where(col(Message.wire_id) == text)).first() is not None:
            return "the sender's id of the message (`wire_id`)"
    return None
