"""The tasks that a person may know of, decided for each one, and the word that some of them keep.

A role that sees mail knows of the tasks of a message or an arrival by that alone: where the person
may distribute or list it. Any other task is for the people who may close it, unless a rule keeps
the message from them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from inbox.access import permit
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import NO_RULE, Action, Decision, Effect, Role
from inbox.access.question import Capacity, OfTask, RequestFacts, Subject
from inbox.errors import Conflict, NotFound
from inbox.line import Line
from inbox.line.authorize import arrival_subject, authorize, message_subject
from inbox.line.damage import watch_damage
from inbox.line.people_lists import listing_snapshot
from inbox.line.queue import unwrap_stored_key
from inbox.store import Transaction
from inbox.tables import Arrival, Task, WrappedKey

_KNOWING: Final = (Action.ROUTE, Action.LIST)


@dataclass(frozen=True, kw_only=True)
class OwnTask:
    """A task as it is shown to somebody who may know of it."""

    id: str
    kind: str
    code: str | None
    unit: str | None
    subject_id: str
    message_id: str | None
    opened_at: datetime


@dataclass(frozen=True, kw_only=True)
class KeptWord:
    """What a case system said that could not be acted on: a reference, or a code of its own."""

    word: str | None
    """The code of the task, such as `word.registered`."""
    reference: str | None = field(repr=False)
    code: str | None = field(repr=False)


def own_tasks(
    line: Line, capacity: Capacity, where: Sequence[ColumnElement[bool]], *, at_most: int
) -> Sequence[OwnTask]:
    """The tasks of the capacity's role that it may know of, oldest first, of those that are sought.

    Raises `Unavailable` as a list of messages does.
    """
    query = (
        select(Task)
        .where(col(Task.role) == capacity.role.value, *where)
        .order_by(col(Task.opened_at), col(Task.id))
    )
    with listing_snapshot(line) as (tx, policy):
        known = (
            _own_task(task) for task in tx.exec(query) if _may_know(tx, policy, capacity, task)
        )
        return list(islice(known, at_most))


def _own_task(task: Task) -> OwnTask:
    return OwnTask(
        id=task.id,
        kind=task.kind,
        code=task.code,
        unit=task.unit,
        subject_id=task.subject_id,
        message_id=task.message_id,
        opened_at=task.opened_at,
    )


def _may_know(tx: Transaction, policy: Policy, capacity: Capacity, task: Task) -> bool:
    def decide(action: Action, subject: Subject) -> Decision:
        decision = permit(tx, policy, tx.now, capacity=capacity, action=action, subject=subject)
        return decision.deny_unless_met(())

    answers = [decide(action, subject) for subject in _subjects(tx, task) for action in _KNOWING]
    if answers and _sees_mail(policy, capacity.role):
        return any(answer.allowed for answer in answers)
    closing = permit(
        tx,
        policy,
        tx.now,
        capacity=capacity,
        action=Action.CLOSE_TASK,
        subject=OfTask(task_id=task.id),
    )
    return closing.allowed and all(answer.rule == NO_RULE for answer in answers)


def _sees_mail(policy: Policy, role: Role) -> bool:
    """Whether the rules let this role know of any message: then it knows of tasks by that alone."""
    return any(
        rule.effect is Effect.ALLOW and any(rule.applies_to(action, role) for action in _KNOWING)
        for rule in policy.rules
    )


def _subjects(session: Session, task: Task) -> Iterator[Subject]:
    if task.message_id is not None:
        yield message_subject(task.message_id)
    elif session.get(Arrival, task.subject_id) is not None:
        yield arrival_subject(task.subject_id)


def show_word(line: Line, capacity: Capacity, task_id: str) -> KeptWord:
    """Show the word that a task keeps to a person who may list its message; the audit says so.

    Raises `NotFound` for everybody else, and `Conflict` if it keeps none (any more).
    """
    with watch_damage(line) as watch, line.store.transaction() as tx:
        task = tx.get(Task, task_id)
        if task is None or task.message_id is None:
            raise NotFound
        subject = message_subject(task.message_id)
        authorized = authorize(line, tx, capacity, Action.LIST, subject, RequestFacts())
        stored = tx.get(WrappedKey, task.message_id)
        key = None if stored is None else unwrap_stored_key(line, stored)
        if task.sealed_text is None or key is None:
            raise Conflict("task.no_word", "it keeps no word of a case system")
        watch.message_id = task.message_id
        raw = key.unseal(task.sealed_text, table="task", column="sealed_text", row=task.id)
        authorized.record(event="task:word_shown", subject=task.id, message_id=task.message_id)
        said = json.loads(raw)
        return KeptWord(
            word=task.code, reference=said["reference"] or None, code=said["code"] or None
        )
