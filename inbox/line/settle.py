"""The only code that sets a state, and the tasks that are opened and closed because of it.

The problem: a worker may die at any instruction, lose its lease to another worker, or meet a person
who moves the same row. State, audit and tasks must never disagree, and no move may happen twice.

The method: a finite-state machine as a table (`domain.MOVES`), and optimistic concurrency control
(Kung and Robinson 1981): the UPDATE names the id, the version and the state that its caller saw, so
it changes one row or none. Row, audit entry, tasks and follow-up rows are one transaction, the
caller's (decision 0002).

An example of a crash. Worker A offers a message (RELEASED, version 5), and dies:

    before the commit    nothing stays: RELEASED, version 5. When A's lease ends, B claims the
                         message, which makes it version 6, and offers it as if A had never been.
    after the commit     OFFERED, with its audit entry and its delivery: nothing is left to do.

And where A is not dead but slow: B has claimed the row, so A's UPDATE finds no version 5, changes
nothing, and raises `Conflict`. Nothing of A's transaction stays.

Not done here: who may move (`authorize`), when (`queue`), and outside effects (`stations`), which
happen before, and are safe to repeat.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Table
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import Session, SQLModel, col, select

from inbox import audit
from inbox.audit.row_changes import deciding_columns, note_rows, write_returning
from inbox.domain import (
    ESCALATED_AFTER,
    DeliveryState,
    MessageState,
    State,
    TaskState,
    check_move,
    new_id,
    station_of,
)
from inbox.errors import Conflict
from inbox.line.task_kinds import (
    OF_UNIT,
    ROLE_OF_TASK,
    STATES_OF_TASK,
    TASK_OF_CODE,
    TASK_OF_STATE,
    TaskKind,
)
from inbox.store import Transaction
from inbox.tables import (
    AccessGrant,
    Arrival,
    Assignment,
    Delivery,
    Message,
    Outbox,
    Proposal,
    Receipt,
    Task,
    table_of,
)
from inbox.tables.periods import not_ended

WORKER: Final = "worker"
NO_HOLD: Final[Mapping[str, None]] = {"held_for": None, "held_until": None}
"""The columns of a message that nobody has put on hold."""
NOTHING_TO_UNDO: Final[Mapping[str, None]] = dict.fromkeys(
    (
        *("placing_unit", "placing_state", "moved_by", "moved_as", "moved_with"),
        *("from_state", "from_code", "from_unit", "from_rule", "from_transfers"),
    )
)
"""The columns of a message whose last move nobody can undo."""
QueueRow = Arrival | Message | Receipt | Outbox
"""The rows that stations work on."""
StatefulRow = QueueRow | Delivery | Task | Proposal
"""The rows that have a state."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One move of one row, as its caller read it: state and version are checked on writing."""

    row: StatefulRow
    became: State
    by: str
    who: str = WORKER
    code: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    due_at: datetime | None = None
    leased_until: datetime | None = None
    """Keeps a worker's lease for the next station; only for rows that stations work on."""
    rule: str | None = None
    policy: str | None = None
    duties: Collection[str] = ()
    committed: Mapping[str, str] = field(default_factory=dict)


def settle(tx: Transaction, step: Step) -> Mapping[str, object]:
    """Set the state, raise the version, release the lease and write the audit entry.

    Returns the values that were written, by column.

    Raises:
        IllegalMove: the move is not in `domain.MOVES`.
        Conflict: the row is no longer what the caller saw; this call has written nothing.
    """
    row = step.row
    # A move that is not in the table is a fault of ours: it is raised before anything is written.
    check_move(step.by, row.state, step.became)
    table = table_of(type(row))
    values: dict[str, object] = {
        "state": step.became,
        "version": row.version + 1,
        "code": step.code,
    }
    if isinstance(row, Message) and row.from_state is not None:
        values |= NOTHING_TO_UNDO
    values |= step.values
    values |= NO_HOLD if _clears_hold(step) else {}
    values |= {"worked_at": None} if _leaves_unit(step) else {}
    if isinstance(row, QueueRow):
        due_at = step.due_at or (tx.now if station_of(step.became) else None)
        attempts = 0 if step.leased_until is None else 1
        values |= {"due_at": due_at, "leased_until": step.leased_until, "attempts": attempts}
    # The fence: what the caller saw. An earlier writer has raised the version, so no row is found.
    seen = {"seen_id": row.id, "seen_version": row.version, "seen_state": row.state}
    changed = tx.connection().execute(_update_statement(table, frozenset(values)), values | seen)
    rows = changed.all()
    if len(rows) != 1:
        raise Conflict("stale", f"{table.name} has changed since it was read")
    # The audit entry also vouches for the row as the database now has it (decision 0042).
    note_rows(tx, table, rows)
    audit.record(tx, _audit_entry(table.name, step))
    _apply_consequences(tx, step)
    # The caller's object still has the old version: the next access reads the row again.
    if row in tx:
        tx.expire(row)
    return values


@cache
def _update_statement(table: Table, names: frozenset[str]) -> ReturningUpdate[Any]:
    """Set these columns if the row is as it was seen. Building it takes as long as running it."""
    return (
        sa.update(table)
        .where(
            table.c.id == sa.bindparam("seen_id"),
            table.c.version == sa.bindparam("seen_version"),
            table.c.state == sa.bindparam("seen_state"),
        )
        .values({name: sa.bindparam(name) for name in sorted(names)})
        .returning(*deciding_columns(table))
    )


def _audit_entry(kind: str, step: Step) -> audit.Entry:
    row = step.row
    return audit.Entry(
        event=f"{kind}:{step.became.lower()}",
        who=step.who,
        subject=row.id,
        message_id=message_id_of(row),
        was=row.state.value,
        became=step.became.value,
        by=step.by,
        code=step.code,
        rule=step.rule,
        policy=step.policy,
        duties=step.duties,
        committed=step.committed,
    )


def lock_row(session: Session, kind: type[SQLModel], row_id: str) -> None:
    """Lock the row until the transaction ends, and read it again; other writers wait.

    Others can still add rows that refer to it. SQLite has one writer at a time, and needs no lock.
    """
    session.get(kind, row_id, populate_existing=True, with_for_update={"key_share": True})


def lock_only(session: Session, kind: type[SQLModel], row_id: str) -> None:
    """As `lock_row`, for who does not look at the row: on SQLite it does nothing."""
    if session.get_bind().dialect.name == "postgresql":
        row = table_of(kind)
        session.execute(
            sa.select(row.c.id).where(row.c.id == row_id).with_for_update(key_share=True)
        )


def message_id_of(row: StatefulRow) -> str | None:
    """The id of the message that the row is, or belongs to; None for a proposal."""
    if isinstance(row, Message):
        return row.id
    return None if isinstance(row, Proposal) else row.message_id


def _apply_consequences(tx: Transaction, step: Step) -> None:
    """Open and close the tasks of a row that has just got a new state, and end what it ends."""
    row, became = step.row, step.became
    if _leaves_unit(step):
        end_assignments(tx, row.id)
        _end_grants(tx, step)
        close_tasks(tx, subject=row.id, kinds=list(OF_UNIT), who="line")
    if _ends_hold(tx.now, step):
        audit.record(tx, _ending_entry("message:hold_ended", row.id, step))
    if isinstance(row, Message):
        _note_transfers(tx, row, step.values.get("transfers"))
    # Which tasks a state opens and ends is a table, so a state cannot be reached without its task.
    over = [
        k for k, stands in STATES_OF_TASK.items() if row.state in stands and became not in stands
    ]
    if isinstance(row, Delivery) and row.state is DeliveryState.OPEN:
        close_tasks(tx, subject=row.message_id, kinds=[TaskKind.UNCOLLECTED], who="line")
    if isinstance(row, QueueRow) and row.attempts > 1:
        over.append(TaskKind.STUCK)
    if over:
        close_tasks(tx, subject=row.id, kinds=over, who="line")
    for kind in filter(None, (TASK_OF_STATE.get(became), TASK_OF_CODE.get(step.code or ""))):
        unit = step.values.get("unit", getattr(row, "unit", None))
        open_task(
            tx,
            kind=kind,
            subject=row.id,
            message_id=message_id_of(row),
            unit=unit if isinstance(unit, str) else None,
            code=step.code,
        )


def _goes_back(row: Message, step: Step) -> bool:
    """Whether a placing is taken back, by its person or by a no when it was due."""
    return row.state is MessageState.PLACING and step.values.get("transfers") == row.from_transfers


def _leaves_unit(step: Step) -> bool:
    """Whether the people of a unit lose the message for good: of a placing, when it is decided."""
    row, to_another = step.row, "unit" in step.values and step.became is not MessageState.PLACING
    if not isinstance(row, Message) or not to_another:
        return False
    if row.state is not MessageState.PLACING:
        return row.unit is not None
    stays = _goes_back(row, step) and step.values["unit"] == row.from_unit
    return row.from_unit is not None and not stays


def _clears_hold(step: Step) -> bool:
    """Whether the step clears a hold: all do but a placing, and taking it back."""
    row = step.row
    if not isinstance(row, Message) or row.held_until is None:
        return False
    return step.became is not MessageState.PLACING and not _goes_back(row, step)


def _ends_hold(now: datetime, step: Step) -> bool:
    """Whether it ends a hold that still lasts."""
    until = step.row.held_until if isinstance(step.row, Message) else None
    return until is not None and until > now and _clears_hold(step)


def _note_transfers(tx: Transaction, row: Message, transfers: object) -> None:
    """What is placed again and again climbs to the records manager; undone, it climbs down."""
    if not isinstance(transfers, int) or transfers == row.transfers:
        return
    if transfers >= ESCALATED_AFTER:
        open_task(tx, kind=TaskKind.ESCALATED, subject=row.id, message_id=row.id)
    elif row.transfers >= ESCALATED_AFTER:
        close_tasks(tx, subject=row.id, kinds=[TaskKind.ESCALATED], who="line")


def end_assignments(tx: Transaction, message_id: str) -> None:
    """End all assignments of the message, because it moves to another unit."""
    table = table_of(Assignment)
    tx.execute(
        sa.update(table)
        .where(table.c.message_id == message_id, not_ended(Assignment, tx.now))
        .values(active_until=tx.now)
    )


def _end_grants(tx: Transaction, step: Step) -> None:
    """Access that was given or taken in one unit ends when the message leaves it."""
    table = table_of(AccessGrant)
    ended = write_returning(
        tx,
        sa.update(table)
        .where(table.c.message_id == step.row.id, not_ended(AccessGrant, tx.now))
        .values(active_until=tx.now),
        ["id"],
    )
    for grant_id in (str(grant["id"]) for grant in ended):
        close_tasks(tx, subject=grant_id, kinds=[TaskKind.GRANTED], who="line")
        audit.record(tx, _ending_entry("access:ended", grant_id, step))


def _ending_entry(event: str, subject: str, step: Step) -> audit.Entry:
    """The audit entry for something that ended because of a step of its message."""
    return audit.Entry(
        event=event,
        who=step.who,
        subject=subject,
        message_id=step.row.id,
        by=step.by,
        rule=step.rule,
        policy=step.policy,
    )


def open_task(  # noqa: PLR0913 - the columns of a task
    tx: Transaction,
    *,
    kind: TaskKind,
    subject: str,
    message_id: str | None = None,
    unit: str | None = None,
    code: str | None = None,
    sealed_text: bytes | None = None,
    task_id: str | None = None,
) -> None:
    """Open a task, unless the same is open already: at most one open task of a kind for a subject.

    If it is open already, it gets the unit and the code that are given here.
    """
    # One open task of a kind for a subject: a person is not asked twice for the same thing.
    standing = tx.exec(
        select(Task.id).where(
            col(Task.kind) == kind.value,
            col(Task.subject_id) == subject,
            col(Task.state) == TaskState.OPEN,
        )
    ).first()
    if standing is not None:
        tasks = table_of(Task)
        tx.execute(sa.update(tasks).where(tasks.c.id == standing).values(unit=unit, code=code))
        return
    task = Task(
        id=task_id or new_id(),
        kind=kind.value,
        subject_id=subject,
        message_id=message_id,
        role=ROLE_OF_TASK[kind],
        unit=unit,
        state=TaskState.OPEN,
        code=code,
        sealed_text=sealed_text,
        opened_at=tx.now,
    )
    tx.add(task)
    audit.record(
        tx,
        audit.Entry(
            event="task:opened",
            who="line",
            subject=task.id,
            message_id=message_id,
            by=kind.value,
            code=code,
        ),
    )


def close_tasks(tx: Transaction, *, subject: str, kinds: list[TaskKind], who: str) -> None:
    """Close the open tasks of these kinds for the subject; it is no error if there are none."""
    standing = tx.exec(
        select(Task).where(
            col(Task.subject_id) == subject,
            col(Task.kind).in_([kind.value for kind in kinds]),
            col(Task.state) == TaskState.OPEN,
        )
    ).all()
    for task in standing:
        close_task(tx, task, who=who)


def close_task(tx: Transaction, task: Task, *, who: str) -> None:
    """Move the task from OPEN to DONE, with an audit entry."""
    settle(
        tx,
        Step(row=task, became=TaskState.DONE, by="close", who=who, values={"closed_at": tx.now}),
    )


def has_open_task(session: Session, kind: TaskKind, message_id: str) -> bool:
    """Whether a task of this kind is open for the message."""
    found = session.exec(
        select(Task.id).where(
            col(Task.kind) == kind.value,
            col(Task.message_id) == message_id,
            col(Task.state) == TaskState.OPEN,
        )
    ).first()
    return found is not None
