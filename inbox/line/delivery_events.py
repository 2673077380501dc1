"""Events that tell a case system of a delivery: queued at its offer, repeated while it is OPEN.

A 2xx says that the event was heard, not that anybody will act on it: the case system may have been
stopped before it wrote anything down. So another event about the delivery is sent, under an id of
its own (a system that knows the first id would ignore a repetition), less and less often. After a
day people get a task as well.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inbox.domain import DeliveryState, Mode, OutboxState, new_id
from inbox.errors import Conflict
from inbox.line import Line
from inbox.line.settle import lock_row, open_task
from inbox.line.task_kinds import TaskKind
from inbox.store import Transaction
from inbox.tables import CaseSystem, Delivery, Message, Outbox, Task

DELIVERY_OFFERED: Final = "no.inbox.delivery.offered.v1"
"""The type of the CloudEvent that says that a delivery stands open."""
NOT_COLLECTED: Final = "delivery.not_collected"


@dataclass(frozen=True, kw_only=True)
class _Uncollected:
    """An OPEN delivery whose event the case system has heard, with no other event on its way."""

    delivery_id: str
    offered_at: datetime
    told_at: datetime
    people_told: bool


def queue_event(tx: Transaction, delivery: Delivery) -> None:
    """Write an event of this delivery into the outbox, in the transaction of its cause."""
    tx.add(
        Outbox(
            id=new_id(),
            kind=DELIVERY_OFFERED,
            case_system=delivery.case_system,
            delivery_id=delivery.id,
            message_id=delivery.message_id,
            state=OutboxState.PENDING,
            due_at=tx.now,
            created_at=tx.now,
        )
    )


def repeat_unanswered_events(line: Line) -> int:
    """Queue the event again for deliveries that nobody collected; how many. Safe to repeat."""
    with line.store.reading() as tx:
        waiting = _uncollected(tx, tx.now - line.terms.first_reminder)
    repeated = 0
    for each in waiting:
        again = tx.now - each.told_at >= _reminder_wait(line, each)
        late = tx.now - each.offered_at >= line.terms.uncollected_after and not each.people_told
        if again or late:
            with suppress(Conflict), line.store.transaction() as tx:
                repeated += _remind(tx, each, again=again, late=late)
    return repeated


def _reminder_wait(line: Line, each: _Uncollected) -> timedelta:
    """As long again as events have been sent in vain, within bounds: the wait doubles each time."""
    in_vain = max(each.told_at - each.offered_at, line.terms.first_reminder)
    return min(in_vain, line.terms.longest_reminder)


def _uncollected(session: Session, told_before: datetime) -> Sequence[_Uncollected]:
    events = col(Outbox.delivery_id) == col(Delivery.id)
    on_its_way = sa.exists().where(events, col(Outbox.state) == OutboxState.PENDING)
    told_at = sa.select(sa.func.max(col(Outbox.settled_at))).where(events).scalar_subquery()
    people_told = sa.exists().where(
        col(Task.kind) == TaskKind.UNCOLLECTED.value,
        col(Task.message_id) == col(Delivery.message_id),
        col(Task.opened_at) >= col(Delivery.offered_at),
    )
    found = session.execute(
        sa.select(col(Delivery.id), col(Delivery.offered_at), told_at, people_told)
        .join(CaseSystem, col(CaseSystem.id) == col(Delivery.case_system))
        .where(
            col(CaseSystem.mode) == Mode.WEBHOOK,
            col(Delivery.state) == DeliveryState.OPEN,
            ~on_its_way,
            told_at <= told_before,
        )
    ).all()
    return [
        _Uncollected(delivery_id=row[0], offered_at=row[1], told_at=row[2], people_told=row[3])
        for row in found
    ]


def _remind(tx: Transaction, each: _Uncollected, *, again: bool, late: bool) -> bool:
    """Remind of one delivery, unless it was collected or reminded of meanwhile: its row is locked.

    Another process may have reminded of it, and have been heard, since this one looked.
    """
    lock_row(tx, Delivery, each.delivery_id)
    delivery = tx.get_one(Delivery, each.delivery_id)
    if delivery.state is not DeliveryState.OPEN:
        return False
    if late:
        open_task(
            tx,
            kind=TaskKind.UNCOLLECTED,
            subject=delivery.message_id,
            message_id=delivery.message_id,
            unit=tx.get_one(Message, delivery.message_id).unit,
            code=NOT_COLLECTED,
        )
    if not again or _has_news(tx, each):
        return False
    queue_event(tx, delivery)
    return True


def _has_news(session: Session, each: _Uncollected) -> bool:
    """Whether an event of the delivery waits, or one was heard after those that were looked at."""
    newer = select(Outbox.id).where(
        col(Outbox.delivery_id) == each.delivery_id,
        sa.or_(col(Outbox.state) == OutboxState.PENDING, col(Outbox.settled_at) > each.told_at),
    )
    return session.exec(newer).first() is not None
