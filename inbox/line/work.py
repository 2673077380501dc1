"""Claim, finish, postpone: the only code that leases a row.

Work is found by asking the tables: a state that has a station, `due_at` has passed, no live lease.
A claim and a settle raise `version`, so whoever saw an older one (a worker past its lease, a person
with an old page) settles nothing.
"""

import random
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from inbox.errors import Conflict
from inbox.keys import DataKey, WrappedKey
from inbox.line import Job, Line, Outcome, R
from inbox.line.settle import Step, Worked, settle, table_of
from inbox.message import STATIONS, station_of
from inbox.tables import Arrival, Message, Outbox, Receipt
from inbox.tables import WrappedKey as WrappedKeyRow

_BACKOFF_STEPS = 12


def claim(line: Line, kind: type[R]) -> Job[R] | None:
    """Lease the longest due row of a kind for `Terms.lease`; None if nothing is due."""
    table = table_of(kind)
    with line.store.transaction() as (session, now):
        row = session.exec(_due(kind, now)).first()
        if row is None:
            return None
        session.execute(
            sa.update(table)
            .where(table.c.id == row.id)
            .values(
                version=row.version + 1,
                attempts=row.attempts + 1,
                leased_until=now + line.terms.lease,
            )
        )
        session.refresh(row)
        return job_of(session, line, row, now)


def _due(kind: type[R], now: datetime) -> SelectOfScalar[R]:
    working = list(STATIONS[_states(kind)])
    return (
        select(kind)
        .where(
            col(kind.due_at) <= now,
            col(kind.state).in_(working),
            sa.or_(col(kind.leased_until).is_(None), col(kind.leased_until) <= now),
        )
        .order_by(col(kind.due_at))
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _states(kind: type[SQLModel]) -> type[StrEnum]:
    words = kind.model_fields["state"].annotation
    assert isinstance(words, type)
    assert issubclass(words, StrEnum)
    return words


def job_of(session: Session, line: Line, row: R, now: datetime) -> Job[R]:
    """A snapshot of the row with the data keys that a station may need."""
    owners = {row.id, getattr(row, "message_id", None)} - {None}
    stored = session.exec(select(WrappedKeyRow).where(col(WrappedKeyRow.id).in_(owners))).all()
    keys = {found.id: key for found in stored if (key := unwrap(line, found)) is not None}
    session.expunge(row)
    return Job(row=row, now=now, keys=keys)


def unwrap(line: Line, stored: WrappedKeyRow) -> DataKey | None:
    """The data key, or None once it has been destroyed."""
    if stored.wrapped is None or stored.kek_id is None:
        return None
    return line.keyring.unwrap(WrappedKey(kek_id=stored.kek_id, wrapped=stored.wrapped))


def finish(job: Job[R], outcome: Outcome, session: Session, now: datetime) -> None:
    """Settle a job's outcome with its follow-up rows, in the caller's transaction."""
    settle(
        session,
        now,
        Step(
            row=job.row,
            became=outcome.became,
            by=station_of(job.row.state) or "",
            code=outcome.code,
            values=outcome.values,
            due_at=outcome.due_at,
            rule=outcome.rule,
            policy=outcome.policy,
        ),
    )
    for write in outcome.then:
        write(session, now)


def keep(line: Line, job: Job[R], session: Session, now: datetime) -> Job[R] | None:
    """Keep the lease for the next station, if the row has one that is due; else None."""
    row = session.get(type(job.row), job.row.id, populate_existing=True)
    if row is None or station_of(row.state) is None or row.due_at is None or row.due_at > now:
        return None
    row.attempts = 1
    row.leased_until = now + line.terms.lease
    session.flush()
    return job_of(session, line, row, now)


def renew(line: Line, job: Job[R]) -> None:
    """Lengthen the lease of a long transfer. Raises `Conflict` if it has been lost."""
    table = table_of(type(job.row))
    with line.store.transaction() as (session, now):
        changed = session.execute(
            sa.update(table)
            .where(table.c.id == job.row.id, table.c.version == job.row.version)
            .values(leased_until=now + line.terms.lease)
        )
        if changed.rowcount != 1:  # type: ignore[attr-defined] # an UPDATE has one
            raise Conflict("lease.lost", "another worker has it now")


def postpone(line: Line, job: Job[R], code: str) -> None:
    """Same state, later: exponential back-off with jitter, capped, never given up."""
    table = table_of(type(job.row))
    with line.store.transaction() as (session, now):
        session.execute(
            sa.update(table)
            .where(table.c.id == job.row.id, table.c.version == job.row.version)
            .values(due_at=now + pause(line, job.row.attempts), leased_until=None, code=code)
        )


def pause(line: Line, attempts: int) -> timedelta:
    """How long to wait after so many attempts in vain, at least 1."""
    wait = line.terms.first_retry * float(2 ** min(attempts - 1, _BACKOFF_STEPS))
    return min(wait, line.terms.longest_retry) * random.uniform(0.5, 1)  # noqa: S311 - jitter


KINDS: Final[tuple[type[Worked], ...]] = (Arrival, Message, Receipt, Outbox)
