"""What each rule that allows an action requires: of the rows, and of the request.

The problem: "who could open this message" is asked before there is a request. Some facts are known
then (who is in the unit), and some come with a request only: a reason, a strong sign-in, a person
to give something to, another person's proposal. A yes or no is no answer; "yes, with a reason" is.

The method: partial evaluation. Each allow rule, joined with the negation of the deny rules that
depend on the request, is written in disjunctive normal form (DNF). Each term has two parts: what
the rows must say, which `who_can` asks the database, and what the request must supply, which people
read.

An example, with the rule for emergency access: two ways, which require the same of a request.

    >>> when = "(in_unit or in_parent_unit) and strong_auth and reason_given"
    >>> rule = PolicyRule(id="A20", actions="breakglass", roles="leader", when=when,
    ...     effect=Effect.ALLOW)
    >>> policy = Policy([rule], facts=FACTS, digest="")
    >>> ways = list(allow_conditions(policy, Action.BREAKGLASS, Role.LEADER))
    >>> [[part.name for part in way.row_conditions] for way in ways]
    [['in_unit'], ['in_parent_unit']]
    >>> describe_requirements(way.requires for way in ways)
    'reason_given and strong_auth'

Not done here: no row is read. Deny rules that rows alone decide are not split into terms, for their
number would multiply; they are joined as they are.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy.sql import visitors

from inbox.access.facts.parameters import PROPOSAL, TARGET
from inbox.access.facts.registry import FACTS
from inbox.access.policy.conditions import (
    MAX_DNF_TERMS,
    And,
    Condition,
    Conjunction,
    Name,
    Not,
    dnf_of,
    literal_text,
    names_in,
)
from inbox.access.policy.engine import Policy
from inbox.access.policy.vocabulary import Action, Effect, PolicyRule, Role
from inbox.access.question import OfMessage, RequestFacts

COMPLETE_REQUEST: Final = RequestFacts(
    reason_given=True,
    reference_given=True,
    period_given=True,
    waivable=True,
    same_documents=True,
)
"""A request with everything that can help an action to be allowed, but without a target."""
_MAX_TERMS: Final = 16 * MAX_DNF_TERMS


def _uses_parameter(name: str, *named: str) -> bool:
    """Whether the SQL of a fact about a message uses one of these bind parameters."""
    form = FACTS[name].sql_by_subject.get(OfMessage)
    found = () if form is None else visitors.iterate(form)
    return any(getattr(each, "key", None) in named for each in found)


_TARGET_FACTS: Final = frozenset(name for name in FACTS if _uses_parameter(name, TARGET.key))
SUPPLIED_FACTS: Final = frozenset(
    name
    for name, fact in FACTS.items()
    if fact.from_request is not None or _uses_parameter(name, TARGET.key, PROPOSAL.key)
)
"""Facts that depend on the request: it states them, or names their target or proposal."""
SUPPLIED_FACTS_WITH_KNOWN_TARGET: Final = SUPPLIED_FACTS - _TARGET_FACTS - {"target_is_self"}
"""The same where the target is known: the rows then answer the facts about that person."""


@dataclass(frozen=True, kw_only=True)
class AllowCondition:
    """One combination that allows an action.

    It consists of conditions on database rows, and literals that the request must supply.
    """

    rule: PolicyRule
    row_conditions: tuple[Condition, ...]
    """All must be true; none of them uses a fact that a request supplies."""
    requires: Conjunction


def allow_conditions(
    policy: Policy, action: Action, role: Role, supplied: Collection[str] = SUPPLIED_FACTS
) -> Iterator[AllowCondition]:
    """Every combination in which an allow rule matches and no deny rule does.

    Raises `PolicyError` if a rule, with the denials that depend on the request, has more than
    `_MAX_TERMS` terms.
    """
    rules = [rule for rule in policy.rules if rule.applies_to(action, role)]
    denies = [Not(policy.conditions[rule.when]) for rule in rules if rule.effect is Effect.DENY]
    # A deny that only rows decide stays whole: the database evaluates it as one condition. One that
    # depends on the request is split, because people read which literals the request must supply.
    by_rows = [deny for deny in denies if names_in(deny).isdisjoint(supplied)]
    by_request = [deny for deny in denies if deny not in by_rows]
    for rule in rules:
        if rule.effect is Effect.ALLOW:
            for way in dnf_of(And((policy.conditions[rule.when], *by_request)), _MAX_TERMS):
                # The split of one term: literals that a request supplies, and literals about rows.
                takes = frozenset(literal for literal in way if literal[0] in supplied)
                rows = (Name(n) if held else Not(Name(n)) for n, held in sorted(way - takes))
                yield AllowCondition(rule=rule, row_conditions=(*rows, *by_rows), requires=takes)


def describe_requirements(requirements: Iterable[Conjunction]) -> str:
    """The requirements in the form of a policy condition.

    The alternatives are joined by `or`, the shortest first. An alternative that requires nothing is
    written `nothing`; if no alternative requires anything, the text is empty.
    """
    ways = sorted(set(requirements), key=_size_order)
    said = (
        " and ".join(literal_text(*literal) for literal in sorted(way, key=_literal_order))
        for way in ways
    )
    return " or ".join(each or "nothing" for each in said) if any(ways) else ""


def minimal(requirements: Iterable[Conjunction]) -> Collection[Conjunction]:
    """The minimal alternatives: those that are no proper superset of another one."""
    ways = set(requirements)
    return [way for way in ways if not any(other < way for other in ways)]


def _size_order(way: Conjunction) -> tuple[int, list[tuple[bool, str]]]:
    return len(way), sorted(map(_literal_order, way))


def _literal_order(literal: tuple[str, bool]) -> tuple[bool, str]:
    name, held = literal
    return not held, name
