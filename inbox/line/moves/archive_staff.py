"""What archive staff do: place, mark duplicates, recheck, refetch, resend receipts, close tasks.

A placing can be undone by its person until the grace has passed, and a release until it is offered.
"""

from collections.abc import Mapping
from datetime import timedelta

from sqlmodel import Session, col, select

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, OfTask, RequestFacts
from inbox.domain import MOVES, ArrivalState, MessageState, ReceiptState, TaskState, check_move
from inbox.errors import Conflict, Invalid, NotPermitted
from inbox.line import Line
from inbox.line.authorize import (
    Authorized,
    active_policy,
    arrival_subject,
    authorize,
    authorized_transaction,
    check_version,
    message_subject,
)
from inbox.line.moves.placement import grace_of, placed_values, traces_of, way_back
from inbox.line.moves.registration import check_reference, data_key
from inbox.line.receipts import choose_receipt, mark_answered
from inbox.line.settle import lock_row
from inbox.line.task_kinds import TaskKind
from inbox.line.unusual_use import is_about_person
from inbox.receipt_document import ReceiptType
from inbox.store import Transaction
from inbox.tables import Arrival, Message, Receipt, Task, Unit
from inbox.tables.periods import is_active_on

CLOSED_BY_PEOPLE = (
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
    TaskKind.ESCALATED,
    TaskKind.NOT_PLACED,
    TaskKind.IDENTITY,
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
    """Give the message to a unit (*fordele*), which then decides whether to release it.

    It is PLACING first, and the person can undo that; what is urgent goes at once.
    """
    given = RequestFacts(reason_given=bool(reason))
    subject = message_subject(message_id)
    with authorized_transaction(line, capacity, Action.PLACE, subject, given) as authorized:
        message = authorized.seen(Message, message_id, expected_version)
        _check_placeable(authorized.tx, message, unit)
        if grace := grace_of(line.terms, message, authorized.decision.facts):
            going_to = {"placing_unit": unit, "placing_state": MessageState.ROUTED}
            _begin_placing(authorized, message, going_to, grace, given, reason)
            return
        authorized.settle(
            row=message,
            became=MessageState.ROUTED,
            by="place",
            values=placed_values(message, unit),
            reason=reason,
        )


def place_and_release(
    line: Line, capacity: Capacity, message_id: str, *, unit: str, expected_version: int
) -> None:
    """Place an unrouted message and release it in one move: both rights are needed.

    It is PLACING first, as by `place`; once it is released, that can be undone, too.
    """
    with line.store.transaction() as tx:
        subject = message_subject(message_id)
        placed = authorize(line, tx, capacity, Action.PLACE, subject, RequestFacts())
        authorized = authorize(line, tx, capacity, Action.RELEASE, subject, RequestFacts())
        message = tx.get_one(Message, message_id)
        check_version(message.version, expected_version)
        _check_placeable(tx, message, unit)
        check_move("place", message.state, MessageState.RELEASED)
        facts = placed.decision.facts | authorized.decision.facts
        if grace := grace_of(line.terms, message, facts):
            going_to = {"placing_unit": unit, "placing_state": MessageState.RELEASED}
            _begin_placing(authorized, message, going_to, grace, RequestFacts())
            return
        authorized.settle(
            row=message,
            became=MessageState.RELEASED,
            by="place",
            values={
                **traces_of(message, capacity, RequestFacts()),
                **placed_values(message, unit),
                "released_by": capacity.person,
            },
            due_at=tx.now + line.terms.undo_window,
        )


def _begin_placing(
    authorized: Authorized,
    message: Message,
    going_to: Mapping[str, object],
    grace: timedelta,
    given: RequestFacts,
    reason: str = "",
) -> None:
    """PLACING: with no unit until it is due; the row keeps where it comes from and goes to."""
    traces = traces_of(message, authorized.capacity, given)
    authorized.settle(
        row=message,
        became=MessageState.PLACING,
        by="place",
        values={**traces, **going_to, "unit": None},
        due_at=authorized.tx.now + grace,
        reason=reason,
    )


def undo(line: Line, capacity: Capacity, message_id: str, *, expected_version: int) -> None:
    """Undo one's own placing, or one's own release before it is offered (*angre*); no reason.

    State, unit, rule and number of transfers are those of before. Nobody else can undo it: who
    placed it is compared here, too, for policies that are older than the action.
    """
    subject = message_subject(message_id)
    with line.store.transaction() as tx:
        lock_row(tx, Message, message_id)
        message = tx.get(Message, message_id)
        # In a policy that is older, the rows of `place` say who may, as of the state of before.
        stands_in = Action.UNDO in active_policy(line, tx).later.stand_ins
        given = RequestFacts(in_state=message.from_state if message and stands_in else None)
        authorized = authorize(line, tx, capacity, Action.UNDO, subject, given)
        assert message is not None
        if message.moved_by != capacity.person or message.state not in MOVES[MessageState]["undo"]:
            raise NotPermitted("not_permitted", "undo: only the person who moved it, and in time")
        check_version(message.version, expected_version)
        back = way_back(tx, message)
        authorized.settle(
            row=message, became=back.became, by="undo", code=back.code, values=back.values
        )


def _check_placeable(tx: Transaction, message: Message, unit_id: str) -> None:
    if message.state is MessageState.PLACING:
        raise Conflict("message.placing", "somebody is placing it")
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
        subject, given = OfTask(task_id=task_id), RequestFacts(reason_given=bool(reason))
        # Decided first: who may not know of a task does not learn whether it is there.
        authorized = authorize(line, tx, capacity, Action.CLOSE_TASK, subject, given)
        if task is None or task.state is not TaskState.OPEN:
            raise Conflict("task.not_open", "it is closed already")
        if task.kind not in CLOSED_BY_PEOPLE:
            raise Conflict("task.closes_itself", "it closes when its subject moves on")
        if is_about_person(tx, task, capacity.person):
            raise Conflict("task.about_oneself", "somebody who had no part in it closes it")
        values = {"closed_at": tx.now}
        authorized.settle(row=task, became=TaskState.DONE, by="close", values=values, reason=reason)
