"""What the people of a unit do: take, assign, hand back, release, withdraw, register."""

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, RequestFacts
from inbox.domain import DeliveryState, MessageState, PersonId, new_id
from inbox.errors import Conflict
from inbox.line import Line
from inbox.line.authorize import Authorized, authorized_transaction, message_subject
from inbox.line.moves.placement import traces_of
from inbox.line.moves.registration import (
    active_delivery,
    check_reference,
    is_by_hand,
    registration_columns,
    store_known_reference,
)
from inbox.line.receipts import choose_receipt
from inbox.line.settle import end_assignments, has_open_task
from inbox.line.task_kinds import OF_UNIT, TaskKind
from inbox.receipt_document import ReceiptType
from inbox.store import Transaction
from inbox.tables import Assignment, Delivery, Message


def take(line: Line, capacity: Capacity, message_id: str) -> None:
    """Assign to oneself an unassigned message of one's unit, if the unit shares such messages."""
    subject = message_subject(message_id)
    with authorized_transaction(line, capacity, Action.TAKE, subject) as authorized:
        assert capacity.person is not None
        _insert_assignment(authorized.tx, message_id, capacity.person)
        authorized.close_tasks(message_id, *OF_UNIT)
        authorized.record(
            event="message:taken",
            subject=message_id,
            message_id=message_id,
        )


def assign(line: Line, capacity: Capacity, message_id: str, *, to: PersonId) -> None:
    """Assign the message to a colleague (*tildele*); nobody can assign to themselves."""
    subject = message_subject(message_id)
    given = RequestFacts(target=to)
    with authorized_transaction(line, capacity, Action.ASSIGN, subject, given) as authorized:
        end_assignments(authorized.tx, message_id)
        _insert_assignment(authorized.tx, message_id, to)
        authorized.notify(
            TaskKind.ASSIGNED, subject=message_id, message_id=message_id, unit=capacity.unit
        )
        authorized.close_tasks(message_id, TaskKind.LEAVER, *OF_UNIT)
        authorized.record(
            event="message:assigned",
            subject=message_id,
            message_id=message_id,
            committed={"person": to},
        )


def _insert_assignment(tx: Transaction, message_id: str, person: PersonId) -> None:
    tx.add(Assignment(id=new_id(), message_id=message_id, person=person, active_from=tx.now))


def hand_back(
    line: Line, capacity: Capacity, message_id: str, *, expected_version: int, reason: str
) -> None:
    """Return the message to archive staff with a reason (*ikke vår*).

    The unit can no longer see it. One that people were offered can be handed back until somebody
    collects it; then two must withdraw it first (`proposals`).
    """
    subject = message_subject(message_id)
    given = RequestFacts(reason_given=bool(reason))
    with authorized_transaction(line, capacity, Action.HAND_BACK, subject, given) as authorized:
        message = authorized.seen(Message, message_id, expected_version)
        _withdraw_from_people(authorized, message_id)
        authorized.settle(
            row=message,
            became=MessageState.UNROUTED,
            by="hand_back",
            code="unit.handed_back",
            values={"unit": None},
            reason=reason,
        )


def _withdraw_from_people(authorized: Authorized, message_id: str) -> None:
    """End the delivery by hand that nobody has collected, if there is one.

    Raises `Conflict` for any other delivery that stands.
    """
    delivery = active_delivery(authorized.tx, message_id)
    if delivery is None:
        return
    if not is_by_hand(authorized.tx, delivery):
        raise Conflict("delivery.not_by_hand", "a case system has it: withdraw it first")
    _end_uncollected(authorized, delivery, by="hand_back")


def _end_uncollected(authorized: Authorized, delivery: Delivery, *, by: str) -> None:
    """End a delivery that nobody has collected. Raises `Conflict` for one that was collected."""
    if delivery.state is DeliveryState.COLLECTED:
        raise Conflict("delivery.collected", "it has been collected: two must decide")
    authorized.settle(
        row=delivery,
        became=DeliveryState.WITHDRAWN,
        by=by,
        values={"settled_at": authorized.tx.now},
    )


def release(line: Line, capacity: Capacity, message_id: str, *, expected_version: int) -> None:
    """Release the message to the unit's case system.

    It can be withdrawn during the first minutes, and undone by the person who released it.
    """
    subject = message_subject(message_id)
    with authorized_transaction(line, capacity, Action.RELEASE, subject) as authorized:
        message = authorized.seen(Message, message_id, expected_version)
        authorized.settle(
            row=message,
            became=MessageState.RELEASED,
            by="release",
            values={
                **traces_of(message, capacity, RequestFacts()),
                "released_by": capacity.person,
            },
            due_at=authorized.tx.now + line.terms.undo_window,
        )


def withdraw(
    line: Line, capacity: Capacity, message_id: str, *, expected_version: int, reason: str
) -> None:
    """Withdraw the message before the case system has collected it.

    After that two people must decide (`proposals`).
    """
    subject = message_subject(message_id)
    given = RequestFacts(reason_given=bool(reason))
    with authorized_transaction(line, capacity, Action.WITHDRAW, subject, given) as authorized:
        message = authorized.seen(Message, message_id, expected_version)
        delivery = active_delivery(authorized.tx, message_id)
        if delivery is not None:
            _end_uncollected(authorized, delivery, by="withdraw")
        authorized.settle(row=message, became=MessageState.ROUTED, by="withdraw", reason=reason)


def register(
    line: Line, capacity: Capacity, message_id: str, *, reference: str, expected_version: int
) -> None:
    """Register the message by hand (*journalført*) with the archive's reference.

    A later acknowledgement of a case system counts as late.
    """
    check_reference(reference)
    subject = message_subject(message_id)
    given = RequestFacts(reference_given=True)
    with authorized_transaction(line, capacity, Action.REGISTER, subject, given) as authorized:
        message = authorized.seen(Message, message_id, expected_version)
        late = has_open_task(authorized.tx, TaskKind.LATE_WORD, message_id)
        if message.state is MessageState.RELEASED and not late:
            raise Conflict("message.released", "withdraw it before it is registered by hand")
        delivery = active_delivery(authorized.tx, message_id)
        if delivery is not None:
            authorized.settle(
                row=delivery,
                became=DeliveryState.SUPERSEDED,
                by="register",
                values={"settled_at": authorized.tx.now},
            )
        authorized.settle(
            row=message,
            became=MessageState.REGISTERED,
            by="register",
            values=registration_columns(authorized.tx, line, message, reference, "by_hand"),
        )
        authorized.close_tasks(message_id, TaskKind.LATE_WORD)
        store_known_reference(authorized.tx, line, message, reference)
        choose_receipt(authorized.tx, message, ReceiptType.OK)
