"""Proofs: they hold for the product's policy, name what breaks them, and are exact."""

import random
from itertools import product

import pytest

from inbox.access import Action, Policy, Role
from inbox.access.files.folder import PolicyDraft, load_draft, read_policy
from inbox.access.files.invariants import read_invariants
from inbox.access.files.proofs import Violation, check_invariants, violated_invariants
from inbox.access.policy.conditions import names_in
from inbox.access.policy.vocabulary import PolicyRule
from inbox.errors import PolicyError
from tests.access.condition_strategies import holds
from tests.access.town import POLICIES, allow, deny, policy_files


@pytest.fixture(scope="module")
def draft() -> PolicyDraft:
    return load_draft(POLICIES)


def small(*rules: PolicyRule) -> Policy:
    return Policy(rules, facts=("a", "b", "c"), digest="d")


def broken(policy: Policy, *lines: str) -> tuple[Violation, ...]:
    raw = "\n".join([f"# rows: {len(lines)}", *lines]).encode()
    return violated_invariants(policy, read_invariants(raw, policy.facts))


def test_every_invariant_of_the_shipped_policy_holds(draft: PolicyDraft) -> None:
    assert violated_invariants(draft.policy, draft.invariants) == ()


def test_every_action_appears_in_a_shipped_invariant(draft: PolicyDraft) -> None:
    invariants = [claim.condition for claim in draft.invariants if not claim.is_assumption]

    assert frozenset(Action) <= frozenset().union(*map(names_in, invariants))


def test_broken_invariant_is_reported_with_a_role_and_the_facts_that_break_it() -> None:
    (found,) = broken(small(allow("A01", "open", "handler", "a or (b and c)")), "open implies a")

    assert (found.role, found.holding, found.lacking) == (Role.HANDLER, ("b", "c"), ("a",))
    assert str(found) == "line 2, handler with b c"


def test_invariant_broken_without_any_fact_is_reported_as_with_nothing() -> None:
    policy = small(allow("A01", "open", "handler", "not a"))

    (found,) = broken(policy, "open implies a")

    assert str(found) == "line 2, handler with nothing"
    with pytest.raises(PolicyError, match="read «handler with nothing»"):
        check_invariants(policy, [found.invariant])


def test_every_broken_invariant_is_reported_once_for_each_role() -> None:
    policy = small(
        allow("A01", "open", "handler leader", "a"), allow("A02", "list", "handler", "b")
    )

    found = broken(policy, "open implies b", "list implies b", "list implies c")

    assert [(each.invariant.line.number, each.role) for each in found] == [
        (2, Role.HANDLER),
        (2, Role.LEADER),
        (4, Role.HANDLER),
    ]
    with pytest.raises(PolicyError, match="line 2: read «handler with a».*also line 2, leader"):
        check_invariants(policy, [each.invariant for each in found])


def test_assumptions_exclude_impossible_combinations_from_a_proof() -> None:
    policy = small(allow("A01", "open", "handler", "a or b"))

    assert broken(policy, "assume b implies a", "open implies a") == ()
    assert broken(policy, "assume c implies a", "open implies a")


def test_proof_considers_deny_rules_and_roles() -> None:
    policy = small(
        allow("A01", "open", "handler", "a"),
        allow("A02", "open", "leader", "b"),
        deny("D01", "*", "*", "c"),
    )

    assert broken(policy, "open implies not c", "open implies role:leader or a") == ()
    (found,) = broken(policy, "open implies role:handler")
    assert found.role is Role.LEADER


def test_invariant_about_an_action_without_rules_always_holds() -> None:
    policy = small(allow("A01", "open", "handler", "a"))

    assert broken(policy, "list implies a and not a") == ()


def test_invariants_over_forty_facts_are_decided() -> None:
    names = [f"f_{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(40)]
    policy = Policy([allow("A01", "open", "handler", " and ".join(names))], facts=names, digest="d")

    assert broken(policy, f"open implies {names[-1]}") == ()
    assert broken(policy, f"open implies not {names[-1]}")


def test_proof_equals_trying_every_combination_with_casbin() -> None:
    chance = random.Random(1)  # noqa: S311 - a test
    conditions = ["a", "not b", "a and b", "b or not c", "a and (b or c)", "not (a or c)"]
    failing = 0
    for _ in range(40):
        policy = small(
            allow("A01", "open", "handler", chance.choice(conditions)),
            allow("A02", "open", "handler leader", chance.choice(conditions)),
            allow("A03", "list", "handler leader", chance.choice(conditions)),
            deny("D01", "open list", "*", chance.choice(conditions)),
        )
        lines = (
            f"assume {chance.choice(conditions)} implies {chance.choice(conditions)}",
            f"open implies {chance.choice(['list', 'role:handler', *conditions])}",
        )
        found = {each.role for each in broken(policy, *lines)}
        assert found == tried(policy, *lines), lines
        failing += bool(found)

    assert 5 < failing < 35


def tried(policy: Policy, *lines: str) -> set[Role]:
    """The roles for which some combination breaks the second line, one decision at a time."""
    raw = "\n".join([f"# rows: {len(lines)}", *lines]).encode()
    assumed, claimed = read_invariants(raw, policy.facts)
    breaking = set()
    for role, values in product((Role.HANDLER, Role.LEADER), product((True, False), repeat=3)):
        facts = dict(zip("abc", values, strict=True))
        asked = (Action.OPEN, Action.LIST)
        true = {name for name, value in facts.items() if value} | {f"role:{role}"}
        true |= {action for action in asked if policy.decide(role, facts, action).allowed}
        if holds(assumed.condition, true) and not holds(claimed.condition, true):
            breaking.add(role)
    return breaking


def test_policy_of_the_same_files_is_proved_once_and_of_other_files_anew() -> None:
    files = policy_files()
    first, _, rest = files["invariants.txt"].partition(b"\n")
    claims = b"# rows: %d\n" % (int(first.rpartition(b" ")[2]) + 1) + rest

    assert read_policy(files) is read_policy(dict(files))
    with pytest.raises(PolicyError, match="list implies open"):
        read_policy(files | {"invariants.txt": claims + b"list implies open\n"})
