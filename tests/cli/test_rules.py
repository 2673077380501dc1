"""Policies and routing rules: what is refused, what is tried, and how one becomes active."""

import shutil
from pathlib import Path

import pytest

from inbox.schema import shipped
from tests.cli.installed import Installed

EDITOR_AND_REVIEWER = ("--by", "anne", "--with", "bjorn", "--codes-from-stdin")


@pytest.fixture
def own(installed: Installed) -> Installed:
    """An installation with a policy folder of its own, the same as the shipped one."""
    shutil.copytree(shipped("policies"), installed.folder / "policies")
    text = installed.config.read_text()
    installed.config.write_text(f'policies = "{installed.folder}/policies"\n{text}')
    return installed


def _change(path: Path, was: str, becomes: str) -> None:
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, becomes, 1))


def _add_comment(installed: Installed) -> None:
    """Another digest, the same rules."""
    path = installed.folder / "policies" / "allow.csv"
    path.write_text(path.read_text() + "# one more word\n")


def test_the_shipped_policies_are_fine_without_a_database(empty: Installed) -> None:
    lint, test = empty.ask("policy", "lint"), empty.ask("policy", "test")

    assert (lint.code, test.code) == (0, 0)
    assert "proved" in lint.out


@pytest.mark.parametrize(("command", "code"), [(("policy", "lint"), 1), (("policy", "show"), 2)])
def test_a_typo_in_a_policy_is_said_with_file_line_and_what_is_allowed(
    own: Installed, command: tuple[str, ...], code: int
) -> None:
    _change(own.folder / "policies" / "allow.csv", ", archivist,", ", arkivist,")

    told = own.ask(*command)

    assert told.code == code
    assert "allow.csv" in told.err
    assert "arkivist" in told.err
    assert "archivist" in told.err


def test_a_case_that_comes_out_otherwise_is_named(own: Installed) -> None:
    cases = own.folder / "policies" / "tests" / "access.toml"
    _change(cases, '"allow A', '"allow B')

    told = own.ask("policy", "test")

    assert told.code == 1
    assert "WRONG" in told.out


def test_it_is_shown_whether_the_folder_is_the_active_policy(own: Installed) -> None:
    before = own.ask("policy", "show")
    _add_comment(own)
    after = own.ask("policy", "show")

    assert (before.code, after.code) == (0, 0)
    assert before.out.strip().endswith(": active")
    assert "NOT the active one" in after.out


def test_editor_and_reviewer_make_a_policy_the_active_one(own: Installed) -> None:
    _add_comment(own)

    told = own.as_two("policy", "activate")

    assert told.code == 0
    assert own.ask("policy", "show").out.strip().endswith(": active")


def test_a_wrong_code_activates_nothing(own: Installed) -> None:
    _add_comment(own)

    told = own.ask("policy", "activate", *EDITOR_AND_REVIEWER, stdin="wrong\nwrong\n")

    assert told.code == 1
    assert "code.wrong" in told.err
    assert "NOT the active one" in own.ask("policy", "show").out


def test_the_reviewer_cannot_propose_what_the_editor_approves(own: Installed) -> None:
    told = own.as_two("policy", "activate", by="bjorn", with_="anne")

    assert told.code == 1
    assert "bjorn is no policy editor" in told.err


def test_the_shipped_routing_rules_are_fine(empty: Installed) -> None:
    lint, test = empty.ask("route", "lint"), empty.ask("route", "test")

    assert (lint.code, test.code) == (0, 0)
    assert "0 wrong" in test.out


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ('release = "at once"', 'release = "soon"', "soon"),
        ('to = "bv"', 'to = "bvv"', "bvv"),
        ('sender = "group:politi"', 'sneder = "group:politi"', "sneder"),
    ],
)
def test_a_typo_in_a_routing_rule_is_said(
    own: Installed, was: str, becomes: str, said: str
) -> None:
    _change(own.folder / "policies" / "routing" / "910075918.toml", was, becomes)

    told = own.ask("route", "lint")

    assert told.code == 1
    assert said in told.err
    assert "910075918.toml" in told.err
    assert own.ask("serve").code == 2


def test_a_routing_case_that_goes_elsewhere_is_named_and_explained(own: Installed) -> None:
    _change(own.folder / "policies" / "tests" / "routing.toml", '{ unit = "ppt"', '{ unit = "bv"')
    name = "svar på en sak hos PPT går til PPT, også når tittelen ligner barnevern"

    tried = own.ask("route", "test")
    explained = own.ask("route", "explain", "--case", name)

    assert (tried.code, explained.code) == (1, 1)
    assert f"WRONG {name}" in tried.out
    assert "expected bv" in explained.out


def test_a_case_is_explained_by_what_every_rule_answers(empty: Installed) -> None:
    name = "politiets bekymringsmelding går til barneverntjenesten"

    told = empty.ask("route", "explain", "--case", name)

    assert told.code == 0
    assert "bekymring-fra-politi: passer" in told.out


def test_a_case_of_no_such_name_is_refused(empty: Installed) -> None:
    told = empty.ask("route", "explain", "--case", "nothing")

    assert told.code == 1
    assert "tests/routing" in told.err


def test_the_rules_are_shown_in_the_order_in_which_they_are_tried(empty: Installed) -> None:
    told = empty.ask("route", "show")

    assert told.code == 0
    assert told.out.index("svar-paa-vaar-sak") < told.out.index("bekymring-fra-politi")
