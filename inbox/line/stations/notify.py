"""The station of the outbox: notify a case system by webhook that a delivery is open."""

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inbox.casesystem import DeliveryEvent
from inbox.domain import DeliveryState, OutboxState
from inbox.line import Job, Line, Outcome
from inbox.line.case_systems import webhook_secret_of
from inbox.tables import CaseSystem, Delivery, Outbox, table_of

_MADE_DUE_PER_SUCCESS: Final = 2


def notify(line: Line, job: Job[Outbox]) -> Outcome:
    """Send the webhook event at least once, always under the same id.

    Drop it if the delivery is no longer open or collected.
    """
    row = job.row
    with line.store.reading() as (session, _):
        system = session.get_one(CaseSystem, row.case_system)
        delivery = session.get_one(Delivery, row.delivery_id)
        secret = webhook_secret_of(session, line, system)
    standing = delivery.state in (DeliveryState.OPEN, DeliveryState.COLLECTED)
    if not standing or system.webhook_url is None or secret is None:
        return Outcome(became=OutboxState.DROPPED, values={"settled_at": job.now})
    event = DeliveryEvent(
        id=row.id,
        kind=row.kind,
        organisation=system.organisation,
        delivery_id=delivery.id,
        occurred_at=row.created_at,
    )
    line.events.send(system.webhook_url, secret, event, job.now)
    return Outcome(
        became=OutboxState.SENT,
        values={"settled_at": job.now},
        followups=(lambda session, now: _make_waiting_events_due(session, now, row.case_system),),
    )


def _make_waiting_events_due(session: Session, now: datetime, case_system: str) -> None:
    """It answers: two that wait for it are due at once, and so on until none waits.

    Not all of them together, so that one that is refused for ever costs little (decision 0013).
    """
    waiting = session.exec(
        select(Outbox.id)
        .where(
            col(Outbox.case_system) == case_system,
            col(Outbox.state) == OutboxState.PENDING,
            col(Outbox.due_at) > now,
        )
        .order_by(col(Outbox.due_at))
        .limit(_MADE_DUE_PER_SUCCESS)
        .with_for_update(skip_locked=True)
    ).all()
    if waiting:
        outbox = table_of(Outbox)
        session.execute(sa.update(outbox).where(outbox.c.id.in_(waiting)).values(due_at=now))
