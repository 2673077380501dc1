"""The SQL of facts about a message that do not depend on who asks."""

from sqlalchemy import and_, or_
from sqlmodel import col

from inbox.access.facts.parameters import (
    CASE_SYSTEM,
    DELIVERY,
    LATE_WORD,
    NOW,
    TASK,
    UNASSIGNABLE,
    SqlCondition,
    TextParameter,
    row_exists,
)
from inbox.domain import (
    ESCALATED_AFTER,
    PLACED_STATES,
    DeliveryState,
    MessageState,
    Mode,
    ReceiptState,
    TaskState,
)
from inbox.tables import CaseSystem, Delivery, Message, Receipt, Task, Unit
from inbox.tables.periods import active_on


def has_active_unit(*where: SqlCondition) -> SqlCondition:
    """The message has an active unit that fulfils these conditions."""
    return row_exists(Unit, col(Unit.id) == col(Message.unit), active_on(Unit, NOW), *where)


def is_in_state(*states: MessageState) -> SqlCondition:
    """The message is in one of these states."""
    return or_(*(col(Message.state) == state for state in states))


def was_moved_by(person: TextParameter) -> SqlCondition:
    """This person placed or released the message, and no later step has followed; never NULL."""
    return and_(
        is_in_state(MessageState.PLACING, MessageState.RELEASED),
        # A case system has no person: without these two the comparison would be NULL.
        person.is_not(None),
        col(Message.moved_by).is_not(None),
        col(Message.moved_by) == person,
    )


def is_escalated() -> SqlCondition:
    """The message was placed so often that the records manager knows of it, and is not done."""
    return and_(col(Message.transfers) >= ESCALATED_AFTER, is_in_state(*PLACED_STATES))


def is_unassignable() -> SqlCondition:
    """An open task says that nobody in the message's unit may assign it."""
    return row_exists(
        Task,
        col(Task.message_id) == col(Message.id),
        col(Task.kind) == UNASSIGNABLE,
        col(Task.state) == TaskState.OPEN,
    )


def has_delivery(*where: SqlCondition) -> SqlCondition:
    """The message has a delivery that fulfils these conditions, whatever its state."""
    return row_exists(Delivery, col(Delivery.message_id) == col(Message.id), *where)


def has_delivery_to_system(*where: SqlCondition) -> SqlCondition:
    """The message has a delivery to the case system that asks.

    If the request names a delivery, it is that delivery.
    """
    return has_delivery(
        col(Delivery.case_system) == CASE_SYSTEM,
        or_(DELIVERY.is_(None), col(Delivery.id) == DELIVERY),
        *where,
    )


def has_delivery_by_hand() -> SqlCondition:
    """People get the message themselves: an active delivery is to a system in mode `by_hand`."""
    return has_delivery(
        delivery_is_active(),
        row_exists(
            CaseSystem,
            col(CaseSystem.id) == col(Delivery.case_system),
            col(CaseSystem.mode) == Mode.BY_HAND,
        ),
    )


def delivery_is_active() -> SqlCondition:
    """The delivery is active: neither registered, refused, withdrawn nor superseded."""
    return col(Delivery.state).in_([DeliveryState.OPEN, DeliveryState.COLLECTED])


def receipt_failed() -> SqlCondition:
    """The receipt did not reach the sender, and nobody has accepted that failure."""
    return row_exists(
        Receipt,
        col(Receipt.message_id) == col(Message.id),
        col(Receipt.state).in_([ReceiptState.FAILED, ReceiptState.IMPOSSIBLE]),
        col(Receipt.settled_at).is_(None),
    )


def has_late_word_task() -> SqlCondition:
    """The message has an open task about a case system's answer that came too late.

    If the request names a task, it is that task.
    """
    return row_exists(
        Task,
        col(Task.message_id) == col(Message.id),
        col(Task.kind) == LATE_WORD,
        col(Task.state) == TaskState.OPEN,
        or_(TASK.is_(None), col(Task.id) == TASK),
    )
