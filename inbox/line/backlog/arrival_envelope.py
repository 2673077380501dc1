"""What is known of an arrival that is not ours yet: who sent it and when, to know whom to call."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity
from inbox.domain import OrgNumber
from inbox.errors import Conflict, IntegrityError, PackageRejected
from inbox.line import Line
from inbox.line.authorize import arrival_subject, authorized_transaction
from inbox.line.queue import unwrap_stored_key
from inbox.package.envelope import Envelope, read_envelope
from inbox.tables import Arrival, WrappedKey


@dataclass(frozen=True, kw_only=True)
class ArrivalEnvelope:
    """The envelope of an arrival without its free text; nothing in it is signed."""

    sender: OrgNumber
    on_behalf_of: OrgNumber | None
    process: str
    document_type: str
    conversation_id: str | None
    sent_at: datetime | None


def show_arrival_envelope(line: Line, capacity: Capacity, arrival_id: str) -> ArrivalEnvelope:
    """Show the envelope to somebody who distributes mail; the audit says that it was shown.

    Raises `NotFound` for everybody else, and `Conflict` where no envelope is kept that can be read.
    """
    with authorized_transaction(
        line, capacity, Action.ROUTE, arrival_subject(arrival_id)
    ) as authorized:
        envelope = _envelope_of(line, authorized.tx, authorized.tx.get_one(Arrival, arrival_id))
        authorized.record(event="arrival:envelope_shown", subject=arrival_id, message_id=None)
    return ArrivalEnvelope(
        sender=envelope.sender,
        on_behalf_of=envelope.on_behalf_of,
        process=envelope.process,
        document_type=envelope.document_type,
        conversation_id=envelope.conversation_id,
        sent_at=envelope.created_at,
    )


def _envelope_of(line: Line, session: Session, row: Arrival) -> Envelope:
    stored = session.get(WrappedKey, row.id)
    key = None if stored is None else unwrap_stored_key(line, stored)
    if row.sealed_envelope is None or key is None:
        raise Conflict("arrival.no_envelope", "no envelope is kept of it (any more)")
    try:
        return read_envelope(
            key.unseal(row.sealed_envelope, table="arrival", column="sealed_envelope", row=row.id)
        )
    except (IntegrityError, PackageRejected):
        raise Conflict("arrival.no_envelope", "its envelope cannot be read") from None
