"""Put a message on hold (*på vent*) and end the hold.

A hold says why a person waits and stops nothing.
"""

from datetime import date, datetime, timedelta
from typing import Final

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity
from inbox.days import day_of, end_of_day
from inbox.domain import HoldCause
from inbox.errors import Conflict, Invalid
from inbox.line import Line
from inbox.line.authorize import Authorized, authorized_transaction, message_subject
from inbox.tables import Message

LONGEST_HOLD: Final = timedelta(days=60)
"""Longer than any common time for an answer; who must wait longer looks at it again and says so."""


def hold(
    line: Line, capacity: Capacity, message_id: str, *, cause: HoldCause, last_day: date
) -> datetime:
    """Put the message on hold until the end of a day in Norway; returns that moment.

    It ends by itself at that moment, or with the next step of the message. A message has one hold:
    a new one replaces it. The line goes on as without a hold.

    Raises `Invalid` for a day that is past, or more than `LONGEST_HOLD` ahead.
    """
    with authorized_transaction(
        line, capacity, Action.HOLD, message_subject(message_id)
    ) as authorized:
        today = day_of(authorized.tx.now)
        if not today <= last_day <= today + LONGEST_HOLD:
            raise Invalid("hold.period", f"from today to {LONGEST_HOLD.days} days ahead")
        message = authorized.tx.get_one(Message, message_id)
        if _is_on_hold(message, authorized.tx.now):
            _record_hold_ended(authorized, message_id)
        until = end_of_day(last_day)
        message.held_for, message.held_until = cause, until
        authorized.record(
            event="message:held",
            subject=message_id,
            message_id=message_id,
            code=cause.value,
            committed={"until": until.isoformat()},
        )
    return until


def end_hold(line: Line, capacity: Capacity, message_id: str) -> None:
    """End a hold before its last day, no matter who set it.

    Raises `Conflict` if the message is not on hold.
    """
    with authorized_transaction(
        line, capacity, Action.HOLD, message_subject(message_id)
    ) as authorized:
        message = authorized.tx.get_one(Message, message_id)
        if not _is_on_hold(message, authorized.tx.now):
            raise Conflict("hold.none", "it is not on hold")
        message.held_for, message.held_until = None, None
        _record_hold_ended(authorized, message_id)


def _is_on_hold(message: Message, now: datetime) -> bool:
    return message.held_until is not None and message.held_until > now


def _record_hold_ended(authorized: Authorized, message_id: str) -> None:
    authorized.record(
        event="message:hold_ended", subject=message_id, message_id=message_id, by=Action.HOLD.value
    )
