"""What operators do about events: send a case system another event about a delivery, now.

An event holds ids alone and goes to the address that two people agreed on: sending it again shows
nobody anything new. Safe to repeat: at most one event is on its way.
"""

from sqlmodel import Session, col, select

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, OfInstallation
from inbox.domain import Mode, OutboxState
from inbox.errors import Conflict, NotFound
from inbox.line import Line
from inbox.line.authorize import authorized_transaction
from inbox.line.delivery_events import queue_event
from inbox.line.moves.registration import ACTIVE_DELIVERY_STATES
from inbox.line.settle import lock_row
from inbox.tables import CaseSystem, Delivery, Message, Outbox


def tell_again(line: Line, capacity: Capacity, delivery_id: str) -> bool:
    """Send the case system an event about the delivery now; returns whether it is a new event.

    An event that waits for its next try is tried now; where none waits there is a new one, under an
    id of its own.

    Raises `Conflict` if the delivery has ended, or its case system gets no events.
    """
    with authorized_transaction(line, capacity, Action.OPERATE, OfInstallation()) as authorized:
        delivery = _own_delivery(authorized.tx, capacity, delivery_id)
        if delivery.state not in ACTIVE_DELIVERY_STATES:
            raise Conflict("delivery.over", "it does not stand open any more")
        if authorized.tx.get_one(CaseSystem, delivery.case_system).mode is not Mode.WEBHOOK:
            raise Conflict("delivery.no_events", "its case system gets no events: it asks")
        waiting = authorized.tx.exec(
            select(Outbox).where(
                col(Outbox.delivery_id) == delivery_id, col(Outbox.state) == OutboxState.PENDING
            )
        ).first()
        if waiting is None:
            queue_event(authorized.tx, delivery)
        else:
            waiting.due_at = authorized.tx.now
        authorized.record(
            event="delivery:told_again", subject=delivery_id, message_id=delivery.message_id
        )
        return waiting is None


def _own_delivery(session: Session, capacity: Capacity, delivery_id: str) -> Delivery:
    """The delivery, locked; another organisation's is the same `NotFound` as none."""
    lock_row(session, Delivery, delivery_id)
    delivery = session.get(Delivery, delivery_id)
    message = None if delivery is None else session.get(Message, delivery.message_id)
    if delivery is None or message is None or message.organisation != capacity.organisation:
        raise NotFound
    return delivery
