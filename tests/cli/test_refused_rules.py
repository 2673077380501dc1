"""Policies: what is refused, what is tried, what is shown."""

from pathlib import Path
from typing import Any

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
    assert " 0 feil" in told[0].out
    assert " 0 holder ikke" in told[1].out


@pytest.mark.parametrize("command", ["lint", "prove", "test", "show"])
def test_policy_commands_report_file_and_allowed_values_of_an_unknown_role(
    own: Installed, command: str
) -> None:
    _change(own.folder / "policies" / "allow.csv", ", archivist,", ", arkivist,")

    told = own.ask("policy", command)

    said = told.out if command == "lint" else told.err
    assert told.code == 1
    assert "allow.csv" in said
    assert "arkivist" in said
    assert "archivist" in said


def test_both_lints_have_one_layout_and_speak_the_chosen_language(own: Installed) -> None:
    noted = own.ask("policy", "lint", "--json")
    spoken = [own.ask("policy", "lint", *more) for more in ((), ("--language", "en"))]
    _change(own.folder / "policies" / "allow.csv", ", archivist,", ", arkivist,")
    _change(own.folder / "policies" / "routing" / "910075918.toml", 'to = "bv"', 'to = "bvv"')

    in_nynorsk = [own.ask(of, "lint", "--language", "nn") for of in ("policy", "route")]
    told = [own.ask(of, "lint", "--language", "nn", "--json") for of in ("policy", "route")]

    assert "endrer ingenting: " in spoken[0].out
    assert "changes nothing: " in spoken[1].out
    assert ["; lov: " in each.out for each in in_nynorsk] == [True, True]
    assert "nærast: archivist" in in_nynorsk[0].out
    values: list[Any] = [noted.value, *(each.value for each in told)]
    rows = [value["findings"][0] for value in values]
    assert {tuple(row) for row in rows} == {("finding", "file", "line", "code", "about", "text")}
    assert rows[0]["text"].startswith("changes nothing: ")
    assert [value["wrong"] for value in values] == [0, 1, 1]
    assert all(row["text"].count("; allowed: ") == 1 for row in rows[1:])
    assert "nearest: archivist" in rows[1]["text"]


def test_policy_test_exits_1_when_a_case_fails(own: Installed) -> None:
    cases = own.folder / "policies" / "tests" / "access.toml"
    _change(cases, '"allow A', '"allow B')

    told = own.ask("policy", "test")

    assert told.code == 1
    assert "FEIL" in told.out


def test_policy_show_says_whether_the_folder_is_the_active_policy(own: Installed) -> None:
    before = own.ask("policy", "show", "--language", "en")
    _add_comment(own)
    after = own.ask("policy", "show", "--language", "en")

    assert (before.code, after.code) == (0, 0)
    assert before.out.strip().endswith(": active")
    assert "NOT the active policy" in after.out
