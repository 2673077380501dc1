"""Wrong personal codes: each is in the audit, and after a few nobody may try for a while.

The pause counts for the person, not for who types: of many programs that guess at once none is
quicker than one.
"""

from datetime import timedelta
from typing import Final

from sqlmodel import Session

from inbox import audit
from inbox.errors import Unavailable
from inbox.store import Transaction
from inbox.tables import Person, RefusedSignIn

NOBODY: Final = "nobody known"
"""Stands for every id that is nobody's: what was typed may be a national id."""
_STRANGER: Final = "stranger"
"""Who acted: all that is known is that it was not shown to be the person."""
FREE_REFUSALS: Final = 3
"""So many may be mistyped before anybody has to wait."""
FIRST_PAUSE: Final = timedelta(seconds=15)
LONGEST_PAUSE: Final = timedelta(minutes=15)
FORGOTTEN_AFTER: Final = timedelta(hours=1)


def check_not_paused(tx: Transaction, person_id: str) -> None:
    """Raise `Unavailable` while the codes of this person are not looked at, the right one too."""
    row = tx.get(RefusedSignIn, _name_of(tx, person_id))
    if row is None:
        return
    since = abs(tx.now - row.last_at)  # ahead of us is the word of a clock that was wrong
    if since < _pause_after(row.refused):
        raise Unavailable("code.paused", "too many wrong codes: wait, and try again")


def note_refused(tx: Transaction, person_id: str) -> None:
    """Have the refusal counted and audited, whatever becomes of this transaction."""
    name = _name_of(tx, person_id)
    tx.write_afterwards(lambda its_own: _count(its_own, name))


def forget_refused(tx: Transaction, person_id: str) -> None:
    """Have the count begin anew, after the right code."""
    if tx.get(RefusedSignIn, person_id) is not None:
        tx.write_afterwards(lambda its_own: forget_now(its_own, person_id))


def _name_of(session: Session, person_id: str) -> str:
    return NOBODY if session.get(Person, person_id) is None else person_id


def _pause_after(refused: int) -> timedelta:
    """Nothing for the first few, then twice as long each time."""
    if refused < FREE_REFUSALS:
        return timedelta(0)
    doublings = min(refused - FREE_REFUSALS, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def _count(tx: Transaction, name: str) -> None:
    row = tx.get(RefusedSignIn, name, with_for_update=True)
    if row is None:
        row = RefusedSignIn(person=name, refused=0, last_at=tx.now)
    if abs(tx.now - row.last_at) > FORGOTTEN_AFTER:
        row.refused = 0
    row.refused, row.last_at = row.refused + 1, tx.now
    tx.add(row)
    audit.record(tx, audit.Entry(event="person:code_refused", who=_STRANGER, subject=name))


def forget_now(session: Session, person_id: str) -> None:
    """Let the count begin anew in this transaction: the person gets another code."""
    row = session.get(RefusedSignIn, person_id)
    if row is not None:
        session.delete(row)
