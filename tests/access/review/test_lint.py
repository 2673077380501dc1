"""What is odd about a policy that can be read is told, and nothing about one that is not."""

from dataclasses import replace

import pytest

from inbox.access import Action, Policy
from inbox.access.facts.registry import FACTS
from inbox.access.files.folder import PolicyDraft, load_draft, read_draft
from inbox.access.files.invariants import read_invariants
from inbox.access.files.switch_off import with_row_off
from inbox.access.policy.vocabulary import Duty, PolicyRule
from inbox.access.review.lint import lint, row_lines
from tests.access.town import POLICIES, allow, deny, policy_files

UNNAMED = {"fact_unused", "action_denied", "basis_missing"}
"""What is said of nearly every name and row where a policy is made of a few rows alone."""


@pytest.fixture(scope="module")
def draft() -> PolicyDraft:
    return load_draft(POLICIES)


def found(
    draft: PolicyDraft, *rules: PolicyRule, claim: str = "open implies always"
) -> set[tuple[str, str]]:
    policy = Policy(rules, facts=FACTS, digest="d")
    raw = f"# rows: 3\nassume assigned implies in_unit\nassume leads implies role:leader\n{claim}"
    odd = replace(draft, policy=policy, invariants=read_invariants(raw.encode(), policy.facts))
    return {(each.code, str(each.about)) for each in lint(odd) if each.code not in UNNAMED}


def test_lint_finds_nothing_wrong_in_the_shipped_policy(draft: PolicyDraft) -> None:
    assert [each for each in lint(draft) if each.is_error] == []


def test_lint_notes_a_row_that_is_switched_off() -> None:
    off = read_draft(with_row_off(policy_files(), "A12"))

    (noted,) = [each for each in lint(off) if each.code == "switched_off"]

    assert (noted.about, noted.is_error) == ("A12", False)


def test_lint_finding_has_the_file_of_its_row_and_the_row_has_a_line() -> None:
    files = dict(with_row_off(policy_files(), "A12"))
    files["bases.csv"] = files["bases.csv"].replace(b"# rows:", b"# ids first\n# rows:")
    files["deny.csv"] = files["deny.csv"].replace(b" fvl-9", b"")
    lines = row_lines(files)

    places = {each.code: (each.file, each.about) for each in lint(read_draft(files))}

    assert places["switched_off"] == ("allow.csv", "A12")
    assert places["redundant"] == ("deny.csv", "D07")
    assert places["basis_unused"] == ("bases.csv", "fvl-9")
    for file, start in (
        ("allow.csv", b"p, A12,"),
        ("deny.csv", b"p, D07,"),
        ("bases.csv", b"fvl-9,"),
    ):
        (about,) = (about for name, about in places.values() if name == file)
        above = files[file].partition(b"\n" + start)[0]
        assert lines[file, about] == above.count(b"\n") + 2
    assert (
        files["invariants.txt"]
        .decode()
        .split("\n")[lines["invariants.txt", "open implies list"] - 1]
        .startswith("open implies list")
    )


def test_lint_reports_a_row_made_redundant_by_another(draft: PolicyDraft) -> None:
    wide = allow("A01", "open", "handler", "in_unit")
    assert found(draft, wide, allow("A02", "open", "handler", "assigned")) == {("redundant", "A02")}


def test_lint_reports_a_row_that_is_never_the_basis_as_redundant(draft: PolicyDraft) -> None:
    """Who may do it for nothing is never asked for the duties of another row."""
    wide = allow("A01", "open", "handler", "in_unit")
    narrow = replace(
        allow("A02", "open", "handler", "assigned"), duties=frozenset({Duty.LOG, Duty.REASON})
    )

    assert found(draft, wide, narrow) == {("redundant", "A02")}


def test_lint_does_not_report_a_row_that_changes_only_duties(draft: PolicyDraft) -> None:
    wide = replace(allow("A01", "open", "handler", "in_unit"), duties=frozenset({Duty.LOG}))
    assert found(draft, wide, allow("A02", "open", "handler", "assigned")) == set()


def test_lint_reports_a_deny_without_a_matching_allow_as_a_note(draft: PolicyDraft) -> None:
    rules = allow("A01", "open", "handler", "in_unit"), deny("D01", "open", "operator", "always")
    policy = Policy(rules, facts=FACTS, digest="d")

    (told,) = (
        each
        for each in lint(replace(draft, policy=policy, invariants=()))
        if each.code == "redundant"
    )

    assert (told.about, told.is_error) == ("D01", False)


def test_lint_reports_rows_and_roles_that_never_match_as_dead(draft: PolicyDraft) -> None:
    alone = allow("A01", "open", "handler", "assigned and not in_unit")
    some = allow("A01", "open", "handler leader", "leads")

    assert found(draft, alone) == {("dead", "A01")}
    assert found(draft, some) == {("dead_role", "A01")}


def test_lint_reports_an_invariant_that_does_not_hold(draft: PolicyDraft) -> None:
    rule = allow("A01", "open", "handler", "in_unit")

    assert found(draft, rule, claim="open implies assigned") == {
        ("invariant", "open implies assigned")
    }


def test_lint_notes_unused_facts_and_actions_without_an_allow_row(draft: PolicyDraft) -> None:
    policy = Policy([allow("A01", "open", "handler", "in_unit")], facts=FACTS, digest="d")

    told = {
        (each.code, str(each.about)) for each in lint(replace(draft, policy=policy, invariants=()))
    }

    assert ("fact_unused", "assigned") in told
    assert ("fact_unused", "in_unit") not in told
    assert ("action_denied", Action.LIST.value) in told
    assert ("action_denied", Action.OPEN.value) not in told
    assert not any(each.is_error for each in lint(replace(draft, policy=policy, invariants=())))


def test_lint_reports_wrong_findings_before_notes(draft: PolicyDraft) -> None:
    rules = allow("A01", "open", "handler", "leads and not leads"), deny("D01", "*", "*", "leads")
    policy = Policy(rules, facts=FACTS, digest="d")

    wrong = [each.is_error for each in lint(replace(draft, policy=policy, invariants=()))]

    assert wrong == sorted(wrong, reverse=True)
    assert {*wrong} == {True, False}


def test_lint_accepts_a_deny_for_all_roles_that_some_never_match(draft: PolicyDraft) -> None:
    lead = allow("A01", "open", "leader", "leads")
    rest = allow("A02", "open", "handler", "in_unit")

    assert found(draft, lead, rest, deny("D01", "*", "*", "leads and assigned")) == set()


def test_lint_separates_wrong_findings_from_notes(draft: PolicyDraft) -> None:
    rules = (
        allow("A01", "open", "handler leader", "leads"),
        allow("A02", "list", "handler", "in_unit and not in_unit"),
        allow("A03", "list", "leader", "leads"),
        allow("A04", "list", "leader", "leads and assigned"),
        deny("D01", "take", "*", "conflict"),
    )
    raw = b"# rows: 2\nassume leads implies role:leader\nopen implies assigned"
    policy = Policy(rules, facts=FACTS, digest="d")
    odd = replace(draft, policy=policy, invariants=read_invariants(raw, policy.facts))

    told = {(each.code, str(each.about)): each.is_error for each in lint(odd)}

    assert {about for about, wrong in told.items() if wrong} == {
        ("dead_role", "A01"),
        ("dead", "A02"),
        ("redundant", "A04"),
        ("invariant", "open implies assigned"),
    }
    assert told["redundant", "D01"] is False
    assert told["action_denied", "take"] is False
    assert {code for (code, _), wrong in told.items() if not wrong} == {"redundant"} | UNNAMED
