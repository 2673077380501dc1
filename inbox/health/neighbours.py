"""What is wrong with neighbours: gateways, case systems and the addresses of revocation lists."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inbox.domain import ArrivalState, OutboxState, ReceiptState
from inbox.errors import InboxError
from inbox.health.condition import HealthCondition, Level
from inbox.line.pulses import AFTER_ABSENCE, CASE_SYSTEM, GATEWAY, PROVIDER, STATUSES
from inbox.store import Store
from inbox.tables import Arrival, CaseSystem, ListAddress, Message, Outbox, Pulse, Receipt
from inbox.tables.periods import not_ended

_NOT_THE_GATEWAYS_FAULT = "vault.full"
"""Nothing was asked of it, because there is no room for what it would give."""


def gateway_conditions(
    store: Store, channels: Collection[str], silence: timedelta
) -> Iterator[HealthCondition]:
    """Each channel whose gateway is silent or answers wrongly.

    The process is unready when one has been silent for longer than `silence`, or for ever.
    """
    try:
        with store.reading() as tx:
            pulses = _pulses(tx, GATEWAY)
            waits = _waiting_for_gateways(tx)
    except InboxError as error:
        for channel in sorted(channels):
            yield HealthCondition(
                subject=GATEWAY + channel, code=error.code, level=Level.UNREADY, reason=error.reason
            )
        return
    for channel in sorted(channels):
        pulse = pulses.get(channel) or Pulse(name=GATEWAY + channel)
        silent = pulse.at is None or tx.now - pulse.at > silence
        code = pulse.code or ("gateway.silent" if silent else None)
        if code is None or (code == _NOT_THE_GATEWAYS_FAULT and not silent):
            continue
        yield HealthCondition(
            subject=GATEWAY + channel,
            code=code,
            level=Level.UNREADY if silent else Level.WARNING,
            count=waits.get(channel, 0),
            status=pulse.status,
        )


def other_neighbour_conditions(
    store: Store, channels: Collection[str]
) -> Iterator[HealthCondition]:
    """Case systems that are away, statuses that cannot be read, addresses that give no list."""
    with store.reading() as tx:
        systems = _pulses(tx, CASE_SYSTEM)
        waits = _waiting_for_case_systems(tx)
        living = set(tx.exec(select(CaseSystem.id).where(not_ended(CaseSystem, tx.now))))
        statuses = _pulses(tx, STATUSES)
        providers = _pulses(tx, PROVIDER)
        lists = tx.exec(select(ListAddress).where(col(ListAddress.code).is_not(None))).all()
    for name, pulse in sorted(systems.items()):
        if pulse.code is not None and (name in living or waits.get(name)):
            yield HealthCondition(
                subject=CASE_SYSTEM + name,
                code=pulse.code,
                level=Level.WARNING,
                count=waits.get(name, 0),
                status=pulse.status,
            )
    for name, pulse in sorted(providers.items()):
        if pulse.code is not None:
            yield HealthCondition(
                subject=PROVIDER + name,
                code=pulse.code,
                level=Level.WARNING,
                status=pulse.status,
            )
    for name, pulse in sorted(statuses.items()):
        if pulse.code not in {None, AFTER_ABSENCE} and name in channels:
            yield HealthCondition(
                subject=STATUSES + name, code=f"statuses.{pulse.code}", level=Level.WARNING
            )
    for address in sorted(lists, key=lambda each: each.address):
        yield HealthCondition(
            subject=f"list:{address.address}",
            code=address.code or "",
            level=Level.WARNING,
        )


def gateway_contacts(
    store: Store, channels: Collection[str]
) -> Mapping[str, tuple[datetime | None, int]]:
    """For each channel when its gateway last answered, and how many rows wait for it."""
    with store.reading() as tx:
        pulses, waits = _pulses(tx, GATEWAY), _waiting_for_gateways(tx)
    return {
        channel: (pulses[channel].at if channel in pulses else None, waits.get(channel, 0))
        for channel in sorted(channels)
    }


def case_system_queues(store: Store) -> Mapping[str, int]:
    """For each case system for which events wait, how many."""
    with store.reading() as tx:
        return _waiting_for_case_systems(tx)


def _pulses(session: Session, kind: str) -> dict[str, Pulse]:
    found = session.exec(select(Pulse).where(col(Pulse.name).startswith(kind, autoescape=True)))
    return {pulse.name.removeprefix(kind): pulse for pulse in found}


def _waiting_for_gateways(session: Session) -> dict[str, int]:
    """Arrivals that are to be fetched, confirmed or given up there, and receipts on their way."""
    unfinished = (ArrivalState.ANNOUNCED, ArrivalState.STORED, ArrivalState.ABANDONING)
    arrivals = session.execute(
        sa.select(col(Arrival.channel), sa.func.count())
        .where(col(Arrival.state).in_(unfinished))
        .group_by(col(Arrival.channel))
    ).all()
    under_way = (ReceiptState.CHOSEN, ReceiptState.CREATED, ReceiptState.SENT)
    receipts = session.execute(
        sa.select(col(Message.channel), sa.func.count())
        .join(Receipt, col(Receipt.message_id) == col(Message.id))
        .where(col(Receipt.state).in_(under_way))
        .group_by(col(Message.channel))
    ).all()
    found: dict[str, int] = {}
    for channel, number in (*arrivals, *receipts):
        found[channel] = found.get(channel, 0) + number
    return found


def _waiting_for_case_systems(session: Session) -> dict[str, int]:
    rows = session.execute(
        sa.select(col(Outbox.case_system), sa.func.count())
        .where(col(Outbox.state) == OutboxState.PENDING)
        .group_by(col(Outbox.case_system))
    ).all()
    return dict(map(tuple, rows))
