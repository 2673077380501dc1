"""What archive staff do: place, mark duplicates, recheck, refetch, resend receipts, close tasks."""

from datetime import datetime

from sqlmodel import Session, col, select

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, Given, OfTask
from inbox.domain import ArrivalState, MessageState, ReceiptState, TaskState
from inbox.errors import Conflict, Invalid
from inbox.line import Line
from inbox.line.authorize import ask, check_seen, of_arrival, of_message
from inbox.line.moves.registration import data_key
from inbox.line.receipts import answer_message, choose_receipt
from inbox.line.task_kinds import TaskKind
from inbox.line.unusual_use import is_about
from inbox.receipt_document import ReceiptType
from inbox.tables import Arrival, Message, Receipt, Task, Unit
from inbox.tables.periods import is_lasting

_BY_HAND = (
    TaskKind.STUCK,
    TaskKind.CONFLICTING_WORD,
    TaskKind.OTHER_BYTES,
    TaskKind.SECURITY_GRADE,
    TaskKind.GRANTED,
    TaskKind.EMERGENCY,
    TaskKind.UNUSUAL,
    TaskKind.LISTING_DIFFERS,
    TaskKind.DAMAGED,
    TaskKind.LEAVER,
)
_REGISTERED = (MessageState.REGISTERED, MessageState.ANSWERED)


def place(
    line: Line, capacity: Capacity, message_id: str, *, unit: str, seen: int, reason: str = ""
) -> None:
    """Give the message to a unit (*fordele*), which then decides whether to release it."""
    with line.store.transaction() as (session, now):
        given = Given(reason_given=bool(reason))
        subject = of_message(message_id)
        turn = ask(line, session, now, capacity, Action.PLACE, subject, given)
        message = session.get_one(Message, message_id)
        check_seen(message.version, seen)
        _check_living(session, now, message, unit)
        values = {"unit": unit, "rule": None, "transfers": message.transfers + 1}
        turn.settle(
            row=message, became=MessageState.ROUTED, by="place", values=values, reason=reason
        )


def place_and_release(
    line: Line, capacity: Capacity, message_id: str, *, unit: str, seen: int
) -> None:
    """Place an unrouted message and release it in one move: both rights are needed."""
    with line.store.transaction() as (session, now):
        subject = of_message(message_id)
        ask(line, session, now, capacity, Action.PLACE, subject, Given())
        turn = ask(line, session, now, capacity, Action.RELEASE, subject, Given())
        message = session.get_one(Message, message_id)
        check_seen(message.version, seen)
        _check_living(session, now, message, unit)
        values = {
            "unit": unit,
            "rule": None,
            "transfers": message.transfers + 1,
            "released_by": capacity.person,
        }
        turn.settle(
            row=message,
            became=MessageState.RELEASED,
            by="place",
            values=values,
            due_at=now + line.terms.undo,
        )


def _check_living(session: Session, now: datetime, message: Message, unit_id: str) -> None:
    unit = session.get(Unit, unit_id)
    if unit is None or unit.organisation != message.organisation:
        raise Invalid("unit.unknown", "the organisation has no such unit")
    if not is_lasting(unit, now):
        raise Invalid("unit.passive", "the unit is not active")


def duplicate(line: Line, capacity: Capacity, message_id: str, *, of: str, seen: int) -> None:
    """Register the message as a duplicate of a registered one, whose reference it gets.

    Sender and documents must be the same.
    """
    with line.store.transaction() as (session, now):
        message = session.get(Message, message_id)
        original = session.get(Message, of)
        given = Given(same_documents=_same_documents(message, original))
        subject = of_message(message_id)
        turn = ask(line, session, now, capacity, Action.DUPLICATE, subject, given)
        assert message is not None
        assert original is not None
        check_seen(message.version, seen)
        reference = data_key(session, line, original.id).unseal(
            original.sealed_reference or b"",
            table="message",
            column="sealed_reference",
            row=original.id,
        )
        sealed = data_key(session, line, message.id).seal(
            reference, table="message", column="sealed_reference", row=message.id
        )
        turn.settle(
            row=message,
            became=MessageState.REGISTERED,
            by="duplicate",
            values={
                "duplicate_of": original.id,
                "registered_at": now,
                "registered_by": "duplicate",
                "sealed_reference": sealed,
            },
        )
        choose_receipt(session, now, message, ReceiptType.OK)


def _same_documents(message: Message | None, original: Message | None) -> bool:
    return (
        message is not None
        and original is not None
        and message.id != original.id
        and original.state in _REGISTERED
        and original.sealed_reference is not None
        and message.organisation == original.organisation
        and message.sender is not None
        and message.sender == original.sender
        and message.documents_hash is not None
        and message.documents_hash == original.documents_hash
    )


def recheck(line: Line, capacity: Capacity, message_id: str, *, seen: int) -> None:
    """Open a quarantined message again, without waivers: a list or an anchor may have arrived."""
    with line.store.transaction() as (session, now):
        subject = of_message(message_id)
        turn = ask(line, session, now, capacity, Action.RECHECK, subject, Given())
        message = session.get_one(Message, message_id)
        check_seen(message.version, seen)
        turn.settle(row=message, became=MessageState.RECEIVED, by="recheck", values={"waivers": ""})


def refetch(line: Line, capacity: Capacity, arrival_id: str, *, seen: int) -> None:
    """Fetch a missed arrival again now; its back-off starts again."""
    with line.store.transaction() as (session, now):
        subject = of_arrival(arrival_id)
        turn = ask(line, session, now, capacity, Action.REFETCH, subject, Given())
        arrival = session.get_one(Arrival, arrival_id)
        check_seen(arrival.version, seen)
        turn.settle(row=arrival, became=ArrivalState.ANNOUNCED, by="refetch", values={"misses": 0})


def resend(line: Line, capacity: Capacity, message_id: str, *, reason: str) -> None:
    """Send a failed or impossible receipt again."""
    with line.store.transaction() as (session, now):
        subject = of_message(message_id)
        given = Given(reason_given=bool(reason))
        turn = ask(line, session, now, capacity, Action.RESEND, subject, given)
        turn.settle(
            row=_failed_receipt(session, message_id),
            became=ReceiptState.CHOSEN,
            by="resend",
            values={"chosen_at": now},
            reason=reason,
        )


def accept_failure(line: Line, capacity: Capacity, message_id: str, *, reason: str) -> None:
    """Accept that the sender could not be answered; the message counts as answered."""
    with line.store.transaction() as (session, now):
        subject = of_message(message_id)
        given = Given(reason_given=bool(reason))
        turn = ask(line, session, now, capacity, Action.RESEND, subject, given)
        receipt = _failed_receipt(session, message_id)
        receipt.settled_at = now
        session.add(receipt)
        turn.close(receipt.id, TaskKind.RECEIPT)
        turn.note(
            event="receipt:failure_accepted",
            subject=receipt.id,
            message_id=message_id,
            code=receipt.code,
            reason=reason,
        )
        answer_message(session, now, message_id, who=capacity.id, keep=line.terms.keep_content)


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


def close(line: Line, capacity: Capacity, task_id: str, *, reason: str) -> None:
    """Close a task that no change of state closes: a stuck row, a notice, an alarm."""
    with line.store.transaction() as (session, now):
        task = session.get(Task, task_id)
        if task is None or task.state is not TaskState.OPEN:
            raise Conflict("task.not_open", "no such open task")
        if task.kind not in _BY_HAND:
            raise Conflict("task.closes_itself", "it closes when its subject moves on")
        subject, given = OfTask(task_id=task_id), Given(reason_given=bool(reason))
        turn = ask(line, session, now, capacity, Action.CLOSE_TASK, subject, given)
        if is_about(session, task, capacity.person):
            raise Conflict("task.about_oneself", "somebody who had no part in it closes it")
        values = {"closed_at": now}
        turn.settle(row=task, became=TaskState.DONE, by="close", values=values, reason=reason)
