"""Who can do something to a message: the rules over all capacities at once, in one statement.

Each fact keeps its one form; what it is bound to in a decision is here a column of the capacity.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import BindParameter, ColumnElement, Select
from sqlalchemy.orm import Session
from sqlalchemy.sql.visitors import ExternallyTraversible, replacement_traverse

from inbox.access.branches import form_of
from inbox.access.condition import ALWAYS, Every, Not
from inbox.access.facts import FACTS, SUBJECTS
from inbox.access.finding import facts_of_request, values_of
from inbox.access.forms.asked import TARGET, Form, bound
from inbox.access.policy import Policy
from inbox.access.subject import Capacity, Given, OfMessage
from inbox.access.words import Action, Effect, Role, Rule, basis_first
from inbox.message import MessageId, OrgNumber, PersonId, UnitId
from inbox.tables import Capacity as CapacityRow
from inbox.tables import Message, Unit, table_of

_WHO: Final = table_of(CapacityRow).alias("who")
_HOME: Final = table_of(Unit).alias("home")
_MESSAGE: Final = table_of(Message)
_COLUMNS: Final[Mapping[str, ColumnElement[Any]]] = {
    "capacity": _WHO.c.id,
    "person": _WHO.c.person,
    "unit": _WHO.c.unit,
    "role": _WHO.c.role,
    "organisation": _HOME.c.organisation,
    "case_system": sa.null(),
}
"""What a capacity brings to a question, as columns."""
_SHOWN: Final = (_WHO.c.id, _WHO.c.person, _WHO.c.unit, _WHO.c.role)


@dataclass(frozen=True, kw_only=True)
class Able:
    """A capacity that may, and the rules by which it may: the basis of a decision first."""

    capacity: str
    person: PersonId
    unit: UnitId
    role: Role
    rules: tuple[str, ...]


def who_can(  # noqa: PLR0913 - a question has these parts
    session: Session,
    policy: Policy,
    now: datetime,
    *,
    action: Action,
    message_id: MessageId,
    given: Given,
    on: datetime | None = None,
) -> tuple[Able, ...]:
    """Every person's capacity that may, after a strong sign-in and with what is given.

    `on` is the time of everything with a period: capacities, clearances, assignments, grants. The
    message is in the state and with the unit that it is in now.
    """
    selects = [
        select
        for role in Role
        if role is not Role.CASE_SYSTEM
        for to_self in ([False] if given.target is None else [False, True])
        for select in _by_rule(policy, action, _Group(role=role, given=given, to_self=to_self))
    ]
    if OfMessage not in SUBJECTS[action] or not selects:
        return ()
    anybody = _Group(role=Role.HANDLER, given=given, to_self=False).anybody()
    values = values_of(on or now, anybody, given, OfMessage(message_id=message_id))
    rules = {rule.id: rule for rule in policy.rules}
    found: dict[tuple[str, str, str, str], list[Rule]] = {}
    for who_id, person, unit, role_name, rule_id in session.execute(sa.union_all(*selects), values):
        found.setdefault((person, unit, role_name, who_id), []).append(rules[rule_id])
    return tuple(
        Able(
            capacity=who_id,
            person=PersonId(person),
            unit=UnitId(unit),
            role=Role(role_name),
            rules=tuple(rule.id for rule in basis_first(allows)),
        )
        for (person, unit, role_name, who_id), allows in sorted(found.items(), key=_order)
    )


def _order(item: tuple[tuple[str, str, str, str], list[Rule]]) -> tuple[str, str, str, str]:
    return item[0]


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Capacities of which the facts of the request are the same."""

    role: Role
    given: Given
    to_self: bool
    """They are the person that something is given to."""

    def anybody(self) -> Capacity:
        """One that stands for all of them, where only the request is asked."""
        person = self.given.target if self.to_self and self.given.target else PersonId("")
        return Capacity(
            id="",
            role=self.role,
            organisation=OrgNumber(""),
            person=person,
            unit=UnitId(""),
            strong_auth=True,
        )

    def of_these(self) -> list[Form]:
        """The rows of the group."""
        rows: list[Form] = [_WHO.c.role == self.role.value]
        if self.given.target is not None:
            rows.append((_WHO.c.person == TARGET) if self.to_self else (_WHO.c.person != TARGET))
        return rows


def _by_rule(policy: Policy, action: Action, group: _Group) -> Iterator[Select[Any]]:
    """For each rule that allows, the capacities of the group that it allows and none denies."""
    rules = [rule for rule in policy.rules if rule.concerns(action, group.role)]
    requested = facts_of_request(group.anybody(), group.given)
    denies = [Not(policy.conditions[r.when]) for r in rules if r.effect is Effect.DENY]

    def of(name: str) -> Form:
        if name == ALWAYS or requested.get(name, False):
            return sa.true()
        form = FACTS[name].forms.get(OfMessage)
        return sa.false() if form is None else replacement_traverse(form, {}, _column_for)

    for rule in rules:
        if rule.effect is Effect.ALLOW:
            whole = Every((policy.conditions[rule.when], *denies))
            yield (
                sa.select(*_SHOWN, sa.literal(rule.id))
                .select_from(_WHO)
                .join(_HOME, _HOME.c.id == _WHO.c.unit)
                .join(_MESSAGE, _MESSAGE.c.id == bound("message_id"))
                .where(*group.of_these(), form_of(whole, of))
            )


def _column_for(element: ExternallyTraversible, **_: object) -> ColumnElement[Any] | None:
    return _COLUMNS.get(element.key) if isinstance(element, BindParameter) else None
