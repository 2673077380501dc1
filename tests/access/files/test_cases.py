"""The written cases: they come out for the product's policy, and a case that is wrong is told."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from inbox.access import Action, Policy
from inbox.access.files.cases import run_cases
from inbox.access.files.shieldings import read_shieldings, run_shielding_cases
from inbox.access.policy.vocabulary import Duty, Effect
from inbox.errors import PolicyError
from inbox.language import TextLanguage
from inbox.strict.phrases import Phrase
from tests.access.town import allow, policy_files

CASES = policy_files()["tests/access.toml"]
SHIELDING = policy_files()["shielding.toml"]
SHIELDING_CASES = policy_files()["tests/shielding.toml"]


def english(failures: Iterable[Phrase]) -> tuple[str, ...]:
    return tuple(failure.text(TextLanguage.EN) for failure in failures)


def test_shipped_cases_pass_and_name_every_rule(the_policy: Policy) -> None:
    assert run_cases(the_policy, CASES) == ()


def test_shipped_policy_has_an_allow_rule_for_every_action(the_policy: Policy) -> None:
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
def test_invalid_case_is_refused_with_file_and_line(case: str, code: str, line: int) -> None:
    raw = f"# rows: 1\nbase = []\n[[case]]\n{case}\n".encode()

    with pytest.raises(PolicyError) as error:
        run_cases(small(), raw)

    assert error.value.code == code
    assert error.value.reason.startswith(f"tests/access.toml, line {line}")


def test_failed_case_and_rule_without_a_case_are_reported() -> None:
    raw = b"""# rows: 1
base = ["a"]
[[case]]
name = "x"
role = "handler"
expect = { open = "no", list = "no" }
duties = { open = ["log"] }
"""

    assert english(run_cases(small(), raw)) == (
        "tests/access.toml, line 3: x: open gives allow A01, not no",
        "tests/access.toml, line 3: x: open has the duties none",
        "no case names A02",
    )


def test_failed_case_reports_the_actual_duties() -> None:
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

    assert english(run_cases(policy, raw)) == (
        "tests/access.toml, line 3: x: open has the duties log reason",
    )


def test_shipped_shielding_cases_pass_and_cover_every_text() -> None:
    assert run_shielding_cases(read_shieldings(SHIELDING), SHIELDING_CASES) == ()


def test_shielding_text_with_another_code_or_without_a_case_is_reported() -> None:
    changed = SHIELDING.replace('"§ 24"'.encode(), '"§ 2"'.encode())

    told = english(run_shielding_cases(read_shieldings(changed), SHIELDING_CASES))

    assert told == ("'§ 24' has the code ?, not 24", "no case has '§ 2'")
