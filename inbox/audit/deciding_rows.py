"""Which rows and columns decide: the closed list of what the audit must be able to explain.

A table that is not listed, and a column that is not excepted, decides. So the log must explain
a new one from its first day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import sqlalchemy as sa
from sqlmodel import SQLModel

from inbox.domain import STATIONS, ArrivalState, MessageState, OutboxState, ReceiptState, State
from inbox.tables import (
    Arrival,
    AuditEntry,
    AuditHead,
    AuditNode,
    AuditSalt,
    Checkpoint,
    Delivery,
    Draft,
    FetchedList,
    HealthConditionRow,
    InHandRow,
    ListAddress,
    Message,
    MessageReference,
    Outbox,
    Person,
    Proposal,
    Pulse,
    Receipt,
    RefusedSignIn,
    Row,
    SavedViewRow,
    SessionRow,
    SignInRow,
    Task,
    UsedLogoutToken,
    table_of,
)

_TREE: Final = "the tree and its checkpoints show every change of it"
_WHEN: Final = "when a station tries next; whether it may then is asked anew"
_FENCE: Final = "rises with every claim, so that a worker past its lease settles nothing"
_SEALED: Final = "opens only under the key of its message, and only in this row and column"

NOT_DECIDING_TABLES: Final[Mapping[type[SQLModel], str]] = {
    AuditEntry: _TREE,
    AuditHead: _TREE,
    AuditNode: _TREE,
    AuditSalt: _TREE,
    Checkpoint: _TREE,
    FetchedList: "believed for the signature of its authority, which is verified",
    HealthConditionRow: "since when something is wrong; what is wrong is asked anew",
    InHandRow: "says who looks at a message; it gives and takes no right",
    ListAddress: "when an address is asked again; what it gives must be signed",
    Pulse: "when something last worked; nothing is allowed or denied by it",
    Draft: "opens only for its person, and only fills in a form that is decided anew",
    SignInRow: "opens only with the cookie of the browser that began it",
    UsedLogoutToken: "only refuses what was taken already; it can end no session by itself",
    SavedViewRow: "a person's own filters over lists that are decided anew each time",
    RefusedSignIn: "slows guessing down; each refused code has an entry of its own",
}
"""Tables that nothing is decided by, and why not."""

_QUEUE: Final = {"due_at": _WHEN, "leased_until": _WHEN, "attempts": _WHEN, "version": _FENCE}

NOT_DECIDING_COLUMNS: Final[Mapping[type[SQLModel], Mapping[str, str]]] = {
    Arrival: {
        **_QUEUE,
        "misses": "how long it waits before it is announced again",
        "sealed_envelope": _SEALED,
    },
    Message: {
        **_QUEUE,
        "sealed_envelope": _SEALED,
        "sealed_metadata": _SEALED,
        "sealed_archive": _SEALED,
        "sealed_documents": _SEALED,
    },
    Receipt: _QUEUE,
    Outbox: _QUEUE,
    Delivery: {"version": _FENCE},
    Proposal: {"version": _FENCE},
    Person: {"language": "what pages are written in"},
    SessionRow: {
        "last_seen_at": "to the minute; the end that no use puts off decides beside it",
        "ask_at": "when the provider is asked again; `vouched_at` decides",
    },
    Task: {"version": _FENCE},
}
"""Columns of the other tables that nothing is decided by, and why not."""

_WORKING: Final[Mapping[type[SQLModel], frozenset[State]]] = {
    Arrival: frozenset(STATIONS[ArrivalState]),
    Message: frozenset(STATIONS[MessageState]),
    Receipt: frozenset(STATIONS[ReceiptState]),
    Outbox: frozenset(STATIONS[OutboxState]),
}
"""States in which `code` says why the station was put off, and decides nothing."""
_GROUPED: Final[Mapping[type[SQLModel], tuple[str, ...]]] = {MessageReference: ("message_id",)}
"""Rows of these tables are explained together: all that have the same values in these columns."""
_SALTED: Final = frozenset({MessageReference})
"""Erasing a message removes these rows: nobody may guess afterwards what they were."""


@dataclass(frozen=True, kw_only=True)
class DecidingTable:
    """A table whose rows decide, and which of its columns do."""

    table: sa.Table
    working: frozenset[State]
    key_names: tuple[str, ...]
    salted: bool
    excepted: frozenset[str]

    @property
    def name(self) -> str:
        """The name of the table."""
        return self.table.name

    @cached_property
    def columns(self) -> tuple[sa.Column[object], ...]:
        """The deciding columns, in the order of their names: that of the table may change."""
        found = (column for column in self.table.c if column.name not in self.excepted)
        return tuple(sorted(found, key=lambda column: column.name))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the deciding columns."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def key_places(self) -> tuple[int, ...]:
        """Where the columns that name a row stand among the deciding ones."""
        return tuple(self.names.index(name) for name in self.key_names)

    @cached_property
    def written_by_moves(self) -> frozenset[str]:
        """The columns whose change is a change of the row; a put-off row only gets a code."""
        return frozenset(self.names) - ({"code"} if self.working else set())

    @cached_property
    def is_grouped(self) -> bool:
        """Whether several rows are explained together."""
        return self.key_names != tuple(column.name for column in self.table.primary_key)


def _deciding_tables() -> Mapping[str, DecidingTable]:
    found = {}
    for kind in _row_classes():
        if kind in NOT_DECIDING_TABLES:
            continue
        table = table_of(kind)
        keys = _GROUPED.get(kind, tuple(column.name for column in table.primary_key))
        found[table.name] = DecidingTable(
            table=table,
            working=_WORKING.get(kind, frozenset()),
            key_names=keys,
            salted=kind in _SALTED,
            excepted=frozenset(NOT_DECIDING_COLUMNS.get(kind, {})),
        )
    return dict(sorted(found.items()))


def _row_classes() -> list[type[SQLModel]]:
    return [kind for kind in Row.__subclasses__() if hasattr(kind, "__table__")]


DECIDING_TABLES: Final[Mapping[str, DecidingTable]] = _deciding_tables()
"""By the name of the table."""
