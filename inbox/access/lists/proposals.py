"""The open proposals about mail, with the facts by which each is decided, by one statement.

How it works: the facts about a proposal name it by a bind parameter. Here the same SQL is asked of
every open proposal, with its column in place of the parameter; the rules then decide each one in
memory. There are few: people write them, and each lapses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Dialect
from sqlalchemy.orm import Session
from sqlalchemy.sql.visitors import ExternallyTraversible, replacement_traverse

from inbox.access.facts.lookup import PARAMETER_NAMES, parameter_values
from inbox.access.facts.parameters import ORGANISATION, PROPOSAL
from inbox.access.facts.prepared_select import PreparedSelect
from inbox.access.facts.registry import FACTS
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action
from inbox.access.question import Capacity, OfArrival, OfMessage, RequestFacts, Subject
from inbox.domain import MessageState, PersonId
from inbox.tables import Arrival, Message, Person, Proposal, WrappedKey, table_of

_PROPOSAL: Final = table_of(Proposal).alias("listed")
_MESSAGE: Final = table_of(Message)
_ARRIVAL: Final = table_of(Arrival)
_KEY: Final = table_of(WrappedKey)
_PERSON: Final = table_of(Person)
_MOST: Final = 500
"""More open proposals than people make; the oldest are shown."""


class ProposalRow(NamedTuple):
    """An open proposal and what it is about, by plain columns and sealed ones."""

    id: str
    kind: str
    subject_id: str
    proposer: PersonId
    proposer_name: str
    created_at: datetime
    expires_at: datetime
    sealed_payload: bytes
    kek_id: str | None
    wrapped: bytes | None
    message_id: str | None
    arrival_id: str | None
    state: MessageState | None
    code: str | None
    sender: str | None
    verdict: str | None


@dataclass(frozen=True, kw_only=True)
class ListedProposal:
    """An open proposal, and the facts about it that the rules of some actions ask for."""

    row: ProposalRow
    facts: Mapping[str, bool]
    """Without those of the request."""


def open_proposals(
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    capacity: Capacity,
    actions: frozenset[Action],
) -> tuple[ListedProposal, ...]:
    """The open proposals about mail of the capacity's organisation, oldest first.

    None of them is shown before it has been decided that it may be.
    """
    names = frozenset[str]().union(
        *(policy.facts_used(action, capacity.role) for action in actions)
    )
    dialect = session.get_bind().dialect
    select, of_message, of_arrival = _statement(names, dialect)
    width = len(ProposalRow._fields)
    found = []
    for each in select.fetch(session, parameter_values(now, capacity, RequestFacts())):
        row = ProposalRow(*each[:width])
        facts = dict.fromkeys(names, False)
        is_message = row.message_id is not None
        known = of_message if is_message else of_arrival
        answers = each[width:] if is_message else each[width + len(of_message) :]
        facts |= dict(zip(known, map(bool, answers), strict=False))
        found.append(ListedProposal(row=row, facts=facts))
    return tuple(found)


@lru_cache(maxsize=100)
def _statement(
    names: frozenset[str], dialect: Dialect
) -> tuple[PreparedSelect, tuple[str, ...], tuple[str, ...]]:
    of_message, of_arrival = (_defined(names, kind) for kind in (OfMessage, OfArrival))
    facts = [
        sa.case((_of_each(FACTS[name].sql_by_subject[kind]), 1), else_=0).label(f"{prefix}_{name}")
        for prefix, kind, known in (("m", OfMessage, of_message), ("a", OfArrival, of_arrival))
        for name in known
    ]
    shown: list[ColumnElement[Any]] = [
        *(_PROPOSAL.c[name] for name in ("id", "kind", "subject_id", "proposer")),
        _PERSON.c.name,
        *(_PROPOSAL.c[name] for name in ("created_at", "expires_at", "sealed_payload")),
        *(_KEY.c.kek_id, _KEY.c.wrapped, _MESSAGE.c.id, _ARRIVAL.c.id),
        *(_MESSAGE.c[name] for name in ("state", "code", "sender", "verdict")),
    ]
    statement = (
        sa.select(*shown, *facts)
        .select_from(_PROPOSAL)
        .join(_PERSON, _PERSON.c.id == _PROPOSAL.c.proposer)
        .join(_MESSAGE, _MESSAGE.c.id == _PROPOSAL.c.subject_id, isouter=True)
        .join(_ARRIVAL, _ARRIVAL.c.id == _PROPOSAL.c.subject_id, isouter=True)
        .join(_KEY, _KEY.c.id == _PROPOSAL.c.subject_id, isouter=True)
        .where(
            # Written out, so that the index of what is open is used.
            _PROPOSAL.c.state == sa.literal_column("'OPEN'"),
            _PROPOSAL.c.expires_at > sa.bindparam("now", type_=_PROPOSAL.c.expires_at.type),
            sa.or_(
                _MESSAGE.c.organisation == ORGANISATION, _ARRIVAL.c.organisation == ORGANISATION
            ),
        )
        .order_by(_PROPOSAL.c.created_at, _PROPOSAL.c.id)
        .limit(sa.literal_column(str(_MOST)))
    )
    return PreparedSelect(statement, dialect, PARAMETER_NAMES), of_message, of_arrival


def _defined(names: frozenset[str], kind: type[Subject]) -> tuple[str, ...]:
    return tuple(name for name in sorted(names) if kind in FACTS[name].sql_by_subject)


def _of_each(form: ColumnElement[bool]) -> ColumnElement[bool]:
    """The SQL of a fact, asked of the proposal of the enclosing query."""

    def replace(element: ExternallyTraversible, **_: Any) -> ColumnElement[Any] | None:
        is_parameter = isinstance(element, sa.BindParameter) and element.key == PROPOSAL.key
        return _PROPOSAL.c.id if is_parameter else None

    return replacement_traverse(form, {}, replace)
