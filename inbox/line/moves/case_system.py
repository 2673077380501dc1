"""What a case system does: list deliveries, collect one, acknowledge it (accept, register, refuse).

The same word twice is the same answer. A conflicting one leaves the first standing and asks a
person. A word for an attempt that was withdrawn or superseded is true all the same: it is kept as
a task, and nothing goes on with the message until that is closed.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlmodel import Session

from inbox.access.lists.deliveries import CollectableDelivery, collectable_deliveries
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, RequestFacts
from inbox.domain import CaseSystemId, DeliveryState, MessageState, new_id
from inbox.errors import Invalid, NotFound
from inbox.line import Line
from inbox.line.authorize import Authorized, authorize, message_subject
from inbox.line.copies import copies_taken_by
from inbox.line.damage import watch_damage
from inbox.line.moves.registration import (
    ACTIVE_DELIVERY_STATES,
    CollectedMessage,
    check_reference,
    data_key,
    registration_columns,
    store_known_reference,
)
from inbox.line.people_lists import listing_snapshot
from inbox.line.receipts import choose_receipt
from inbox.line.settle import open_task
from inbox.line.task_kinds import TaskKind
from inbox.receipt_document import ReceiptType
from inbox.store import Transaction
from inbox.tables import Delivery, Message

_D, _M = DeliveryState, MessageState
_ENDED: Final = (_D.WITHDRAWN, _D.SUPERSEDED)
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
_LONGEST_TEXT: Final = 2000


class Said(StrEnum):
    """What became of a word."""

    DONE = "done"
    REPEATED = "repeated"
    KEPT = "kept"
    """Too late to act on by itself: a person decides."""
    CONFLICT = "conflict"
    """Another word stands; a task is opened for a person."""


@dataclass(frozen=True, kw_only=True)
class _Acknowledgement:
    """A final word, and how it is compared with an earlier one."""

    became: DeliveryState
    hashed: str
    reference: str = ""
    code: str | None = None
    text: str = ""


def deliveries(
    line: Line, capacity: Capacity, *, after: str | None = None, at_most: int = 50
) -> Sequence[CollectableDelivery]:
    """The case system's own open and collected deliveries, the oldest first, after the given one.

    Those that it may collect now; so nothing that a rule denies it, and nothing of a message that
    is no longer offered. Raises `Unavailable` as a list of people does.
    """
    with listing_snapshot(line) as (tx, policy):
        last = None if after is None else tx.get(Delivery, after)
        own = last is not None and last.case_system == capacity.case_system
        return collectable_deliveries(
            tx,
            policy,
            tx.now,
            capacity=capacity,
            recheck=line.recheck,
            after=(last.offered_at, last.id) if last is not None and own else None,
            at_most=at_most,
        )


def collect(line: Line, capacity: Capacity, delivery_id: str) -> CollectedMessage:
    """Let the case system read the message. Safe to repeat.

    The delivery is COLLECTED, and audited, before the first byte is sent.
    """
    with watch_damage(line) as watch, line.store.transaction() as tx:
        delivery, message = _own_delivery(tx, capacity, delivery_id)
        watch.message_id = message.id
        authorized = _authorize_delivery(line, tx, capacity, Action.COLLECT, delivery)
        if delivery.state is _D.OPEN:
            authorized.settle(
                row=delivery, became=_D.COLLECTED, by="collect", values={"collected_at": tx.now}
            )
        else:
            authorized.record(event="delivery:read", subject=delivery.id, message_id=message.id)
        tx.flush()
        tx.refresh(delivery)
        key = data_key(tx, line, message.id)
        copies = copies_taken_by(tx, CaseSystemId(delivery.case_system), message)
    return CollectedMessage(message=message, delivery=delivery, key=key, copies=copies)


def acknowledge_accepted(line: Line, capacity: Capacity, delivery_id: str) -> Said:
    """The case system acknowledges that it has the bytes.

    That does not mean registered: no receipt is sent.
    """
    with line.store.transaction() as tx:
        delivery, _ = _own_delivery(tx, capacity, delivery_id)
        authorized = _authorize_delivery(line, tx, capacity, Action.WORD, delivery)
        over = delivery.state in _ENDED
        if over or delivery.accepted_at is not None or delivery.state not in ACTIVE_DELIVERY_STATES:
            authorized.mark_duties_met()
            return Said.KEPT if over else Said.REPEATED
        if delivery.state is _D.OPEN:
            values = {"accepted_at": tx.now, "collected_at": tx.now}
            authorized.settle(row=delivery, became=_D.COLLECTED, by="word", values=values)
            return Said.DONE
        delivery.accepted_at = tx.now
        authorized.record(
            event="delivery:accepted", subject=delivery.id, message_id=delivery.message_id
        )
        return Said.DONE


def acknowledge_registered(
    line: Line, capacity: Capacity, delivery_id: str, *, reference: str
) -> Said:
    """The case system has registered the message (*journalført*) under this reference.

    This is the only acknowledgement that causes a kvittering.
    """
    check_reference(reference)
    hashed = _acknowledgement_hash(line, delivery_id, "registered", reference)
    word = _Acknowledgement(became=_D.REGISTERED, hashed=hashed, reference=reference)
    with line.store.transaction() as tx:
        delivery, message = _own_delivery(tx, capacity, delivery_id)
        authorized = _authorize_delivery(line, tx, capacity, Action.WORD, delivery)
        said = _apply_acknowledgement(line, authorized, delivery, message, word)
        if said is Said.DONE:
            values = registration_columns(tx, line, message, reference, "word")
            authorized.settle(row=message, became=_M.REGISTERED, by="word", values=values)
            store_known_reference(tx, line, message, reference)
            choose_receipt(tx, message, ReceiptType.OK)
    return said


def acknowledge_refused(
    line: Line, capacity: Capacity, delivery_id: str, *, code: str, text: str = ""
) -> Said:
    """The case system refuses the message with a code of its own.

    People decide what happens next.
    """
    if _CODE.fullmatch(code) is None:
        raise Invalid("refusal.code", "a code is at most 60 of a-z 0-9 . _ -")
    if len(text) > _LONGEST_TEXT:
        raise Invalid("refusal.text", "at most 2000 characters")
    hashed = _acknowledgement_hash(line, delivery_id, "refused", code)
    word = _Acknowledgement(became=_D.REFUSED, hashed=hashed, code=code, text=text)
    with line.store.transaction() as tx:
        delivery, message = _own_delivery(tx, capacity, delivery_id)
        authorized = _authorize_delivery(line, tx, capacity, Action.WORD, delivery)
        said = _apply_acknowledgement(line, authorized, delivery, message, word)
        if said is Said.DONE:
            authorized.settle(row=message, became=_M.RETURNED, by="word", code="delivery.refused")
    return said


def _apply_acknowledgement(
    line: Line, authorized: Authorized, delivery: Delivery, message: Message, word: _Acknowledgement
) -> Said:
    """Say it, if nothing else has been said; otherwise say what stands in the way."""
    over = delivery.state in _ENDED
    if delivery.word_hash == word.hashed:
        authorized.mark_duties_met()
        return Said.KEPT if over else Said.REPEATED
    if delivery.word_hash is not None:
        _open_acknowledgement_task(line, authorized, message, TaskKind.CONFLICTING_WORD, word)
        authorized.mark_duties_met()
        return Said.CONFLICT
    if over:
        delivery.word_hash = word.hashed
        taken = word.became is _D.REGISTERED
        if taken and not _is_same_registration(line, authorized.tx, message, word):
            _open_acknowledgement_task(line, authorized, message, _kind_of_late(message), word)
        authorized.record(
            event="delivery:word_kept",
            subject=delivery.id,
            message_id=message.id,
            code=word.code,
        )
        return Said.KEPT
    text = None
    if word.text:
        text = data_key(authorized.tx, line, message.id).seal(
            word.text.encode(), table="delivery", column="sealed_text", row=delivery.id
        )
    values = {"word_hash": word.hashed, "settled_at": authorized.tx.now, "sealed_text": text}
    authorized.settle(row=delivery, became=word.became, by="word", values=values, code=word.code)
    return Said.DONE


def _kind_of_late(message: Message) -> TaskKind:
    """Once the message is erased nothing waits for two people, and no key seals what they say."""
    return TaskKind.LATE_WORD if message.erased_at is None else TaskKind.CONFLICTING_WORD


def _is_same_registration(
    line: Line, session: Session, message: Message, word: _Acknowledgement
) -> bool:
    """Whether the message is registered under the very same reference: then nothing is open."""
    if message.sealed_reference is None:
        return False
    key = data_key(session, line, message.id)
    standing = key.unseal(
        message.sealed_reference, table="message", column="sealed_reference", row=message.id
    )
    return standing.decode() == word.reference


def _open_acknowledgement_task(
    line: Line, authorized: Authorized, message: Message, kind: TaskKind, word: _Acknowledgement
) -> None:
    """A task with the word in it, sealed; once the message is erased, without it."""
    task_id, sealed = new_id(), None
    if message.erased_at is None:
        text = json.dumps({"reference": word.reference, "code": word.code})
        sealed = data_key(authorized.tx, line, message.id).seal(
            text.encode(), table="task", column="sealed_text", row=task_id
        )
    open_task(
        authorized.tx,
        kind=kind,
        subject=message.id,
        message_id=message.id,
        code=f"word.{word.became.lower()}",
        sealed_text=sealed,
        task_id=task_id,
    )


def _own_delivery(
    session: Session, capacity: Capacity, delivery_id: str
) -> tuple[Delivery, Message]:
    """The case system's own delivery; another's is the same `NotFound` as none."""
    delivery = session.get(Delivery, delivery_id)
    if delivery is None or delivery.case_system != capacity.case_system:
        raise NotFound
    return delivery, session.get_one(Message, delivery.message_id)


def _authorize_delivery(
    line: Line,
    tx: Transaction,
    capacity: Capacity,
    action: Action,
    delivery: Delivery,
) -> Authorized:
    """An authorization under the message's lock: the delivery is as the previous one left it."""
    subject = message_subject(delivery.message_id, delivery_id=delivery.id)
    authorized = authorize(line, tx, capacity, action, subject, RequestFacts())
    tx.refresh(delivery)
    return authorized


def _acknowledgement_hash(line: Line, delivery_id: str, word: str, value: str) -> str:
    """Keyed, so that a guessed reference cannot be checked against the database."""
    return line.keyring.lookup_hash("word", f"{delivery_id}\n{word}\n{value}").hex()
