"""Tells the security reviewers of actions that the active policy is too old to know.

Such an action is denied until the policy has rows for it. There is one task for each, once: who
closes it by hand has decided that nobody is to do it.
"""

from sqlmodel import Session, col, select

from inbox.domain import TaskState
from inbox.line import Line
from inbox.line.settle import WORKER, close_tasks, open_task
from inbox.line.task_kinds import TaskKind
from inbox.tables import Task

_KINDS = [TaskKind.NEW_ACTION]


def report_new_actions(line: Line) -> None:
    """Open a task for each action that no row decides, and close those that are decided now.

    Safe to repeat: it writes only where something has changed.
    """
    if line.standstill.gap is not None:
        return
    with line.store.reading() as tx:
        if not _changes(line, tx):
            return
    with line.store.transaction() as tx:
        for action, is_denied in _changes(line, tx).items():
            if is_denied:
                open_task(tx, kind=TaskKind.NEW_ACTION, subject=action, code=action)
            else:
                close_tasks(tx, subject=action, kinds=_KINDS, who=WORKER)


def _changes(line: Line, session: Session) -> dict[str, bool]:
    """The actions whose task is to be opened (True) or closed (False)."""
    policy = line.policies.current(session)
    if not policy.rules:
        return {}  # It cannot be read, which is another condition.
    denied = {action.value for action in policy.later.denied}
    tasks = session.exec(select(Task).where(col(Task.kind) == TaskKind.NEW_ACTION.value)).all()
    told = {task.subject_id for task in tasks}
    open_now = {task.subject_id for task in tasks if task.state is TaskState.OPEN}
    return dict.fromkeys(sorted(denied - told), True) | dict.fromkeys(open_now - denied, False)
