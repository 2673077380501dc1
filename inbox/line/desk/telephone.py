"""On the telephone: what may be read aloud to a sender who asks for a message by its own id.

Never a unit, a rule or a person. A message that is not there and another sender's are one answer,
made by the same statements.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import col

from inbox.access.lists.arrivals import ListedArrival, arrivals_of_wire_id
from inbox.access.lists.pages import permitted_message_ids
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity
from inbox.days import day_of, in_norway
from inbox.domain import ArrivalState, MessageState, parse_org_number
from inbox.errors import IntegrityError, Invalid, PackageRejected
from inbox.language import TextLanguage, TextTable, read_texts
from inbox.line import Line
from inbox.line.desk.arrival_queue import envelope_of
from inbox.line.desk.message.history import verified_at
from inbox.line.desk.message.lamps import (
    Lamps,
    LampState,
    MessageProgress,
    SenderSees,
    lamps_of,
    lamps_of_arrival,
    sender_sees,
    sender_sees_arrival,
)
from inbox.line.desk.message.verdict_sentence import DESK_TEXTS
from inbox.line.people_lists import listing_snapshot, policy_without_duties
from inbox.line.queue import unwrap_stored_key
from inbox.package.envelope import read_envelope
from inbox.store import Transaction
from inbox.tables import AuditEntry, Delivery, Message, Receipt, WrappedKey

_LONGEST_ID: Final = 200
_MOST: Final = 10
"""Messages under one id: a second one takes a sender that sends other bytes under it."""


@dataclass(frozen=True, kw_only=True)
class CallerAnswer:
    """What the caller may hear."""

    made_at: datetime
    found: bool
    """False: it is not here, or it is not the caller's. We do not say which."""
    read_aloud: str
    """The text to read to the caller, in the language that was asked for."""
    lamps: Lamps | None = None
    sender_sees: SenderSees | None = None
    received_at: datetime | None = None
    several: int = 1
    """How many messages came under this id (with other bytes): the newest is meant."""
    message_id: str | None = None
    """For a link of the person at the desk; None where only the arrival is known."""
    arrival_id: str | None = None
    sender_known: bool = True
    """False: the gateway gave no envelope of what it had given up, so nothing says who sent it."""


def answer_caller(
    line: Line,
    capacity: Capacity,
    *,
    sender_id: str,
    caller: str,
    language: TextLanguage = TextLanguage.NB,
) -> CallerAnswer:
    """Answer a caller who gives the sender's id of a message and the caller's organisation number.

    Of messages and arrivals that the capacity may distribute. Raises `Invalid` where the number has
    no right check digit, or the id is no id.
    """
    number = parse_org_number("".join(caller.split()))
    wire_id = sender_id.strip()
    if not 1 <= len(wire_id) <= _LONGEST_ID or not wire_id.isprintable():
        raise Invalid("telephone.id", "the sender's id of a message, as its own system shows it")
    with listing_snapshot(line) as (tx, policy):
        free = policy_without_duties(policy, Action.ROUTE, capacity.role)
        visible = permitted_message_ids(free, capacity, tx.now, Action.ROUTE)
        rows = [
            row
            for row in tx.execute(_messages(wire_id, number, visible)).all()
            if _is_of(line, row[0], row[3], number)
        ]
        arrivals = arrivals_of_wire_id(tx, free, tx.now, capacity=capacity, wire_id=wire_id)
        message_id = rows[0][0].id if rows else ""
        leaves = tx.execute(
            sa.select(col(AuditEntry.leaf)).where(col(AuditEntry.message_id) == message_id)
        ).scalars()
        texts = _Aloud(read_texts(DESK_TEXTS), language)
        if rows:
            message, receipt, collected_at, _ = rows[0]
            progress = _progress(message, receipt, collected_at, verified_at(leaves))
            return _of_message(tx, message, progress, texts, several=len(rows))
        known = [each for each in arrivals if _may_be_of(line, each, number)]
        if known:
            return _of_arrival(line, tx, known[-1], texts)
        return CallerAnswer(made_at=tx.now, found=False, read_aloud=texts.text("unknown"))


def _messages(wire_id: str, sender: str, visible: sa.Select[str]) -> sa.Select[*tuple[Any, ...]]:
    """The caller's messages under the id, the newest first, with receipt and first collection."""
    collected = (
        sa.select(sa.func.min(col(Delivery.collected_at)))
        .where(col(Delivery.message_id) == col(Message.id))
        .scalar_subquery()
    )
    return (
        sa.select(Message, Receipt, collected, WrappedKey)
        .join(Receipt, col(Receipt.message_id) == col(Message.id), isouter=True)
        .join(WrappedKey, col(WrappedKey.id) == col(Message.id), isouter=True)
        .where(
            col(Message.wire_id) == wire_id,
            # Before it is opened its envelope alone says whose it is.
            sa.or_(col(Message.sender) == sender, col(Message.sender).is_(None)),
            col(Message.id).in_(visible),
        )
        .order_by(col(Message.received_at).desc(), col(Message.id).desc())
        .limit(_MOST)
    )


def _may_be_of(line: Line, arrival: ListedArrival, caller: str) -> bool:
    """Whether it is the caller's, as its envelope says.

    Where the gateway gave no envelope the id alone speaks for the caller: it is random, and who has
    lost a message must hear of it.
    """
    envelope = envelope_of(line, arrival)
    if envelope is not None:
        return envelope.sender == caller
    return arrival.sealed_envelope is None and arrival.state is ArrivalState.MISSED


def _is_of(line: Line, message: Message, stored: WrappedKey | None, caller: str) -> bool:
    """Whether the message is the caller's; one that is not opened yet by its envelope."""
    if message.sender is not None:
        return message.sender == caller
    if message.sealed_envelope is None or stored is None:
        return False
    try:
        key = unwrap_stored_key(line, stored)
        if key is None:
            return False
        raw = key.unseal(
            message.sealed_envelope, table="message", column="sealed_envelope", row=message.id
        )
        return read_envelope(raw).sender == caller
    except (IntegrityError, PackageRejected):
        return False


def _progress(
    message: Message,
    receipt: Receipt | None,
    collected_at: datetime | None,
    passed_at: datetime | None,
) -> MessageProgress:
    return MessageProgress(
        state=message.state,
        received_at=message.received_at,
        verified_at=passed_at,
        collected_at=collected_at,
        registered_at=message.registered_at,
        refused_at=message.refused_at,
        receipt_state=None if receipt is None else receipt.state,
        receipt_outcome=None if receipt is None else receipt.outcome,
    )


@dataclass(frozen=True)
class _Aloud:
    """Sentences to be read aloud."""

    texts: TextTable
    language: TextLanguage

    def text(self, key: str, at: datetime | None = None) -> str:
        if at is None:
            return self.texts.text(f"aloud.{key}", self.language)
        here = in_norway(at)
        clock = f"{here:%H:%M}" if self.language is TextLanguage.EN else f"{here:%H.%M}"
        day = f"{here.day}.{here.month}.{here.year}"
        if self.language is TextLanguage.EN:
            day = day_of(at).isoformat()
        return self.texts.text(f"aloud.{key}", self.language, day=day, clock=clock)


def _of_message(
    tx: Transaction, message: Message, progress: MessageProgress, said: _Aloud, *, several: int
) -> CallerAnswer:
    lamps, sees = lamps_of(progress), sender_sees(progress)
    sentences = [said.text("fetched", message.received_at)]
    if message.refused_at is not None:
        sentences.append(said.text("refused", message.refused_at))
    else:
        sentences += _progress_sentences(message, lamps, said)
    sentences.append(said.text(f"sees.{sees.value}"))
    return CallerAnswer(
        made_at=tx.now,
        found=True,
        read_aloud=" ".join(sentences),
        lamps=lamps,
        sender_sees=sees,
        received_at=message.received_at,
        several=several,
        message_id=message.id,
    )


def _progress_sentences(message: Message, lamps: Lamps, said: _Aloud) -> list[str]:
    if message.registered_at is not None:
        return [said.text("registered", message.registered_at)]
    if lamps.verified.state is not LampState.ON:
        stopped = message.state is MessageState.QUARANTINED
        return [said.text("stopped" if stopped else "checking")]
    is_delivered = lamps.delivered.state is LampState.ON
    return [
        said.text("verified"),
        *([said.text("delivered")] if is_delivered else [said.text("undelivered")]),
        said.text("unregistered"),
    ]


def _of_arrival(line: Line, tx: Transaction, arrival: ListedArrival, said: _Aloud) -> CallerAnswer:
    sees = sender_sees_arrival(arrival.state)
    what = "missed" if sees is SenderSees.EXPIRED else "waits"
    return CallerAnswer(
        made_at=tx.now,
        found=True,
        read_aloud=f"{said.text(what)} {said.text(f'sees.{sees.value}')}",
        lamps=lamps_of_arrival(arrival.state, None),
        sender_sees=sees,
        arrival_id=arrival.id,
        sender_known=envelope_of(line, arrival) is not None,
    )
