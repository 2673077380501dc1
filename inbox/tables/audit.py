"""The audit: its leaves, the tree over them, salts, signed checkpoints, gaps that were found."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Integer
from sqlmodel import Field

from inbox.tables.columns import CODE_LENGTH, ID_LENGTH, Row, UtcDateTime

_Seq = BigInteger().with_variant(Integer, "sqlite")


class AuditEntry(Row, table=True):
    """One leaf of the audit, without gaps from 0."""

    seq: int = Field(sa_column=Column(_Seq, primary_key=True, autoincrement=False))
    leaf: bytes
    message_id: str | None = Field(default=None, max_length=ID_LENGTH, index=True)


class AuditNode(Row, table=True):
    """The hash of a perfect subtree, by level and index (RFC 6962)."""

    level: int = Field(primary_key=True)
    position: int = Field(sa_column=Column(_Seq, primary_key=True, autoincrement=False))
    digest: bytes


class AuditHead(Row, table=True):
    """The one row that orders the audit: size and frontier of the tree. It is locked last."""

    id: int = Field(primary_key=True)
    size: int = Field(sa_type=BigInteger)
    frontier: bytes


class AuditSalt(Row, table=True):
    """The salts of commitments; erasing a message empties its salts, and the tree stays valid."""

    seq: int = Field(sa_column=Column(_Seq, primary_key=True, autoincrement=False))
    name: str = Field(primary_key=True, max_length=40)
    salt: bytes
    message_id: str | None = Field(default=None, max_length=ID_LENGTH, index=True)


class Checkpoint(Row, table=True):
    """A signed note about the tree at a size; copies are kept outside the database."""

    size: int = Field(sa_column=Column(_Seq, primary_key=True, autoincrement=False))
    note: str
    signed_at: datetime = Field(sa_type=UtcDateTime)


class AuditGapRow(Row, table=True):
    """A gap between this database and a checkpoint outside, found and perhaps accepted.

    While one is not accepted, every process on this database holds still.
    """

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    code: str = Field(max_length=CODE_LENGTH)
    size: int = Field(sa_type=BigInteger)
    """How many entries the database had when it was found."""
    signed_size: int = Field(sa_type=BigInteger)
    signed_root: str = Field(max_length=64)
    newest_at: str | None = Field(default=None, max_length=40)
    """The time of the newest entry that it had."""
    found_at: datetime = Field(sa_type=UtcDateTime)
    accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    entry: int | None = Field(default=None, sa_type=BigInteger)
    """The number of the entry by which people accepted it."""


class RestoreCode(Row, table=True):
    """A code with which one person accepts one gap; an operator who has the keys issued it."""

    person: str = Field(primary_key=True, max_length=ID_LENGTH)
    code_hash: bytes
    signed_root: str = Field(max_length=64)
    """Of the checkpoint outside that the gap is about."""
    size: int = Field(sa_type=BigInteger)
    root: str = Field(max_length=64)
    """The tree of this database when the code was issued: it must have grown from there."""
    expires_at: datetime = Field(sa_type=UtcDateTime)
