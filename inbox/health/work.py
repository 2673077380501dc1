"""What stands still or waits for people: the worker, open tasks, mail and receipts that failed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import col

from inbox.domain import ArrivalState, ReceiptState, TaskState
from inbox.health.condition import HealthCondition, Level
from inbox.line.pulses import WORKER
from inbox.line.task_kinds import TaskKind
from inbox.store import Store
from inbox.tables import Arrival, Pulse, Receipt, Task

MAX_SILENCE: Final = timedelta(minutes=15)
"""A worker that has recorded no pulse for longer is not there."""
_LEVELS: Final = {
    TaskKind.AUDIT_GAP: Level.WRONG,
    TaskKind.DAMAGED: Level.WARNING,
    TaskKind.STATE_DIFFERS: Level.WARNING,
    TaskKind.LISTING_DIFFERS: Level.WARNING,
    TaskKind.SECURITY_GRADE: Level.WARNING,
}
"""Tasks that say that something is wrong; the others wait for people."""


def work_conditions(store: Store) -> Iterator[HealthCondition]:
    """Open tasks by kind with the age of the oldest, what failed for good, a worker that is not."""
    with store.reading() as tx:
        pulse = tx.get(Pulse, WORKER)
        tasks = tx.execute(
            sa.select(col(Task.kind), sa.func.count(), sa.func.min(col(Task.opened_at)))
            .where(col(Task.state) == TaskState.OPEN)
            .group_by(col(Task.kind))
            .order_by(col(Task.kind))
        ).all()
        missed = tx.execute(
            sa.select(sa.func.count(), sa.func.min(col(Arrival.announced_at))).where(
                col(Arrival.state) == ArrivalState.MISSED
            )
        ).one()
        receipts = tx.execute(
            sa.select(col(Receipt.state), sa.func.count(), sa.func.min(col(Receipt.chosen_at)))
            .where(col(Receipt.state).in_((ReceiptState.FAILED, ReceiptState.IMPOSSIBLE)))
            .group_by(col(Receipt.state))
            .order_by(col(Receipt.state))
        ).all()
    at = None if pulse is None else pulse.at
    if at is None or tx.now - at > MAX_SILENCE:
        yield HealthCondition(subject="worker", code="worker.silent", level=Level.WARNING, since=at)
    for kind, number, oldest in tasks:
        yield HealthCondition(
            subject=f"task:{kind}",
            code=f"task.{kind}",
            level=_LEVELS.get(kind, Level.WAITING),
            since=oldest,
            count=number,
        )
    failed = [("arrivals", "missed", *missed)]
    failed += [("receipts", state.lower(), number, oldest) for state, number, oldest in receipts]
    for subject, state, number, oldest in failed:
        if number:
            yield HealthCondition(
                subject=f"{subject}:{state}",
                code=f"{subject}.{state}",
                level=Level.WAITING,
                since=oldest,
                count=number,
            )
