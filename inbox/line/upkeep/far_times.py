"""Brings back what a clock that ran ahead has put off further than anything is ever put off.

While the clock was a year ahead, retries and leases were written a year ahead. Without this, that
mail would lie for a year once the clock is right again.
"""

from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from inbox.domain import MessageState
from inbox.line import Line
from inbox.line.queue import QUEUE_ROW_TYPES
from inbox.store import Transaction
from inbox.tables import Message, table_of

_FURTHEST: Final = timedelta(days=2)
"""Twice the longest time that anything but erasing is put off for."""


def bring_back_far_times(line: Line) -> int:
    """Make due what is put off too far, and end leases that are too long; how many rows."""
    with line.store.transaction() as tx:
        return sum(_bring_back(tx, line, kind) for kind in QUEUE_ROW_TYPES)


def _bring_back(tx: Transaction, line: Line, kind: type) -> int:
    table = table_of(kind)
    far = table.c.due_at > tx.now + _FURTHEST
    if kind is Message:  # An answered one waits for its erasure, and no longer than it is kept.
        keep = line.terms.keep_content
        kept, beyond = (
            table.c.answered_at <= tx.now - keep,
            table.c.due_at > tx.now + keep + _FURTHEST,
        )
        far &= (table.c.state != MessageState.ANSWERED) | kept | beyond
    leased = table.c.leased_until > tx.now + 2 * line.terms.lease
    late = tx.execute(sa.update(table).where(far).values(due_at=tx.now, leased_until=None))
    held = tx.execute(sa.update(table).where(leased).values(leased_until=None))
    return late.rowcount + held.rowcount  # type: ignore[attr-defined,no-any-return] # an UPDATE has one
