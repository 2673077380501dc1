"""Decision diagrams say what trying every combination says, and covers have nothing to spare."""

from itertools import product

from hypothesis import example, given, settings
from hypothesis import strategies as st

from inbox.access.files.bdd import FALSE, TRUE, Bdd, BddAlgebra
from inbox.access.policy.conditions import Condition, Name, Not
from tests.access.condition_strategies import conditions_over, holds

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


def said(truths: BddAlgebra, truth: Bdd) -> list[bool]:
    """Its value in every world, by joining it with the one world that is meant."""
    each = (
        truths.conjunction(frozenset((name, name in world) for name in NAMES)) for world in WORLDS
    )
    return [truths.conjoin((truth, world)) != FALSE for world in each]


def made(condition: Condition) -> tuple[BddAlgebra, Bdd]:
    truths = BddAlgebra(NAMES)
    return truths, truths.compile_condition(condition, truths.variable)


@FEW
@given(conditions)
def test_bdd_of_a_condition_has_the_same_truth_table(condition: Condition) -> None:
    truths, truth = made(condition)

    assert said(truths, truth) == tried(condition)
    assert (truth == TRUE, truth == FALSE) == (all(tried(condition)), not any(tried(condition)))


@FEW
@given(conditions, conditions)
def test_bdds_of_equivalent_conditions_are_identical(one: Condition, other: Condition) -> None:
    truths, truth = made(one)

    assert (truth == truths.compile_condition(other, truths.variable)) is (
        tried(one) == tried(other)
    )


@FEW
@given(conditions)
def test_bdd_example_makes_the_condition_true(condition: Condition) -> None:
    truths, truth = made(condition)
    values = dict(zip(WORLDS, tried(condition), strict=True))

    if truth != FALSE:
        assert values[truths.satisfy_one(truth)]


@FEW
@given(conditions, st.sampled_from(NAMES))
@example(Name("a"), "a")
@example(Not(Name("a")), "a")
def test_bdd_exists_holds_for_either_value_of_the_fact(condition: Condition, name: str) -> None:
    truths, truth = made(condition)
    values = dict(zip(WORLDS, tried(condition), strict=True))

    assert said(truths, truths.exists(truth, [name])) == [
        values[world] or values[world ^ {name}] for world in WORLDS
    ]


@FEW
@given(conditions, conditions)
def test_bdd_cover_is_exact_irredundant_and_made_of_primes(
    condition: Condition, other: Condition
) -> None:
    truths, truth = made(condition)
    beside = truths.compile_condition(other, truths.variable)
    most = truths.disjoin((truth, beside))

    terms = truths.irredundant_cover(truth, beside)

    cover = truths.disjoin(map(truths.conjunction, terms))
    assert truths.and_not(truth, cover) == FALSE
    assert truths.and_not(cover, most) == FALSE
    for term in terms:
        rest = truths.disjoin(truths.conjunction(each) for each in terms if each != term)
        assert truths.and_not(truth, rest) != FALSE, "a term to spare"
        for literal in term:
            wider = truths.conjunction(term - {literal})
            assert truths.and_not(wider, most) != FALSE, "a fact to spare"


def test_bdd_terms_are_ordered_by_fact_with_positive_literals_first() -> None:
    truths = BddAlgebra("ab")
    a, b = truths.variable("a"), truths.variable("b")
    either = truths.disjoin((truths.and_not(a, b), truths.and_not(b, a)))

    assert truths.irredundant_cover(either) == (
        frozenset({("a", True), ("b", False)}),
        frozenset({("a", False), ("b", True)}),
    )
