"""The totals that operators may see: counts, ages and codes; never which message or whose."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col

from inbox.domain import (
    ArrivalState,
    DeliveryState,
    MessageState,
    OutboxState,
    ReceiptState,
    TaskState,
)
from inbox.line import Line
from inbox.line.pulses import GATEWAY
from inbox.line.task_kinds import TaskKind
from inbox.package.inputs import STALE_LIST
from inbox.package.signature.revocation import authorities_without_fresh_list
from inbox.package.verdict import AlgorithmClass
from inbox.store import SteadyClock, Transaction
from inbox.tables import (
    Arrival,
    Delivery,
    ListAddress,
    Message,
    Outbox,
    Pulse,
    Receipt,
    Task,
    table_of,
)

_FINISHED: Final[Mapping[type[StrEnum], frozenset[StrEnum]]] = {
    ArrivalState: frozenset({ArrivalState.CONFIRMED, ArrivalState.ABANDONED}),
    MessageState: frozenset({MessageState.ANSWERED, MessageState.ERASED}),
    DeliveryState: frozenset(DeliveryState) - {DeliveryState.OPEN, DeliveryState.COLLECTED},
    ReceiptState: frozenset({ReceiptState.CONFIRMED}),
    OutboxState: frozenset({OutboxState.SENT, OutboxState.DROPPED}),
}
"""States in which nothing waits, kind by kind: words of two closed sets compare equal."""
_DAY: Final = timedelta(days=1)
_LEGACY: Final = f'%"algorithm_class": "{AlgorithmClass.LEGACY_SHA1}"%'


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many rows are in a state, and how long the oldest of them has waited."""

    number: int
    oldest: timedelta | None = None
    """None where there is none, or nothing waits in this state."""


Counts = Mapping[str, Count]


@dataclass(frozen=True, kw_only=True)
class Contact:
    """When a channel's gateway last answered; None: never."""

    channel: str
    ago: timedelta | None


@dataclass(frozen=True, kw_only=True)
class Totals:
    """All totals, from one transaction; every state is included, also those with 0."""

    at: datetime
    messages: Counts
    arrivals: Counts
    deliveries: Counts
    receipts: Counts
    outbox_pending: Count
    tasks: Counts
    """Open ones, by kind; only the kinds that there are."""
    contacts: tuple[Contact, ...]
    policy: str
    """The digest of the policy that decides; empty if the database names none."""
    legacy_sha1: int
    """Messages of the last day that were signed with SHA-1."""
    without_list: int
    """Believed authorities of which no revocation list is fresh; what they issued waits."""
    waits_for_list: int
    """Messages that wait for one."""
    lists_failed: int
    """Addresses of lists that gave nothing the last time."""
    damaged: int
    """Messages whose stored content does not open, as far as is known."""
    clock_backward: timedelta
    """How far the database's clock was behind at the last look."""
    clock_ahead: timedelta
    """How far it has jumped ahead, unconfirmed by anybody: nothing is erased meanwhile."""


def totals_of(line: Line) -> Totals:
    """Count everything in one read-only transaction. Raises `Unavailable`."""
    with line.store.reading() as tx:
        policy = line.policies.current(tx)
        clock = line.store.clock
        pending = _count_by_state(tx, Outbox, OutboxState, Outbox.created_at)
        return Totals(
            at=tx.now,
            messages=_count_by_state(tx, Message, MessageState, Message.received_at),
            arrivals=_count_by_state(tx, Arrival, ArrivalState, Arrival.announced_at),
            deliveries=_count_by_state(tx, Delivery, DeliveryState, Delivery.offered_at),
            receipts=_count_by_state(tx, Receipt, ReceiptState, Receipt.chosen_at),
            outbox_pending=pending[OutboxState.PENDING],
            tasks=_count_open_tasks(tx),
            contacts=contacts_of(tx, line),
            policy=policy.digest,
            legacy_sha1=_count_legacy_sha1(tx),
            without_list=len(authorities_without_fresh_list(line.trust.current_trust(tx), tx.now)),
            waits_for_list=_count_rows(tx, col(Message.code) == STALE_LIST),
            lists_failed=_count_rows(tx, col(ListAddress.code).is_not(None)),
            damaged=_count_rows(tx, _is_open(TaskKind.DAMAGED)),
            clock_backward=clock.backward if isinstance(clock, SteadyClock) else timedelta(0),
            clock_ahead=clock.ahead if isinstance(clock, SteadyClock) else timedelta(0),
        )


def contacts_of(tx: Transaction, line: Line) -> tuple[Contact, ...]:
    """The last contact with the gateway of every channel, also of one that has never answered."""
    names = {GATEWAY + channel: channel for channel in line.gateways}
    found = tx.execute(
        sa.select(col(Pulse.name), col(Pulse.at)).where(col(Pulse.name).in_(names))
    ).all()
    pulses: dict[str, datetime | None] = dict(map(tuple, found))
    contacts = []
    for name, channel in sorted(names.items()):
        at = pulses.get(name)
        contacts.append(Contact(channel=channel, ago=None if at is None else tx.now - at))
    return tuple(contacts)


def _count_by_state(
    tx: Transaction, table: type[SQLModel], states: type[StrEnum], since: datetime
) -> Counts:
    state = table_of(table).c.state
    found = tx.execute(sa.select(state, sa.func.count(), sa.func.min(col(since))).group_by(state))
    counts: dict[str, Count] = dict.fromkeys(states, Count(number=0))
    for word, number, oldest in found:
        waits = word not in _FINISHED[states]
        counts[word] = Count(number=number, oldest=tx.now - oldest if waits else None)
    return counts


def _count_open_tasks(tx: Transaction) -> Counts:
    kind = col(Task.kind)
    found = tx.execute(
        sa.select(kind, sa.func.count(), sa.func.min(col(Task.opened_at)))
        .where(col(Task.state) == TaskState.OPEN)
        .group_by(kind)
        .order_by(kind)
    )
    return {name: Count(number=number, oldest=tx.now - oldest) for name, number, oldest in found}


def _is_open(kind: TaskKind) -> sa.ColumnElement[bool]:
    return (col(Task.kind) == kind) & (col(Task.state) == TaskState.OPEN)


def _count_legacy_sha1(tx: Transaction) -> int:
    lately = col(Message.received_at) > tx.now - _DAY
    return _count_rows(tx, lately & col(Message.verdict).like(_LEGACY))


def _count_rows(session: Session, condition: sa.ColumnElement[bool]) -> int:
    number: int = session.execute(sa.select(sa.func.count()).where(condition)).scalar_one()
    return number
