"""The station of the outbox: tell a case system that a delivery stands open."""

from typing import Final

from inbox.casesystem import Event
from inbox.line import Job, Line, Outcome
from inbox.line.systems import secret_of
from inbox.message import DeliveryState, OutboxState
from inbox.tables import CaseSystem, Delivery, Outbox

OFFERED: Final = "no.inbox.delivery.offered.v1"
"""The type of the CloudEvent that says that a delivery stands open."""


def notify(line: Line, job: Job[Outbox]) -> Outcome:
    """Send the event, at least once, under one id; dropped if its delivery no longer stands."""
    row = job.row
    with line.store.reading() as (session, _):
        system = session.get_one(CaseSystem, row.case_system)
        delivery = session.get_one(Delivery, row.delivery_id)
        secret = secret_of(session, line, system)
    standing = delivery.state in (DeliveryState.OPEN, DeliveryState.COLLECTED)
    if not standing or system.webhook_url is None or secret is None:
        return Outcome(became=OutboxState.DROPPED, values={"settled_at": job.now})
    event = Event(
        id=row.id,
        kind=row.kind,
        organisation=system.organisation,
        delivery_id=delivery.id,
        occurred_at=row.created_at,
    )
    line.events.send(system.webhook_url, secret, event, job.now)
    return Outcome(became=OutboxState.SENT, values={"settled_at": job.now})
