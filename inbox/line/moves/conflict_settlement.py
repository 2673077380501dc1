"""What a conflict of interest (*inhabilitet*) ends, and who gets the work instead.

The facts deny from the moment of the row; here the rest follows. The assignments and the access of
the person in conflict end, and a message that nobody works on gets somebody who sees to it:

    a leader of its unit may assign it     task `reassign` for the unit's leaders
    none may: the only leader is it        task `unassignable` for the records manager, who then
                                           sees the message by the fact of that name

Found by asking the tables, so it is the same whether a person has declared the conflict or it came
with the directory, and whether the message was there before it or comes after. Safe to repeat.
"""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped
from sqlmodel import col, select

from inbox import audit
from inbox.access.facts.parameters import SqlCondition
from inbox.access.facts.relationship import has_conflict_of_interest
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Role
from inbox.access.review.who_can import who_can
from inbox.domain import MessageId
from inbox.line import Line
from inbox.line.settle import close_tasks, lock_row, open_task
from inbox.line.task_kinds import STATES_OF_TASK, TaskKind
from inbox.store import Transaction
from inbox.tables import AccessGrant, Assignment, CapacityRow, Message, Task
from inbox.tables.periods import active_on, has_ended, not_ended

_CODE: Final = "person.conflict"
_WORKER: Final = "line"
_OPEN_STATES: Final = tuple(STATES_OF_TASK[TaskKind.REASSIGN])


def settle_conflicts(line: Line) -> int:
    """Settle what has come of conflicts of interest since the last round of the worker.

    Returns how much was settled; nothing while no policy is active.
    """
    with line.store.reading() as tx:
        policy = line.policies.current(tx)
        if not policy.rules or not _unsettled(tx, policy, None):
            return 0
    with line.store.transaction() as tx:
        return settle_conflicts_of(tx, line.policies.current(tx), None)


def settle_conflicts_of(
    tx: Transaction, policy: Policy, person: str | None, *, who: str = _WORKER
) -> int:
    """The same in the caller's transaction: of one person, or of everybody where it is None."""
    grants = _rows_in_conflict(tx, AccessGrant, person)
    messages = _messages_in_conflict(tx, policy, person)
    for grant in grants:
        _end(tx, grant, "access:ended", who)
        close_tasks(tx, subject=grant.id, kinds=[TaskKind.GRANTED], who=who)
    for message_id in messages:
        lock_row(tx, Message, message_id)
        _settle_message(tx, policy, message_id, person, who)
    return len(grants) + len(messages)


def _unsettled(tx: Transaction, policy: Policy, person: str | None) -> bool:
    grants = _rows_in_conflict(tx, AccessGrant, person)
    return bool(grants or _messages_in_conflict(tx, policy, person))


def _messages_in_conflict(tx: Transaction, policy: Policy, person: str | None) -> Sequence[str]:
    """The messages that something is to be done about, each once, in the order of their ids."""
    found = {row.message_id for row in _rows_in_conflict(tx, Assignment, person)}
    for message_id in _led_in_conflict(tx, person):
        if not _may(tx, policy, Action.ASSIGN, message_id) and not _may(
            tx, policy, Action.TAKE, message_id
        ):
            found.add(message_id)
    if person is None:
        found |= {each for each in _unassignable(tx) if _may(tx, policy, Action.ASSIGN, each)}
    return sorted(found)


def _rows_in_conflict(tx: Transaction, kind: type[Any], person: str | None) -> Sequence[Any]:
    """The assignments or grants that stand, of messages that their person has a conflict with."""
    rows = (
        select(kind)
        .join(Message, col(Message.id) == col(kind.message_id))
        .where(not_ended(kind, tx.now), *_in_conflict(col(kind.person), person))
        .order_by(col(kind.message_id), col(kind.id))
        .execution_options(populate_existing=True)
    )
    return tx.execute(rows, {"now": tx.now}).scalars().all()


def _in_conflict(who: Mapped[str], person: str | None) -> Sequence[SqlCondition]:
    of_person = [] if person is None else [who == person]
    return [has_conflict_of_interest(who), *of_person]


def _led_in_conflict(tx: Transaction, person: str | None) -> Sequence[str]:
    """The messages with nobody, in a unit with a leader in conflict, and without a task of this."""
    led = (
        sa.select(col(Message.id))
        .join(CapacityRow, col(CapacityRow.unit) == col(Message.unit))
        .where(
            col(Message.state).in_(_OPEN_STATES),
            ~_is_assigned(tx),
            ~_has_task(),
            col(CapacityRow.role) == Role.LEADER.value,
            active_on(CapacityRow, tx.now),
            *_in_conflict(col(CapacityRow.person), person),
        )
    )
    return tx.execute(led, {"now": tx.now}).scalars().all()


def _is_assigned(tx: Transaction) -> SqlCondition:
    return sa.exists().where(
        col(Assignment.message_id) == col(Message.id), active_on(Assignment, tx.now)
    )


def _has_task() -> SqlCondition:
    return sa.exists().where(
        col(Task.message_id) == col(Message.id),
        col(Task.kind) == TaskKind.UNASSIGNABLE.value,
        col(Task.closed_at).is_(None),
    )


def _unassignable(tx: Transaction) -> Sequence[str]:
    """The messages that the records manager has such a task about."""
    return tx.execute(sa.select(col(Message.id)).where(_has_task())).scalars().all()


def _may(tx: Transaction, policy: Policy, action: Action, message_id: str) -> bool:
    """Whether anybody in the message's unit may do it; a leader, where it is to assign."""
    unit = tx.get_one(Message, message_id).unit
    role = Role.LEADER if action is Action.ASSIGN else Role.HANDLER
    able = who_can(tx, policy, tx.now, action=action, message_id=MessageId(message_id))
    return any((each.role, each.unit) == (role, unit) for each in able)


def _settle_message(
    tx: Transaction, policy: Policy, message_id: str, person: str | None, who: str
) -> None:
    ended = [
        row
        for row in _rows_in_conflict(tx, Assignment, person)
        if row.message_id == message_id and not has_ended(row.active_until, tx.now)
    ]
    for assignment in ended:
        _end(tx, assignment, "assignment:ended", who)
    tx.flush()
    if ended:
        close_tasks(tx, subject=message_id, kinds=[TaskKind.ASSIGNED], who=who)
    message = tx.get_one(Message, message_id)
    assigned = sa.select(col(Message.id)).where(col(Message.id) == message_id, _is_assigned(tx))
    if message.state not in _OPEN_STATES or tx.execute(assigned).first() is not None:
        return
    if _may(tx, policy, Action.ASSIGN, message_id):
        close_tasks(tx, subject=message_id, kinds=[TaskKind.UNASSIGNABLE], who=who)
        _open(tx, TaskKind.REASSIGN, message_id, message.unit)
    else:
        _open(tx, TaskKind.UNASSIGNABLE, message_id, None)


def _open(tx: Transaction, kind: TaskKind, message_id: str, unit: str | None) -> None:
    open_task(tx, kind=kind, subject=message_id, message_id=message_id, unit=unit, code=_CODE)


def _end(tx: Transaction, row: Assignment | AccessGrant, event: str, who: str) -> None:
    row.active_until = tx.now
    row.active_from = min(row.active_from, tx.now)
    tx.add(row)
    entry = audit.Entry(event=event, who=who, subject=row.id, message_id=row.message_id, code=_CODE)
    audit.record(tx, entry)
