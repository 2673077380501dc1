"""The station of the outbox: notify a case system by webhook that a delivery is open."""

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import col

from inbox.casesystem import DeliveryEvent
from inbox.domain import DeliveryState, OutboxState
from inbox.errors import Unavailable
from inbox.line import Job, Line, Outcome
from inbox.line.case_systems import KEY_PREFIX, webhook_secret_of
from inbox.line.pulses import CASE_SYSTEM, record_pulse
from inbox.line.stations.station import Settling
from inbox.store import Transaction
from inbox.tables import CaseSystem, Delivery, Outbox, WrappedKey, table_of

_MADE_DUE_PER_SUCCESS: Final = 2
_EVENT_QUERY: Final[sa.Select[*tuple[Any, ...]]] = (
    sa.select(
        col(CaseSystem.organisation),
        col(CaseSystem.webhook_url),
        col(CaseSystem.sealed_secret),
        col(WrappedKey.kek_id),
        col(WrappedKey.wrapped),
        col(Delivery.state).label("delivery_state"),
    )
    .select_from(CaseSystem)
    .join(Delivery, col(Delivery.id) == sa.bindparam("delivery"))
    .join(WrappedKey, col(WrappedKey.id) == KEY_PREFIX + col(CaseSystem.id), isouter=True)
    .where(col(CaseSystem.id) == sa.bindparam("system"))
)
"""Where an event goes, the key that signs it, and how its delivery is."""


@dataclass(frozen=True, kw_only=True)
class Notified:
    """An event that the case system has heard, or that is dropped."""

    outcome: Outcome
    at_most: int | None = 0
    """How many of the events that wait for the same case system are due now; None is all."""


def notify(line: Line, job: Job[Outbox]) -> Notified:
    """Send the webhook event at least once, always under the same id.

    Drop it if the delivery is no longer open or collected.
    """
    row = job.row
    with line.store.reading_untimed() as session:
        found = session.execute(
            _EVENT_QUERY, {"system": row.case_system, "delivery": row.delivery_id}
        ).one()
    secret = webhook_secret_of(line, row.case_system, found)
    standing = found.delivery_state in (DeliveryState.OPEN, DeliveryState.COLLECTED)
    if not standing or found.webhook_url is None or secret is None:
        dropped = Outcome(became=OutboxState.DROPPED, values={"settled_at": job.now})
        return Notified(outcome=dropped)
    event = DeliveryEvent(
        id=row.id,
        kind=row.kind,
        organisation=found.organisation,
        delivery_id=row.delivery_id,
        occurred_at=row.created_at,
    )
    came_back = _send(line, job, found.webhook_url, secret, event)
    sent = Outcome(became=OutboxState.SENT, values={"settled_at": job.now})
    return Notified(outcome=sent, at_most=None if came_back else _MADE_DUE_PER_SUCCESS)


def record_notified(settling: Settling[Outbox], found: Notified) -> None:
    """What waits for the same case system is due now: it answers."""
    settling.move(found.outcome)
    if found.at_most != 0:
        _make_waiting_events_due(settling.tx, settling.job.row.case_system, found.at_most)


def _send(line: Line, job: Job[Outbox], url: str, secret: bytes, event: DeliveryEvent) -> bool:
    """Send the event; whether its case system was away until now. Raises `Unavailable`."""
    places, case_system = line.case_system_places, job.row.case_system
    try:
        line.events.send(url, secret, event, job.now)
    except Unavailable as error:
        with line.store.reading() as tx:
            away = places.failed(case_system, tx.now)
        if away:
            record_pulse(line, CASE_SYSTEM + case_system, error.code, error.status)
        raise
    came_back = places.answered(case_system)
    if came_back:
        record_pulse(line, CASE_SYSTEM + case_system, None)
    return came_back


def _make_waiting_events_due(tx: Transaction, case_system: str, at_most: int | None) -> None:
    """It answers: what waits for it is due at once, all of it if it was away until now.

    Otherwise two, and so on until none waits, so that one event that is refused for ever costs
    little. How many calls are made at once is bounded by its places (decision 0013).
    """
    outbox = table_of(Outbox)
    waiting = (
        outbox.c.case_system == case_system,
        outbox.c.state == OutboxState.PENDING,
        outbox.c.due_at > tx.now,
    )
    if at_most is None:
        tx.execute(sa.update(outbox).where(*waiting).values(due_at=tx.now))
        return
    following = tx.scalars(
        sa.select(outbox.c.id)
        .where(*waiting)
        .order_by(outbox.c.due_at)
        .limit(at_most)
        .with_for_update(skip_locked=True)
    ).all()
    if following:
        tx.execute(sa.update(outbox).where(outbox.c.id.in_(following)).values(due_at=tx.now))
