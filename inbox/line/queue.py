"""The work queue: claim, settle and postpone rows. No other code leases a row.

The problem: several workers share the work, any of them may die, and no two may work on one row.

The method: the row is the queue (decision 0001). Work is a row whose state has a station, whose
`due_at` has passed, and that has no live lease (Gray and Cheriton 1989). A claim raises `version`,
a fencing token: a worker that saw an older version settles nothing. A row whose step failed waits
(exponential back-off, jitter), is tried again, and is never given up.

An example: worker A claims a row at 08:00 until 08:06, says "delivered" to the gateway, and dies.
At 08:06 worker B claims the row and says it again. The gateway answers that it no longer has the
message, which counts as success (reference §1.5).

Not done here: there are no dead letters and no limit of attempts; after several failed attempts a
person gets a task.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import Session, SQLModel, col

from inbox.domain import STATIONS, station_of
from inbox.errors import ConfigurationError, Conflict, IntegrityError
from inbox.keys import DataKey, WrappedDataKey
from inbox.line import Job, Line, Outcome, R
from inbox.line.settle import QueueRow, Step, message_id_of, open_task, settle
from inbox.line.task_kinds import TaskKind
from inbox.store import Transaction
from inbox.tables import Arrival, Message, Outbox, Receipt, table_of
from inbox.tables import WrappedKey as WrappedKeyRow

_BACKOFF_STEPS = 12  # after that the longest wait holds, so no larger power is computed
OVERDUE_AFTER: Final = timedelta(minutes=5)
"""Work that is due for longer, and that no worker has, is reported to operators."""
_GATEWAY_OUTAGES: Final = (
    "gateway.unavailable",
    "gateway.unresolved",
    "gateway.certificate",
    "gateway.tls",
    "gateway.slow",
    "gateway.garbled",
    "gateway.unauthorised",
    "gateway.unexpected",
)
"""The codes of rows that wait only because a gateway does not work."""

_AS_RETURNED: Final = {"synchronize_session": False, "populate_existing": True}
QUEUE_ROW_TYPES: Final[tuple[type[QueueRow], ...]] = (Arrival, Message, Receipt, Outbox)


def _states(kind: type[SQLModel]) -> type[StrEnum]:
    words = kind.model_fields["state"].annotation
    assert isinstance(words, type)
    assert issubclass(words, StrEnum)
    return words


@dataclass(frozen=True, kw_only=True)
class Share:
    """A part of the work: rows of some kinds, and perhaps only those that call some neighbours."""

    kinds: tuple[type[QueueRow], ...] = QUEUE_ROW_TYPES
    of: frozenset[str] | None = None
    """Only rows that concern these gateways (by channel) or case systems."""
    but: frozenset[str] = frozenset()
    """No rows that concern these."""

    @property
    def values(self) -> dict[str, object]:
        """Bound parameters of the share's statements."""
        return {"of": sorted(self.of or ()), "but": sorted(self.but)}


EVERYTHING: Final = Share()


def _neighbour_of(kind: type[SQLModel]) -> sa.SQLColumnExpression[str] | None:
    """The gateway or case system that a row's stations call; None if they call nobody."""
    if kind is Arrival:
        return col(Arrival.channel)
    if kind is Outbox:
        return col(Outbox.case_system)
    if kind is Receipt:
        return (
            sa.select(col(Message.channel))
            .where(col(Message.id) == col(Receipt.message_id))
            .scalar_subquery()
        )
    return None


def _key_columns(kind: type[R]) -> list[sa.ColumnElement[Any]]:
    """The wrapped data key of a row, or of a receipt's message, as columns of its claim."""
    # As text: behind RETURNING, SQLAlchemy leaves the table's name out for SQLite, and a bare `id`
    # would be that of the key itself.
    owner = f"{table_of(kind).name}.{'message_id' if kind is Receipt else 'id'}"
    return [
        sa.select(column).where(col(WrappedKeyRow.id) == sa.literal_column(owner)).label(name)
        for name, column in (
            ("kek_id", col(WrappedKeyRow.kek_id)),
            ("wrapped", col(WrappedKeyRow.wrapped)),
        )
    ]


def _of_share(kind: type[SQLModel], *, limited: bool) -> list[sa.ColumnElement[bool]]:
    neighbour = _neighbour_of(kind)
    if neighbour is None:
        return []
    but = neighbour.not_in(sa.bindparam("but", expanding=True))
    return [but, neighbour.in_(sa.bindparam("of", expanding=True))] if limited else [but]


def _free_rows(kind: type[R]) -> sa.Select[str]:
    """Rows that wait for a station and are leased to nobody."""
    return sa.select(col(kind.id)).where(
        col(kind.state).in_(list(STATIONS[_states(kind)])),
        sa.or_(col(kind.leased_until).is_(None), col(kind.leased_until) <= sa.bindparam("now")),
    )


def _due_query(kind: type[R], *, limited: bool) -> sa.Select[str]:
    return (
        _free_rows(kind)
        .where(col(kind.due_at) <= sa.bindparam("now"), *_of_share(kind, limited=limited))
        .order_by(col(kind.due_at))
        .limit(1)
    )


def _claim_statement(kind: type[R], rows: sa.Select[str]) -> ReturningUpdate[Any]:
    """One statement finds, locks and leases; rows that another worker has locked are skipped.

    It returns the row with its data key.
    """
    # PostgreSQL takes the next row that nobody locks; SQLite has one worker and ignores this.
    first = rows.with_for_update(skip_locked=True, of=kind).scalar_subquery()
    return (
        sa.update(kind)
        .where(col(kind.id) == first)
        .values(
            version=col(kind.version) + 1,
            attempts=col(kind.attempts) + 1,
            leased_until=sa.bindparam("until"),
        )
        .returning(kind, *_key_columns(kind))
    )


@cache
def _any_due(kinds: tuple[type[QueueRow], ...], *, limited: bool) -> sa.Select[*tuple[Any, ...]]:
    """Built once: building a statement takes as long as running it."""
    return sa.select(*(_due_query(kind, limited=limited).exists() for kind in kinds))


_CLAIM_DUE: Final[Mapping[tuple[type[SQLModel], bool], ReturningUpdate[Any]]] = {
    (kind, limited): _claim_statement(kind, _due_query(kind, limited=limited))
    for kind in QUEUE_ROW_TYPES
    for limited in (False, True)
}
_CLAIM_PROBE: Final = _claim_statement(
    Outbox,
    _free_rows(Outbox)
    .where(col(Outbox.case_system) == sa.bindparam("called"))
    .order_by(col(Outbox.attempts), col(Outbox.due_at))
    .limit(1),
)
"""Claims the event that has been tried least, so that one that always fails blocks no other."""


def claim(line: Line, kind: type[R], share: Share = EVERYTHING) -> Job[R] | None:
    """Lease the row of this kind that has been due longest; None if nothing is due.

    A row whose key is damaged or missing is postponed, and the next one is tried: it must not block
    all others for ever. During a standstill (`audit.standstill`) only arrivals are claimed, and
    `advance` does no more than take custody of them.
    """
    if line.standstill.gap is not None and kind is not Arrival:
        return None
    return _claim(line, _CLAIM_DUE[kind, share.of is not None], share.values)


def claim_probe(line: Line, case_system: str) -> Job[Outbox] | None:
    """Lease an event for a case system that is away, due or not; None if there is none."""
    if line.standstill.gap is not None:
        return None
    return _claim(line, _CLAIM_PROBE, {"called": case_system})


def _claim(
    line: Line, statement: ReturningUpdate[Any], values: Mapping[str, object]
) -> Job[R] | None:
    while True:
        with line.store.transaction() as tx:
            times = {"now": tx.now, "until": tx.now + line.terms.lease}  # by the database's clock
            found = tx.execute(
                statement, {**values, **times}, execution_options=_AS_RETURNED
            ).one_or_none()
            if found is None:
                return None
            row: R = found[0]
            tx.expunge(row)  # a job is a snapshot: no session may read it again
            try:
                return Job(row=row, now=tx.now, keys=_data_keys(line, row, found))
            except (ConfigurationError, IntegrityError) as error:
                postpone_and_escalate(line, row, error.code, tx)


def due_kinds(tx: Transaction, share: Share = EVERYTHING) -> list[type[QueueRow]]:
    """The row types for which `claim` would find a row; a query that writes nothing."""
    return _due_kinds_at(tx, tx.now, share)


def _due_kinds_at(session: Session, now: datetime, share: Share) -> list[type[QueueRow]]:
    statement = _any_due(share.kinds, limited=share.of is not None)
    found = session.execute(statement, {"now": now, **share.values}).one()
    return [kind for kind, there in zip(share.kinds, found, strict=True) if there]


def overdue_kinds(tx: Transaction, away: frozenset[str]) -> list[type[QueueRow]]:
    """The row types with work that has been due for too long and that nobody has.

    What waits for one of the neighbours that are known to be `away` is not counted.
    """
    return _due_kinds_at(tx, tx.now - OVERDUE_AFTER, Share(but=away))


def _data_keys(line: Line, row: QueueRow, found: sa.Row[Any]) -> Mapping[str, DataKey]:
    """The data key of a row or of its message, unless it has been destroyed."""
    key = unwrap_stored_key(line, found)
    owner = row.message_id if isinstance(row, Receipt) else row.id
    return {} if key is None else {owner: key}


def unwrap_stored_key(line: Line, stored: "WrappedKeyRow | sa.Row[Any]") -> DataKey | None:
    """The data key; None if it has been destroyed."""
    if stored.wrapped is None or stored.kek_id is None:
        return None
    return line.keyring.unwrap(WrappedDataKey(kek_id=stored.kek_id, wrapped=stored.wrapped))


def settle_outcome(line: Line, job: Job[R], outcome: Outcome, tx: Transaction) -> Job[R] | None:
    """Write a job's outcome, in the caller's transaction.

    Returns the row's next job, with the lease kept, if its new state has a station that is due now;
    otherwise None.
    """
    # The next station of a row that is due keeps the lease: one claim, many steps (decision 0001).
    due_now = outcome.due_at is None or outcome.due_at <= tx.now
    goes_on = due_now and station_of(outcome.became) is not None
    written = settle(
        tx,
        Step(
            row=job.row,
            became=outcome.became,
            by=station_of(job.row.state) or "",
            code=outcome.code,
            values=outcome.values,
            due_at=outcome.due_at,
            leased_until=tx.now + line.terms.lease if goes_on else None,
            rule=outcome.rule,
            policy=outcome.policy,
        ),
    )
    _bring_forward_same_outage(tx, job.row)
    if not goes_on:
        return None
    return Job(row=_as_written(job.row, written), now=tx.now, keys=job.keys)


def _as_written(row: R, written: Mapping[str, object]) -> R:
    """The row as it is now: nobody else writes a leased row, so it need not be read again."""
    before = {name: getattr(row, name) for name in type(row).model_fields}
    return type(row)(**{**before, **written})


def renew_lease(line: Line, job: Job[R]) -> None:
    """Extend the lease during a long transfer. Raises `Conflict` if the lease has been lost."""
    table = table_of(type(job.row))
    with line.store.transaction() as tx:
        changed = tx.execute(
            sa.update(table)
            .where(table.c.id == job.row.id, table.c.version == job.row.version)
            .values(leased_until=tx.now + line.terms.lease)
        )
        # The fence again: a row that another worker has claimed has another version.
        if changed.rowcount != 1:  # type: ignore[attr-defined] # an UPDATE has one
            raise Conflict("lease.lost", "another worker has it now")


def postpone(line: Line, job: Job[R], code: str) -> None:
    """Keep the state and try again later: exponential back-off with jitter, capped, without end."""
    with line.store.transaction() as tx:
        _postpone_row(line, job.row, code, tx)


def postpone_and_escalate(line: Line, row: QueueRow, code: str, tx: Transaction) -> None:
    """As `postpone`; after several attempts a task is opened, unless the row was moved meanwhile.

    A task is opened again only where it was closed and the row is still stuck.
    """
    if not _postpone_row(line, row, code, tx) or row.attempts % line.terms.escalate_after_attempts:
        return
    open_task(
        tx,
        kind=TaskKind.STUCK,
        subject=row.id,
        message_id=message_id_of(row),
        code=code,
    )


def _postpone_row(line: Line, row: QueueRow, code: str, tx: Transaction) -> bool:
    """Postpone the row. False if another has moved it; then nothing was written."""
    table = table_of(type(row))
    changed = tx.execute(
        sa.update(table)
        .where(table.c.id == row.id, table.c.version == row.version)
        .values(due_at=tx.now + backoff(line, row.attempts), leased_until=None, code=code)
    )
    return changed.rowcount == 1  # type: ignore[attr-defined,no-any-return] # an UPDATE has one


def make_due(line: Line, code: str) -> int:
    """Make messages that were postponed with this code due now: what they wait for may have come.

    Returns how many they are. One that is being worked on is left to its worker.
    """
    table = table_of(Message)
    waiting = (table.c.code == code, table.c.leased_until.is_(None))
    with line.store.reading() as tx:
        if (
            tx.execute(sa.select(sa.literal(1)).where(*waiting, table.c.due_at > tx.now)).first()
            is None
        ):
            return 0
    with line.store.transaction() as tx:
        changed = tx.execute(
            sa.update(table).where(*waiting, table.c.due_at > tx.now).values(due_at=tx.now)
        )
        return changed.rowcount  # type: ignore[attr-defined,no-any-return] # an UPDATE has one


def _bring_forward_same_outage(tx: Transaction, row: QueueRow) -> None:
    """Make rows that wait for a gateway due now, because one that waited for it has gone on."""
    if row.code not in _GATEWAY_OUTAGES or not isinstance(row, Arrival | Receipt):
        return
    neighbour = _neighbour_of(type(row))
    assert neighbour is not None
    channel = tx.execute(sa.select(neighbour).where(col(type(row).id) == row.id)).scalar_one()
    _bring_forward(tx, type(row), channel)


def bring_forward_gateway_work(line: Line, channel: str) -> None:
    """Make rows that were postponed because of this gateway due now, because it answers again."""
    with line.store.transaction() as tx:
        for kind in (Arrival, Receipt):
            _bring_forward(tx, kind, channel)


def _bring_forward(tx: Transaction, kind: type[Arrival | Receipt], channel: str) -> None:
    neighbour = _neighbour_of(kind)
    assert neighbour is not None
    tx.execute(
        sa.update(kind)
        .where(
            neighbour == channel,
            col(kind.state).in_(list(STATIONS[_states(kind)])),
            col(kind.code).in_(_GATEWAY_OUTAGES),
            col(kind.leased_until).is_(None),
            col(kind.due_at) > tx.now,
        )
        .values(due_at=tx.now)
        .execution_options(synchronize_session=False)
    )


def backoff(line: Line, attempts: int) -> timedelta:
    """The back-off after this many failed attempts (at least 1)."""
    wait = line.terms.first_retry * float(2 ** min(attempts - 1, _BACKOFF_STEPS))
    return min(wait, line.terms.longest_retry) * random.uniform(0.5, 1)  # noqa: S311 - jitter
