"""What a list may be searched by: plain columns and keyed hashes, one value or none for each.

Titles are sealed, so nobody searches in them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlmodel import col

from inbox.access.facts.parameters import Bound, Form, any_of, bound
from inbox.domain import MessageId, MessageState, OrgNumber, Service, UnitId
from inbox.tables import Message, MessageReference, Utc, Word


@dataclass(frozen=True, kw_only=True)
class Query:
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


def _sought(name: str) -> Bound:
    return bound(f"sought_{name}")


_FORMS: Final[Mapping[str, Form]] = {
    "unit": col(Message.unit) == _sought("unit"),
    "sender": col(Message.sender) == _sought("sender"),
    "service": col(Message.service) == bindparam("sought_service", type_=Word(Service)),
    "shielding": col(Message.shielding) == _sought("shielding"),
    "received_from": col(Message.received_at) >= bindparam("sought_received_from", type_=Utc()),
    "received_before": col(Message.received_at) < bindparam("sought_received_before", type_=Utc()),
    "message_id": col(Message.id) == _sought("message_id"),
    "wire_id": col(Message.wire_id) == _sought("wire_id"),
    "documents_hash": col(Message.documents_hash) == _sought("documents_hash"),
    "reference_hash": any_of(
        MessageReference,
        col(MessageReference.message_id) == col(Message.id),
        col(MessageReference.reference_hash) == _sought("reference_hash"),
    ),
}
_STATES: Final[Mapping[str, Form]] = {
    f"state_{number}": col(Message.state)
    == bindparam(f"sought_state_{number}", type_=Word(MessageState))
    for number in range(len(MessageState))
}
SOUGHT: Final = frozenset(f"sought_{name}" for name in (*_FORMS, *_STATES))
"""What the values of a query are called, all of them."""
Shape = frozenset[str]
"""What is searched by, without the values: so much of a query is in the text of a statement."""


def values_of_query(query: Query) -> dict[str, object]:
    """The bind values of the search filters."""
    states = {f"state_{number}": state for number, state in enumerate(sorted(set(query.states)))}
    sought = {name: getattr(query, name) for name in _FORMS} | states
    return {f"sought_{name}": value for name, value in sought.items() if value is not None}


def filters_of(values: Shape) -> list[Form]:
    """The search filters that use these bind parameters."""
    states = [form for name, form in _STATES.items() if f"sought_{name}" in values]
    others = [form for name, form in _FORMS.items() if f"sought_{name}" in values]
    return [*others, *([sa.or_(*states)] if states else [])]
