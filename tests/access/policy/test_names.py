"""The names that policies may use: the program's, in three languages, and how they change."""

import re
from dataclasses import replace

import pytest

from inbox.access import Action, Duty, Policy, Role
from inbox.access.facts.registry import ACTION_SUBJECTS, FACTS
from inbox.access.files.folder import PolicyDraft, read_draft
from inbox.access.policy.names import (
    KnownName,
    MeaningLanguage,
    NameKind,
    RemovedName,
    Vocabulary,
    program_vocabulary,
)
from inbox.access.policy.vocabulary import Effect
from inbox.access.review.lint import PolicyFinding, lint
from inbox.access.review.one_person import why_two_people
from inbox.errors import PolicyError
from inbox.language import TextLanguage
from tests.access.town import files_of_vocabulary_1, policy_files

PROGRAM = program_vocabulary()


def later(**part_of: Action | None) -> Vocabulary:
    """The program's vocabulary, in which these actions came with version 4."""
    new = {
        name: replace(PROGRAM.names[name], since=4, part_of=(part,) if part else ())
        for name, part in part_of.items()
    }
    return replace(PROGRAM, version=4, names={**PROGRAM.names, **new})


def files_without(*actions: str) -> dict[str, bytes]:
    """The shipped folder as it would be without rows, invariants and cases for these actions."""
    files = dict(policy_files())
    for name in ("allow.csv", "deny.csv", "invariants.txt"):
        kept = []
        for line in files[name].decode().splitlines():
            words = line.replace(",", " ").split()
            if name == "allow.csv" and words[2:3] and words[2] in actions:
                continue
            if name == "invariants.txt" and not line.startswith("#") and {*words} & {*actions}:
                continue
            cells = line.split(", ")
            if name == "deny.csv" and words[:1] == ["p"]:
                cells[2] = " ".join(word for word in cells[2].split() if word not in actions)
            kept.append(", ".join(cells))
        rows = sum(1 for line in kept if line and not line.startswith("#"))
        files[name] = "\n".join([f"# rows: {rows}", *kept[1:], ""]).encode()
    return files


def draft_without(vocabulary: Vocabulary, *actions: str) -> PolicyDraft:
    return read_draft(files_without(*actions), vocabulary=vocabulary)


def findings(draft: PolicyDraft) -> dict[str, PolicyFinding]:
    return {each.about: each for each in lint(draft)}


def decisions(policy: Policy, action: Action, *held: str) -> list[tuple[bool, str]]:
    facts = {fact: fact in held for fact in policy.facts}
    decided = [policy.decide(role, facts, action) for role in Role]
    return [(decision.allowed, decision.rule) for decision in decided]


ORDINARY = ("own_organisation", "active_capacity", "active_person")
READS = (*ORDINARY, "in_unit", "assigned", "cleared", "routed", "readable")


def test_vocabulary_has_exactly_the_names_of_the_program() -> None:
    def names(kind: NameKind) -> list[str]:
        return [each.name for each in PROGRAM.of_kind(kind)]

    assert set(names(NameKind.FACT)) == FACTS.keys()
    assert names(NameKind.ACTION) == list(Action)
    assert names(NameKind.ROLE) == list(Role)
    assert names(NameKind.DUTY) == list(Duty)
    assert not PROGRAM.removed.keys() & PROGRAM.names.keys()


def test_every_name_has_a_meaning_in_three_languages() -> None:
    assert [language.value for language in MeaningLanguage] == ["nb", "nn", "en"]
    for name in PROGRAM.names.values():
        assert all(name.meaning[language].strip() for language in MeaningLanguage), name
    different = [
        n
        for n in PROGRAM.names.values()
        if n.meaning[MeaningLanguage.NN] != n.meaning[MeaningLanguage.NB]
    ]
    assert len(different) > 70


def test_no_name_is_of_a_later_version_than_the_vocabulary() -> None:
    assert max(name.since for name in PROGRAM.names.values()) == PROGRAM.version
    assert all(name.until <= PROGRAM.version for name in PROGRAM.removed.values())


def test_names_of_version_1_are_those_of_the_folder_that_was_kept_then() -> None:
    assert PROGRAM.names_of_version(1) == read_draft(files_of_vocabulary_1()).header.known


def test_action_is_part_of_one_that_is_asked_about_the_same_subjects() -> None:
    parts = {
        Action(each.name): {kind for old in each.part_of for kind in ACTION_SUBJECTS[old]}
        for each in PROGRAM.of_kind(NameKind.ACTION)
        if each.part_of
    }
    assert parts.keys() == {Action.UNDO, Action.DECLINE}
    assert all({*ACTION_SUBJECTS[new]} == kinds for new, kinds in parts.items())


def test_new_action_that_was_part_of_another_is_decided_by_its_rows() -> None:
    draft = draft_without(later(note=Action.OPEN), "note")
    policy = draft.policy

    assert policy.later.stand_ins == {Action.NOTE: (Action.OPEN,)}
    for held in (READS, (*READS, "conflict"), (*READS, "quarantined"), ORDINARY, ()):
        assert decisions(policy, Action.NOTE, *held) == decisions(policy, Action.OPEN, *held)
    assert (True, "A09") in decisions(policy, Action.NOTE, *READS)
    assert (False, "D03") in decisions(policy, Action.NOTE, *READS, "conflict")
    assert (False, "D04") in decisions(policy, Action.NOTE, *READS, "quarantined")


def test_lint_says_which_rows_decide_a_new_action() -> None:
    found = findings(draft_without(later(note=Action.OPEN), "note"))

    assert (found["note"].code, found["note"].is_error) == ("stand_in", False)
    assert found["note"].said.text(TextLanguage.EN) == (
        "the policy was written before version 4 of the vocabulary:"
        " the rows of open decide it, those that deny too"
    )


def test_new_action_that_was_part_of_none_is_denied_and_lint_says_so() -> None:
    draft = draft_without(later(note=None), "note")

    assert (draft.policy.later.stand_ins, draft.policy.later.denied) == ({}, (Action.NOTE,))
    assert {allowed for allowed, _ in decisions(draft.policy, Action.NOTE, *READS)} == {False}
    assert findings(draft)["note"].code == "new_action_denied"


def test_new_action_with_rows_of_its_own_is_decided_by_them() -> None:
    """Also where only a row that denies names it, or one that is switched off."""
    draft = read_draft(policy_files(), vocabulary=later(note=Action.OPEN))

    assert (draft.policy.later.stand_ins, draft.policy.later.denied) == ({}, ())
    assert (True, "A47b") in decisions(draft.policy, Action.NOTE, *READS)
    said = findings(draft)["note"].said.text(TextLanguage.EN)
    assert said.endswith("it has rows of its own")
    fenced = files_without("note")
    fenced["deny.csv"] = fenced["deny.csv"].replace(b"p, D04, open ", b"p, D04, note open ")
    alone = read_draft(fenced, vocabulary=later(note=Action.OPEN))
    assert {allowed for allowed, _ in decisions(alone.policy, Action.NOTE, *READS)} == {False}


def test_policy_of_the_newest_vocabulary_denies_an_action_without_rows() -> None:
    files = files_without("note")
    files["policy.toml"] = files["policy.toml"].replace(b"vocabulary = 3", b"vocabulary = 4")

    draft = read_draft(files, vocabulary=later(note=Action.OPEN))

    assert draft.policy.later.names == ()
    assert {allowed for allowed, _ in decisions(draft.policy, Action.NOTE, *READS)} == {False}
    assert findings(draft)["note"].code == "action_denied"


def test_new_action_that_was_part_of_a_new_one_is_decided_by_the_oldest() -> None:
    draft = draft_without(later(note=Action.HOLD, hold=Action.OPEN), "note", "hold")

    stand_ins = {Action.NOTE: (Action.OPEN,), Action.HOLD: (Action.OPEN,)}
    assert draft.policy.later.stand_ins == stand_ins


def test_rows_of_a_stand_in_stay_as_they_are_written() -> None:
    draft = draft_without(later(note=Action.OPEN), "note")

    (row,) = (rule for rule in draft.rows if rule.id == "A09")
    (every,) = (rule for rule in draft.rows if rule.id == "D01")
    assert (row.actions, row.decided_actions) == ("open", "open note")
    assert (every.actions, every.decided_actions) == ("*", "*")


def test_dropping_the_denials_of_a_stand_in_takes_two_people() -> None:
    vocabulary = later(note=Action.OPEN)
    before = draft_without(vocabulary, "note")
    rows = files_without("note")
    row = b"p, A47b, note, handler, in_unit and assigned and cleared and readable, log, allow\n"
    rows["allow.csv"] = rows["allow.csv"].replace(b"# rows: 67", b"# rows: 68") + row

    found = why_two_people(before, read_draft(rows, vocabulary=vocabulary))
    why = [each.text(TextLanguage.EN) for each in found]

    assert any(re.match(r"it gains: case handler may .*\(note\)", each) for each in why)
    assert "it changes the deny row D03" in why


def test_policy_of_a_vocabulary_that_is_newer_is_read_and_noted() -> None:
    files = policy_files()
    files["policy.toml"] = files["policy.toml"].replace(b"vocabulary = 3", b"vocabulary = 9")

    draft = read_draft(files)

    assert draft.policy.rules == read_draft(policy_files()).policy.rules
    assert findings(draft)["vocabulary 9"].code == "newer_vocabulary"


REMOVED = RemovedName(
    name="covers",
    until=3,
    instead=dict.fromkeys(MeaningLanguage, "write `has_grant`"),
)


def without_covers() -> Vocabulary:
    names: dict[str, KnownName] = {n: k for n, k in PROGRAM.names.items() if n != "covers"}
    return replace(PROGRAM, version=3, names=names, removed={"covers": REMOVED})


@pytest.mark.parametrize("files", [policy_files(), files_of_vocabulary_1()], ids=["new", "older"])
def test_row_that_uses_a_removed_fact_is_refused_with_what_to_write_instead(
    files: dict[str, bytes],
) -> None:
    with pytest.raises(PolicyError) as error:
        read_draft(files, vocabulary=without_covers())

    assert error.value.code == "policy.removed"
    assert error.value.reason.startswith("allow.csv, line ")
    assert error.value.reason.endswith(
        "read «covers»; allowed: write `has_grant` (version 3 of the vocabulary removed it)"
    )


def test_invariant_that_uses_a_removed_fact_is_refused() -> None:
    files = policy_files()
    for name in ("allow.csv", "deny.csv"):
        files[name] = files[name].replace(b"covers", b"has_grant")

    with pytest.raises(
        PolicyError, match=r"policy.removed: invariants.txt, line \d+: read «covers»"
    ):
        read_draft(files, vocabulary=without_covers())


def test_rules_have_no_stand_ins_where_none_is_needed() -> None:
    rules = read_draft(policy_files()).policy.rules

    assert {rule.also for rule in rules} == {frozenset()}
    assert {rule.effect for rule in rules} == set(Effect)
