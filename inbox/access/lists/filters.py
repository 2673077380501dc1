"""Compiles the rules of a policy to SQL filters, so that a list shows what a decision would allow.

The problem: `permit` decides about one message whose facts it has looked up. A list must find the
few allowed messages among many, and cannot ask about each. But a rule is a boolean condition over
named facts, and each fact has one SQL expression (`facts.registry`), so the rules can be compiled.

The method: disjunctive normal form (DNF). Each allow rule is split at every `or`. Each term becomes
one *branch*: its facts, and the negation of every deny rule. `statements` joins the branches by
UNION; one WHERE that joins them by OR selects the same rows, but SQLite uses no index for it.

An example, the branch of the term `assigned and routed` where no rule denies. The last condition,
`message.id IN`, is a prefilter that an index serves; the plus sign keeps SQLite from using the
index on `state`, which would find far more rows:

    >>> from sqlalchemy.dialects import sqlite
    >>> branch = indexed_branch([Name("assigned"), Name("routed")])
    >>> print(sa.select(sa.column("id")).where(branch).compile(dialect=sqlite.dialect()))
    SELECT id FROM message WHERE (EXISTS (SELECT ? AS anon_1 FROM assignment
      WHERE assignment.message_id = message.id AND assignment.active_from <= ?
      AND (assignment.active_until IS NULL OR assignment.active_until > ?)
      AND assignment.person = ?)) AND +message.state = ?
      AND message.id IN (SELECT assignment.message_id FROM assignment WHERE assignment.person = ?
      AND (assignment.active_until IS NULL OR assignment.active_until > ?))

Not done here: order, pages, counts and audit (`statements`, `pages`). What a fact means stands in
`facts.registry`; `_PREFILTERS` and `_COLUMN_EQUALITIES` add what some facts imply, for speed alone.
That lists and decisions agree is tested, and checked again at run time (`recheck`).
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

from inbox.access.facts.parameters import (
    CASE_SYSTEM,
    NOW,
    ORGANISATION,
    PERSON,
    UNIT,
    SqlCondition,
    TextParameter,
)
from inbox.access.facts.registry import ACTION_SUBJECTS, FACTS
from inbox.access.policy.conditions import (
    ALWAYS,
    And,
    Condition,
    Interpretation,
    Name,
    Not,
    Or,
    dnf_of,
    dnf_size,
    fold,
)
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Effect, Role
from inbox.access.question import OfMessage, Subject
from inbox.domain import GrantKind
from inbox.tables import AccessGrant, Assignment, Delegation, Delivery, Message, table_of
from inbox.tables.periods import not_ended

_TABLE: Final = table_of(Message)

_MAX_BRANCHES_OF_RULE: Final = 8
"""A rule with more DNF terms is not split: its one branch finds the same rows more slowly."""


def _messages_granted(kind: GrantKind) -> SqlCondition:
    return col(Message.id).in_(
        sa.select(col(AccessGrant.message_id)).where(
            col(AccessGrant.person) == PERSON,
            col(AccessGrant.kind) == kind,
            not_ended(AccessGrant, NOW),
        )
    )


_messages_delivered_to_system = col(Message.id).in_(
    sa.select(col(Delivery.message_id)).where(col(Delivery.case_system) == CASE_SYSTEM)
)
_PREFILTERS: Final[Mapping[str, SqlCondition]] = {
    "assigned": col(Message.id).in_(
        sa.select(col(Assignment.message_id)).where(
            col(Assignment.person) == PERSON, not_ended(Assignment, NOW)
        )
    ),
    "covers": col(Message.id).in_(
        sa.select(col(Assignment.message_id))
        .join(Delegation, col(Delegation.absent) == col(Assignment.person))
        .where(col(Delegation.substitute) == PERSON, not_ended(Assignment, NOW))
    ),
    "has_grant": _messages_granted(GrantKind.GIVEN),
    "has_breakglass": _messages_granted(GrantKind.BREAKGLASS),
    "own_delivery": _messages_delivered_to_system,
    "own_open_delivery": _messages_delivered_to_system,
}
"""Conditions that an index can serve, each implied by a fact.

They are ANDed with the exact condition of the fact, so they make a query faster and never show
more. Ended rows are left out because they accumulate from year to year.
"""

_NO_REQUEST_FACTS: Final[Mapping[str, bool]] = MappingProxyType({})
_COLUMN_EQUALITIES: Final[Mapping[str, tuple[str, TextParameter]]] = {
    "in_unit": ("unit", UNIT),
    "leads": ("unit", UNIT),
    "own_organisation": ("organisation", ORGANISATION),
}
"""Facts that make a column equal to a value of the request.

Where a branch requires one of them, its other facts compare that value in place of the column. The
database can then evaluate them once, and not for each message.
"""

_INDEXED_COLUMNS: Final = ("unit", "organisation", "state", "sender")
"""Columns with an index that SQLite may choose by mistake, because it has no statistics here."""


def permit_branches(
    policy: Policy,
    action: Action,
    role: Role,
    requested: Mapping[str, bool],
    sought: Sequence[SqlCondition] = (),
) -> list[SqlCondition]:
    """One filter for each way of fulfilling an allow rule, to be joined by UNION.

    If nothing allows the action, the result is a single filter that is false.

    `requested` are the facts of the request: they become constants here, and the database does not
    evaluate them. The filters in `sought` are added to every branch.
    """
    allows, denies = _rule_conditions(policy, action, role)
    # De Morgan: "no deny rule matches" is the conjunction of the negated denies. It stands in every
    # branch, because a message that one branch finds must not be denied by any rule.
    branches = [
        indexed_branch((*way, *map(_negated, denies)), requested, sought)
        for allow in allows
        for way in _dnf_parts(allow)
    ]
    # A request fact that is false makes its branch the constant FALSE: that branch finds nothing.
    return [each for each in branches if not isinstance(each, False_)] or [sa.false()]


def permit_filter(
    policy: Policy,
    action: Action,
    role: Role,
    requested: Mapping[str, bool],
    kind: type[Subject] = OfMessage,
) -> SqlCondition:
    """The rows of `permit_branches` as one filter, for a statement that has another key.

    The database uses no index of `message` for this filter. The other conditions of the statement
    must therefore leave few messages. Of arrivals and tasks, too, lists are made in this way.
    """
    allows, denies = _rule_conditions(policy, action, role, kind)
    if not allows:
        return sa.false()
    unindexed = _unindexed_columns(_INDEXED_COLUMNS)

    def of(name: str) -> SqlCondition:
        return _replace_columns(_fact_sql(name, requested, kind), unindexed)

    return sql_of(And((Or(allows), *map(_negated, denies))), of)


def deny_filter(
    policy: Policy,
    action: Action,
    role: Role,
    requested: Mapping[str, bool],
    kind: type[Subject] = OfMessage,
) -> SqlCondition:
    """The subjects that a deny rule of this action matches; not a list, but what keeps from one."""
    _, denies = _rule_conditions(policy, action, role, kind)
    unindexed = _unindexed_columns(_INDEXED_COLUMNS)

    def of(name: str) -> SqlCondition:
        return _replace_columns(_fact_sql(name, requested, kind), unindexed)

    return sql_of(Or(denies), of) if denies else sa.false()


def _rule_conditions(
    policy: Policy, action: Action, role: Role, kind: type[Subject] = OfMessage
) -> tuple[tuple[Condition, ...], tuple[Condition, ...]]:
    """The conditions of the allow rules and of the deny rules.

    Both are empty if the action is never about such a subject.
    """
    if kind not in ACTION_SUBJECTS[action]:
        return (), ()
    rules = [rule for rule in policy.rules if rule.applies_to(action, role)]
    allows, denies = (
        tuple(policy.conditions[rule.when] for rule in rules if rule.effect is effect)
        for effect in (Effect.ALLOW, Effect.DENY)
    )
    return allows, denies


def _fact_sql(
    name: str, requested: Mapping[str, bool], kind: type[Subject] = OfMessage
) -> SqlCondition:
    """The SQL of a fact about a subject; a fact that the request supplies is a constant."""
    if name == ALWAYS or requested.get(name, False):
        return sa.true()
    return FACTS[name].sql_by_subject.get(kind, sa.false())


def _dnf_parts(condition: Condition) -> Iterator[tuple[Condition, ...]]:
    """The condition split at every `or` (disjunctive normal form).

    Each result is a list of parts that must all be true.
    """
    if dnf_size(condition) > _MAX_BRANCHES_OF_RULE:
        yield (condition,)
        return
    for way in dnf_of(condition):
        yield tuple(Name(name) if held else Not(Name(name)) for name, held in sorted(way))


def _negated(condition: Condition) -> Condition:
    return condition.part if isinstance(condition, Not) else Not(condition)


def indexed_branch(
    parts: Sequence[Condition],
    requested: Mapping[str, bool] = _NO_REQUEST_FACTS,
    sought: Sequence[SqlCondition] = (),
) -> SqlCondition:
    """The conjunction of all parts, as one SQL filter.

    It is written so that an index finds the few messages that match.
    """
    # Only a bare name must hold in all of the branch. A negated fact, or one inside a rule that was
    # too large to split, implies nothing that could be looked up.
    required = {part.name for part in parts if isinstance(part, Name)}
    pinned = frozenset(required & _COLUMN_EQUALITIES.keys())
    pins = dict(_COLUMN_EQUALITIES[name] for name in pinned)
    # A necessary condition of a fact, beside its exact condition: what it leaves out, the exact
    # condition would leave out as well. So a wrong prefilter could hide a row, never show one.
    found_by = [_PREFILTERS[name] for name in sorted(required & _PREFILTERS.keys())]
    # SQLite has no statistics here and may prefer an index on `state`, which finds a whole table.
    # A unary plus takes a column out of that choice (SQLite, "The Query Optimizer Overview").
    unindexed = _INDEXED_COLUMNS if found_by or "unit" in pins else ()

    def of(name: str) -> SqlCondition:
        if requested.get(name, False):
            return sa.true()
        return _fact_sql_in_branch(name, pinned, unindexed)

    forms = [sql_of(part, of) for part in parts]
    if "unit" in pins and not found_by:
        found_by = [_unit_equals_if(each for each in forms if not _mentions_message(each))]
    hidden = _unindexed_columns(unindexed)
    beside = [*found_by, *(_replace_columns(each, hidden) for each in sought)]
    return _combine(sa.and_, [*forms, *beside], nothing=sa.true(), decides=sa.false())


@lru_cache(maxsize=1_000)
def _fact_sql_in_branch(
    name: str, pinned: frozenset[str], unindexed: tuple[str, ...]
) -> SqlCondition:
    """The SQL of a fact inside a branch that fixes some columns.

    The branch fixes them to values of the request. The SQL is cached, because building it is slow.
    """
    form = _fact_sql(name, _NO_REQUEST_FACTS)
    if name not in _COLUMN_EQUALITIES:
        form = _replace_columns(form, dict(_COLUMN_EQUALITIES[each] for each in pinned))
    return _replace_columns(form, _unindexed_columns(unindexed))


def sql_of(condition: Condition, of: Callable[[str], SqlCondition]) -> SqlCondition:
    """The condition in SQL, with the given SQL for each fact."""
    meaning = Interpretation[SqlCondition](
        atom=of,
        negate=sa.not_,
        conjoin=lambda several: _combine(sa.and_, several, nothing=sa.true(), decides=sa.false()),
        disjoin=lambda several: _combine(sa.or_, several, nothing=sa.false(), decides=sa.true()),
    )
    form: SqlCondition = fold(condition, meaning)
    return form


def _combine(
    join: Callable[..., SqlCondition],
    several: Sequence[SqlCondition],
    *,
    nothing: SqlCondition,
    decides: SqlCondition,
) -> SqlCondition:
    """Several filters joined by AND or OR.

    If one of them is the constant that decides the result, only that constant is returned.
    """
    # x AND FALSE is FALSE, x OR TRUE is TRUE: folded here, so that no database evaluates the rest.
    if any(isinstance(each, type(decides)) for each in several):
        return decides
    return join(nothing, *several)


class _UnindexedColumn(FunctionElement[Any]):
    """A column that SQLite must not use as an index key here.

    SQLite then uses the index of the prefilter, which finds few rows, and not one that finds a
    whole unit or table. PostgreSQL has statistics and chooses well by itself, so there the column
    is compiled as a plain column.
    """

    inherit_cache = True


@compiles(_UnindexedColumn)
def _compile_plain_column(element: _UnindexedColumn, compiler: SQLCompiler, **more: Any) -> str:
    return compiler.process(element.clauses, **more)


@compiles(_UnindexedColumn, "sqlite")
def _compile_unary_plus(element: _UnindexedColumn, compiler: SQLCompiler, **more: Any) -> str:
    return f"+{_compile_plain_column(element, compiler, **more)}"


def _unindexed_columns(columns: Sequence[str]) -> Mapping[str, ColumnElement[Any]]:
    return {name: _UnindexedColumn(_TABLE.c[name]) for name in columns}


class _ConditionalUnit(FunctionElement[Any]):
    """The capacity's unit if a condition is true, and otherwise NULL.

    The condition names no column of the message.

    SQLite would evaluate such a condition again for every message, though the result is always the
    same. As a part of the value that an index is searched by, it is evaluated once, before the
    search. PostgreSQL does so by itself.
    """

    inherit_cache = True


@compiles(_ConditionalUnit)
def _compile_unit(element: _ConditionalUnit, compiler: SQLCompiler, **more: Any) -> str:
    unit, _ = element.clauses
    return compiler.process(unit, **more)


@compiles(_ConditionalUnit, "sqlite")
def _compile_case_when(element: _ConditionalUnit, compiler: SQLCompiler, **more: Any) -> str:
    unit, condition = element.clauses
    asked = compiler.process(condition, **more)  # first: values are bound in text order
    return f"CASE WHEN {asked} THEN {compiler.process(unit, **more)} END"


def _unit_equals_if(conditions: Iterable[SqlCondition]) -> SqlCondition:
    return _TABLE.c.unit == _ConditionalUnit(UNIT, sa.and_(sa.true(), *conditions))


def _mentions_message(form: SqlCondition) -> bool:
    return any(
        isinstance(part, Column) and part.table.name == _TABLE.name for part in iterate(form)
    )


def _replace_columns(form: SqlCondition, instead: Mapping[str, ColumnElement[Any]]) -> SqlCondition:
    """The filter with columns of the message replaced by other expressions."""

    def replace(element: ExternallyTraversible, **_: Any) -> ColumnElement[Any] | None:
        if isinstance(element, Column) and element.table.name == _TABLE.name:
            return instead.get(element.name)
        return None

    return replacement_traverse(form, {}, replace)
