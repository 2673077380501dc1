"""A folder from before `policy.toml` is read as before, whatever the program knows beside."""

import pytest

from inbox.access import Action
from inbox.access.facts.registry import FACTS
from inbox.access.files.folder import (
    OLDER_FILES,
    load_draft,
    read_draft,
    read_policy,
    read_policy_version,
)
from inbox.access.files.versions import DigestRule, FilesOfVersion
from inbox.access.policy.engine import model_text
from inbox.access.review.lint import lint
from inbox.errors import PolicyError
from inbox.language import TextLanguage
from tests.access.kept_policies import decided, decided_otherwise, recorded_decisions
from tests.access.town import KEPT_BEFORE, files_of_vocabulary_1, files_of_vocabulary_2

KEPT_DIGEST = "3f1ae4b8343cd6c579df24a793fa30776ad49508ebb303b474b939c5d63d565e"


def refused(file: str, old: bytes, new: bytes) -> PolicyError:
    """The refusal when one thing is changed."""
    files = files_of_vocabulary_1()
    assert files[file].count(old) >= 1
    with pytest.raises(PolicyError) as error:
        read_policy(files | {file: files[file].replace(old, new, 1)})
    return error.value


def test_older_folder_with_fewer_facts_decides_what_the_program_of_before_decided() -> None:
    policy = read_policy(files_of_vocabulary_1())

    assert {outcome.split()[0] for *_, outcome in recorded_decisions()} == {"yes", "no"}
    assert decided_otherwise(policy) == []
    assert policy.facts == FACTS.keys()


def test_folder_of_vocabulary_2_decides_what_the_program_of_before_decided() -> None:
    policy = read_policy(files_of_vocabulary_2())

    assert {outcome.split()[0] for *_, outcome in recorded_decisions(2)} == {"yes", "no"}
    assert decided_otherwise(policy, recorded=2) == []
    conflicts = (Action.DECLARE_CONFLICT, Action.END_CONFLICT)
    denied = (Action.ASK_ACCESS, *conflicts, Action.FIGURES)
    assert policy.later.denied == denied
    assert policy.later.stand_ins[Action.UNDO] == (Action.PLACE,)
    assert Action.POLICY_APPROVE in policy.later.stand_ins[Action.DECLINE]


def test_folder_of_vocabulary_2_lets_decline_who_could_approve_and_undo_who_could_place() -> None:
    policy = read_policy(files_of_vocabulary_2())

    answers = [
        (decided(policy, role, Action.DECLINE, held), decided(policy, role, action, held))
        for role, action, held, _ in recorded_decisions(2)
        if action in policy.later.stand_ins[Action.DECLINE]
        and "proposed_by_other" in held
        and "conflict" not in held
    ]
    undone = [
        (decided(policy, role, Action.UNDO, held), outcome)
        for role, action, held, outcome in recorded_decisions(2)
        if action is Action.PLACE
    ]

    approved = [declined for declined, could in answers if could.startswith("yes")]
    assert approved
    assert all(declined.startswith("yes") for declined in approved)
    assert undone
    assert all(undo == place for undo, place in undone)


def test_kept_version_of_an_older_folder_keeps_its_digest() -> None:
    version = FilesOfVersion(files=files_of_vocabulary_1(), digest_rule=DigestRule.DECIDING_FILES)

    assert read_policy_version(version).digest == KEPT_DIGEST


def test_lint_notes_what_an_older_folder_was_not_written_for() -> None:
    found = {(each.code, each.about): each for each in lint(load_draft(KEPT_BEFORE))}

    assert (
        found["later_name", "needs_reviewer"]
        .said.text(TextLanguage.EN)
        .startswith("the policy was written before version 2 of the vocabulary")
    )
    assert "write `vocabulary = 3`" in found["older_folder", "policy.toml"].said.text(
        TextLanguage.EN
    )
    assert not any(each.is_error for each in found.values())
    assert not any(code == "fact_unused" for code, _ in found)


@pytest.mark.parametrize("file", OLDER_FILES)
def test_older_folder_with_a_missing_file_is_refused(file: str) -> None:
    files = files_of_vocabulary_1()
    del files[file]

    with pytest.raises(PolicyError) as error:
        read_policy(files)

    assert error.value.code == "policy.files"
    assert error.value.reason.endswith(f"allowed: exactly {', '.join(OLDER_FILES)}")


def test_older_folder_may_explain_a_name_that_no_row_uses_and_the_program_lacks() -> None:
    files = files_of_vocabulary_1()
    files["facts.toml"] = (
        files["facts.toml"].replace(b"# rows: 44", b"# rows: 45")
        + b'urgent = { kind = "row", nb = "det haster", en = "it is urgent" }\n'
    )

    draft = read_draft(files)

    assert draft.policy.rules == read_draft(files_of_vocabulary_1()).policy.rules
    assert "urgent" not in draft.policy.facts


@pytest.mark.parametrize(
    ("file", "old", "new", "code"),
    [
        ("facts.toml", b"# rows", b"x = 1\n# rows", "policy.table"),
        ("facts.toml", b'conflict = { kind = "row"', b'conflict = { kind = "r"', "policy.kind"),
        ("facts.toml", b"# rows: 44", b"# rows: 45", "policy.rows_differ"),
        ("facts.toml", b"\nassigned = {", b"\nassigned = {{", "policy.toml"),
        ("facts.toml", b'" }\nconflict', b'" } # x\nconflict', "policy.sign"),
        ("facts.toml", b'" }\nconflict', b"' }\nconflict", "policy.sign"),
        ("facts.toml", b"\nassigned = {", b'\nassigned = """ {', "policy.sign"),
        ("vocabulary.toml", b"[roles]", b"[rules]", "policy.keys"),
        ("vocabulary.toml", b'["conflict", ', b'["cleared", ', "policy.overridden"),
        ("vocabulary.toml", b'["conflict", ', b'["conflicts", ', "policy.fact"),
        ("vocabulary.toml", b'["conflict", ', b'["conflict", "conflict", ', "policy.twice"),
        ("vocabulary.toml", b'handler = { nb = "s', b'handler = { nb = "", x = "s', "policy.keys"),
        ("vocabulary.toml", b"# rows: 51", b"# rows: 50", "policy.rows_differ"),
        ("allow.csv", b"leader, leads, none", b"leader, heads, none", "policy.condition_name"),
    ],
)
def test_older_folder_with_one_invalid_edit_is_refused_with_a_code(
    file: str, old: bytes, new: bytes, code: str
) -> None:
    assert refused(file, old, new).code == code


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("facts.toml", b'\nconflict = { kind = "row"', b'\nconflict = { kind = "r"', ", conflict."),
        ("facts.toml", b"\nconflict = { kind", b"\nconflict = { kin", ", conflict.kin"),
        ("facts.toml", b"\nconflict = {", b"\nconflict = {{", ": read"),
        ("vocabulary.toml", b"\nopen = { nb", b"\nopen = { nn", ", actions.open.nn: read"),
        ("vocabulary.toml", b'\nnever_overridden = ["conflict', b'\nnever_overridden = ["con', ""),
        ("model.conf", b"\nm = named", b"\nm = always || named", ": read «m = always"),
    ],
)
def test_refusal_of_an_older_folder_names_file_and_line(
    file: str, old: bytes, new: bytes, said: str
) -> None:
    before, _, _ = files_of_vocabulary_1()[file].partition(old)

    reason = refused(file, old, new).reason

    assert reason.startswith(f"{file}, line {before.count(10) + 2}{said}"), reason
    assert "; allowed: " in reason


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("eft\n", "eft # note\n", 1),
        lambda text: text.replace("m = named", "m = always || named"),
        lambda text: text.replace(" && holds(p.when, r.facts)", ""),
        lambda text: text.replace("[matchers]", "[matchers]\nm2 = named(p.act, r.act)"),
        lambda text: text.replace(
            "[policy_effect]", "[role_definition]\ng = _, _\n[policy_effect]"
        ),
        lambda text: text + "m = named(p.act, r.act)\n",
        lambda text: text[:0],
        lambda text: text.replace("p.eft == deny", "p.eft == dney"),
    ],
)
def test_model_file_of_an_older_folder_with_any_other_model_is_refused(change: object) -> None:
    assert callable(change)
    files = files_of_vocabulary_1()
    files["model.conf"] = change(files["model.conf"].decode()).encode()

    with pytest.raises(PolicyError) as error:
        read_policy(files)

    assert error.value.code == "policy.model"


@pytest.mark.parametrize(("kept", "line"), [(0, 1), (1, 2), (3, 4)])
def test_truncated_model_file_is_refused_at_its_end(kept: int, line: int) -> None:
    cut = "".join(f"{each}\n" for each in model_text().splitlines()[:kept]).encode()

    with pytest.raises(PolicyError) as refused:
        read_policy(files_of_vocabulary_1() | {"model.conf": cut})

    assert refused.value.reason.startswith(f"model.conf, line {line}: read the end of the file")
