"""What a request must bring is told in few words: no way beside a shorter one that it holds."""

from inbox.access import Action, Policy, Role
from inbox.access.facts.registry import FACTS
from inbox.access.policy.conditions import Name, Not
from inbox.access.review.requirements import allow_conditions, describe_requirements, minimal
from tests.access.town import allow, deny

A, B, NOT_A = ("reason_given", True), ("strong_auth", True), ("reason_given", False)


def need(*literals: tuple[str, bool]) -> frozenset[tuple[str, bool]]:
    return frozenset(literals)


def test_requirements_that_include_a_smaller_alternative_are_dropped() -> None:
    assert set(minimal([need(A, B), need(A), need(NOT_A, B)])) == {need(A), need(NOT_A, B)}
    assert set(minimal([need(A), need(A, B), need(), need(B)])) == {need()}
    assert set(minimal([need(A), need(A)])) == {need(A)}
    assert set(minimal([])) == set()


def test_requirements_are_worded_shortest_first_and_empty_if_none_are_needed() -> None:
    assert describe_requirements([]) == ""
    assert describe_requirements([need()]) == ""
    assert describe_requirements([need(A, B)]) == "reason_given and strong_auth"
    assert (
        describe_requirements([need(A, B), need(NOT_A)])
        == "not reason_given or reason_given and strong_auth"
    )
    assert describe_requirements([need(A), need()]) == "nothing or reason_given"


def test_each_way_separates_row_conditions_from_request_requirements() -> None:
    policy = Policy(
        [
            allow("A01", "list", "handler", "assigned and (reason_given or in_unit)"),
            deny("D01", "list", "*", "conflict"),
            deny("D02", "list", "*", "quarantined and not strong_auth"),
        ],
        facts=FACTS,
        digest="d",
    )

    ways = [*allow_conditions(policy, Action.LIST, Role.HANDLER)]

    assert {way.rule.id for way in ways} == {"A01"}
    assert {way.requires for way in ways} == {need(), need(A), need(B), need(A, B)}
    for way in ways:
        assert Name("assigned") in way.row_conditions
        assert (Not(Name("quarantined")) in way.row_conditions) is (B not in way.requires)
        assert (Name("in_unit") in way.row_conditions) is (A not in way.requires)
    assert [*allow_conditions(policy, Action.OPEN, Role.HANDLER)] == []
