"""Policies: what is refused, what is tried, what is shown."""

from pathlib import Path

import pytest

from tests.cli.installation import Installed


def _change(path: Path, was: str, becomes: str) -> None:
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, becomes, 1))


def _add_comment(installed: Installed) -> None:
    """Another digest, the same rules."""
    path = installed.folder / "policies" / "allow.csv"
    path.write_text(path.read_text() + "# one more word\n")


def test_policy_lint_prove_and_test_pass_for_the_shipped_policies(empty: Installed) -> None:
    told = [empty.ask("policy", word) for word in ("lint", "prove", "test")]

    assert [each.code for each in told] == [0, 0, 0]
    assert " 0 wrong" in told[0].out
    assert " 0 do not hold" in told[1].out


@pytest.mark.parametrize("command", ["lint", "prove", "test", "show"])
def test_policy_commands_report_file_and_allowed_values_of_an_unknown_role(
    own: Installed, command: str
) -> None:
    _change(own.folder / "policies" / "allow.csv", ", archivist,", ", arkivist,")

    told = own.ask("policy", command)

    assert told.code == 1
    assert "allow.csv" in told.err
    assert "arkivist" in told.err
    assert "archivist" in told.err


def test_policy_test_exits_1_when_a_case_fails(own: Installed) -> None:
    cases = own.folder / "policies" / "tests" / "access.toml"
    _change(cases, '"allow A', '"allow B')

    told = own.ask("policy", "test")

    assert told.code == 1
    assert "WRONG" in told.out


def test_policy_show_says_whether_the_folder_is_the_active_policy(own: Installed) -> None:
    before = own.ask("policy", "show", "--language", "en")
    _add_comment(own)
    after = own.ask("policy", "show", "--language", "en")

    assert (before.code, after.code) == (0, 0)
    assert before.out.strip().endswith(": active")
    assert "NOT the active policy" in after.out
