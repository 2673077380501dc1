"""The SQL of facts about a message that do not depend on who asks."""

from sqlalchemy import or_
from sqlmodel import col

from inbox.access.facts.parameters import DELIVERY, LATE_WORD, NOW, SYSTEM, TASK, Form, any_of
from inbox.domain import DeliveryState, MessageState, ReceiptState, TaskState
from inbox.tables import Delivery, Message, Receipt, Task, Unit
from inbox.tables.periods import lasts


def unit_is(*where: Form) -> Form:
    """The message has an active unit that fulfils these conditions."""
    return any_of(Unit, col(Unit.id) == col(Message.unit), lasts(Unit, NOW), *where)


def is_in(*states: MessageState) -> Form:
    """The message is in one of these states."""
    return or_(*(col(Message.state) == state for state in states))


def delivery_was(*where: Form) -> Form:
    """The message has a delivery that fulfils these conditions, whatever its state."""
    return any_of(Delivery, col(Delivery.message_id) == col(Message.id), *where)


def own_delivery(*where: Form) -> Form:
    """A delivery to the asking case system: the named one, where one is named."""
    return delivery_was(
        col(Delivery.case_system) == SYSTEM,
        or_(DELIVERY.is_(None), col(Delivery.id) == DELIVERY),
        *where,
    )


def delivery_stands() -> Form:
    """The delivery is active: neither registered, refused, withdrawn nor superseded."""
    return col(Delivery.state).in_([DeliveryState.OPEN, DeliveryState.COLLECTED])


def receipt_failed() -> Form:
    """The receipt did not reach the sender, and nobody has accepted that failure."""
    return any_of(
        Receipt,
        col(Receipt.message_id) == col(Message.id),
        col(Receipt.state).in_([ReceiptState.FAILED, ReceiptState.IMPOSSIBLE]),
        col(Receipt.settled_at).is_(None),
    )


def late_word() -> Form:
    """An open task with a case system's late word: the named one, where one is named."""
    return any_of(
        Task,
        col(Task.message_id) == col(Message.id),
        col(Task.kind) == LATE_WORD,
        col(Task.state) == TaskState.OPEN,
        or_(TASK.is_(None), col(Task.id) == TASK),
    )
