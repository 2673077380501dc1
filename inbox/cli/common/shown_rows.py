"""What is ever shown of a row without sign-in: ids, states, codes, attempts and times.

Nothing that says what a message is about, who sent it or whom it belongs to.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from inbox.access.lists.pages import ListedMessage
from inbox.tables import Arrival, Delivery, Message, Outbox, Proposal, Receipt, Row, Task

COLUMNS_OF: Final[Mapping[type[Row], Sequence[str]]] = {
    Message: (
        *("id", "state", "code", "attempts", "received_at", "due_at"),
        *("registered_at", "refused_at", "answered_at", "erased_at"),
    ),
    Arrival: (
        *("id", "state", "code", "attempts", "misses", "announced_at", "stored_at"),
        *("confirmed_at", "expires_at", "due_at"),
    ),
    Delivery: (
        *("id", "number", "state", "code", "offered_at", "collected_at"),
        *("accepted_at", "settled_at"),
    ),
    Outbox: (
        *("id", "delivery_id", "state", "code", "attempts", "created_at", "settled_at"),
        "due_at",
    ),
    Receipt: (
        *("id", "number", "outcome", "state", "code", "attempts", "chosen_at", "sent_at"),
        *("settled_at", "due_at"),
    ),
    Task: ("id", "kind", "state", "role", "code", "opened_at", "closed_at"),
    Proposal: ("id", "kind", "state", "subject_id", "created_at", "expires_at"),
}
"""All that is ever shown of a row: a closed list, whatever columns a table gets."""
_SHOWN_AS: Final[Mapping[tuple[type, str], str]] = {
    (Delivery, "id"): "delivery_id",
    **{(kind, "due_at"): "next_try" for kind in (Message, Arrival, Outbox, Receipt)},
}
"""Columns that have another name outside: that of the case systems' API, or of what it means."""


def columns_of(row: Row | ListedMessage, names: Sequence[str]) -> dict[str, object]:
    """These columns of a row, under the names that they have outside."""
    return {
        _SHOWN_AS.get((type(row), name), name): printable_value(getattr(row, name))
        for name in names
    }


def shown(row: Row) -> dict[str, object]:
    """All that is ever shown of the row."""
    return columns_of(row, COLUMNS_OF[type(row)])


def shown_rows(rows: Iterable[Row]) -> list[dict[str, object]]:
    """The same for several rows."""
    return [shown(row) for row in rows]


def printable_value(value: object) -> object:
    """The value as JSON and a table have it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value.value if isinstance(value, StrEnum) else value
