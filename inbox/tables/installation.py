"""What the installation knows of itself: rules in force, revocation lists, pulses, its key."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from inbox.tables.columns import CODE_LENGTH, ID_LENGTH, Row, UtcDateTime


class ActivePolicy(Row, table=True):
    """The digest of the active policy, or of an active rule book, and who approved it."""

    kind: str = Field(primary_key=True, max_length=40)
    digest: str = Field(max_length=64)
    version: str | None = Field(default=None, max_length=ID_LENGTH, foreign_key="policy_version.id")
    """Where its files are kept."""
    approved_by: str | None = Field(default=None, max_length=ID_LENGTH)
    active_from: datetime = Field(sa_type=UtcDateTime)


class PolicyVersion(Row, table=True):
    """A proposed version of the policy or of a rule book, and what became of it.

    The files are written once. Its id is that of its proposal.
    """

    __table_args__ = (Index("ix_policy_version_kind", "kind", "digest"),)

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    kind: str = Field(max_length=40)
    digest: str = Field(max_length=64)
    digest_rule: int
    """The number of the rule that the digest was computed by; it is checked by that one."""
    files: bytes
    """All of them, cases and invariants too: a JSON object of texts by name."""
    replaces: str | None = Field(
        default=None, max_length=ID_LENGTH, foreign_key="policy_version.id"
    )
    """The version that was active when it was proposed, and then when it was approved."""
    diff_digest: str | None = Field(default=None, max_length=64)
    """Of the difference as it was last shown or acknowledged; the first version has none."""
    proposed_by: str = Field(max_length=ID_LENGTH)
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    approved_by: str | None = Field(default=None, max_length=ID_LENGTH)
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    activated_by: str | None = Field(default=None, max_length=ID_LENGTH)
    activated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    rolled_back_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class RefusedSignIn(Row, table=True):
    """How often in a row the personal code of somebody was refused lately, and when it last was."""

    person: str = Field(primary_key=True, max_length=ID_LENGTH)
    """The id of the person; one name stands for all ids that are nobody's."""
    refused: int
    last_at: datetime = Field(sa_type=UtcDateTime)


class Pulse(Row, table=True):
    """When a part of the program last worked, and the code of its current error."""

    name: str = Field(primary_key=True, max_length=60)
    at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    code: str | None = Field(default=None, max_length=CODE_LENGTH)
    status: int | None = None
    """Of the HTTP answer that the error was, where there was one."""


class HealthConditionRow(Row, table=True):
    """Since when something has been wrong, as a worker saw it; the row goes when it has ended."""

    subject: str = Field(primary_key=True, max_length=540)
    code: str = Field(primary_key=True, max_length=CODE_LENGTH)
    since: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    """When a worker last saw it, to some seconds."""
    seen_by: str = Field(max_length=ID_LENGTH)
    """Which run of a worker saw it last: another one ends it only when it is old."""
    level: str | None = Field(default=None, max_length=20)
    """How bad it is; None: noted by an earlier version."""


class ListAddress(Row, table=True):
    """An address that revocation lists are fetched from, and when it is due again."""

    address: str = Field(primary_key=True, max_length=500)
    due_at: datetime = Field(sa_type=UtcDateTime)
    """A worker that asks it sets this ahead first: until then nobody else does."""
    fetched_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When it last gave a list that could be believed."""
    code: str | None = Field(default=None, max_length=CODE_LENGTH)
    """What was wrong the last time."""


class FetchedList(Row, table=True):
    """The newest revocation list of one authority from one address.

    Its signature has been checked.
    """

    address: str = Field(primary_key=True, max_length=500)
    authority: str = Field(primary_key=True, max_length=64)
    """The digest of the certificate that vouches for it."""
    digest: str = Field(max_length=64)
    der: bytes
    this_update: datetime = Field(sa_type=UtcDateTime)
    next_update: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fetched_at: datetime = Field(sa_type=UtcDateTime)


class Installation(Row, table=True):
    """One row: identifies this database, and holds a proof of the keys it was created with."""

    id: int = Field(primary_key=True)
    origin: str = Field(max_length=100)
    """The name of this installation's audit log."""
    key_proof: bytes
    created_at: datetime = Field(sa_type=UtcDateTime)
    people_enrolled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    state_taken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Since when every change of a deciding row is in the audit; none: a start will take it."""
