"""The audit: its leaves, the tree over them, salts and signed checkpoints."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Integer
from sqlmodel import Field

from inbox.tables.columns import ID_LENGTH, Row, UtcDateTime

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
