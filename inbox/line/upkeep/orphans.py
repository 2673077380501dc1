"""Removes vault objects that no row names, which a crash left: aside first, for good days later.

That no row names an object may also mean that the database is an old one. So nothing is moved in
the first day of a process, and what was moved is put back when a row names it again.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import col, select

from inbox.line import Line
from inbox.tables import Message

SETTLED_AFTER: Final = timedelta(days=1)
"""How long a process runs before it moves anything."""
_ORPHAN_AGE: Final = timedelta(days=1)
KEPT_ASIDE: Final = timedelta(days=7)


def clean_vault(line: Line, *, running_for: timedelta) -> int:
    """Put back, move aside and remove what is due; returns how many objects were moved or removed.

    Does nothing while this process holds still.
    """
    if line.standstill.gap is not None:
        return 0
    with line.store.reading() as tx:
        named = set(
            tx.exec(select(Message.object_name).where(col(Message.object_name).is_not(None)))
        )
    stored = dict(line.vault.names())
    back = sum(line.vault.restore_from_aside(name) for name in named - stored.keys() if name)
    if running_for < SETTLED_AFTER:
        return back
    return back + _move_and_remove(line, stored, named, tx.now)


def _move_and_remove(
    line: Line, stored: dict[str, datetime], named: set[str | None], now: datetime
) -> int:
    before = now - _ORPHAN_AGE
    old = [name for name, at in stored.items() if at < before and name not in named]
    for name in old:
        line.vault.set_aside(name)
    removed = line.vault.remove_set_aside(now - KEPT_ASIDE)
    return len(old) + removed + line.vault.remove_partial_objects(before)
