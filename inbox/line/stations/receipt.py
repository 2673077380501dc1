"""Stations of a receipt: check that it can be sent and create it, send it, follow it up."""

from contextlib import suppress
from datetime import timedelta
from typing import Final

from sqlmodel import Session, col, select

from inbox.domain import MessageState, OrgNumber, ReceiptState
from inbox.errors import Gone, NeverAccepted, Unavailable, WaitingForPeople
from inbox.gateway import FORGOTTEN, SendStatus
from inbox.line import Job, Line, Outcome
from inbox.line.receipts import build_receipt_body, mark_answered, wire_receipt_id
from inbox.line.settle import has_open_task
from inbox.line.stations.station import Settling
from inbox.line.task_kinds import TaskKind
from inbox.receipt_document import ReceiptType
from inbox.tables import Message, Receipt

_LOST: Final = "receipt.lost_at_gateway"
_CREATED_AGAIN_AFTER: Final = timedelta(hours=1)
_SENT_AGAIN_EVERY: Final = 7
"""Each so many questions in vain, some minutes and then hours apart."""
_DECIDED = (
    MessageState.REGISTERED,
    MessageState.REFUSED,
    MessageState.ANSWERED,
    MessageState.ERASED,
)


def create(line: Line, job: Job[Receipt]) -> Outcome:
    """Check that the sender can receive a receipt, then create it under its own id.

    If it exists already, that is success.
    """
    message = _message_to_answer(line, job.row)
    gateway = line.gateways[message.channel]
    if message.sender is None:
        return Outcome(became=ReceiptState.IMPOSSIBLE, code="receipt.no_sender")
    route = gateway.receipt_route(OrgNumber(message.sender))
    if route.obstacle is not None:
        young = job.now - job.row.chosen_at < line.terms.receipt_retry_window
        return Outcome(
            became=ReceiptState.IMPOSSIBLE,
            code=route.obstacle,
            due_at=job.now + line.terms.receipt_retry_window if young else None,
        )
    key = job.keys.get(message.id)
    if key is None:
        return Outcome(became=ReceiptState.IMPOSSIBLE, code="receipt.erased")
    receipt = wire_receipt_id(message, job.row)
    try:
        gateway.create_receipt(receipt, build_receipt_body(message, job.row, key, receipt))
    except NeverAccepted as error:
        young = job.now - job.row.chosen_at < line.terms.receipt_retry_window
        if error.code == "gateway.receiver_does_not_accept" and young:
            raise Unavailable(error.code) from error
        return Outcome(became=ReceiptState.FAILED, code=error.code)
    return Outcome(became=ReceiptState.CREATED)


def _message_to_answer(line: Line, receipt: Receipt) -> Message:
    """The message it answers; `WaitingForPeople` while people or siblings must decide first."""
    with line.store.reading() as tx:
        message = tx.get_one(Message, receipt.message_id)
        if has_open_task(tx, TaskKind.LATE_WORD, message.id):
            raise WaitingForPeople("receipt.waits_for_late_word")
        if receipt.outcome == ReceiptType.ERROR and _siblings_undecided(tx, message):
            raise WaitingForPeople("receipt.waits_for_siblings")
        return message


def _siblings_undecided(session: Session, message: Message) -> bool:
    """Whether a message under the same wire id may still be registered."""
    undecided = session.exec(
        select(Message.id).where(
            col(Message.organisation) == message.organisation,
            col(Message.channel) == message.channel,
            col(Message.wire_id) == message.wire_id,
            col(Message.id) != message.id,
            col(Message.state).not_in(_DECIDED),
        )
    ).first()
    return undecided is not None


def send(line: Line, job: Job[Receipt]) -> Outcome:
    """Queue the receipt for sending at the gateway. If it was sent already, that is success."""
    message = _message_to_answer(line, job.row)
    try:
        line.gateways[message.channel].send_receipt(wire_receipt_id(message, job.row))
    except Gone as error:
        if error.code == FORGOTTEN:
            return _forgotten(line, job)
        return Outcome(became=ReceiptState.FAILED, code=_LOST)
    except NeverAccepted as error:
        return Outcome(became=ReceiptState.FAILED, code=error.code)
    return Outcome(became=ReceiptState.SENT, values={"sent_at": job.now})


def _forgotten(line: Line, job: Job[Receipt]) -> Outcome:
    """The gateway no longer has it, after a crash perhaps: it is created again under the same id.

    That goes on for a day after it was chosen; then it is left to people.
    """
    young = job.now - job.row.chosen_at < line.terms.receipt_retry_window
    return Outcome(
        became=ReceiptState.FAILED,
        code=_LOST,
        due_at=job.now + _CREATED_AGAIN_AFTER if young else None,
    )


def follow_up(line: Line, job: Job[Receipt]) -> Outcome:
    """Ask the gateway for the receipt's status.

    "Sent" is not yet delivered: it is asked again until the status is final. What the gateway has
    not sent for long is queued once more: it may have lost that in a crash. Safe to repeat.
    """
    with line.store.reading() as tx:
        message = tx.get_one(Message, job.row.message_id)
    gateway, wire_id = line.gateways[message.channel], wire_receipt_id(message, job.row)
    state = gateway.receipt_status(wire_id)
    if state is SendStatus.UNKNOWN and job.row.attempts >= _SENT_AGAIN_EVERY:
        return _forgotten(line, job)
    if state is SendStatus.CREATED and job.row.attempts % _SENT_AGAIN_EVERY == 0:
        with suppress(Gone, NeverAccepted):
            gateway.send_receipt(wire_id)
    if state is SendStatus.CONFIRMED:
        return Outcome(
            became=ReceiptState.CONFIRMED,
            values={"settled_at": job.now},
        )
    if state in (SendStatus.FAILED, SendStatus.EXPIRED):
        return Outcome(
            became=ReceiptState.FAILED,
            code=f"receipt.{state.value}",
            values={"number": job.row.number + 1},
        )
    raise Unavailable("receipt.on_its_way")


def record_status(settling: Settling[Receipt], outcome: Outcome) -> None:
    """A message whose receipt has got through is answered."""
    settling.move(outcome)
    if outcome.became is ReceiptState.CONFIRMED:
        keep = settling.line.terms.keep_content
        mark_answered(settling.tx, settling.job.row.message_id, keep=keep)
