"""How sessions of people end: by a person, by a provider, or because what they rest on changed.

The rows stay for a while, so that what was typed in a form finds its person; see `sign_in`.
"""

import sqlalchemy as sa
from sqlmodel import col, select

from inbox import audit
from inbox.store import Transaction
from inbox.tables import SessionRow


def end_sessions(tx: Transaction, why: str, *named: sa.ColumnElement[bool]) -> int:
    """End every session that stands and that all of this fits; how many there were."""
    standing = select(SessionRow).where(col(SessionRow.ended_at).is_(None), *named)
    rows = tx.exec(standing.order_by(col(SessionRow.id))).all()
    for row in rows:
        row.ended_at, row.ended_for = tx.now, why
        audit.record(
            tx, audit.Entry(event="session:ended", who=row.person, subject=row.id, code=why)
        )
    return len(rows)


def end_sessions_of(tx: Transaction, person: str, *, why: str) -> int:
    """End all sessions of a person; how many there were."""
    return end_sessions(tx, why, col(SessionRow.person) == person)
