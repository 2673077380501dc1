"""The written cases: they come out for the product's policy, and a case that is wrong is told."""

from dataclasses import replace

import pytest

from inbox.access import Action, Policy
from inbox.access.files.cases import run_cases
from inbox.access.files.meanings import read_shieldings, run_shielding_cases
from inbox.access.policy.vocabulary import Duty, Effect
from inbox.errors import PolicyError
from tests.access.town import allow, policy_files

CASES = policy_files()["tests/access.toml"]
SHIELDING = policy_files()["shielding.toml"]
SHIELDING_CASES = policy_files()["tests/shielding.toml"]


def test_every_case_comes_out_and_every_rule_has_one(the_policy: Policy) -> None:
    assert run_cases(the_policy, CASES) == ()


def test_every_action_is_somebodys(the_policy: Policy) -> None:
    allowed = {rule.actions for rule in the_policy.rules if rule.effect is Effect.ALLOW}

    assert set(Action) == allowed


def small() -> Policy:
    return Policy(
        (allow("A01", "open", "handler", "a"), allow("A02", "list", "handler", "b")),
        facts=("a", "b"),
        digest="d",
    )


@pytest.mark.parametrize(
    ("case", "code", "line"),
    [
        ('name = "x"\nrole = "boss"\nexpect = {}', "policy.role", 5),
        ('name = "x"\nrole = "handler"\nexpect = {}', "policy.expect", 6),
        ('name = "x"\nrole = "handler"\nexpect = { opens = "no" }', "policy.action", 6),
        (
            'name = "x"\nrole = "handler"\nwith = ["d"]\nexpect = { open = "no" }',
            "policy.fact",
            6,
        ),
        (
            'name = "x"\nrole = "handler"\nexpect = { open = "no" }\nsurprise = 1',
            "policy.keys",
            7,
        ),
        ('role = "handler"\nexpect = { open = "no" }', "policy.keys", 3),
        (
            'name = "x"\nrole = "handler"\nexpect = { open = "no" }\nduties = { list = [] }',
            "policy.expect",
            6,
        ),
        (
            'name = "x"\nrole = "handler"\nexpect = { open = "no" }\nduties = { open = ["x"] }',
            "policy.duty",
            7,
        ),
        ('name = "x" # why\nrole = "handler"\nexpect = { open = "no" }', "policy.sign", 4),
    ],
)
def test_a_case_that_cannot_be_read_is_refused_with_its_line(
    case: str, code: str, line: int
) -> None:
    raw = f"# rows: 1\nbase = []\n[[case]]\n{case}\n".encode()

    with pytest.raises(PolicyError) as error:
        run_cases(small(), raw)

    assert error.value.code == code
    assert error.value.reason.startswith(f"tests/access.toml, line {line}")


def test_what_comes_out_otherwise_is_told_with_its_line() -> None:
    raw = b"""# rows: 1
base = ["a"]
[[case]]
name = "x"
role = "handler"
expect = { open = "no", list = "no" }
duties = { open = ["log"] }
"""

    assert run_cases(small(), raw) == (
        "tests/access.toml, line 3: x: open gives allow A01, not no",
        "tests/access.toml, line 3: x: open has the duties none",
        "no case names A02",
    )


def test_the_duties_that_come_out_are_told() -> None:
    (rule,) = [rule for rule in small().rules if rule.id == "A01"]
    duties = frozenset({Duty.LOG, Duty.REASON})
    policy = Policy([replace(rule, duties=duties)], facts=("a", "b"), digest="d")
    raw = b"""# rows: 1
base = ["a"]
[[case]]
name = "x"
role = "handler"
expect = { open = "allow A01" }
duties = { open = ["log"] }
"""

    assert run_cases(policy, raw) == (
        "tests/access.toml, line 3: x: open has the duties log reason",
    )


def test_every_text_of_a_shielding_has_a_case() -> None:
    assert run_shielding_cases(read_shieldings(SHIELDING), SHIELDING_CASES) == ()


def test_a_text_that_means_another_code_or_none_is_told() -> None:
    changed = SHIELDING.replace('"§ 24"'.encode(), '"§ 2"'.encode())

    told = run_shielding_cases(read_shieldings(changed), SHIELDING_CASES)

    assert told == ("'§ 24' has the code ?, not 24", "no case has '§ 2'")
