"""When the content of an answered message is to be erased, by its own dates."""

from datetime import datetime

import sqlalchemy as sa

from inbox.line import Job, Line, R
from inbox.line.queue import backoff
from inbox.tables import Message, table_of


def postpone_until_due(line: Line, job: Job[R], code: str) -> None:
    """Keep the state and give an answered message back the time that its dates say.

    What was claimed on the word of a clock that ran ahead is not tried every hour until then.
    """
    with line.store.transaction() as tx:
        row = job.row
        assert isinstance(row, Message)
        table = table_of(Message)
        tx.execute(
            sa.update(table)
            .where(table.c.id == row.id, table.c.version == row.version)
            .values(
                due_at=max(tx.now + backoff(line, 1), erasure_due_at(line, row)),
                leased_until=None,
                code=code,
            )
        )


def erasure_due_at(line: Line, row: Message) -> datetime:
    """When the content of an answered message is to be erased, by its own dates.

    Its `due_at` says when that is tried next, which a wrong clock may have written.
    """
    assert row.answered_at is not None
    return row.answered_at + line.terms.keep_content
