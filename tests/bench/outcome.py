"""A figure counts only where its work came about: each row looks, outside of the measured time."""

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from inbox.domain import ArrivalState, MessageState, OutboxState
from inbox.line import Line
from inbox.tables import Arrival, Message, Outbox


class WrongOutcome(Exception):
    """The measured work did not come about, so that its figure says nothing."""


def check_outcome(what: str, *, expected: object, seen: object) -> None:
    """Raise `WrongOutcome` unless it came about as expected."""
    if seen != expected:
        raise WrongOutcome(f"{what}: {seen}, expected {expected}")


def notified_messages(line: Line) -> int:
    """How many messages are offered, and their case systems have heard of it."""
    heard = (
        select(sa.func.count(sa.distinct(col(Message.id))))
        .join(Outbox, col(Outbox.message_id) == col(Message.id))
        .where(
            col(Message.state) == MessageState.OFFERED,
            col(Outbox.state) == OutboxState.SENT,
        )
    )
    return _counted(line, heard)


def offered_messages(line: Line) -> int:
    """How many messages wait for their case systems."""
    offered = select(sa.func.count()).where(col(Message.state) == MessageState.OFFERED)
    return _counted(line, offered)


def confirmed_messages(line: Line, digest: str) -> int:
    """How many messages with these very bytes are ours, and the gateway knows."""
    confirmed = (
        select(sa.func.count())
        .select_from(Message)
        .join(Arrival, col(Arrival.message_id) == col(Message.id))
        .where(col(Message.digest) == digest, col(Arrival.state) == ArrivalState.CONFIRMED)
    )
    return _counted(line, confirmed)


def _counted(line: Line, count: SelectOfScalar[int]) -> int:
    with line.store.reading() as tx:
        return tx.exec(count).one()
