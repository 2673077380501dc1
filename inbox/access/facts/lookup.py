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
from inbox.access.facts.parameters import Form
from inbox.access.facts.prepared import Kept
from inbox.access.facts.registry import FACTS
from inbox.access.question import (
    Capacity,
    Given,
    OfArrival,
    OfInstallation,
    OfMessage,
    OfProposal,
    OfReview,
    OfTask,
    OfUnit,
    Subject,
)
from inbox.tables import AccessGrant, Arrival, Message, Proposal, Task, Unit

_ROW: Final[Mapping[type[Subject], Form]] = {
    OfMessage: col(Message.id) == parameters.bound("message_id"),
    OfArrival: col(Arrival.id) == parameters.bound("arrival_id"),
    OfTask: col(Task.id) == parameters.TASK,
    OfUnit: col(Unit.id) == parameters.SUBJECT_UNIT,
    OfReview: col(AccessGrant.id) == parameters.GRANT,
    OfProposal: col(Proposal.id) == parameters.PROPOSAL,
    OfInstallation: sa.true(),
}
"""The row that a subject is."""

_REQUEST: Final = {name: fact.given for name, fact in FACTS.items() if fact.given is not None}
_OF_SUBJECT: Final = {each.name: None for kind in _ROW for each in fields(kind)}


def values_of(
    now: datetime, capacity: Capacity, given: Given, subject: Subject | None = None
) -> dict[str, object]:
    """What the forms are bound to; `now` is the database's time of this transaction."""
    return {
        **_OF_SUBJECT,
        **({} if subject is None else vars(subject)),
        "now": now,
        "capacity": capacity.id,
        "person": capacity.person,
        "unit": capacity.unit,
        "role": capacity.role.value,
        "organisation": capacity.organisation,
        "case_system": capacity.case_system,
        "target": given.target,
    }


NAMES: Final = frozenset(_OF_SUBJECT) | {
    *("now", "capacity", "person", "unit", "role", "organisation", "case_system", "target")
}
"""What the values of a question are called, all of them."""


def facts_of_request(capacity: Capacity, given: Given) -> dict[str, bool]:
    """The values of the facts that the request supplies, which no row contains."""
    return {name: holds(capacity, given) for name, holds in _REQUEST.items()}


def facts_about(
    session: Session,
    now: datetime,
    capacity: Capacity,
    subject: Subject,
    given: Given,
    names: Collection[str] = FACTS.keys(),
) -> Mapping[str, bool] | None:
    """The values of the named facts and no others, read by one SELECT in the caller's transaction.

    None: there is no such subject; the same SELECT finds that out.
    """
    wanted = frozenset(names)
    kind, dialect = type(subject), session.get_bind().dialect
    find = _find(kind, wanted, dialect)  # type: ignore[arg-type] # a class can be hashed
    rows = find.kept.rows(session, values_of(now, capacity, given, subject))
    if not rows:
        return None
    return (
        dict.fromkeys(wanted, False)
        | dict(zip(find.columns, rows[0], strict=False))
        | {name: _REQUEST[name](capacity, given) for name in find.of_request}
    )


@dataclass(frozen=True, kw_only=True)
class _Find:
    """The SELECT, the facts in the order of its columns, and those that need none."""

    kept: Kept
    columns: tuple[str, ...]
    of_request: frozenset[str]


@lru_cache(maxsize=1_000)
def _find(kind: type[Subject], names: frozenset[str], dialect: Dialect) -> _Find:
    columns = tuple(name for name in sorted(names) if kind in FACTS[name].forms)
    # SQLite has no booleans of its own: said here, every answer is one.
    selected = [sa.type_coerce(FACTS[name].forms[kind], sa.Boolean).label(name) for name in columns]
    # The last column is there for a subject of which nothing is asked but whether it is there.
    statement = sa.select(*selected, sa.literal(1)).where(_ROW[kind])
    return _Find(
        kept=Kept(statement, dialect, NAMES),
        columns=columns,
        of_request=names & _REQUEST.keys(),
    )
