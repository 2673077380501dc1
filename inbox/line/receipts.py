"""The receipt of a message: chosen in the transaction that decides the message, and nowhere else.

Of messages that share a wire id at most one is answered: the sender's gateway matches a kvittering
on that id alone, and a FEIL there cannot be undone.
"""

from contextlib import suppress
from datetime import timedelta

from sqlmodel import col, select

from inbox import audit
from inbox.domain import MessageState, OrgNumber, ReceiptState, new_id
from inbox.errors import Conflict
from inbox.keys import DataKey
from inbox.line import Line
from inbox.line.settle import Step, open_task, settle
from inbox.line.task_kinds import TaskKind
from inbox.package.envelope import read_envelope
from inbox.receipt_document import ReceiptContent, ReceiptType, receipt_body, receipt_id
from inbox.store import Transaction
from inbox.tables import Message, Receipt

ID_SHARED = "receipt.id_shared"


def choose_receipt(tx: Transaction, message: Message, outcome: ReceiptType) -> None:
    """Write the one receipt of a message that has just become REGISTERED or REFUSED.

    A REFUSED sibling whose receipt still waits gives way to a REGISTERED one.
    """
    answers = f"{message.organisation}/{message.channel}/{message.wire_id}"
    standing = tx.exec(
        select(Receipt).where(
            col(Receipt.answers) == answers, col(Receipt.state) != ReceiptState.IMPOSSIBLE
        )
    ).first()
    if standing is not None and outcome is ReceiptType.OK and _may_be_replaced(standing):
        settle(
            tx,
            Step(row=standing, became=ReceiptState.IMPOSSIBLE, by="create", code=ID_SHARED),
        )
        standing = None
    receipt = Receipt(
        id=new_id(),
        message_id=message.id,
        answers=answers,
        outcome=outcome.value,
        state=ReceiptState.CHOSEN if standing is None else ReceiptState.IMPOSSIBLE,
        code=None if standing is None else ID_SHARED,
        due_at=tx.now if standing is None else None,
        chosen_at=tx.now,
    )
    tx.add(receipt)
    tx.flush()
    audit.record(
        tx,
        audit.Entry(
            event="receipt:chosen" if standing is None else "receipt:impossible",
            who="line",
            subject=receipt.id,
            message_id=message.id,
            became=receipt.state.value,
            code=receipt.code,
        ),
    )
    if standing is not None:
        open_task(
            tx,
            kind=TaskKind.RECEIPT,
            subject=receipt.id,
            message_id=message.id,
            code=ID_SHARED,
        )


def _may_be_replaced(receipt: Receipt) -> bool:
    return receipt.outcome == ReceiptType.ERROR and receipt.state is ReceiptState.CHOSEN


def choose_due_receipts_again(line: Line) -> None:
    """Choose receipts anew that are to be tried once more, by the time that they have for that.

    Those that had no route a day ago, because the gateway caches the registry: once for each
    choice, then they are left to people. And those that the gateway has forgotten. Safe to repeat.
    """
    due = select(Receipt).where(
        col(Receipt.state).in_([ReceiptState.IMPOSSIBLE, ReceiptState.FAILED]),
        col(Receipt.settled_at).is_(None),
    )
    with line.store.reading() as tx:
        waiting = tx.exec(due.where(col(Receipt.due_at) <= tx.now)).all()
    for receipt in waiting:
        step = Step(row=receipt, became=ReceiptState.CHOSEN, by="resend")
        with suppress(Conflict), line.store.transaction() as tx:
            settle(tx, step)


def mark_answered(
    tx: Transaction,
    message_id: str,
    *,
    who: str = "worker",
    keep: timedelta,
) -> None:
    """Set the message to ANSWERED when its receipt is settled.

    It is due for erasure after `keep`.
    """
    message = tx.get_one(Message, message_id)
    settle(
        tx,
        Step(
            row=message,
            became=MessageState.ANSWERED,
            by="answer",
            who=who,
            values={"answered_at": tx.now},
            due_at=tx.now + keep,
        ),
    )


def wire_receipt_id(message: Message, receipt: Receipt) -> str:
    """The id of the kvittering at the gateway."""
    return receipt_id(
        organisation=message.organisation,
        channel=message.channel,
        wire_id=message.wire_id,
        outcome=receipt.outcome,
        number=receipt.number,
    )


def build_receipt_body(
    message: Message, receipt: Receipt, key: DataKey, wire_id: str
) -> dict[str, object]:
    """The body of the kvittering, built from the message's sealed envelope and reference."""
    assert message.sealed_envelope is not None
    assert message.sender is not None
    envelope = read_envelope(
        key.unseal(
            message.sealed_envelope, table="message", column="sealed_envelope", row=message.id
        )
    )
    return receipt_body(
        ReceiptContent(
            organisation=OrgNumber(message.organisation),
            sender=OrgNumber(message.sender),
            wire_id=message.wire_id,
            conversation_id=envelope.conversation_id,
            outcome=ReceiptType(receipt.outcome),
            reference=_unsealed_reference(message, key),
            refusal=message.code,
        ),
        wire_id,
    )


def _unsealed_reference(message: Message, key: DataKey) -> str | None:
    if message.sealed_reference is None:
        return None
    return key.unseal(
        message.sealed_reference, table="message", column="sealed_reference", row=message.id
    ).decode()
