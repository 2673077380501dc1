"""The language of the policy files: what it reads, what it refuses, and that all uses agree."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.access.policy.conditions import (
    ALWAYS,
    And,
    Condition,
    Name,
    Not,
    Or,
    dnf_of,
    dnf_size,
    names_in,
    read_condition,
)
from inbox.access.policy.conditions import holds as condition_holds
from inbox.access.policy.engine import Effect, Policy, PolicyRule
from inbox.errors import PolicyError
from tests.access.condition_strategies import conditions_over, holds

NAMES = ("a", "b", "c")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a and",
        "and a",
        "or",
        "not",
        "a b",
        "(a",
        "a)",
        ")a(",
        "a)(",
        "()",
        "a and (b or c",
        "a & b",
        "a && b",
        "!a",
        "a == b",
        "a.b",
        "f(a)",
        "a\nand b",
        "a\u00a0and b",
        "A",
        "å",
        "1",
        "true",
        "always_true",
        "unknown",
        "a, b",
        "a # b",
        "'a'",
        "a and " * 100 + "a",
        "(" * 300 + "a" + ")" * 300,
    ],
)
def test_invalid_condition_text_is_refused(text: str) -> None:
    with pytest.raises(PolicyError):
        read_condition(text, NAMES)


@pytest.mark.parametrize(
    ("text", "code", "read"),
    [
        ("a or and", "policy.condition_name", "read «and»"),
        ("a or )", "policy.condition_name", "read «)»"),
        ("(a", "policy.condition", "read «(a»"),
        ("(a b)", "policy.condition", "read «(a b)»"),
        ("a) or b", "policy.condition", "read «)»"),
        ("a & " + "b" * 100, "policy.condition", "read « & " + "b" * 77 + "…»"),
        ("a" * 401, "policy.condition", "read 401 characters"),
    ],
)
def test_refused_condition_has_a_code_and_a_short_quote(text: str, code: str, read: str) -> None:
    with pytest.raises(PolicyError) as refused:
        read_condition(text, NAMES)

    assert refused.value.code == code
    assert refused.value.reason.startswith(f"{read}; allowed: ")


def test_condition_of_400_characters_is_accepted() -> None:
    assert read_condition("a".ljust(400), NAMES) == Name("a")


def test_single_name_in_brackets_is_read_without_an_and_or_or_node() -> None:
    assert read_condition("((a))", NAMES) == Name("a")
    assert read_condition("not (a)", NAMES) == Not(Name("a"))


@pytest.mark.parametrize("text", ["a or b and c", "a and b or c", "(a and b or c) and a"])
def test_condition_with_and_beside_or_requires_brackets(text: str) -> None:
    with pytest.raises(PolicyError, match="without brackets"):
        read_condition(text, NAMES)


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("a", "a"),
        ("always", "True"),
        ("not a and b", "(not a) and b"),
        ("not (a and b)", "not (a and b)"),
        ("not not a", "a"),
        ("(a and b) or c", "(a and b) or c"),
        ("a and (b or c)", "a and (b or c)"),
        ("((a))", "a"),
    ],
)
def test_condition_has_the_truth_table_of_the_same_python_expression(
    text: str, python: str
) -> None:
    condition = read_condition(text, NAMES)

    for values in product([True, False], repeat=3):
        facts = dict(zip(NAMES, values, strict=True))
        expected = eval(python, {}, dict(facts))  # noqa: S307 - the four lines above
        assert holds(condition, [name for name in NAMES if facts[name]]) is expected


@given(conditions_over(NAMES))
def test_ways_of_a_condition_are_fulfilled_exactly_when_the_condition_holds(
    condition: Condition,
) -> None:
    assert names_in(condition) <= set(NAMES)
    for values in product([True, False], repeat=3):
        facts = dict(zip(NAMES, values, strict=True))
        fulfilled = any(
            all(facts[name] is wanted for name, wanted in way) for way in dnf_of(condition)
        )
        assert fulfilled is holds(condition, [name for name in NAMES if facts[name]])


@given(conditions_over(NAMES))
def test_number_of_ways_is_an_upper_bound_of_the_ways_made(condition: Condition) -> None:
    assert len(dnf_of(condition, at_most=10**6)) <= dnf_size(condition)


def two_to_the(number: int) -> Condition:
    """So many times one of two, each time of other facts."""
    return And(tuple(Or((Name(f"a{each}"), Name(f"b{each}"))) for each in range(number)))


@pytest.mark.parametrize(
    "condition",
    [
        two_to_the(100),
        Not(Not(two_to_the(100))),
        And((two_to_the(100), Not(Name(ALWAYS)))),
        Not(Or(tuple(Not(part) for part in two_to_the(100).parts))),  # type: ignore[union-attr] # an Every
    ],
    ids=["an and of ors", "denied twice", "that can never be", "the same with not"],
)
def test_condition_with_too_many_ways_is_refused_before_ways_are_made(condition: Condition) -> None:
    """It would not end otherwise."""
    assert dnf_size(condition) == 2**100
    with pytest.raises(PolicyError, match="condition_ways"):
        dnf_of(condition)


def test_condition_may_have_64_ways_but_not_128() -> None:
    assert len(dnf_of(two_to_the(6))) == 64
    with pytest.raises(PolicyError, match="128 ways of fulfilling it; allowed: 64"):
        dnf_of(two_to_the(7))


def test_policy_with_thirty_ors_in_each_condition_is_refused() -> None:
    """Thirty in the longest cell: made one by one they would be two to the thirtieth power."""
    when = " and ".join(["(a or b)"] * 30)
    assert len(when) < 400
    rule = PolicyRule(id="A01", actions="open", roles="handler", when=when, effect=Effect.ALLOW)
    four = [replace(rule, id=f"A{number:02}") for number in range(1, 5)]

    with pytest.raises(PolicyError, match="condition_ways"):
        Policy(four, facts=NAMES, digest="d")


def test_contradictory_way_of_a_condition_is_dropped() -> None:
    assert dnf_of(read_condition("a and not a", NAMES)) == ()
    assert dnf_of(read_condition("not (a or not a)", NAMES)) == ()
    assert dnf_of(read_condition("(a or b) and not a", NAMES)) == (
        frozenset({("b", True), ("a", False)}),
    )


@given(conditions_over(NAMES), st.sets(st.sampled_from(NAMES)))
def test_condition_is_evaluated_with_missing_facts_as_false(
    condition: Condition, held: set[str]
) -> None:
    facts = {name: name in held for name in NAMES if name != "c" or name in held}

    assert condition_holds(condition, facts) is holds(condition, held)
