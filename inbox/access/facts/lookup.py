"""Looks up facts: one SELECT with a column for each requested fact, run in the caller's session.

Nothing that it finds is kept: a revocation holds at once. What is kept is the text of the SELECT.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Dialect
from sqlalchemy.orm import Session
from sqlmodel import col

from inbox.access.facts import parameters
from inbox.access.facts.parameters import SqlCondition
from inbox.access.facts.prepared_select import PreparedSelect
from inbox.access.facts.registry import FACTS, STATES_OF_FACT
from inbox.access.question import (
    Capacity,
    OfArrival,
    OfConflict,
    OfGrant,
    OfInstallation,
    OfMessage,
    OfProposal,
    OfTask,
    OfUnit,
    RequestFacts,
    Subject,
)
from inbox.tables import AccessGrant, Arrival, ConflictOfInterest, Message, Proposal, Task, Unit

_SUBJECT_ROW: Final[Mapping[type[Subject], SqlCondition]] = {
    OfMessage: col(Message.id) == parameters.text_parameter("message_id"),
    OfArrival: col(Arrival.id) == parameters.text_parameter("arrival_id"),
    OfTask: col(Task.id) == parameters.TASK,
    OfUnit: col(Unit.id) == parameters.SUBJECT_UNIT,
    OfGrant: col(AccessGrant.id) == parameters.GRANT,
    OfConflict: col(ConflictOfInterest.id) == parameters.CONFLICT,
    OfProposal: col(Proposal.id) == parameters.PROPOSAL,
    OfInstallation: sa.true(),
}
"""The row that a subject is."""

_REQUEST_FACTS: Final = {
    name: fact.from_request for name, fact in FACTS.items() if fact.from_request is not None
}
_NO_SUBJECT_VALUES: Final = {each.name: None for kind in _SUBJECT_ROW for each in fields(kind)}


def parameter_values(
    now: datetime, capacity: Capacity, request: RequestFacts, subject: Subject | None = None
) -> dict[str, object]:
    """The values of all bind parameters of a question.

    The value of `now` is the database's time of this transaction.
    """
    return {
        **_NO_SUBJECT_VALUES,
        **({} if subject is None else vars(subject)),
        "now": now,
        "capacity": capacity.id,
        "person": capacity.person,
        "unit": capacity.unit,
        "role": capacity.role.value,
        "organisation": capacity.organisation,
        "case_system": capacity.case_system,
        "target": request.target,
    }


PARAMETER_NAMES: Final = frozenset(_NO_SUBJECT_VALUES) | {
    *("now", "capacity", "person", "unit", "role", "organisation", "case_system", "target")
}
"""What the values of a question are called, all of them."""


def request_fact_values(capacity: Capacity, request: RequestFacts) -> dict[str, bool]:
    """The values of the facts that the request supplies, which no row contains."""
    return {name: holds(capacity, request) for name, holds in _REQUEST_FACTS.items()}


def look_up_facts(
    session: Session,
    now: datetime,
    capacity: Capacity,
    subject: Subject,
    request: RequestFacts,
    names: Collection[str] = FACTS.keys(),
) -> Mapping[str, bool] | None:
    """The values of the named facts and no others, read by one SELECT in the caller's transaction.

    None: there is no such subject; the same SELECT finds that out.
    """
    wanted = frozenset(names)
    kind, dialect = type(subject), session.get_bind().dialect
    find = _fact_select(kind, wanted, dialect)  # type: ignore[arg-type] # a class can be hashed
    rows = find.select.fetch(session, parameter_values(now, capacity, request, subject))
    if not rows:
        return None
    return {
        **dict.fromkeys(wanted, False),
        **dict(zip(find.columns, rows[0], strict=False)),
        **{name: _REQUEST_FACTS[name](capacity, request) for name in find.request_facts},
        **_facts_in_state(kind, request, wanted),
    }


def _facts_in_state(
    kind: type[Subject], request: RequestFacts, wanted: frozenset[str]
) -> Mapping[str, bool]:
    """The facts about the state of a message, where the request names the state to decide in."""
    if request.in_state is None or kind is not OfMessage:
        return {}
    return {
        name: request.in_state in states
        for name, states in STATES_OF_FACT.items()
        if name in wanted
    }


@dataclass(frozen=True, kw_only=True)
class _FactSelect:
    """A prepared SELECT that looks up facts.

    It comes with the facts in the order of its columns, and the requested facts that need no
    column.
    """

    select: PreparedSelect
    columns: tuple[str, ...]
    request_facts: frozenset[str]


@lru_cache(maxsize=1_000)
def _fact_select(kind: type[Subject], names: frozenset[str], dialect: Dialect) -> _FactSelect:
    columns = tuple(name for name in sorted(names) if kind in FACTS[name].sql_by_subject)
    # SQLite has no booleans of its own: said here, every answer is one.
    selected = [
        sa.type_coerce(FACTS[name].sql_by_subject[kind], sa.Boolean).label(name) for name in columns
    ]
    # The last column is there for a subject of which nothing is asked but whether it is there.
    statement = sa.select(*selected, sa.literal(1)).where(_SUBJECT_ROW[kind])
    return _FactSelect(
        select=PreparedSelect(statement, dialect, PARAMETER_NAMES),
        columns=columns,
        request_facts=names & _REQUEST_FACTS.keys(),
    )
