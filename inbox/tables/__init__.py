"""Every table and column; the migrations in `alembic/versions` make exactly these."""

from inbox.tables.columns import Row, Utc, Word, table_of
from inbox.tables.directory import (
    Assignment,
    Capacity,
    CaseSystem,
    Clearance,
    ConflictOfInterest,
    KnownReference,
    Person,
    Unit,
)
from inbox.tables.line import Arrival, Delivery, Message, Outbox, Proposal, Receipt, Task
from inbox.tables.proof import (
    ActivePolicy,
    AuditEntry,
    AuditHead,
    AuditNode,
    AuditSalt,
    Checkpoint,
    Installation,
    Pulse,
    WrappedKey,
)

__all__ = [
    "ActivePolicy",
    "Arrival",
    "Assignment",
    "AuditEntry",
    "AuditHead",
    "AuditNode",
    "AuditSalt",
    "Capacity",
    "CaseSystem",
    "Checkpoint",
    "Clearance",
    "ConflictOfInterest",
    "Delivery",
    "Installation",
    "KnownReference",
    "Message",
    "Outbox",
    "Person",
    "Proposal",
    "Pulse",
    "Receipt",
    "Row",
    "Task",
    "Unit",
    "Utc",
    "Word",
    "WrappedKey",
    "table_of",
]
