"""The front page: what waits, what is late, and the tasks that this capacity can act on.

What is wrong (the one table of conditions) stands above the line: see `inbox.health.told`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from inbox.access.lists.queue_search import QueueSearch
from inbox.access.lists.queue_statements import QueueOrder
from inbox.access.lists.tasks import KnownTask, known_tasks
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity
from inbox.domain import MessageId, MessageState
from inbox.errors import NotFound
from inbox.line import Line
from inbox.line.backlog.own_tasks import OwnTask
from inbox.line.desk.deadlines import age_in_working_days
from inbox.line.desk.queues import (
    DeskReading,
    Queue,
    QueueCount,
    QueueRow,
    begin_reading,
    counts_of,
    rows_of,
)
from inbox.line.desk.saved_views import SavedView
from inbox.line.desk.short_reference import short_reference_of
from inbox.line.people_lists import listing_snapshot, policy_without_duties

_M = MessageState
_UNDECIDED: Final = (
    *(_M.RECEIVED, _M.QUARANTINED, _M.OPENED, _M.UNROUTED),
    *(_M.ROUTED, _M.RELEASED, _M.OFFERED, _M.RETURNED),
)
"""States in which a message has a deadline."""
_ALL_TASKS: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class TaskLine:
    """A task of the capacity's role, and what it is about."""

    task: OwnTask
    reference: str | None
    """Of the message or the arrival that it is about."""
    message_id: MessageId | None
    arrival_id: str | None
    age: int


@dataclass(frozen=True, kw_only=True)
class FrontPage:
    """What the first page answers: what waits, what is late, what is mine to do."""

    made_at: datetime
    figures: Mapping[Queue, QueueCount]
    """Of every queue that is counted, each over what this capacity may see."""
    late: tuple[QueueRow, ...]
    """The messages that are furthest past their deadline, of those that wait for people."""
    tasks: tuple[TaskLine, ...]
    """*Mine oppgaver*, oldest first."""
    more_tasks: bool
    """Whether there are more than are shown."""
    views: tuple[SavedView, ...]
    """What the person has saved, for the navigation."""


FIGURES: Final = (
    Queue.DISTRIBUTE,
    Queue.MISSED,
    Queue.QUARANTINE,
    Queue.APPROVE,
    Queue.WITHOUT_RECEIPT,
    Queue.WAITING,
)
"""The figures in their order: *ufordelt, ikke mottatt, i karantene, til godkjenning, uten
kvittering, venter på fagsystem*."""


def front_page(
    line: Line, capacity: Capacity, *, late_at_most: int = 10, tasks_at_most: int = 20
) -> FrontPage:
    """The front page of a capacity: a fixed number of statements, whatever there is."""
    with listing_snapshot(line) as (tx, policy):
        reading = begin_reading(line, tx, policy, capacity)
        tasks = tasks_of_capacity(reading, tasks_at_most + 1)
        return FrontPage(
            made_at=tx.now,
            figures=counts_of(reading),
            late=_late_rows(reading, late_at_most),
            tasks=tasks[:tasks_at_most],
            more_tasks=len(tasks) > tasks_at_most,
            views=reading.views,
        )


def task_line(line: Line, capacity: Capacity, task_id: str) -> TaskLine:
    """One open task that this capacity may know of. Raises `NotFound`."""
    with listing_snapshot(line) as (tx, policy):
        free = policy_without_duties(policy, Action.LIST, capacity.role)
        known = known_tasks(tx, (policy, free), tx.now, capacity=capacity, at_most=_ALL_TASKS)
        for task in known:
            if task.id == task_id:
                return _task_line(task, tx.now)
    raise NotFound


def _late_rows(reading: DeskReading, at_most: int) -> tuple[QueueRow, ...]:
    """The oldest messages that are past their deadline, wherever they lie."""
    search = QueueSearch(
        lateness=reading.terms.lateness(reading.tx.now), states=_UNDECIDED, late=True
    )
    page = reading.reader(reading.free).page(
        search, QueueOrder.OLDEST_FIRST, after=None, at_most=at_most
    )
    return rows_of(reading, page.rows)


def tasks_of_capacity(reading: DeskReading, at_most: int) -> tuple[TaskLine, ...]:
    """The oldest tasks that the capacity can act on: one statement."""
    role = reading.capacity.role
    free = policy_without_duties(reading.free, Action.LIST, role)
    known = known_tasks(
        reading.tx,
        (reading.policy, free),
        reading.tx.now,
        capacity=reading.capacity,
        at_most=at_most,
    )
    return tuple(_task_line(each, reading.tx.now) for each in known)


def _task_line(task: KnownTask, now: datetime) -> TaskLine:
    about = task.message_id or task.arrival_id
    return TaskLine(
        task=OwnTask(
            id=task.id,
            kind=task.kind,
            code=task.code,
            unit=task.unit,
            subject_id=task.subject_id,
            message_id=task.message_id,
            opened_at=task.opened_at,
        ),
        reference=None if about is None else short_reference_of(about),
        message_id=None if task.message_id is None else MessageId(task.message_id),
        arrival_id=task.arrival_id,
        age=age_in_working_days(task.opened_at, now),
    )
