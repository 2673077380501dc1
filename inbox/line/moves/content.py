"""People read a message and its parts: decided each time, audited before a byte is returned.

A person whom the policy lets `open` a message reads it, in every state in which a unit has it.
Reading moves nothing. Only `collect_by_hand`, by a person who works on it, moves a delivery.

A rule may owe a reason. It is written once for each message and quarter of an hour. A browser that
asks for a further range of a part within that time goes on with the same reading, which is in the
audit once:

    08.00  document 2, from its beginning    audit entry
    08.04  document 2, from byte 4 000 000   the same entry
    08.16  document 2, from byte 9 000 000   audit entry
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlmodel import col, select

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, RequestFacts
from inbox.domain import READABLE_STATES, DeliveryState
from inbox.errors import Conflict, NotPermitted
from inbox.keys import DataKey
from inbox.line import Line
from inbox.line.authorize import Authorized, authorize, message_subject
from inbox.line.moves.registration import (
    CollectedMessage,
    active_delivery,
    data_key,
    is_by_hand,
)
from inbox.line.task_kinds import TaskKind
from inbox.line.unusual_use import count_opening
from inbox.store import Transaction
from inbox.tables import Message, Opening

READING_LASTS: Final = timedelta(minutes=15)
WHOLE_PACKAGE: Final = "package"
_WORKING_FACTS: Final = frozenset({"assigned", "covers"})
"""A person who works on a message, or stands in for one who does; others only look at it."""


@dataclass(frozen=True, kw_only=True)
class ReadMessage:
    """What the caller may now read: the message, and the data key of it."""

    message: Message
    key: DataKey


def read(
    line: Line,
    capacity: Capacity,
    message_id: str,
    *,
    part: str = "",
    goes_on: bool = False,
    reason: str = "",
) -> ReadMessage:
    """Read the message, or a part of it: `WHOLE_PACKAGE`, or the number of a document.

    `goes_on` is for a further range of the same part: within `READING_LASTS` it shares the audit
    entry of the first. It is safe to repeat; the reason is only committed to. Raises what
    `authorize` raises, and `Conflict` for a message in no state of `READABLE_STATES`.
    """
    with line.store.transaction() as tx:
        turn = _begin(line, tx, capacity, message_id, part=part, reason=reason)
        turn.note(line, goes_on=goes_on)
        tx.flush()
        message = tx.get_one(Message, message_id)
        return ReadMessage(message=message, key=data_key(tx, line, message_id))


def collect_by_hand(
    line: Line, capacity: Capacity, message_id: str, *, reason: str = ""
) -> CollectedMessage:
    """Collect a message that was offered to people (*hent for journalføring*), by who works on it.

    The delivery is COLLECTED from then on. Safe to repeat while it stands. Raises what `read`
    raises, `NotPermitted` for somebody who may read it and does not work on it, and `Conflict`
    where no delivery by hand stands open.
    """
    with line.store.transaction() as tx:
        turn = _begin(line, tx, capacity, message_id, part=WHOLE_PACKAGE, reason=reason)
        if not turn.works_on_it:
            raise NotPermitted("not_permitted", "only who works on it collects it")
        delivery = active_delivery(tx, message_id)
        if delivery is None or not is_by_hand(tx, delivery):
            raise Conflict("delivery.not_by_hand", "no delivery by hand stands open")
        if delivery.state is DeliveryState.OPEN:
            turn.authorized.settle(
                row=delivery,
                became=DeliveryState.COLLECTED,
                by="collect",
                values={"collected_at": tx.now},
            )
            turn.authorized.close_tasks(message_id, TaskKind.COLLECT)
        turn.note(line, goes_on=False)
        tx.flush()
        tx.refresh(delivery)
        message = tx.get_one(Message, message_id)
        key = data_key(tx, line, message_id)
        return CollectedMessage(message=message, delivery=delivery, key=key)


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """One reading of a part that the policy has permitted."""

    authorized: Authorized
    message_id: str
    part: str
    reason: str
    recent: Sequence[Opening]
    """What this person opened of the message within `READING_LASTS`."""

    @property
    def works_on_it(self) -> bool:
        """Whether it is read by who works on it, or stands in for them."""
        return not _WORKING_FACTS.isdisjoint(self.authorized.decision.facts)

    def note(self, line: Line, *, goes_on: bool) -> None:
        """Write who has read it: on the message, in the audit, and where openings are counted."""
        tx, capacity, rule = self.authorized.tx, self.authorized.capacity, self._rule
        message = tx.get_one(Message, self.message_id)
        message.opened_at = message.opened_at or tx.now
        if self.works_on_it:
            message.worked_at = message.worked_at or tx.now
        if any(each.gave_reason for each in self.recent):
            self.authorized.mark_reason_given()
        if goes_on and any((each.part, each.rule) == (self.part, rule) for each in self.recent):
            self.authorized.mark_logged()
            return
        self.authorized.record(
            event="message:read",
            subject=self.message_id,
            message_id=self.message_id,
            code=f"part.{self.part}" if self.part else None,
            reason=self.reason,
        )
        gave_reason = bool(self.reason)
        count_opening(
            line, tx, capacity, self.message_id, part=self.part, rule=rule, gave_reason=gave_reason
        )

    @property
    def _rule(self) -> str:
        return self.authorized.decision.rule


def _begin(
    line: Line, tx: Transaction, capacity: Capacity, message_id: str, *, part: str, reason: str
) -> _Reading:
    recent = tx.exec(
        select(Opening).where(
            col(Opening.person) == capacity.person,
            col(Opening.message_id) == message_id,
            col(Opening.opened_at) > tx.now - READING_LASTS,
        )
    ).all()
    given = RequestFacts(reason_given=bool(reason) or any(each.gave_reason for each in recent))
    subject = message_subject(message_id)
    authorized = authorize(line, tx, capacity, Action.OPEN, subject, given)
    message = tx.get_one(Message, message_id)
    if message.state not in READABLE_STATES:
        raise Conflict("message.not_readable", "its content is not with a unit")
    return _Reading(
        authorized=authorized, message_id=message_id, part=part, reason=reason, recent=recent
    )
