"""The search criteria of a list.

They are plain columns and keyed hashes. Each has at most one value, but there can be any number of
states.

Titles are sealed, so nobody searches in them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlmodel import col

from inbox.access.facts.parameters import SqlCondition, TextParameter, row_exists, text_parameter
from inbox.domain import MessageId, MessageState, OrgNumber, Service, UnitId
from inbox.tables import EnumValue, Message, MessageReference, UtcDateTime


@dataclass(frozen=True, kw_only=True)
class MessageSearch:
    """Search criteria, all of which must match; a criterion that is None is not applied."""

    states: tuple[MessageState, ...] = ()
    """In any of these; empty: in whatever state."""
    unit: UnitId | None = None
    sender: OrgNumber | None = None
    service: Service | None = None
    shielding: str | None = None
    received_from: datetime | None = None
    received_before: datetime | None = None
    message_id: MessageId | None = None
    wire_id: str | None = None
    documents_hash: str | None = None
    """The keyed hash over the digests of the documents."""
    reference_hash: str | None = None
    """The keyed hash of a case reference that the message names."""


def _search_parameter(name: str) -> TextParameter:
    return text_parameter(f"sought_{name}")


_FILTERS: Final[Mapping[str, SqlCondition]] = {
    "unit": col(Message.unit) == _search_parameter("unit"),
    "sender": col(Message.sender) == _search_parameter("sender"),
    "service": col(Message.service) == bindparam("sought_service", type_=EnumValue(Service)),
    "shielding": col(Message.shielding) == _search_parameter("shielding"),
    "received_from": col(Message.received_at)
    >= bindparam("sought_received_from", type_=UtcDateTime()),
    "received_before": col(Message.received_at)
    < bindparam("sought_received_before", type_=UtcDateTime()),
    "message_id": col(Message.id) == _search_parameter("message_id"),
    "wire_id": col(Message.wire_id) == _search_parameter("wire_id"),
    "documents_hash": col(Message.documents_hash) == _search_parameter("documents_hash"),
    "reference_hash": row_exists(
        MessageReference,
        col(MessageReference.message_id) == col(Message.id),
        col(MessageReference.reference_hash) == _search_parameter("reference_hash"),
    ),
}
_STATE_FILTERS: Final[Mapping[str, SqlCondition]] = {
    f"state_{number}": col(Message.state)
    == bindparam(f"sought_state_{number}", type_=EnumValue(MessageState))
    for number in range(len(MessageState))
}
SEARCH_PARAMETER_NAMES: Final = frozenset(f"sought_{name}" for name in (*_FILTERS, *_STATE_FILTERS))
"""What the values of a query are called, all of them."""
SearchFields = frozenset[str]
"""What is searched by, without the values: so much of a query is in the text of a statement."""


def search_parameter_values(query: MessageSearch) -> dict[str, object]:
    """The bind values of the search filters."""
    states = {f"state_{number}": state for number, state in enumerate(sorted(set(query.states)))}
    sought = {name: getattr(query, name) for name in _FILTERS} | states
    return {f"sought_{name}": value for name, value in sought.items() if value is not None}


def search_filters(values: SearchFields) -> list[SqlCondition]:
    """The search filters that use these bind parameters."""
    states = [form for name, form in _STATE_FILTERS.items() if f"sought_{name}" in values]
    others = [form for name, form in _FILTERS.items() if f"sought_{name}" in values]
    return [*others, *([sa.or_(*states)] if states else [])]
