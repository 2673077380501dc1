"""Proofs and cases: they hold for the product's policy, and they notice planted faults."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from inbox.access import Action, Policy
from inbox.access.facts import FACTS
from inbox.access.review import prove, run_cases
from inbox.access.words import Effect, Rule
from inbox.errors import PolicyError
from tests.access.town import POLICIES, allow, deny, policy_files

INVARIANTS = policy_files()["invariants.txt"]
CASES = (POLICIES / "tests" / "access.toml").read_bytes()


def test_every_invariant_is_proved(the_policy: Policy) -> None:
    assert prove(the_policy, INVARIANTS) > 70


def test_every_case_comes_out_and_every_rule_has_one(the_policy: Policy) -> None:
    assert run_cases(the_policy, CASES) == ()


def test_every_action_has_an_invariant() -> None:
    lines = [line for line in INVARIANTS.decode().splitlines() if " implies " in line]

    assert {line.split(" ", 1)[0] for line in lines} - {"assume"} == set(Action)


def test_every_action_is_somebodys(the_policy: Policy) -> None:
    allowed = {rule.acts for rule in the_policy.rules if rule.effect is Effect.ALLOW}

    assert set(Action) == allowed


def planted(policy: Policy) -> Iterator[tuple[str, list[Rule]]]:
    """Every deny dropped, and in every allow each joined fact dropped at the top level."""
    for rule in policy.rules:
        others = [one for one in policy.rules if one is not rule]
        if rule.effect is Effect.DENY:
            yield f"without {rule.id}", others
            continue
        parts = rule.when.split(" and ") if "(" not in rule.when else [rule.when]
        for part in parts if len(parts) > 1 else []:
            rest = " and ".join(one for one in parts if one != part)
            yield f"{rule.id} without {part}", [*others, replace(rule, when=rest)]


def test_planted_faults_that_widen_access_are_noticed(the_policy: Policy) -> None:
    unnoticed = []
    for name, rules in planted(the_policy):
        faulty = Policy(rules, facts=FACTS, digest="d")
        if not run_cases(faulty, CASES) and holds(faulty):
            unnoticed.append(name)

    # D06 asks for the proposal once more, so that these change nothing.
    assert unnoticed == [
        f"{rule} without proposed_by_other" for rule in ("A04", "A31", "A41", "A43", "A24")
    ]


def holds(policy: Policy) -> bool:
    try:
        prove(policy, INVARIANTS)
    except PolicyError:
        return False
    return True


def claims(*lines: str) -> bytes:
    return "\n".join([f"# rows: {len(lines)}", *lines]).encode()


def small(*rules: Rule) -> Policy:
    return Policy(rules, facts=("a", "b", "c"), digest="d")


def test_a_proof_gives_a_combination_that_breaks_the_claim() -> None:
    policy = small(allow("A01", "open", "handler", "a or (b and c)"))

    with pytest.raises(PolicyError, match="handler with b c"):
        prove(policy, claims("open implies a"))


def test_assumptions_rule_out_what_cannot_be() -> None:
    policy = small(allow("A01", "open", "handler", "a or b"))

    assert prove(policy, claims("assume b implies a", "open implies a")) == 1
    with pytest.raises(PolicyError):
        prove(policy, claims("assume c implies a", "open implies a"))


def test_denies_and_roles_count_in_a_proof() -> None:
    policy = small(
        allow("A01", "open", "handler", "a"),
        allow("A02", "open", "leader", "b"),
        deny("D01", "*", "*", "c"),
    )

    assert prove(policy, claims("open implies not c", "open implies role:leader or a")) == 2
    with pytest.raises(PolicyError, match="leader with"):
        prove(policy, claims("open implies role:handler"))


def test_an_action_without_rules_implies_anything() -> None:
    policy = small(allow("A01", "open", "handler", "a"))

    assert prove(policy, claims("list implies a and not a")) == 1


def test_a_claim_over_too_many_facts_is_refused() -> None:
    names = [f"f{chr(97 + n)}" for n in range(25)]
    policy = Policy([allow("A01", "open", "handler", " and ".join(names))], facts=names, digest="d")

    with pytest.raises(PolicyError) as error:
        prove(policy, claims("open implies fa"))

    assert error.value.code == "policy.too_wide"


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ('name = "x"\nrole = "boss"\nexpect = {}', "policy.case"),
        ('name = "x"\nrole = "handler"\nexpect = { opens = "no" }', "policy.action"),
        ('name = "x"\nrole = "handler"\nwith = ["d"]\nexpect = {}', "policy.fact"),
        ('name = "x"\nrole = "handler"\nsurprise = 1\nexpect = {}', "policy.keys"),
        ('role = "handler"\nexpect = {}', "policy.text"),
    ],
)
def test_a_case_that_cannot_be_read_is_refused(case: str, code: str) -> None:
    raw = f"# rows: 1\nbase = []\n[[case]]\n{case}\n".encode()

    with pytest.raises(PolicyError) as error:
        run_cases(small(allow("A01", "open", "handler", "a")), raw)

    assert error.value.code == code


def test_what_comes_out_otherwise_is_told() -> None:
    raw = b"""# rows: 1
base = ["a"]
[[case]]
name = "x"
role = "handler"
expect = { open = "no", list = "no" }
duties = { open = ["log"] }
"""
    policy = small(allow("A01", "open", "handler", "a"), allow("A02", "list", "handler", "b"))

    assert run_cases(policy, raw) == (
        "x: open gives allow A01, not no",
        "x: open has the duties none",
        "no case names A02",
    )
