"""One row of a queue, for somebody who only distributes: no type here has room for a title."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from inbox.access.lists.queue_pages import QueuedMessage
from inbox.domain import HoldCause, MessageId, MessageState, OrgNumber, PersonId, UnitId
from inbox.errors import IntegrityError
from inbox.keys import WrappedDataKey
from inbox.line import Line
from inbox.line.desk.deadlines import (
    DeadlineStage,
    UnitDeadlines,
    age_in_working_days,
    deadline_of,
    stage_of,
)
from inbox.line.desk.short_reference import short_reference_of
from inbox.line.desk.unit_terms import UnitTermsTable
from inbox.package.verdict import SignerIs
from inbox.routing.rule_book import RuleBook

_IS_SENDER: Final = SignerIs.SENDER.value


@dataclass(frozen=True, kw_only=True)
class MostlyTo:
    """Where most of the last messages from a sender went."""

    unit: UnitId
    unit_name: str
    count: int
    of: int


@dataclass(frozen=True, kw_only=True)
class InHand:
    """A person who has the message in hand."""

    person: PersonId
    name: str
    since: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class QueueRow:
    """One message of a queue, for somebody who only distributes."""

    id: MessageId
    reference: str
    """What people call it: see `short_reference`."""
    version: int
    received_at: datetime
    age: int
    """In working days."""
    deadline: datetime | None
    stage: DeadlineStage | None
    """What must have happened by the deadline."""
    late: bool
    urgent: bool
    sender: OrgNumber | None
    sender_name: str | None
    """As the certificate of its own package has it; None where that is unknown: show the number."""
    channel: str
    process: str | None
    state: MessageState
    code: str | None
    """Why it is in this state, where there is a code: of quarantine, of a route, of a return."""
    unit: UnitId | None
    unit_name: str | None
    rule: str | None
    because: str | None
    """What the rule says of itself, if it stands in the active rule book."""
    held_for: HoldCause | None
    held_until: datetime | None
    mostly_to: MostlyTo | None
    in_hand: tuple[InHand, ...]
    damaged: str | None = None
    """The code of why its sealed part does not open."""


@dataclass(frozen=True, kw_only=True)
class RowContext:
    """What the rows of a page share."""

    line: Line
    now: datetime
    terms: UnitTermsTable
    book: RuleBook | None
    mostly_to: Mapping[OrgNumber, MostlyTo]
    in_hand: Mapping[MessageId, tuple[InHand, ...]]


def queue_row(context: RowContext, message: QueuedMessage) -> QueueRow:
    """The row of a message. What is sealed and damaged is left out, and the code says so."""
    process, damaged = _process(context.line, message)
    stage = stage_of(message.state, message.worked_at)
    deadline = _deadline(message, stage, context.terms.of(message.unit))
    is_held = message.held_until is not None and message.held_until > context.now
    sender = message.sender
    return QueueRow(
        id=message.id,
        reference=short_reference_of(message.id),
        version=message.version,
        received_at=message.received_at,
        age=age_in_working_days(message.received_at, context.now),
        deadline=deadline,
        stage=stage,
        late=deadline is not None and deadline <= context.now,
        urgent=message.urgent,
        sender=sender,
        sender_name=sender_name(message.verdict, sender),
        channel=message.channel,
        process=process,
        state=message.state,
        code=message.code,
        unit=message.unit,
        unit_name=message.unit_name,
        rule=message.rule,
        because=because_of(context.book, message.rule),
        held_for=message.held_for if is_held else None,
        held_until=message.held_until if is_held else None,
        mostly_to=None if sender is None else context.mostly_to.get(sender),
        in_hand=context.in_hand.get(message.id, ()),
        damaged=damaged,
    )


def _deadline(
    message: QueuedMessage, stage: DeadlineStage | None, terms: UnitDeadlines
) -> datetime | None:
    if stage is None:
        return None
    return deadline_of(message.received_at, stage, terms, urgent=message.urgent)


def because_of(book: RuleBook | None, rule_id: str | None) -> str | None:
    """What a rule says of itself, if it stands in the active rule book."""
    rules = () if book is None else book.rules
    return next((rule.because for rule in rules if rule.id == rule_id), None)


def sender_name(verdict: str | None, sender: OrgNumber | None) -> str | None:
    """The sender's name as the certificate that signed the package has it.

    Public information of an organisation, and believed only where the certificate is. None where a
    supplier signed, or nothing has been checked: no other source says who a number is.
    """
    if verdict is None or sender is None:
        return None
    said: Mapping[str, Any] = json.loads(verdict)
    if said.get("chain") is not True or said.get("signer_is") != _IS_SENDER:
        return None
    signers = said.get("signers") or ()
    return next((each["name"] for each in signers if each["org_number"] == sender), None)


def _process(line: Line, message: QueuedMessage) -> tuple[str | None, str | None]:
    """The process of a message; the code of why it does not open."""
    if message.sealed_metadata is None or message.kek_id is None or message.wrapped is None:
        return None, None
    try:
        key = line.keyring.unwrap(WrappedDataKey(kek_id=message.kek_id, wrapped=message.wrapped))
        raw = key.unseal(
            message.sealed_metadata, table="message", column="sealed_metadata", row=message.id
        )
    except IntegrityError as error:
        return None, error.code
    process = json.loads(raw).get("process")
    return (None if process is None else str(process)), None
