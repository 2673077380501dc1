"""Finds every capacity that could perform an action on one message, with one query.

The problem: a reviewer asks who could open this message on a day. To decide for each of five
thousand capacities would be five thousand queries.

The method: a query with parameters becomes a query over a relation. The SQL expression of a fact
compares rows with bind parameters. Some hold values of one capacity (`:person`, `:unit`, …). Here
a column replaces each of those, so one query evaluates the expression for all capacities. `:now`,
`:message_id` and `:target` stay. `requirements` has split each rule into ways; each way has what
the rows must say (queried here) and what a request must supply (reported as it is). One SELECT for
each way, joined by UNION ALL; the last column is the number of the way.

An example, the fact `assigned`, where a decision has `assignment.person = :person`:

    >>> print(_fact_over_columns("assigned"))
    EXISTS (SELECT :param_1 AS anon_1 FROM assignment, message, capacity AS who
      WHERE assignment.message_id = message.id AND assignment.active_from <= :now
      AND (assignment.active_until IS NULL OR assignment.active_until > :now)
      AND assignment.person = who.person)

Here it is printed alone; inside the query, `message` and `who` are the tables of the outer SELECT.

Not done here: only people are found, no case systems. The message is taken as it is now, even if
the question is about another day. Only rows with a period (capacities, clearances, assignments,
grants) are taken as they were on that day.
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

from inbox.access.facts.lookup import PARAMETER_NAMES
from inbox.access.facts.parameters import NOW, TARGET, SqlCondition, text_parameter
from inbox.access.facts.prepared_select import PreparedSelect
from inbox.access.facts.registry import ACTION_SUBJECTS, FACTS
from inbox.access.lists.filters import sql_of
from inbox.access.policy.conditions import ALWAYS, And
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Role, by_fewest_duties
from inbox.access.question import OfMessage
from inbox.access.review.requirements import (
    SUPPLIED_FACTS,
    SUPPLIED_FACTS_WITH_KNOWN_TARGET,
    AllowCondition,
    allow_conditions,
    describe_requirements,
    minimal,
)
from inbox.domain import MessageId, PersonId, UnitId
from inbox.tables import CapacityRow, Message, Person, Unit
from inbox.tables.periods import active_on

EMERGENCY_FACT: Final = "has_breakglass"
"""The fact that emergency access makes true."""
_CAPACITY: Final = aliased(CapacityRow, name="who")
_UNIT: Final = aliased(Unit, name="home")
_PERSON: Final = aliased(Person, name="self")
_PARAMETER_COLUMNS: Final[Mapping[str, Any]] = {
    "capacity": col(_CAPACITY.id),
    "person": col(_CAPACITY.person),
    "unit": col(_CAPACITY.unit),
    "role": col(_CAPACITY.role),
    "organisation": col(_UNIT.organisation),
    "case_system": sa.null(),
}
"""The bind parameters that hold values of a capacity, and the column that replaces each."""
_SELECTED_COLUMNS: Final = (
    col(_CAPACITY.person),
    col(_CAPACITY.unit),
    col(_CAPACITY.role),
    col(_CAPACITY.id),
)


@dataclass(frozen=True, kw_only=True)
class PermittedCapacity:
    """A capacity that may perform the action, and the rules that allow it.

    The rule that a decision would be based on comes first.
    """

    capacity: str
    person: PersonId
    unit: UnitId
    role: Role
    rules: tuple[str, ...]
    requires: str
    """What a request must supply so that the first of the rules allows the action."""


@dataclass(frozen=True, kw_only=True)
class EmergencyCapacity:
    """A capacity that may not perform the action now, but could by taking emergency access."""

    taking: PermittedCapacity
    """By which rules it may take emergency access, and what that requires."""
    then: PermittedCapacity
    """By which rules it may perform the action after that, and what that requires."""


def who_can_by_emergency(
    session: Session, policy: Policy, at: datetime, *, action: Action, message_id: MessageId
) -> tuple[EmergencyCapacity, ...]:
    """Every capacity that could perform the action on the message only by emergency access.

    It may take emergency access (*nødtilgang*) to the message as it is now, and could perform the
    action once it had. What may perform it anyway is in `who_can`, and not here.
    """
    taking = {
        able.capacity: able
        for able in who_can(session, policy, at, action=Action.BREAKGLASS, message_id=message_id)
    }
    if not taking:
        return ()
    anyway = who_can(session, policy, at, action=action, message_id=message_id)
    with_it = _who_can(
        session,
        policy,
        at,
        action=action,
        message_id=message_id,
        supplied=SUPPLIED_FACTS | {EMERGENCY_FACT},
    )
    known = {able.capacity for able in anyway}
    return tuple(
        EmergencyCapacity(taking=taking[able.capacity], then=able)
        for able in with_it
        if able.capacity in taking and able.capacity not in known
    )


def who_can(
    session: Session,
    policy: Policy,
    at: datetime,
    *,
    action: Action,
    message_id: MessageId,
    target: PersonId | None = None,
) -> tuple[PermittedCapacity, ...]:
    """Every person's capacity that may perform the action, if the request supplies what it must.

    `at` is the time of everything with a period: capacities, clearances, assignments, grants. The
    message is in the state and with the unit that it is in now. If a `target` is given, the
    database answers the facts about that person; otherwise `requires` names these facts.
    """
    return _who_can(
        session,
        policy,
        at,
        action=action,
        message_id=message_id,
        target=target,
        supplied=SUPPLIED_FACTS if target is None else SUPPLIED_FACTS_WITH_KNOWN_TARGET,
    )


def _who_can(  # noqa: PLR0913 - a question has these parts
    session: Session,
    policy: Policy,
    at: datetime,
    *,
    action: Action,
    message_id: MessageId,
    supplied: frozenset[str],
    target: PersonId | None = None,
) -> tuple[PermittedCapacity, ...]:
    """As `who_can`; `supplied` are the facts that a request is assumed to supply."""
    if OfMessage not in ACTION_SUBJECTS[action]:
        return ()
    # A policy never changes, so the statement is built once for each policy, action and dialect.
    find = _who_can_select(policy, action, session.get_bind().dialect, supplied)
    values = {"now": at, "target": target, **vars(OfMessage(message_id=message_id))}
    found: dict[tuple[str, str, str, str], list[AllowCondition]] = {}
    for *who, place in find.select.fetch(session, values):
        found.setdefault((who[0], who[1], who[2], who[3]), []).append(find.allow_conditions[place])
    return tuple(_permitted_capacity(who, found[who]) for who in sorted(found))


@dataclass(frozen=True, kw_only=True)
class _WhoCanSelect:
    """The prepared statement, and the allow conditions that its last column is an index of."""

    select: PreparedSelect
    allow_conditions: tuple[AllowCondition, ...]


@lru_cache(maxsize=1_000)
def _who_can_select(
    policy: Policy, action: Action, dialect: Dialect, brought: frozenset[str]
) -> _WhoCanSelect:
    ways = [
        (role, way)
        for role in Role
        if role is not Role.CASE_SYSTEM
        for way in allow_conditions(policy, action, role, brought)
    ]
    each = [_capacities_select(place, role, way) for place, (role, way) in enumerate(ways)]
    # Nothing allows the action: UNION ALL needs at least one SELECT, so this one finds no row.
    nobody = sa.select(*_SELECTED_COLUMNS, sa.literal(0)).where(sa.false())
    statement = sa.select(sa.union_all(*(each or [nobody])).subquery())
    return _WhoCanSelect(
        select=PreparedSelect(statement, dialect, PARAMETER_NAMES),
        allow_conditions=tuple(way for _, way in ways),
    )


def _permitted_capacity(
    who: tuple[str, str, str, str], ways: Sequence[AllowCondition]
) -> PermittedCapacity:
    person, unit, role, capacity = who
    # The rule that a decision would be based on comes first, as `engine` ranks them.
    rules = by_fewest_duties(dict.fromkeys(way.rule for way in ways))
    return PermittedCapacity(
        capacity=capacity,
        person=PersonId(person),
        unit=UnitId(unit),
        role=Role(role),
        rules=tuple(rule.id for rule in rules),
        requires=describe_requirements(
            minimal(way.requires for way in ways if way.rule == rules[0])
        ),
    )


def _capacities_select(
    place: int, role: Role, way: AllowCondition
) -> Select[str, str, str, str, int]:
    """The capacities of a role for which all row conditions of one allow condition are true."""
    return (
        sa.select(*_SELECTED_COLUMNS, sa.literal(place))
        .select_from(_CAPACITY)
        .join(_UNIT, col(_UNIT.id) == col(_CAPACITY.unit))
        .join(_PERSON, col(_PERSON.id) == col(_CAPACITY.person))
        .join(Message, col(Message.id) == text_parameter("message_id"))
        .where(
            col(_CAPACITY.role) == role.value,
            # The shipped rules deny a capacity that has ended. A report must not depend on that.
            *(active_on(kind, NOW) for kind in (_CAPACITY, _UNIT, _PERSON)),
            sql_of(And(way.row_conditions), _fact_over_columns),
        )
    )


def _fact_over_columns(name: str) -> SqlCondition:
    """The SQL of a fact for all capacities.

    It has columns of the capacity in place of the bind parameters of a decision.
    """
    if name == ALWAYS:
        return sa.true()
    # The registry has no SQL for it, because a request states it. Here both persons are known.
    if name == "target_is_self":
        return col(_CAPACITY.person) == TARGET
    form = FACTS[name].sql_by_subject.get(OfMessage)
    return sa.false() if form is None else replacement_traverse(form, {}, _column_for)


def _column_for(element: ExternallyTraversible, **_: object) -> ColumnElement[Any] | None:
    return _PARAMETER_COLUMNS.get(element.key) if isinstance(element, BindParameter) else None
