"""Tables of units, people, capacities and case systems: with periods, and nothing is deleted."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from inbox.domain import GrantKind, Mode, RequestOutcome
from inbox.language import TextLanguage
from inbox.tables.columns import CODE_LENGTH, ID_LENGTH, EnumValue, Row, UtcDateTime


class Person(Row, table=True):
    """A person who works here. A personal code is the proof on the command line."""

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    name: str = Field(max_length=200)
    code_hash: bytes | None = None
    language: TextLanguage | None = Field(default=None, sa_type=EnumValue(TextLanguage))
    """What this person reads pages in; none: bokmål."""
    active_from: datetime = Field(sa_type=UtcDateTime)
    active_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Unit(Row, table=True):
    """An organisational unit (*administrativ enhet*); an inactive one names its successor."""

    id: str = Field(primary_key=True, max_length=40)
    organisation: str = Field(max_length=9)
    name: str = Field(max_length=200)
    parent: str | None = Field(default=None, max_length=40, foreign_key="unit.id")
    case_system: str | None = Field(default=None, max_length=40, foreign_key="case_system.id")
    shares_unassigned: bool = False
    """Its handlers see and take each other's unassigned mail."""
    active_from: datetime = Field(sa_type=UtcDateTime)
    active_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    successor: str | None = Field(default=None, max_length=40, foreign_key="unit.id")


class UnitAbove(Row, table=True):
    """One row of the unit tree's closure table: a unit, one above it at any distance, a period."""

    __table_args__ = (Index("ix_unit_above_unit", "unit", "above"),)

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    unit: str = Field(max_length=40, foreign_key="unit.id")
    above: str = Field(max_length=40, foreign_key="unit.id")
    active_from: datetime = Field(sa_type=UtcDateTime)
    active_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CapacityRow(Row, table=True):
    """A person in a role in a unit; people act in exactly one capacity at a time."""

    __table_args__ = (Index("ix_capacity_person", "person", "unit", "role"),)

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    person: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    unit: str = Field(max_length=40, foreign_key="unit.id")
    role: str = Field(max_length=40)
    active_from: datetime = Field(sa_type=UtcDateTime)
    active_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Clearance(Row, table=True):
    """A person's clearance for a shielding code (Noark 5, 4.5.21)."""

    __table_args__ = (Index("ix_clearance_person", "person", "shielding"),)

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    person: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    shielding: str = Field(max_length=40)
    active_from: datetime = Field(sa_type=UtcDateTime)
    active_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ConflictOfInterest(Row, table=True):
    """A conflict of interest (*inhabilitet*) of a person with a message, a case or a sender."""

    __table_args__ = (Index("ix_conflict_person", "person", "message_id", "sender"),)

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    person: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    message_id: str | None = Field(default=None, max_length=ID_LENGTH, foreign_key="message.id")
    sender: str | None = Field(default=None, max_length=9)
    reference_hash: str | None = Field(default=None, max_length=64)
    """Keyed hash of a case reference of ours."""
    declared: bool = False
    """The person said so here (`line.moves.conflicts`): no directory file ends it by omission."""
    active_from: datetime = Field(sa_type=UtcDateTime)
    active_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Assignment(Row, table=True):
    """A message is assigned (*tildelt*) to a person; it ends when the message changes unit."""

    __table_args__ = (
        Index("ix_assignment_person", "person", "active_until", "message_id"),
        Index("ix_assignment_message", "message_id", "active_until", "person"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    message_id: str = Field(max_length=ID_LENGTH, foreign_key="message.id")
    person: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    active_from: datetime = Field(sa_type=UtcDateTime)
    active_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AccessGrant(Row, table=True):
    """Access of a person to a message for a time: granted, or taken in an emergency (*nødtilgang*).

    It counts while the message is with the unit that it was with.
    """

    __table_args__ = (
        Index("ix_access_grant_person", "person", "kind", "message_id"),
        Index("ix_access_grant_message", "message_id", "person"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    kind: GrantKind = Field(sa_type=EnumValue(GrantKind))
    message_id: str = Field(max_length=ID_LENGTH, foreign_key="message.id")
    unit: str = Field(max_length=40, foreign_key="unit.id")
    person: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    given_by: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    """The same person where it was taken in an emergency."""
    sealed_reason: bytes
    active_from: datetime = Field(sa_type=UtcDateTime)
    active_until: datetime = Field(sa_type=UtcDateTime)
    reviewed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reviewed_by: str | None = Field(default=None, max_length=ID_LENGTH, foreign_key="person.id")
    review: str | None = Field(default=None, max_length=CODE_LENGTH)
    """What the review came to."""
    sealed_review: bytes | None = None
    """Why; nothing where the message had been erased by then."""


class AccessRequest(Row, table=True):
    """A person asked for access (*innsyn*) to a message of a unit.

    It waits while the task `access_asked` that was open when it was made is still open.
    """

    __table_args__ = (
        Index("ix_access_request_person", "person", "outcome"),
        Index("ix_access_request_message", "message_id", "person"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    message_id: str = Field(max_length=ID_LENGTH, foreign_key="message.id")
    unit: str = Field(max_length=40, foreign_key="unit.id")
    person: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    sealed_reason: bytes | None = None
    """Under the message's key; nothing where none was given."""
    asked_at: datetime = Field(sa_type=UtcDateTime)
    outcome: RequestOutcome | None = Field(default=None, sa_type=EnumValue(RequestOutcome))
    decided_by: str | None = Field(default=None, max_length=ID_LENGTH, foreign_key="person.id")
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Delegation(Row, table=True):
    """A person substitutes for an absent colleague in one unit."""

    __table_args__ = (Index("ix_delegation_substitute", "substitute", "unit", "absent"),)

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    unit: str = Field(max_length=40, foreign_key="unit.id")
    absent: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    substitute: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    given_by: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    active_from: datetime = Field(sa_type=UtcDateTime)
    active_until: datetime = Field(sa_type=UtcDateTime)


class CaseSystem(Row, table=True):
    """A case system (*fagsystem* or *sak-arkivsystem*) with one mode and one hashed API key."""

    id: str = Field(primary_key=True, max_length=40)
    organisation: str = Field(max_length=9)
    name: str = Field(max_length=200)
    mode: Mode = Field(sa_type=EnumValue(Mode))
    key_hash: str | None = Field(default=None, max_length=64, index=True)
    webhook_url: str | None = Field(default=None, max_length=300)
    sealed_secret: bytes | None = None
    """The secret that its webhook events are signed with."""
    active_from: datetime = Field(sa_type=UtcDateTime)
    active_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class KnownReference(Row, table=True):
    """A case reference of ours as a keyed hash.

    It counts only together with the same counterparty.
    """

    __table_args__ = (UniqueConstraint("organisation", "counterparty", "reference_hash"),)

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    organisation: str = Field(max_length=9)
    counterparty: str = Field(max_length=9)
    reference_hash: str = Field(max_length=64)
    unit: str = Field(max_length=40, foreign_key="unit.id")
    source: str = Field(max_length=CODE_LENGTH)
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class MessageReference(Row, table=True):
    """A case reference that a message mentions, as a keyed hash."""

    message_id: str = Field(primary_key=True, max_length=ID_LENGTH, foreign_key="message.id")
    reference_hash: str = Field(primary_key=True, max_length=64)
