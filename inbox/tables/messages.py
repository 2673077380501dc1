"""Tables of the line: arrivals, messages, deliveries, receipts, outbox, tasks, proposals.

`version` rises with every claim and every settle: it is a worker's fence and a person's If-Match.
`due_at` is None where nothing works on the row by itself. Columns named `sealed_…` hold what is
confidential, under the data key of their message (or of the arrival until STORED).
"""

from datetime import datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field

from inbox.domain import (
    ArrivalState,
    DeliveryState,
    HoldCause,
    MessageState,
    OutboxState,
    ProposalState,
    ReceiptState,
    Service,
    TaskState,
)
from inbox.tables.columns import CODE_LENGTH, ID_LENGTH, EnumValue, Row, UtcDateTime


class Arrival(Row, table=True):
    """One appearance of a message on a channel. CONFIRMED rows are kept for good."""

    __table_args__ = (
        Index(
            "uq_arrival_notice",
            "channel",
            "service",
            "organisation",
            "wire_id",
            unique=True,
            sqlite_where=text("state NOT IN ('CONFIRMED', 'ABANDONED')"),
            postgresql_where=text("state NOT IN ('CONFIRMED', 'ABANDONED')"),
        ),
        Index("ix_arrival_wire", "organisation", "wire_id"),
        Index(
            "ix_arrival_missed",
            "organisation",
            "announced_at",
            "id",
            sqlite_where=text("state = 'MISSED'"),
            postgresql_where=text("state = 'MISSED'"),
        ),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    channel: str = Field(max_length=40)
    service: Service = Field(sa_type=EnumValue(Service))
    organisation: str = Field(max_length=9)
    wire_id: str = Field(max_length=200)
    state: ArrivalState = Field(sa_type=EnumValue(ArrivalState))
    version: int = 0
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempts: int = 0
    code: str | None = Field(default=None, max_length=CODE_LENGTH)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    announced_at: datetime = Field(sa_type=UtcDateTime)
    stored_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    confirmed_as: str | None = Field(default=None, max_length=20)
    misses: int = 0
    """How often it was MISSED: the back-off before it is announced again."""
    digest: str | None = Field(default=None, max_length=64)
    size: int | None = Field(default=None, sa_type=BigInteger)
    sealed_envelope: bytes | None = None
    message_id: str | None = Field(
        default=None, max_length=ID_LENGTH, foreign_key="message.id", index=True
    )


class Message(Row, table=True):
    """One message, from its first arrival to its tombstone."""

    __table_args__ = (
        Index("ix_message_wire", "organisation", "channel", "wire_id"),
        Index(
            "uq_message_first",
            "organisation",
            "channel",
            "wire_id",
            unique=True,
            sqlite_where=text("shares_wire_id = 0"),
            postgresql_where=text("NOT shares_wire_id"),
        ),
        Index("ix_message_newest", "received_at", "id"),
        Index("ix_message_state", "state", "received_at"),
        Index("ix_message_unit", "unit", "received_at", "id"),
        Index("ix_message_organisation", "organisation", "received_at", "id"),
        Index("ix_message_queue", "organisation", "state", "received_at", "id"),
        Index(
            "ix_message_held",
            "organisation",
            "held_until",
            sqlite_where=text("held_until IS NOT NULL"),
            postgresql_where=text("held_until IS NOT NULL"),
        ),
        Index("ix_message_registered", "organisation", "sender", "registered_at"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    state: MessageState = Field(sa_type=EnumValue(MessageState))
    version: int = 0
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempts: int = 0
    code: str | None = Field(default=None, max_length=CODE_LENGTH)
    organisation: str = Field(max_length=9)
    channel: str = Field(max_length=40)
    service: Service = Field(sa_type=EnumValue(Service))
    wire_id: str = Field(max_length=200)
    digest: str = Field(max_length=64)
    size: int = Field(sa_type=BigInteger)
    object_name: str | None = Field(default=None, max_length=80)
    received_at: datetime = Field(sa_type=UtcDateTime)
    sealed_envelope: bytes | None = None
    shares_wire_id: bool = False
    """Another message came under this wire id before it, with other bytes."""

    sender: str | None = Field(default=None, max_length=9, index=True)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    document_count: int | None = None
    total_bytes: int | None = Field(default=None, sa_type=BigInteger)
    shielding: str | None = Field(default=None, max_length=40)
    documents_hash: str | None = Field(default=None, max_length=64, index=True)
    """Keyed hash over the digests of the documents: how a re-sent message is recognised."""
    verdict: str | None = None
    waivers: str = ""
    missing: str | None = None
    sealed_metadata: bytes | None = None
    sealed_archive: bytes | None = None
    sealed_documents: bytes | None = None

    unit: str | None = Field(default=None, max_length=40, foreign_key="unit.id")
    rule: str | None = Field(default=None, max_length=CODE_LENGTH)
    book: str | None = Field(default=None, max_length=64)
    urgent: bool = False
    transfers: int = 0
    placing_unit: str | None = Field(default=None, max_length=40)
    """Where a PLACING message goes when it is due; until then it is with no unit."""
    placing_state: MessageState | None = Field(default=None, sa_type=EnumValue(MessageState))
    """What it will be there: ROUTED, or RELEASED at once."""
    moved_by: str | None = Field(default=None, max_length=ID_LENGTH)
    """Who placed or released it, as long as that person can undo it; None after the next step."""
    moved_as: str | None = Field(default=None, max_length=ID_LENGTH)
    """The capacity of that person, which is decided about again when the placing is due."""
    moved_with: str | None = Field(default=None, max_length=80)
    """The facts that came with the request, such as `strong_auth`, with spaces between."""
    from_state: MessageState | None = Field(default=None, sa_type=EnumValue(MessageState))
    """Where undo takes it back to: state, code, unit, rule and number of transfers from before."""
    from_code: str | None = Field(default=None, max_length=CODE_LENGTH)
    from_unit: str | None = Field(default=None, max_length=40)
    from_rule: str | None = Field(default=None, max_length=CODE_LENGTH)
    from_transfers: int | None = None
    released_by: str | None = Field(default=None, max_length=ID_LENGTH)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When a person with the right to first read its content; a machine does not count."""
    worked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When somebody who works on it in its unit, or stands in for them, first read it there."""
    held_for: HoldCause | None = Field(default=None, sa_type=EnumValue(HoldCause))
    held_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """A hold has ended from then on, though it stands here until the message moves."""

    registered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    registered_by: str | None = Field(default=None, max_length=20)
    sealed_reference: bytes | None = None
    duplicate_of: str | None = Field(default=None, max_length=ID_LENGTH, foreign_key="message.id")
    refused_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    erased_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Delivery(Row, table=True):
    """A numbered attempt to give a message to a case system."""

    __table_args__ = (
        UniqueConstraint("message_id", "number"),
        Index(
            "uq_delivery_standing",
            "message_id",
            unique=True,
            sqlite_where=text("state IN ('OPEN', 'COLLECTED')"),
            postgresql_where=text("state IN ('OPEN', 'COLLECTED')"),
        ),
        Index("ix_delivery_of_system", "case_system", "state", "offered_at", "id"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    message_id: str = Field(max_length=ID_LENGTH, foreign_key="message.id")
    number: int
    case_system: str = Field(max_length=40, foreign_key="case_system.id")
    state: DeliveryState = Field(sa_type=EnumValue(DeliveryState))
    version: int = 0
    offered_at: datetime = Field(sa_type=UtcDateTime)
    collected_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    code: str | None = Field(default=None, max_length=CODE_LENGTH)
    word_hash: str | None = Field(default=None, max_length=64)
    """Keyed hash of the final word, so that a repeated word is known from a conflicting one."""
    sealed_text: bytes | None = None


class Receipt(Row, table=True):
    """The arkivmelding_kvittering of a message: at most one per wire id that is not IMPOSSIBLE."""

    __table_args__ = (
        Index(
            "uq_receipt_answers",
            "answers",
            unique=True,
            sqlite_where=text("state != 'IMPOSSIBLE'"),
            postgresql_where=text("state != 'IMPOSSIBLE'"),
        ),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    message_id: str = Field(max_length=ID_LENGTH, foreign_key="message.id", index=True)
    answers: str = Field(max_length=260)
    """Organisation, channel and wire id of what is answered."""
    outcome: str = Field(max_length=20)
    state: ReceiptState = Field(sa_type=EnumValue(ReceiptState))
    version: int = 0
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempts: int = 0
    number: int = 1
    """Rises only after FEIL or LEVETID_UTLOPT, so that the receipt's own id stays what it was."""
    code: str | None = Field(default=None, max_length=CODE_LENGTH)
    chosen_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Outbox(Row, table=True):
    """An event for a case system, written in the transaction of its cause, sent at least once."""

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    kind: str = Field(max_length=40)
    case_system: str = Field(max_length=40, foreign_key="case_system.id")
    delivery_id: str = Field(max_length=ID_LENGTH, foreign_key="delivery.id", index=True)
    message_id: str = Field(max_length=ID_LENGTH, foreign_key="message.id")
    state: OutboxState = Field(sa_type=EnumValue(OutboxState))
    version: int = 0
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempts: int = 0
    code: str | None = Field(default=None, max_length=CODE_LENGTH)
    created_at: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Task(Row, table=True):
    """A task for a person: at most one open task of a kind for a subject."""

    __table_args__ = (
        Index(
            "uq_task_open",
            "kind",
            "subject_id",
            unique=True,
            sqlite_where=text("state = 'OPEN'"),
            postgresql_where=text("state = 'OPEN'"),
        ),
        Index(
            "ix_task_role",
            "role",
            "opened_at",
            "id",
            sqlite_where=text("state = 'OPEN'"),
            postgresql_where=text("state = 'OPEN'"),
        ),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    kind: str = Field(max_length=40)
    subject_id: str = Field(max_length=200)
    message_id: str | None = Field(
        default=None, max_length=ID_LENGTH, foreign_key="message.id", index=True
    )
    role: str = Field(max_length=40)
    """Who may close it."""
    unit: str | None = Field(default=None, max_length=40, foreign_key="unit.id")
    state: TaskState = Field(sa_type=EnumValue(TaskState))
    version: int = 0
    code: str | None = Field(default=None, max_length=CODE_LENGTH)
    sealed_text: bytes | None = None
    opened_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Opening(Row, table=True):
    """A person opened the content of a message, or a part of it; counted to detect unusual use.

    What vouches for it is the audit.
    """

    __table_args__ = (Index("ix_opening_person", "person", "opened_at"),)

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    message_id: str = Field(max_length=ID_LENGTH, foreign_key="message.id", index=True)
    person: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    opened_at: datetime = Field(sa_type=UtcDateTime)
    part: str = Field(default="", max_length=20)
    """`package`, or the number of a document; empty for the message itself."""
    rule: str = Field(default="", max_length=CODE_LENGTH)
    """The rule that permitted it."""
    gave_reason: bool = False
    """Whether a reason was written then: it counts for a quarter of an hour."""


class Proposal(Row, table=True):
    """A decision that one person proposed.

    Another person, not another capacity, must approve it.
    """

    __table_args__ = (
        Index(
            "ix_proposal_open",
            "created_at",
            "id",
            sqlite_where=text("state = 'OPEN'"),
            postgresql_where=text("state = 'OPEN'"),
        ),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    kind: str = Field(max_length=40)
    subject_id: str = Field(max_length=ID_LENGTH, index=True)
    state: ProposalState = Field(sa_type=EnumValue(ProposalState))
    version: int = 0
    proposer: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    code: str | None = Field(default=None, max_length=CODE_LENGTH)
    sealed_payload: bytes
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    approver: str | None = Field(default=None, max_length=ID_LENGTH, foreign_key="person.id")
    """Who approved or declined it."""


class Note(Row, table=True):
    """An internal note, sealed under the data key of its message; never edited, never deleted."""

    __table_args__ = (UniqueConstraint("message_id", "number"),)

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    message_id: str = Field(max_length=ID_LENGTH, foreign_key="message.id")
    number: int
    """The order in which they were written."""
    person: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    role: str = Field(max_length=40)
    unit: str = Field(max_length=40, foreign_key="unit.id")
    """The unit that the person acted for."""
    shielding: str | None = Field(default=None, max_length=40)
    """The code that a reader must be cleared for, beside that of the message."""
    sealed_text: bytes
    written_at: datetime = Field(sa_type=UtcDateTime)


class WrappedKey(Row, table=True):
    """The data key of a message or an arrival, wrapped by a key that is not in the database.

    Destroying it (both columns None) erases everything that was sealed under it.
    """

    id: str = Field(primary_key=True, max_length=60)
    """The id of the message or arrival; or `case_system:` or `proposal:` and the id of one."""
    kek_id: str | None = Field(default=None, max_length=40)
    wrapped: bytes | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    destroyed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
