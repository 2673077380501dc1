"""Opens a task for an operator when the stored content of a message cannot be opened any more."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlmodel import Session

from inbox.errors import Conflict, InboxError, IntegrityError
from inbox.line import Line
from inbox.line.settle import has_open_task, lock_row, open_task
from inbox.line.task_kinds import TaskKind
from inbox.tables import Message

_CONTENT = ("vault.", "keys.")
"""The codes of damage to one message begin so; that of the audit or the database is another's."""


@dataclass(kw_only=True)
class DamageWatch:
    """The message that is being read, once it is known."""

    message_id: str | None = None


@contextmanager
def watch_damage(line: Line, message_id: str | None = None) -> Iterator[DamageWatch]:
    """Report what turns out to be damaged inside the `with`, and let the error pass."""
    watch = DamageWatch(message_id=message_id)
    try:
        yield watch
    except IntegrityError as error:
        if watch.message_id is not None and is_content_damage(error):
            report_damage(line, watch.message_id, error.code)
        raise


def is_content_damage(error: InboxError) -> bool:
    """Whether the error is about the stored content of one message."""
    return isinstance(error, IntegrityError) and error.code.startswith(_CONTENT)


def report_damage(line: Line, message_id: str, code: str) -> None:
    """Open a task for an operator, unless one is open for this message already. Safe to repeat.

    A message that was erased while it was being read is not damaged: nothing is written.
    """
    with line.store.reading() as tx:
        if has_open_task(tx, TaskKind.DAMAGED, message_id) or _is_erased(tx, message_id):
            return
    # A conflict means that somebody else saw it at the same moment and has opened the task.
    with suppress(Conflict), line.store.transaction() as tx:
        lock_row(tx, Message, message_id)
        if _is_erased(tx, message_id):
            return
        open_task(
            tx,
            kind=TaskKind.DAMAGED,
            subject=message_id,
            message_id=message_id,
            code=code,
        )


def _is_erased(session: Session, message_id: str) -> bool:
    message = session.get(Message, message_id)
    return message is None or message.erased_at is not None
