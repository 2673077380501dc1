"""Removes what has expired: sign-ins that were not finished, drafts, sessions past their end."""

from typing import Final

import sqlalchemy as sa
from sqlmodel import col, select

from inbox.line import Line
from inbox.line.upkeep.session_ends import end_sessions
from inbox.sign_in.drafts import session_key_id
from inbox.sign_in.sessions import IDLE, KEPT_AFTER_END
from inbox.store import Transaction
from inbox.tables import Draft, SessionRow, SignInRow, UsedLogoutToken, WrappedKey, table_of

_AT_ONCE: Final = 500


def clean_sign_ins(line: Line) -> None:
    """Remove what has expired, and say in the audit which sessions ended by themselves.

    Safe to repeat, and for several processes at once. While the process holds still, nothing goes.
    """
    if line.standstill.gap is not None:
        return
    with line.store.reading() as tx:
        if not _has_work(tx):
            return
    with line.store.transaction() as tx:
        end_sessions(tx, "longest", col(SessionRow.expires_at) <= tx.now)
        end_sessions(tx, "idle", col(SessionRow.last_seen_at) <= tx.now - IDLE)
        for kind in (SignInRow, Draft, UsedLogoutToken):
            table = table_of(kind)
            tx.execute(sa.delete(table).where(table.c.expires_at <= tx.now))
        tx.flush()
        _remove_sessions(tx)


def _has_work(tx: Transaction) -> bool:
    """So that an idle installation writes nothing."""
    found = (
        select(SessionRow.id).where(
            col(SessionRow.ended_at).is_(None)
            & (
                (col(SessionRow.expires_at) <= tx.now)
                | (col(SessionRow.last_seen_at) <= tx.now - IDLE)
            )
            | (col(SessionRow.ended_at) <= tx.now - KEPT_AFTER_END)
        ),
        select(SignInRow.id).where(col(SignInRow.expires_at) <= tx.now),
        select(Draft.id).where(col(Draft.expires_at) <= tx.now),
        select(UsedLogoutToken.id).where(col(UsedLogoutToken.expires_at) <= tx.now),
    )
    return any(tx.exec(query.limit(1)).first() is not None for query in found)


def _remove_sessions(tx: Transaction) -> None:
    """Rows and keys of sessions that ended long enough ago."""
    over = select(SessionRow.id).where(col(SessionRow.ended_at) <= tx.now - KEPT_AFTER_END)
    ids = tx.exec(over.limit(_AT_ONCE)).all()
    if not ids:
        return
    keys, drafts, sessions = (table_of(kind) for kind in (WrappedKey, Draft, SessionRow))
    tx.execute(sa.delete(drafts).where(drafts.c.session.in_(ids)))
    tx.execute(sa.delete(keys).where(keys.c.id.in_([session_key_id(each) for each in ids])))
    tx.execute(sa.delete(sessions).where(sessions.c.id.in_(ids)))
