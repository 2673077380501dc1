"""Listing: the rows of the policy as a filter, so that a list and a decision cannot disagree.

A UNION with one branch per rule that allows, and every rule that denies in each branch. Denied is a
filter that is false, never the absence of one.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select
from sqlmodel import col

from inbox.access.condition import ALWAYS, Meaning, fold
from inbox.access.facts import FACTS
from inbox.access.finding import facts_of_request, values_of
from inbox.access.policy import Policy
from inbox.access.subject import Capacity, Given, OfMessage
from inbox.access.words import Action, Effect
from inbox.tables import Message


def visible(
    policy: Policy,
    capacity: Capacity,
    now: datetime,
    action: Action,
    given: Given | None = None,
) -> Select[str]:
    """The ids of all messages on which this capacity may do this, as a SELECT to build on.

    `now` is the database's time of the transaction that the SELECT runs in: never keep it longer.
    """
    given = given or Given()
    meaning = _meaning(facts_of_request(capacity, given))
    rules = [rule for rule in policy.rules if rule.concerns(action, capacity.role)]
    forms = {rule.id: fold(policy.conditions[rule.when], meaning) for rule in rules}
    denied = [~forms[rule.id] for rule in rules if rule.effect is Effect.DENY]
    branches = [
        sa.select(col(Message.id)).where(forms[rule.id], *denied)
        for rule in rules
        if rule.effect is Effect.ALLOW
    ]
    if not branches:
        return sa.select(col(Message.id)).where(sa.false())
    ids = sa.union(*branches).subquery()
    return sa.select(ids.c.id).params(values_of(now, capacity, given))


def _meaning(of_request: dict[str, bool]) -> Meaning[ColumnElement[bool]]:
    def of(name: str) -> ColumnElement[bool]:
        if name == ALWAYS:
            return sa.true()
        if name in of_request:
            return sa.true() if of_request[name] else sa.false()
        return FACTS[name].forms.get(OfMessage, sa.false())

    def every(parts: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
        return sa.and_(*parts)

    def some(parts: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
        return sa.or_(*parts)

    return Meaning(of=of, negated=sa.not_, every=every, some=some)
