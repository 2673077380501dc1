"""The ways in which a policy says yes, where a request may bring whatever lets it through.

Who could do something is asked before there is a request. So what one brings (a reason, a strong
sign-in, a person to give to, another person's proposal) is not looked at: it is told, beside what
the rows must say.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy.sql import visitors

from inbox.access.facts.parameters import PROPOSAL, TARGET
from inbox.access.facts.registry import FACTS
from inbox.access.policy.conditions import (
    MOST_WAYS,
    Condition,
    Every,
    Name,
    Need,
    Not,
    literal_of,
    names_in,
    ways_of,
)
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Effect, Role, Rule
from inbox.access.question import Given, OfMessage

EVERYTHING_GIVEN: Final = Given(
    reason_given=True,
    reference_given=True,
    period_given=True,
    waivable=True,
    same_documents=True,
)
"""All that a request can bring, but nobody that something is given to."""
_MOST: Final = 16 * MOST_WAYS


def _asks_for(name: str, *named: str) -> bool:
    """Whether the SQL of a fact about a message uses one of these bind parameters."""
    form = FACTS[name].forms.get(OfMessage)
    found = () if form is None else visitors.iterate(form)
    return any(getattr(each, "key", None) in named for each in found)


_OF_TARGET: Final = frozenset(name for name in FACTS if _asks_for(name, TARGET.key))
BROUGHT: Final = frozenset(
    name
    for name, fact in FACTS.items()
    if fact.given is not None or _asks_for(name, TARGET.key, PROPOSAL.key)
)
"""The facts about a message that a request brings, or that are of whom or what it names."""
BROUGHT_TO_ONE: Final = BROUGHT - _OF_TARGET - {"target_is_self"}
"""The same where it is said whom something is given to: of that person the rows tell."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way of getting a yes: what must be so, and what a request must bring beside it."""

    rule: Rule
    rows: tuple[Condition, ...]
    """All of them; none uses a fact that is brought."""
    takes: Need


def ways_to(
    policy: Policy, action: Action, role: Role, brought: Collection[str] = BROUGHT
) -> Iterator[Way]:
    """Every combination in which an allow rule matches and no deny rule does.

    Raises `PolicyError` where a rule and what denies it have too many ways to tell.
    """
    rules = [rule for rule in policy.rules if rule.concerns(action, role)]
    denies = [Not(policy.conditions[rule.when]) for rule in rules if rule.effect is Effect.DENY]
    by_rows = [deny for deny in denies if names_in(deny).isdisjoint(brought)]
    by_request = [deny for deny in denies if deny not in by_rows]
    for rule in rules:
        if rule.effect is Effect.ALLOW:
            for way in ways_of(Every((policy.conditions[rule.when], *by_request)), _MOST):
                takes = frozenset(literal for literal in way if literal[0] in brought)
                rows = (Name(n) if held else Not(Name(n)) for n, held in sorted(way - takes))
                yield Way(rule=rule, rows=(*rows, *by_rows), takes=takes)


def told(takes: Iterable[Need]) -> str:
    """The requirements as a policy condition: alternatives joined by `or`, the shortest first."""
    ways = sorted(set(takes), key=_length)
    said = (
        " and ".join(literal_of(*literal) for literal in sorted(way, key=_order)) for way in ways
    )
    return " or ".join(each or "nothing" for each in said) if any(ways) else ""


def fewest(takes: Iterable[Need]) -> Collection[Need]:
    """The minimal alternatives: those that are no proper superset of another one."""
    ways = set(takes)
    return [way for way in ways if not any(other < way for other in ways)]


def _length(way: Need) -> tuple[int, list[tuple[bool, str]]]:
    return len(way), sorted(map(_order, way))


def _order(literal: tuple[str, bool]) -> tuple[bool, str]:
    name, held = literal
    return not held, name
