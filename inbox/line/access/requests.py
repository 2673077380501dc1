"""A person asks for access (*ber om innsyn*) to a message that they may list, and not open.

The leaders of its unit get a task. One of them accepts, by a grant with an end, or declines. A
request waits until then, or until the message is assigned, leaves the unit or is erased, which
close the task: no request outlives what it was about.

A declined request is seen by who asked and who declined, and by nobody else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlmodel import col, func, select

from inbox.access import permit
from inbox.access.facts.parameters import SqlCondition
from inbox.access.policy.vocabulary import Action, Decision, Duty, Role
from inbox.access.question import Capacity, RequestFacts
from inbox.access.review.who_can import who_can
from inbox.domain import MessageId, PersonId, RequestOutcome, TaskState, new_id
from inbox.errors import Conflict, Invalid
from inbox.line import Line
from inbox.line.access.grants import check_duration, check_reason, grant_authorized
from inbox.line.authorize import (
    Authorized,
    active_policy,
    authorize,
    authorized_transaction,
    message_subject,
)
from inbox.line.moves.registration import data_key
from inbox.line.settle import lock_row
from inbox.line.task_kinds import TaskKind
from inbox.store import Transaction
from inbox.tables import AccessGrant, AccessRequest, Message, Person, Task

MOST_OPEN: Final = 3
_LONGEST_REASON: Final = 1000


class RequestState(StrEnum):
    """How far a request has come."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    """The message was assigned, left the unit or was erased before anybody answered."""


@dataclass(frozen=True, kw_only=True)
class AccessAsked:
    """A request as it is shown to who asked, or to a leader who may answer or has answered it."""

    id: str
    message_id: MessageId
    person: PersonId
    reason: str = field(repr=False)
    """Empty where none was given, or once the message has been erased."""
    asked_at: datetime
    state: RequestState
    decided_by: PersonId | None
    decided_at: datetime | None


def ask_access(line: Line, capacity: Capacity, message_id: str, *, reason: str = "") -> str:
    """Ask the leaders of its unit for access to a message; returns the id of the request.

    The reason is sealed; the audit commits to it. Raises what `authorize` raises, and `Conflict`:
    the person may open it (`access_request.not_needed`), has asked already
    (`access_request.open`), has three requests open (`access_request.many`), or nobody in the unit
    may give it (`access_request.nobody`).
    """
    if len(reason) > _LONGEST_REASON:
        raise Invalid("access.reason", f"a reason has at most {_LONGEST_REASON} characters")
    subject = message_subject(message_id)
    with authorized_transaction(line, capacity, Action.ASK_ACCESS, subject) as authorized:
        tx, person = authorized.tx, capacity.person
        assert person is not None
        lock_row(tx, Person, person)
        message = tx.get_one(Message, message_id)
        assert message.unit is not None
        _check_can_be_asked(line, authorized, message)
        row = AccessRequest(
            id=new_id(),
            message_id=message_id,
            unit=message.unit,
            person=person,
            asked_at=tx.now,
        )
        if reason.strip():
            row.sealed_reason = data_key(tx, line, message_id).seal(
                reason.encode(), table="access_request", column="sealed_reason", row=row.id
            )
        tx.add(row)
        authorized.notify(
            TaskKind.ACCESS_ASKED, subject=message_id, message_id=message_id, unit=message.unit
        )
        authorized.record(
            event="access:asked",
            subject=row.id,
            message_id=message_id,
            reason=reason,
            committed={"person": person},
        )
        return row.id


def _check_can_be_asked(line: Line, authorized: Authorized, message: Message) -> None:
    tx, capacity = authorized.tx, authorized.capacity
    # Signed in strongly and with a reason: who could open it so need ask nobody.
    opens = permit(
        tx,
        active_policy(line, tx),
        tx.now,
        capacity=_strongly(capacity),
        action=Action.OPEN,
        subject=message_subject(message.id),
        request=RequestFacts(reason_given=True),
    ).deny_unless_met(tuple(Duty))
    if opens.allowed:
        raise Conflict("access_request.not_needed", "you may open it")
    waiting = tx.exec(
        select(AccessRequest.message_id).where(
            col(AccessRequest.person) == capacity.person, _is_open()
        )
    ).all()
    if message.id in waiting:
        raise Conflict("access_request.open", "you have asked for it already")
    if len(waiting) >= MOST_OPEN:
        raise Conflict("access_request.many", f"{MOST_OPEN} requests of yours wait for an answer")
    if not _can_be_given(line, tx, capacity, message):
        raise Conflict("access_request.nobody", "nobody in the unit may give access to it")


def _strongly(capacity: Capacity) -> Capacity:
    return replace(capacity, strong_auth=True)


def _can_be_given(line: Line, tx: Transaction, capacity: Capacity, message: Message) -> bool:
    """Whether a leader of the message's unit may grant it to this person, or assign it."""
    policy = active_policy(line, tx)
    return any(
        (each.role, each.unit) == (Role.LEADER, message.unit)
        for action in (Action.GRANT, Action.ASSIGN)
        for each in who_can(
            tx,
            policy,
            tx.now,
            action=action,
            message_id=MessageId(message.id),
            target=capacity.person,
        )
    )


def _is_open() -> SqlCondition:
    """The request of the enclosing query waits: the task of it is the one that is open now."""
    task = (
        sa.select(sa.literal(1))
        .select_from(Task)
        .where(
            col(Task.kind) == TaskKind.ACCESS_ASKED.value,
            col(Task.subject_id) == col(AccessRequest.message_id),
            col(Task.state) == TaskState.OPEN,
            col(Task.opened_at) <= col(AccessRequest.asked_at),
        )
    )
    return sa.and_(col(AccessRequest.outcome).is_(None), sa.exists(task.correlate_except(Task)))


def accept_request(
    line: Line, capacity: Capacity, request_id: str, *, until: datetime, reason: str = ""
) -> AccessGrant:
    """Give the access that was asked for, until then, as `grants.grant` does.

    The reason of the grant is the leader's, or else the one that was asked with. Raises what
    `grant` raises, `Invalid` where neither of them gave a reason, and `Conflict` for a request that
    does not wait any more.
    """
    with line.store.transaction() as tx:
        row = tx.get(AccessRequest, request_id)
        to = None if row is None else PersonId(row.person)
        given = RequestFacts(target=to, reason_given=True, period_given=True)
        subject = message_subject(request_id if row is None else row.message_id)
        authorized = authorize(line, tx, capacity, Action.GRANT, subject, given)
        assert row is not None
        assert to is not None
        _check_waits(tx, row)
        why = reason.strip() or _reason(line, tx, row)
        check_reason(why)
        duration = until - tx.now
        check_duration(line, duration)
        grant = grant_authorized(
            line, authorized, row.message_id, to=to, duration=duration, reason=why
        )
        _decide(authorized, row, RequestOutcome.ACCEPTED)
        return grant


def decline_request(line: Line, capacity: Capacity, request_id: str) -> None:
    """Decline to give the access that was asked for, as a leader who may end access there.

    Raises `Conflict` for a request that does not wait any more.
    """
    with line.store.transaction() as tx:
        row = tx.get(AccessRequest, request_id)
        subject = message_subject(request_id if row is None else row.message_id)
        authorized = authorize(line, tx, capacity, Action.END_ACCESS, subject, RequestFacts())
        assert row is not None
        _check_waits(tx, row)
        _decide(authorized, row, RequestOutcome.DECLINED)


def _check_waits(tx: Transaction, row: AccessRequest) -> None:
    tx.refresh(row)
    waits = select(AccessRequest.id).where(col(AccessRequest.id) == row.id, _is_open())
    if tx.exec(waits).first() is None:
        raise Conflict("access_request.closed", "it was answered, or has expired")


def _decide(authorized: Authorized, row: AccessRequest, outcome: RequestOutcome) -> None:
    tx = authorized.tx
    row.outcome, row.decided_by, row.decided_at = outcome, authorized.capacity.person, tx.now
    authorized.record(
        event=f"access:request_{outcome}",
        subject=row.id,
        message_id=row.message_id,
        committed={"person": row.person},
    )
    tx.flush()
    others = select(func.count(col(AccessRequest.id))).where(
        col(AccessRequest.message_id) == row.message_id, _is_open()
    )
    if not tx.exec(others).one():
        authorized.close_tasks(row.message_id, TaskKind.ACCESS_ASKED)


def requests_of(
    line: Line, tx: Transaction, capacity: Capacity, message_id: str
) -> Sequence[AccessAsked]:
    """The requests about a message that this person may know of, the oldest first.

    Own ones; those that the person has answered; and, for a leader who may answer, those that wait.
    Nothing for a person who may not list the message.
    """
    if not _decide_plainly(line, tx, capacity, Action.LIST, message_id).allowed:
        return []
    mine = [
        col(AccessRequest.person) == capacity.person,
        col(AccessRequest.decided_by) == capacity.person,
    ]
    if _decide_plainly(line, tx, capacity, Action.END_ACCESS, message_id).allowed:
        mine.append(_is_open())
    return _shown(line, tx, col(AccessRequest.message_id) == message_id, sa.or_(*mine))


def own_open_requests(line: Line, tx: Transaction, capacity: Capacity) -> Sequence[AccessAsked]:
    """The person's own requests that wait for an answer, the oldest first: at most three."""
    return _shown(line, tx, col(AccessRequest.person) == capacity.person, _is_open())


def _decide_plainly(
    line: Line, tx: Transaction, capacity: Capacity, action: Action, message_id: str
) -> Decision:
    """The decision, whatever it is that a yes would owe: nothing is done here."""
    return permit(
        tx,
        active_policy(line, tx),
        tx.now,
        capacity=capacity,
        action=action,
        subject=message_subject(message_id),
    ).deny_unless_met(tuple(Duty))


def _shown(line: Line, tx: Transaction, *where: SqlCondition) -> Sequence[AccessAsked]:
    found = tx.execute(
        sa.select(AccessRequest, _is_open().label("is_open"))
        .where(*where)
        .order_by(col(AccessRequest.asked_at), col(AccessRequest.id))
    ).all()
    return [
        AccessAsked(
            id=row.id,
            message_id=MessageId(row.message_id),
            person=PersonId(row.person),
            reason=_reason(line, tx, row),
            asked_at=row.asked_at,
            state=_state(row, is_open=bool(is_open)),
            decided_by=None if row.decided_by is None else PersonId(row.decided_by),
            decided_at=row.decided_at,
        )
        for row, is_open in found
    ]


def _state(row: AccessRequest, *, is_open: bool) -> RequestState:
    if row.outcome is not None:
        return RequestState(row.outcome.value)
    return RequestState.OPEN if is_open else RequestState.EXPIRED


def _reason(line: Line, tx: Transaction, row: AccessRequest) -> str:
    if row.sealed_reason is None or tx.get_one(Message, row.message_id).erased_at is not None:
        return ""
    key = data_key(tx, line, row.message_id)
    sealed = row.sealed_reason
    return key.unseal(sealed, table="access_request", column="sealed_reason", row=row.id).decode()
