"""Decision diagrams say what trying every combination says, and covers have nothing to spare."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.access.files.bdd import EVER, NEVER, Truth, Truths
from inbox.access.policy.conditions import Condition
from tests.access.any_condition import conditions_over, holds

NAMES = ("a", "b", "c", "d")
WORLDS = [
    frozenset(name for name, held in zip(NAMES, values, strict=True) if held)
    for values in product([True, False], repeat=len(NAMES))
]
conditions = conditions_over(NAMES)

FEW = settings(max_examples=40)


def tried(condition: Condition) -> list[bool]:
    """Its value in every world, the slow way."""
    return [holds(condition, world) for world in WORLDS]


def said(truths: Truths, truth: Truth) -> list[bool]:
    """Its value in every world, by joining it with the one world that is meant."""
    each = (truths.term(frozenset((name, name in world) for name in NAMES)) for world in WORLDS)
    return [truths.every((truth, world)) != NEVER for world in each]


def made(condition: Condition) -> tuple[Truths, Truth]:
    truths = Truths(NAMES)
    return truths, truths.where(condition, truths.fact)


@FEW
@given(conditions)
def test_a_truth_is_the_condition(condition: Condition) -> None:
    truths, truth = made(condition)

    assert said(truths, truth) == tried(condition)
    assert (truth == EVER, truth == NEVER) == (all(tried(condition)), not any(tried(condition)))


@FEW
@given(conditions, conditions)
def test_conditions_that_mean_the_same_are_the_same(one: Condition, other: Condition) -> None:
    truths, truth = made(one)

    assert (truth == truths.where(other, truths.fact)) is (tried(one) == tried(other))


@FEW
@given(conditions)
def test_an_example_is_one(condition: Condition) -> None:
    truths, truth = made(condition)
    values = dict(zip(WORLDS, tried(condition), strict=True))

    if truth != NEVER:
        assert values[truths.example(truth)]


@FEW
@given(conditions, st.sampled_from(NAMES))
def test_whatever_a_fact_is_it_can_hold(condition: Condition, name: str) -> None:
    truths, truth = made(condition)
    values = dict(zip(WORLDS, tried(condition), strict=True))

    assert said(truths, truths.whatever(truth, [name])) == [
        values[world] or values[world ^ {name}] for world in WORLDS
    ]


@FEW
@given(conditions, conditions)
def test_a_cover_is_exact_and_has_nothing_to_spare(condition: Condition, other: Condition) -> None:
    truths, truth = made(condition)
    beside = truths.where(other, truths.fact)
    most = truths.some((truth, beside))

    terms = truths.terms(truth, beside)

    cover = truths.some(map(truths.term, terms))
    assert truths.but(truth, cover) == NEVER
    assert truths.but(cover, most) == NEVER
    for term in terms:
        rest = truths.some(truths.term(each) for each in terms if each != term)
        assert truths.but(truth, rest) != NEVER, "a term to spare"
        for literal in term:
            wider = truths.term(term - {literal})
            assert truths.but(wider, most) != NEVER, "a fact to spare"


def test_terms_come_in_the_order_of_the_facts_what_must_hold_first() -> None:
    truths = Truths("ab")
    a, b = truths.fact("a"), truths.fact("b")
    either = truths.some((truths.but(a, b), truths.but(b, a)))

    assert truths.terms(either) == (
        frozenset({("a", True), ("b", False)}),
        frozenset({("a", False), ("b", True)}),
    )
