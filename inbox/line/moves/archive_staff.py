"""What archive staff do: place, mark duplicates, recheck, refetch, resend receipts, close tasks."""

from sqlmodel import Session, col, select

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, OfTask, RequestFacts
from inbox.domain import ArrivalState, MessageState, ReceiptState, TaskState
from inbox.errors import Conflict, Invalid
from inbox.line import Line
from inbox.line.authorize import (
    arrival_subject,
    authorize,
    authorized_transaction,
    check_version,
    message_subject,
)
from inbox.line.moves.registration import check_reference, data_key
from inbox.line.receipts import choose_receipt, mark_answered
from inbox.line.task_kinds import TaskKind
from inbox.line.unusual_use import is_about_person
from inbox.receipt_document import ReceiptType
from inbox.store import Transaction
from inbox.tables import Arrival, Message, Receipt, Task, Unit
from inbox.tables.periods import is_active_on

_CLOSED_BY_PEOPLE = (
    TaskKind.STUCK,
    TaskKind.UNCOLLECTED,
    TaskKind.CONFLICTING_WORD,
    TaskKind.OTHER_BYTES,
    TaskKind.SECURITY_GRADE,
    TaskKind.GRANTED,
    TaskKind.EMERGENCY,
    TaskKind.UNUSUAL,
    TaskKind.LISTING_DIFFERS,
    TaskKind.DAMAGED,
    TaskKind.STATE_DIFFERS,
    TaskKind.LEAVER,
)
_REGISTERED_STATES = (MessageState.REGISTERED, MessageState.ANSWERED)


def place(
    line: Line,
    capacity: Capacity,
    message_id: str,
    *,
    unit: str,
    expected_version: int,
    reason: str = "",
) -> None:
    """Give the message to a unit (*fordele*), which then decides whether to release it."""
    given = RequestFacts(reason_given=bool(reason))
    subject = message_subject(message_id)
    with authorized_transaction(line, capacity, Action.PLACE, subject, given) as authorized:
        message = authorized.seen(Message, message_id, expected_version)
        _check_unit_active(authorized.tx, message, unit)
        values = {"unit": unit, "rule": None, "transfers": message.transfers + 1}
        authorized.settle(
            row=message, became=MessageState.ROUTED, by="place", values=values, reason=reason
        )


def place_and_release(
    line: Line, capacity: Capacity, message_id: str, *, unit: str, expected_version: int
) -> None:
    """Place an unrouted message and release it in one move: both rights are needed."""
    with line.store.transaction() as tx:
        subject = message_subject(message_id)
        authorize(line, tx, capacity, Action.PLACE, subject, RequestFacts())
        authorized = authorize(line, tx, capacity, Action.RELEASE, subject, RequestFacts())
        message = tx.get_one(Message, message_id)
        check_version(message.version, expected_version)
        _check_unit_active(tx, message, unit)
        values = {
            "unit": unit,
            "rule": None,
            "transfers": message.transfers + 1,
            "released_by": capacity.person,
        }
        authorized.settle(
            row=message,
            became=MessageState.RELEASED,
            by="place",
            values=values,
            due_at=tx.now + line.terms.undo_window,
        )


def _check_unit_active(tx: Transaction, message: Message, unit_id: str) -> None:
    unit = tx.get(Unit, unit_id)
    if unit is None or unit.organisation != message.organisation:
        raise Invalid("unit.unknown", "the organisation has no such unit")
    if not is_active_on(unit, tx.now):
        raise Invalid("unit.passive", "the unit is not active")


def mark_duplicate(
    line: Line, capacity: Capacity, message_id: str, *, original_id: str, expected_version: int
) -> None:
    """Register the message as a duplicate of a registered one, whose reference it gets.

    Sender and documents must be the same.
    """
    with line.store.transaction() as tx:
        message = tx.get(Message, message_id)
        original = tx.get(Message, original_id)
        given = RequestFacts(same_documents=_same_documents(message, original))
        subject = message_subject(message_id)
        authorized = authorize(line, tx, capacity, Action.DUPLICATE, subject, given)
        assert message is not None
        assert original is not None
        check_version(message.version, expected_version)
        reference = data_key(tx, line, original.id).unseal(
            original.sealed_reference or b"",
            table="message",
            column="sealed_reference",
            row=original.id,
        )
        check_reference(reference.decode())
        sealed = data_key(tx, line, message.id).seal(
            reference, table="message", column="sealed_reference", row=message.id
        )
        authorized.settle(
            row=message,
            became=MessageState.REGISTERED,
            by="duplicate",
            values={
                "duplicate_of": original.id,
                "registered_at": tx.now,
                "registered_by": "duplicate",
                "sealed_reference": sealed,
            },
        )
        choose_receipt(tx, message, ReceiptType.OK)


def _same_documents(message: Message | None, original: Message | None) -> bool:
    return (
        message is not None
        and original is not None
        and message.id != original.id
        and original.state in _REGISTERED_STATES
        and original.sealed_reference is not None
        and message.organisation == original.organisation
        and message.sender is not None
        and message.sender == original.sender
        and message.documents_hash is not None
        and message.documents_hash == original.documents_hash
    )


def recheck(line: Line, capacity: Capacity, message_id: str, *, expected_version: int) -> None:
    """Open a quarantined message again, without waivers: a list or an anchor may have arrived."""
    subject = message_subject(message_id)
    with authorized_transaction(line, capacity, Action.RECHECK, subject) as authorized:
        message = authorized.seen(Message, message_id, expected_version)
        authorized.settle(
            row=message, became=MessageState.RECEIVED, by="recheck", values={"waivers": ""}
        )


def refetch(line: Line, capacity: Capacity, arrival_id: str, *, expected_version: int) -> None:
    """Fetch a missed arrival again now; its back-off starts again."""
    subject = arrival_subject(arrival_id)
    with authorized_transaction(line, capacity, Action.REFETCH, subject) as authorized:
        arrival = authorized.seen(Arrival, arrival_id, expected_version)
        authorized.settle(
            row=arrival, became=ArrivalState.ANNOUNCED, by="refetch", values={"misses": 0}
        )


def resend(line: Line, capacity: Capacity, message_id: str, *, reason: str) -> None:
    """Send a failed or impossible receipt again."""
    subject = message_subject(message_id)
    given = RequestFacts(reason_given=bool(reason))
    with authorized_transaction(line, capacity, Action.RESEND, subject, given) as authorized:
        authorized.settle(
            row=_failed_receipt(authorized.tx, message_id),
            became=ReceiptState.CHOSEN,
            by="resend",
            values={"chosen_at": authorized.tx.now},
            reason=reason,
        )


def accept_failure(line: Line, capacity: Capacity, message_id: str, *, reason: str) -> None:
    """Accept that the sender could not be answered; the message counts as answered."""
    subject = message_subject(message_id)
    given = RequestFacts(reason_given=bool(reason))
    with authorized_transaction(line, capacity, Action.RESEND, subject, given) as authorized:
        receipt = _failed_receipt(authorized.tx, message_id)
        receipt.settled_at = authorized.tx.now
        authorized.tx.add(receipt)
        authorized.close_tasks(receipt.id, TaskKind.RECEIPT)
        authorized.record(
            event="receipt:failure_accepted",
            subject=receipt.id,
            message_id=message_id,
            code=receipt.code,
            reason=reason,
        )
        mark_answered(authorized.tx, message_id, who=capacity.id, keep=line.terms.keep_content)


def _failed_receipt(session: Session, message_id: str) -> Receipt:
    receipt = session.exec(
        select(Receipt).where(
            col(Receipt.message_id) == message_id,
            col(Receipt.state).in_([ReceiptState.FAILED, ReceiptState.IMPOSSIBLE]),
            col(Receipt.settled_at).is_(None),
        )
    ).first()
    if receipt is None:
        raise Conflict("receipt.not_failed", "its receipt has not failed")
    return receipt


def close_by_hand(line: Line, capacity: Capacity, task_id: str, *, reason: str) -> None:
    """Close a task that no change of state closes: a stuck row, a notice, an alarm."""
    with line.store.transaction() as tx:
        task = tx.get(Task, task_id)
        if task is None or task.state is not TaskState.OPEN:
            raise Conflict("task.not_open", "no such open task")
        if task.kind not in _CLOSED_BY_PEOPLE:
            raise Conflict("task.closes_itself", "it closes when its subject moves on")
        subject, given = OfTask(task_id=task_id), RequestFacts(reason_given=bool(reason))
        authorized = authorize(line, tx, capacity, Action.CLOSE_TASK, subject, given)
        if is_about_person(tx, task, capacity.person):
            raise Conflict("task.about_oneself", "somebody who had no part in it closes it")
        values = {"closed_at": tx.now}
        authorized.settle(row=task, became=TaskState.DONE, by="close", values=values, reason=reason)
