"""Which message opens next, and which has a short reference: steps between pages."""

from sqlmodel import col, select

from inbox.access.lists.cursor import Cursor
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity
from inbox.access.several import permitted_actions
from inbox.domain import MessageId
from inbox.line import Line
from inbox.line.authorize import message_subject
from inbox.line.desk.queue_filters import NO_FILTERS, Queue, QueueFilters, order_of
from inbox.line.desk.queues import begin_reading
from inbox.line.desk.short_reference import ids_with_reference
from inbox.line.people_lists import listing_snapshot
from inbox.tables import Message

_SHOWING = (Action.ROUTE, Action.LIST)
_ID_LENGTH = 32


def next_in_queue(
    line: Line,
    capacity: Capacity,
    queue: Queue,
    filters: QueueFilters = NO_FILTERS,
    *,
    after: MessageId | None = None,
) -> MessageId | None:
    """The message that opens after an action on `after`: the next of the queue, else its first.

    None where the queue has no other. Where `after` stood in the queue is known of what this
    capacity may distribute alone; of anything else the queue begins at its beginning.
    """
    with listing_snapshot(line) as (tx, policy):
        reading = begin_reading(line, tx, policy, capacity)
        reader, search = reading.reader(reading.free), reading.search(queue, filters)
        order, found = order_of(queue), None
        received_at = tx.exec(select(Message.received_at).where(col(Message.id) == after)).first()
        if after is not None:
            # Decided whether it is there or not: nobody learns that from the statements.
            routes = permitted_actions(
                tx,
                policy,
                tx.now,
                capacity=capacity,
                subject=message_subject(after),
                actions=(Action.ROUTE,),
            )[Action.ROUTE]
            if routes.allowed and received_at is not None:
                found = reader.first_after(search, order, Cursor(at=received_at, id=after))
        if found is None:
            found = reader.first_after(search, order, None)
        return None if found == after else found


def find_by_reference(line: Line, capacity: Capacity, text: str) -> tuple[MessageId, ...]:
    """The messages with this short reference, or this id, that the capacity may know of.

    Mostly one, or none. Raises `Invalid` for what is no reference.
    """
    typed = text.strip().lower()
    is_id = len(typed) == _ID_LENGTH
    first, last = (MessageId(typed), MessageId(typed)) if is_id else ids_with_reference(text)
    with listing_snapshot(line) as (tx, policy):
        ids = tx.exec(
            select(Message.id).where(col(Message.id).between(first, last)).order_by(col(Message.id))
        ).all()
        return tuple(
            MessageId(found)
            for found in ids or [first]
            if any(
                decision.deny_unless_met(()).allowed
                for decision in permitted_actions(
                    tx,
                    policy,
                    tx.now,
                    capacity=capacity,
                    subject=message_subject(found),
                    actions=_SHOWING,
                ).values()
            )
        )
