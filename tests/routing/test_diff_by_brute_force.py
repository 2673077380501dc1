"""Random rule books against evaluators that are written here, the plainest way there is."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.domain import Metadata, UnitId
from inbox.routing.conditions import ConditionField, RuleCondition
from inbox.routing.lint import find_errors
from inbox.routing.route import route
from inbox.routing.rule_book import SAME_UNIT, RoutingRule, RuleId, RuleTarget
from tests.routing.random_rules import WORLD, book_of, random_rules


def says(condition: RuleCondition, metadata: Metadata) -> bool:
    title = re.split(r"\W+", (metadata.public_title or "").lower())
    seen: dict[ConditionField, bool] = {
        ConditionField.SENDER: metadata.sender in condition.values,
        ConditionField.SERVICE: metadata.service.value in condition.values,
        ConditionField.KNOWN_REFERENCE: ("false", "true")[metadata.known_unit is not None]
        in condition.values,
        ConditionField.PUBLIC_TITLE_HAS: any(
            word == value or (value[-1] == "-" and word[: len(value) - 1] == value[:-1])
            for word in title
            for value in condition.values
        ),
    }
    return seen[condition.field]


def fits(rule: RoutingRule, metadata: Metadata, day: date) -> bool:
    if rule.from_ is not None and day < rule.from_:
        return False
    if rule.until is not None and day > rule.until:
        return False
    if rule.except_ and all(says(condition, metadata) for condition in rule.except_):
        return False
    return all(says(condition, metadata) for condition in rule.when)


@st.composite
def some_book(draw: st.DrawFn, *, at_most: int = 4) -> tuple[RoutingRule, ...]:
    """Rules of which some go to one unit, some to that of the case, and some are ordered."""
    rules = draw(random_rules(at_most=at_most))
    ids = [rule.id for rule in rules]
    made = []
    for rule in rules:
        answers = any(
            c.field is ConditionField.KNOWN_REFERENCE and c.values == frozenset({"true"})
            for c in rule.when
        )
        units: list[RuleTarget] = [UnitId("u0"), UnitId("u1"), *([SAME_UNIT] if answers else [])]
        before = draw(st.lists(st.sampled_from(ids), max_size=2, unique=True))
        made.append(replace(rule, to=draw(st.sampled_from(units)), before=tuple(before)))
    return tuple(made)


def expected(
    rules: Sequence[RoutingRule], metadata: Metadata, day: date
) -> tuple[object, ...] | None:
    for rule in rules:
        if fits(rule, metadata, day):
            unit = metadata.known_unit if rule.to is SAME_UNIT else rule.to
            return (unit, rule.id, rule.release, rule.urgent)
    return None


def check_routes(rules: tuple[RoutingRule, ...]) -> None:
    book = book_of(rules)
    for metadata, day in WORLD:
        found = route(metadata, book, day)
        got = found and (found.unit, found.rule, found.release, found.urgent)
        assert got == expected(rules, metadata, day)


def reaches(rules: tuple[RoutingRule, ...], start: RuleId, end: RuleId) -> bool:
    """Whether `before` leads from one rule to another."""
    direct = {rule.id: rule.before for rule in rules}
    met, last = set[RuleId](), {start}
    while last:
        last = {other for one in last for other in direct[one]} - met
        met |= last
    return end in met


def check_lint(rules: tuple[RoutingRule, ...]) -> None:
    matched = [
        {n for n, (metadata, day) in enumerate(WORLD) if fits(rule, metadata, day)}
        for rule in rules
    ]
    dead = {rule.id for n, rule in enumerate(rules) if matched[n] <= set[int]().union(*matched[:n])}
    overlaps = {
        (rules[i].id, rules[j].id)
        for i, j in combinations(range(len(rules)), 2)
        if matched[i] & matched[j]
        and rules[i].to != rules[j].to
        and rules[i].to is not SAME_UNIT
        and not reaches(rules, rules[i].id, rules[j].id)
        and not reaches(rules, rules[j].id, rules[i].id)
    }

    found = find_errors(book_of(rules))

    assert {f.rules[0] for f in found if f.code == "routing.dead"} == dead
    assert {f.rules for f in found if f.code == "routing.overlap"} == overlaps


@given(rules=some_book())
@settings(deadline=None, max_examples=10)
def test_route_agrees_with_a_naive_evaluator_on_random_rule_books(
    rules: tuple[RoutingRule, ...],
) -> None:
    check_routes(rules)


@given(rules=some_book())
@settings(deadline=None, max_examples=25)
def test_lint_agrees_with_a_naive_evaluator_on_dead_and_overlapping_rules(
    rules: tuple[RoutingRule, ...],
) -> None:
    check_lint(rules)


@pytest.mark.long
@given(rules=some_book(at_most=6))
@settings(deadline=None, max_examples=2_000)
def test_route_and_lint_agree_with_naive_evaluators_on_many_rule_books(
    rules: tuple[RoutingRule, ...],
) -> None:
    check_routes(rules)
    check_lint(rules)
