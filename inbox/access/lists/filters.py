"""The rules of a policy as filters: a list and a decision are made of the same rows and forms.

One branch for each way of fulfilling a rule that allows, with every rule that denies in each:
SQLite finds nothing by an index where one WHERE joins the ways with OR.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Column, ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import False_
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.visitors import ExternallyTraversible, iterate, replacement_traverse
from sqlmodel import col

from inbox.access.facts.parameters import NOW, ORGANISATION, PERSON, SYSTEM, UNIT, Bound, Form
from inbox.access.facts.registry import FACTS, SUBJECTS
from inbox.access.policy.conditions import (
    ALWAYS,
    Condition,
    Every,
    Meaning,
    Name,
    Not,
    Some,
    fold,
    number_of_ways,
    ways_of,
)
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Effect, Role
from inbox.access.question import OfMessage
from inbox.domain import GrantKind
from inbox.tables import AccessGrant, Assignment, Delegation, Delivery, Message, table_of
from inbox.tables.periods import not_over

_TABLE: Final = table_of(Message)

_MOST_WAYS: Final = 8
"""A rule with more ways than these is one branch: the same rows, found more slowly."""


def _granted(kind: GrantKind) -> Form:
    return col(Message.id).in_(
        sa.select(col(AccessGrant.message_id)).where(
            col(AccessGrant.person) == PERSON,
            col(AccessGrant.kind) == kind,
            not_over(AccessGrant, NOW),
        )
    )


_delivered_to_system = col(Message.id).in_(
    sa.select(col(Delivery.message_id)).where(col(Delivery.case_system) == SYSTEM)
)
_FOUND_BY: Final[Mapping[str, Form]] = {
    "assigned": col(Message.id).in_(
        sa.select(col(Assignment.message_id)).where(
            col(Assignment.person) == PERSON, not_over(Assignment, NOW)
        )
    ),
    "covers": col(Message.id).in_(
        sa.select(col(Assignment.message_id))
        .join(Delegation, col(Delegation.absent) == col(Assignment.person))
        .where(col(Delegation.substitute) == PERSON, not_over(Assignment, NOW))
    ),
    "has_grant": _granted(GrantKind.GIVEN),
    "has_breakglass": _granted(GrantKind.BREAKGLASS),
    "own_delivery": _delivered_to_system,
    "own_open_delivery": _delivered_to_system,
}
"""What follows from a fact and can be looked up: the way to few messages among many.

What is over is not looked at: of that there is more each year. It stands beside the form of the
fact, never in its place, so it shows nothing more.
"""

_NOTHING: Final[Mapping[str, bool]] = MappingProxyType({})
_PINNED: Final[Mapping[str, tuple[str, Bound]]] = {
    "in_unit": ("unit", UNIT),
    "leads": ("unit", UNIT),
    "own_organisation": ("organisation", ORGANISATION),
}
"""Facts that make a column equal to a value of the request.

Where one must hold, the others are asked of that value: once, and not for each message.
"""

_INDEXED: Final = ("unit", "organisation", "state", "sender")
"""Columns that SQLite would find messages by, the best first; it knows no better than to guess."""


def branches_of(
    policy: Policy,
    action: Action,
    role: Role,
    requested: Mapping[str, bool],
    sought: Sequence[Form] = (),
) -> list[Form]:
    """Filters of which one must hold; where nothing allows, one that is false.

    `requested` are the facts of the request: they are decided here, not by the database. What is
    `sought` stands in each.
    """
    allows, denies = _conditions(policy, action, role)
    branches = [
        branch_of((*way, *map(_opposite, denies)), requested, sought)
        for allow in allows
        for way in _ways(allow)
    ]
    return [each for each in branches if not isinstance(each, False_)] or [sa.false()]


def form_beside(policy: Policy, action: Action, role: Role, requested: Mapping[str, bool]) -> Form:
    """The same rows as one filter, for a statement that finds the message by some other key.

    Nothing is looked up by it, and no index of the message is: what is beside it finds few.
    """
    allows, denies = _conditions(policy, action, role)
    if not allows:
        return sa.false()
    unindexed = _unindexed(_INDEXED)

    def of(name: str) -> Form:
        return _replaced(_form(name, requested), unindexed)

    return form_of(Every((Some(allows), *map(_opposite, denies))), of)


def _conditions(
    policy: Policy, action: Action, role: Role
) -> tuple[tuple[Condition, ...], tuple[Condition, ...]]:
    """Of the rules that allow it, and of those that deny it; of none, where no message is meant."""
    if OfMessage not in SUBJECTS[action]:
        return (), ()
    rules = [rule for rule in policy.rules if rule.concerns(action, role)]
    allows, denies = (
        tuple(policy.conditions[rule.when] for rule in rules if rule.effect is effect)
        for effect in (Effect.ALLOW, Effect.DENY)
    )
    return allows, denies


def _form(name: str, requested: Mapping[str, bool]) -> Form:
    """The SQL of a fact about messages; a fact that the request supplies is a constant."""
    if name == ALWAYS or requested.get(name, False):
        return sa.true()
    return FACTS[name].forms.get(OfMessage, sa.false())


def _ways(condition: Condition) -> Iterator[tuple[Condition, ...]]:
    """The condition taken apart at every `or`: each way holds if all its parts do."""
    if number_of_ways(condition) > _MOST_WAYS:
        yield (condition,)
        return
    for way in ways_of(condition):
        yield tuple(Name(name) if held else Not(Name(name)) for name, held in sorted(way))


def _opposite(condition: Condition) -> Condition:
    return condition.part if isinstance(condition, Not) else Not(condition)


def branch_of(
    parts: Sequence[Condition],
    requested: Mapping[str, bool] = _NOTHING,
    sought: Sequence[Form] = (),
) -> Form:
    """All parts, written so that the few messages of which they hold are found by an index."""
    required = {part.name for part in parts if isinstance(part, Name)}
    pinned = frozenset(required & _PINNED.keys())
    pins = dict(_PINNED[name] for name in pinned)
    found_by = [_FOUND_BY[name] for name in sorted(required & _FOUND_BY.keys())]
    unindexed = _INDEXED if found_by or "unit" in pins else ()

    def of(name: str) -> Form:
        if requested.get(name, False):
            return sa.true()
        return _form_beside(name, pinned, unindexed)

    forms = [form_of(part, of) for part in parts]
    if "unit" in pins and not found_by:
        found_by = [_in_unit_if(each for each in forms if not _names_message(each))]
    hidden = _unindexed(unindexed)
    beside = [*found_by, *(_replaced(each, hidden) for each in sought)]
    return _joined(sa.and_, [*forms, *beside], nothing=sa.true(), decides=sa.false())


@lru_cache(maxsize=1_000)
def _form_beside(name: str, pinned: frozenset[str], unindexed: tuple[str, ...]) -> Form:
    """A fact about a message beside facts that pin columns; written once, for that takes long."""
    form = _form(name, _NOTHING)
    if name not in _PINNED:
        form = _replaced(form, dict(_PINNED[each] for each in pinned))
    return _replaced(form, _unindexed(unindexed))


def form_of(condition: Condition, of: Callable[[str], Form]) -> Form:
    """The condition in SQL, with the given SQL for each fact."""
    meaning = Meaning[Form](
        of=of,
        negated=sa.not_,
        every=lambda several: _joined(sa.and_, several, nothing=sa.true(), decides=sa.false()),
        some=lambda several: _joined(sa.or_, several, nothing=sa.false(), decides=sa.true()),
    )
    form: Form = fold(condition, meaning)
    return form


def _joined(
    join: Callable[..., Form], several: Sequence[Form], *, nothing: Form, decides: Form
) -> Form:
    """A constant that decides is all that is left: SQLAlchemy wraps it, so nobody would see it."""
    if any(isinstance(each, type(decides)) for each in several):
        return decides
    return join(nothing, *several)


class _Unindexed(FunctionElement[Any]):
    """A column by which SQLite is not to find messages, so that it reads few, not a unit or all.

    PostgreSQL has counted, and chooses better than we do: for it the column is as it is.
    """

    inherit_cache = True


@compiles(_Unindexed)
def _as_it_is(element: _Unindexed, compiler: SQLCompiler, **more: Any) -> str:
    return compiler.process(element.clauses, **more)


@compiles(_Unindexed, "sqlite")
def _by_no_index(element: _Unindexed, compiler: SQLCompiler, **more: Any) -> str:
    return f"+{_as_it_is(element, compiler, **more)}"


def _unindexed(columns: Sequence[str]) -> Mapping[str, ColumnElement[Any]]:
    return {name: _Unindexed(_TABLE.c[name]) for name in columns}


class _UnitIf(FunctionElement[Any]):
    """The capacity's unit, if a condition holds that names no message.

    SQLite asks such a condition of every message in turn, though its answer is one; in the value
    that an index is searched by, it is asked before. PostgreSQL does so by itself.
    """

    inherit_cache = True


@compiles(_UnitIf)
def _always(element: _UnitIf, compiler: SQLCompiler, **more: Any) -> str:
    unit, _ = element.clauses
    return compiler.process(unit, **more)


@compiles(_UnitIf, "sqlite")
def _before(element: _UnitIf, compiler: SQLCompiler, **more: Any) -> str:
    unit, condition = element.clauses
    asked = compiler.process(condition, **more)  # First: values are bound in the order of the text.
    return f"CASE WHEN {asked} THEN {compiler.process(unit, **more)} END"


def _in_unit_if(conditions: Iterable[Form]) -> Form:
    return _TABLE.c.unit == _UnitIf(UNIT, sa.and_(sa.true(), *conditions))


def _names_message(form: Form) -> bool:
    return any(
        isinstance(part, Column) and part.table.name == _TABLE.name for part in iterate(form)
    )


def _replaced(form: Form, instead: Mapping[str, ColumnElement[Any]]) -> Form:
    """The filter with columns of the message replaced by other expressions."""

    def replace(element: ExternallyTraversible, **_: Any) -> ColumnElement[Any] | None:
        if isinstance(element, Column) and element.table.name == _TABLE.name:
            return instead.get(element.name)
        return None

    return replacement_traverse(form, {}, replace)
