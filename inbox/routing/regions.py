"""Set operations on regions of messages.

They decide whether two rules overlap, and whether a rule is dead because earlier rules match
everything that it does.

A region is a set of messages: for each field the values it may have, the words its title must and
must not have, and the days. Every field but the title is a finite set of values or everything
but one, and fields vary independently of each other, so the answers are exact. A word of a title
is a feature of its own: titles with any two words exist, so title words never make two rules
disjoint; only an exception that names them does.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from inbox.routing.conditions import (
    CLOSED_FIELD_VALUES,
    ConditionField,
    RuleCondition,
    word_matches,
)
from inbox.routing.rule_book import RoutingRule

MAX_STEPS = 1_000
"""After so many steps a rule is taken to be alive: a lint may miss, it may not accuse wrongly."""

_UNUSED_LETTER = "\uffff"  # no word has it, so `barnevern` + this is a compound that no rule names


@dataclass(frozen=True, kw_only=True)
class Region:
    """A set of messages and days; a field that is not mentioned is unrestricted."""

    allowed: Mapping[ConditionField, frozenset[str]]
    excluded: Mapping[ConditionField, frozenset[str]]
    title_any: tuple[frozenset[str], ...] = ()
    """The title fits at least one word of each of these."""
    title_none: frozenset[str] = frozenset()
    """The title fits none of these."""
    first: date = date.min
    last: date = date.max

    def is_empty(self) -> bool:
        """Whether the region contains no message on any day."""
        return (
            self.first > self.last
            or any(not v - self.excluded.get(f, frozenset()) for f, v in self.allowed.items())
            or not all(self._has_title_with(words) for words in self.title_any)
        )

    def _has_title_with(self, words: frozenset[str]) -> bool:
        return any(not covers(self.title_none, word) for word in words)


def covers(words: Iterable[str], word: str) -> bool:
    """Whether every title that has this word of a rule also has one of those words."""
    example = word[:-1] + _UNUSED_LETTER if word.endswith("-") else word
    return any(word_matches(one, example) for one in words)


ALL_MESSAGES = Region(allowed=CLOSED_FIELD_VALUES, excluded={})


def _restrict(region: Region, condition: RuleCondition) -> Region:
    field, values = condition.field, condition.values
    if field is ConditionField.PUBLIC_TITLE_HAS:
        return replace(region, title_any=(*region.title_any, values))
    left = region.allowed.get(field, values) & values
    return replace(region, allowed={**region.allowed, field: left})


def _exclude(region: Region, condition: RuleCondition) -> Region:
    field, values = condition.field, condition.values
    if field is ConditionField.PUBLIC_TITLE_HAS:
        return replace(region, title_none=region.title_none | values)
    gone = region.excluded.get(field, frozenset()) | values
    return replace(region, excluded={**region.excluded, field: gone})


def _restrict_all(region: Region, conditions: Sequence[RuleCondition]) -> Region:
    for condition in conditions:
        region = _restrict(region, condition)
    return region


def _complement_pieces(region: Region, conditions: Sequence[RuleCondition]) -> Iterator[Region]:
    """The complement of a conjunction as disjoint pieces.

    Each piece is defined by the first condition that fails.
    """
    for number, condition in enumerate(conditions):
        yield _exclude(_restrict_all(region, conditions[:number]), condition)


def intersection(region: Region, rule: RoutingRule) -> Iterator[Region]:
    """The part of a region that the rule matches, as non-empty pieces."""
    first, last = (
        max(region.first, rule.from_ or date.min),
        min(region.last, rule.until or date.max),
    )
    matched = _restrict_all(replace(region, first=first, last=last), rule.when)
    pieces = _complement_pieces(matched, rule.except_) if rule.except_ else iter((matched,))
    return (piece for piece in pieces if not piece.is_empty())


def difference(region: Region, rule: RoutingRule) -> Iterator[Region]:
    """The part of a region that the rule does not match, as non-empty pieces."""
    return (piece for piece in _difference_pieces(region, rule) if not piece.is_empty())


def _difference_pieces(region: Region, rule: RoutingRule) -> Iterator[Region]:
    first, last = rule.from_ or date.min, rule.until or date.max
    if region.first < first:
        yield replace(region, last=min(region.last, first - timedelta(days=1)))
    if last < region.last:
        yield replace(region, first=max(region.first, last + timedelta(days=1)))
    during = replace(region, first=max(region.first, first), last=min(region.last, last))
    yield from _complement_pieces(during, rule.when)
    if rule.except_:
        yield _restrict_all(during, (*rule.when, *rule.except_))


def intersects(region: Region, rule: RoutingRule) -> bool:
    """Whether the rule matches any message of a region."""
    return any(True for _ in intersection(region, rule))


def rules_overlap(one: RoutingRule, other: RoutingRule) -> bool:
    """Whether some message on some day matches both rules."""
    return any(intersects(piece, other) for piece in intersection(ALL_MESSAGES, one))


def is_dead(rule: RoutingRule, earlier: Sequence[RoutingRule]) -> bool:
    """Whether the rule can never decide.

    This is so if it contradicts itself, or if earlier rules match everything that it matches.

    Several earlier rules may do so together. Gives up after `MAX_STEPS` and says no.
    """
    in_the_way = sorted(
        (other for other in earlier if rules_overlap(other, rule)),
        key=lambda other: len(other.when) + len(other.except_),  # the broad leave fewer pieces
    )
    todo = [(piece, 0) for piece in intersection(ALL_MESSAGES, rule)]
    steps = 0
    while todo and steps < MAX_STEPS:
        piece, number = todo.pop()
        if number == len(in_the_way):
            return False
        todo += [(left, number + 1) for left in difference(piece, in_the_way[number])]
        steps += 1
    return not todo
