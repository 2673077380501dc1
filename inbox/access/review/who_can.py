"""Finds every capacity that could perform an action on one message, with one query.

Each fact keeps its one form; what it is bound to in a decision is here a column of the capacity.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import BindParameter, ColumnElement, Dialect, Select
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.visitors import ExternallyTraversible, replacement_traverse
from sqlmodel import col

from inbox.access.facts.lookup import NAMES
from inbox.access.facts.parameters import NOW, TARGET, Form, bound
from inbox.access.facts.prepared import Kept
from inbox.access.facts.registry import FACTS, SUBJECTS
from inbox.access.lists.filters import form_of
from inbox.access.policy.conditions import ALWAYS, Every
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Role, basis_first
from inbox.access.question import OfMessage
from inbox.access.review.requirements import BROUGHT, BROUGHT_TO_ONE, Way, fewest, told, ways_to
from inbox.domain import MessageId, PersonId, UnitId
from inbox.tables import Capacity as CapacityRow
from inbox.tables import Message, Person, Unit
from inbox.tables.periods import lasts

_WHO: Final = aliased(CapacityRow, name="who")
_HOME: Final = aliased(Unit, name="home")
_SELF: Final = aliased(Person, name="self")
_COLUMNS: Final[Mapping[str, Any]] = {
    "capacity": col(_WHO.id),
    "person": col(_WHO.person),
    "unit": col(_WHO.unit),
    "role": col(_WHO.role),
    "organisation": col(_HOME.organisation),
    "case_system": sa.null(),
}
"""What a capacity brings to a question, as columns."""
_SHOWN: Final = (col(_WHO.person), col(_WHO.unit), col(_WHO.role), col(_WHO.id))


@dataclass(frozen=True, kw_only=True)
class Able:
    """A capacity that may, and the rules by which it may: the basis of a decision first."""

    capacity: str
    person: PersonId
    unit: UnitId
    role: Role
    rules: tuple[str, ...]
    takes: str
    """What a request must bring so that it may by the first of the rules."""


def who_can(
    session: Session,
    policy: Policy,
    at: datetime,
    *,
    action: Action,
    message_id: MessageId,
    target: PersonId | None = None,
) -> tuple[Able, ...]:
    """Every person's capacity that may, if the request brings what it takes.

    `at` is the time of everything with a period: capacities, clearances, assignments, grants. The
    message is in the state and with the unit that it is in now. Of a `target` that is named, the
    rows are asked; otherwise it is told what somebody must be like.
    """
    if OfMessage not in SUBJECTS[action]:
        return ()
    dialect = session.get_bind().dialect
    find = _find(policy, action, dialect, BROUGHT if target is None else BROUGHT_TO_ONE)
    values = {"now": at, "target": target, **vars(OfMessage(message_id=message_id))}
    found: dict[tuple[str, str, str, str], list[Way]] = {}
    for *who, place in find.kept.rows(session, values):
        found.setdefault((who[0], who[1], who[2], who[3]), []).append(find.ways[place])
    return tuple(_able(who, found[who]) for who in sorted(found))


@dataclass(frozen=True, kw_only=True)
class _Find:
    """The prepared statement, and the allow conditions that its last column is an index of."""

    kept: Kept
    ways: tuple[Way, ...]


@lru_cache(maxsize=1_000)
def _find(policy: Policy, action: Action, dialect: Dialect, brought: frozenset[str]) -> _Find:
    ways = [
        (role, way)
        for role in Role
        if role is not Role.CASE_SYSTEM
        for way in ways_to(policy, action, role, brought)
    ]
    each = [_select(place, role, way) for place, (role, way) in enumerate(ways)]
    nobody = sa.select(*_SHOWN, sa.literal(0)).where(sa.false())
    statement = sa.select(sa.union_all(*(each or [nobody])).subquery())
    return _Find(kept=Kept(statement, dialect, NAMES), ways=tuple(way for _, way in ways))


def _able(who: tuple[str, str, str, str], ways: Sequence[Way]) -> Able:
    person, unit, role, capacity = who
    rules = basis_first(dict.fromkeys(way.rule for way in ways))
    return Able(
        capacity=capacity,
        person=PersonId(person),
        unit=UnitId(unit),
        role=Role(role),
        rules=tuple(rule.id for rule in rules),
        takes=told(fewest(way.takes for way in ways if way.rule == rules[0])),
    )


def _select(place: int, role: Role, way: Way) -> Select[str, str, str, str, int]:
    """The capacities of a role for which all row conditions of one allow condition are true."""
    return (
        sa.select(*_SHOWN, sa.literal(place))
        .select_from(_WHO)
        .join(_HOME, col(_HOME.id) == col(_WHO.unit))
        .join(_SELF, col(_SELF.id) == col(_WHO.person))
        .join(Message, col(Message.id) == bound("message_id"))
        .where(
            col(_WHO.role) == role.value,
            *(lasts(kind, NOW) for kind in (_WHO, _HOME, _SELF)),
            form_of(Every(way.rows), _of),
        )
    )


def _of(name: str) -> Form:
    """A fact, of a column where a decision binds a value."""
    if name == ALWAYS:
        return sa.true()
    if name == "target_is_self":
        return col(_WHO.person) == TARGET
    form = FACTS[name].forms.get(OfMessage)
    return sa.false() if form is None else replacement_traverse(form, {}, _column_for)


def _column_for(element: ExternallyTraversible, **_: object) -> ColumnElement[Any] | None:
    return _COLUMNS.get(element.key) if isinstance(element, BindParameter) else None
