"""Closes notices about access grants that have expired: nobody needs to look at them any more."""

from sqlmodel import col, select

from inbox.domain import TaskState
from inbox.line import Line
from inbox.line.settle import WORKER, close_task
from inbox.line.task_kinds import TaskKind
from inbox.tables import AccessGrant, Task
from inbox.tables.periods import not_ended


def close_expired_notices(line: Line) -> int:
    """Close the notices of expired grants; returns how many.

    Nothing is written if there are none.
    """
    notices = (
        select(Task)
        .join(AccessGrant, col(AccessGrant.id) == col(Task.subject_id))
        .where(col(Task.kind) == TaskKind.GRANTED.value, col(Task.state) == TaskState.OPEN)
    )
    with line.store.reading() as tx:
        if tx.exec(notices.where(~not_ended(AccessGrant, tx.now))).first() is None:
            return 0
    with line.store.transaction() as tx:
        over = tx.exec(notices.where(~not_ended(AccessGrant, tx.now))).all()
        for task in over:
            close_task(tx, task, who=WORKER)
        return len(over)
