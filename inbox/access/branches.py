"""The rules of a policy as filters: a list and a decision are made of the same rows and forms.

One branch for each way of fulfilling a rule that allows, with every rule that denies in each:
SQLite finds nothing by an index where one WHERE joins the ways with OR.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.sql.elements import False_
from sqlmodel import col

from inbox.access import forms
from inbox.access.condition import ALWAYS, Condition, Meaning, fold, ways_of
from inbox.access.facts import FACTS
from inbox.access.forms import Form
from inbox.access.policy import Policy
from inbox.access.subject import OfMessage
from inbox.access.words import Action, Effect, Role
from inbox.tables import Assignment, Delivery, Message

_MOST_WAYS: Final = 8
"""A rule with more ways than these is one branch: the same rows, found more slowly."""

_FOUND_BY: Final[Mapping[str, Form]] = {
    "assigned": col(Message.id).in_(
        sa.select(col(Assignment.message_id)).where(col(Assignment.person) == forms.PERSON)
    ),
    "own_delivery": col(Message.id).in_(
        sa.select(col(Delivery.message_id)).where(col(Delivery.case_system) == forms.SYSTEM)
    ),
}
"""What follows from a fact and can be looked up: the way to few rows among many.

It stands beside the form of the fact, never in its place, so it shows nothing more.
"""


def branches_of(
    policy: Policy, action: Action, role: Role, requested: Mapping[str, bool]
) -> list[Form]:
    """Filters of which one must hold; none where nothing allows, and then nothing may be shown.

    `requested` are the facts of the request: they are decided here, not by the database.
    """
    rules = [rule for rule in policy.rules if rule.concerns(action, role)]
    meaning = _meaning(requested)
    denies = [
        ~fold(policy.conditions[rule.when], meaning) for rule in rules if rule.effect is Effect.DENY
    ]
    return [
        sa.and_(*way, *denies)
        for rule in rules
        if rule.effect is Effect.ALLOW
        for way in _ways(policy.conditions[rule.when], requested)
    ]


def _ways(condition: Condition, requested: Mapping[str, bool]) -> Iterator[list[Form]]:
    ways = ways_of(condition)
    meaning = _meaning(requested)
    if len(ways) > _MOST_WAYS:
        yield [fold(condition, meaning)]
        return
    for way in ways:
        needs = [meaning.of(name) if held else ~meaning.of(name) for name, held in sorted(way)]
        if not any(isinstance(need, False_) for need in needs):
            found_by = [_FOUND_BY[name] for name, held in way if held and name in _FOUND_BY]
            yield [*needs, *found_by]


def _meaning(requested: Mapping[str, bool]) -> Meaning[Form]:
    def of(name: str) -> Form:
        if name == ALWAYS or requested.get(name, False):
            return sa.true()
        return FACTS[name].forms.get(OfMessage, sa.false())

    def every(parts: Sequence[Form]) -> Form:
        return sa.and_(*parts)

    def some(parts: Sequence[Form]) -> Form:
        return sa.or_(*parts)

    return Meaning(of=of, negated=sa.not_, every=every, some=some)
