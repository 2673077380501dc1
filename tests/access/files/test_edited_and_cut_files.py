"""Slips and damage: what is not exactly a policy that was approved allows nothing."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shutil import copytree

import pytest
import sqlalchemy as sa

from inbox.access import Action, Policy, Role
from inbox.access.files.active import POLICY_KIND, ActivePolicies
from inbox.access.files.folder import (
    ALL_FILES,
    CASE_FILES,
    POLICY_FILES,
    PolicyDraft,
    load_draft,
    read_draft,
    read_policy_files,
)
from inbox.access.files.versions import keep_first_version
from inbox.access.review.diff import compare_policies
from inbox.errors import PolicyError
from inbox.store import Transaction
from inbox.tables import PolicyVersion, table_of
from tests.access.town import POLICIES, policy_files

SIGNS = [bytes([sign]) for sign in b"abdeilnoprst_ADp0139 ,#;*()[]{}=\"'-\\\n\t?"]
Question = tuple[Role, Mapping[str, bool], Action]


@pytest.fixture(scope="module")
def draft() -> PolicyDraft:
    return load_draft(POLICIES)


def slips(chance: random.Random, number: int) -> Iterator[tuple[str, int, dict[str, bytes]]]:
    """One character dropped, put in, replaced, doubled, or exchanged with the next."""
    files = policy_files()
    names = [*ALL_FILES, "allow.csv", "deny.csv", "shielding.toml"]
    for _ in range(number):
        file = chance.choice(names)
        raw = files[file]
        at = chance.randrange(len(raw))
        here, sign = raw[at : at + 1], chance.choice([*SIGNS, raw[at : at + 1].swapcase()])
        new = chance.choice([b"", sign, sign + here, here + here, raw[at + 1 : at + 2] + here])
        width = 2 if new.endswith(here) and new[:1] == raw[at + 1 : at + 2] else 1
        yield file, at, files | {file: raw[:at] + new + raw[at + width :]}


def widened(draft: PolicyDraft, number: int, seed: int) -> tuple[list[str], int]:
    """The slips that load and give more than there was, and how many can be read."""
    found, loaded = [], 0
    for file, at, files in slips(random.Random(seed), number):  # noqa: S311 - a test
        try:
            slipped = read_draft(files)
        except PolicyError:
            continue
        loaded += 1
        if said(slipped) != said(draft) and loads_and_widens(draft, slipped):
            found.append(f"{file} at {at}: {compare_policies(draft, slipped).lines[2:]}")
    return found, loaded


def said(draft: PolicyDraft) -> tuple[object, ...]:
    """All that a diff compares: where it is the same, there is nothing to work out."""
    claims = [claim.line.text for claim in draft.invariants]
    return (
        draft.policy.rules,
        claims,
        draft.shieldings.code_by_text,
        draft.shieldings.strictest_first,
    )


def loads_and_widens(draft: PolicyDraft, slipped: PolicyDraft) -> bool:
    try:
        slipped.verified_policy()
    except PolicyError:
        return False
    return compare_policies(draft, slipped).widens_access


def test_one_character_edit_of_policy_files_never_loads_and_widens_access(
    draft: PolicyDraft,
) -> None:
    found, loaded = widened(draft, 100, seed=1)

    assert found == []
    assert 0 < loaded < 100


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
def test_thousands_of_one_character_edits_never_load_and_widen_access(
    draft: PolicyDraft, seed: int
) -> None:
    found, loaded = widened(draft, 1_000, seed=seed)

    assert found == []
    assert 0 < loaded < 1_000


def test_one_character_edit_check_detects_a_gain_that_does_not_load(draft: PolicyDraft) -> None:
    files = policy_files()
    file, old = "shielding.toml", '"§ 24"'.encode()
    slipped = read_draft(files | {file: files[file].replace(old, '"§ 2"'.encode())})

    assert compare_policies(draft, slipped).widens_access
    assert said(slipped) != said(draft)
    assert not loads_and_widens(draft, slipped)


def answered_with_yes(policy: Policy) -> list[Question]:
    """Questions that the whole policy answers with yes."""
    chance = random.Random(4)  # noqa: S311 - a test
    found: list[Question] = []
    always = dict.fromkeys(("own_organisation", "active_capacity", "active_person"), True)
    never = dict.fromkeys(("conflict", "quarantined", "target_is_self", "target_conflict"), False)
    while len(found) < 100:
        facts = {name: chance.random() < 0.7 for name in policy.facts} | always | never
        role, action = chance.choice([*Role]), chance.choice([*Action])
        if policy.decide(role, facts, action).allowed:
            found.append((role, facts, action))
    return found


def name_policy(session: Transaction, digest: str) -> None:
    """The database names that policy."""
    keep_first_version(
        session, kind=POLICY_KIND, digest=digest, files={}, proposed_by="ada", approved_by="bo"
    )


def allowed(session: Transaction, folder: Path, questions: list[Question]) -> int:
    """How many of them a process says yes to whose policy was kept as it is in this folder."""
    try:
        kept = read_policy_files(folder)
    except PolicyError:
        kept = {}
    raw = json.dumps({name: text.decode(errors="replace") for name, text in kept.items()})
    session.execute(sa.update(table_of(PolicyVersion)).values(files=raw.encode()))
    policy = ActivePolicies().current(session)
    return sum(policy.decide(*question).allowed for question in questions)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(copytree(POLICIES, tmp_path / "policies"))


def test_missing_empty_unreadable_or_half_policy_file_denies_everything(
    draft: PolicyDraft, folder: Path, session: Transaction
) -> None:
    questions = answered_with_yes(draft.policy)
    name_policy(session, draft.policy.digest)
    assert allowed(session, folder, questions) == len(questions)
    for file in ALL_FILES:
        path, raw = folder / file, (folder / file).read_bytes()
        path.unlink()
        assert allowed(session, folder, questions) == 0, f"{file} is gone"
        path.mkdir()
        assert allowed(session, folder, questions) == 0, f"{file} cannot be read"
        path.rmdir()
        path.write_bytes(b"")
        assert allowed(session, folder, questions) == 0, f"{file} is empty"
        path.write_bytes(raw[: len(raw) // 2])
        assert allowed(session, folder, questions) == 0, f"{file} is half written"
        path.write_bytes(raw)
    assert allowed(session, folder, questions) == len(questions)


def cut(
    draft: PolicyDraft, folder: Path, session: Transaction, file: str, places: Sequence[int]
) -> int:
    """Decisions of processes whose file ends early; each must be a no."""
    questions = answered_with_yes(draft.policy)[:20]
    name_policy(session, draft.policy.digest)
    raw = (folder / file).read_bytes()
    decisions = 0
    for at in places:
        (folder / file).write_bytes(raw[:at])
        assert allowed(session, folder, questions) == 0, f"{file} cut at {at}"
        decisions += len(questions)
    return decisions


def test_truncated_deny_file_denies_everything(
    draft: PolicyDraft, folder: Path, session: Transaction
) -> None:
    size = len(policy_files()["deny.csv"])

    # Without its last line feed it reads as before, and is still not what was approved.
    places = [*range(0, size, size // 20), size - 1]
    assert cut(draft, folder, session, "deny.csv", places) >= 400


@pytest.mark.long
@pytest.mark.parametrize("file", ["allow.csv", "deny.csv"])
def test_allow_or_deny_file_truncated_at_any_byte_denies_everything(
    draft: PolicyDraft, folder: Path, session: Transaction, file: str
) -> None:
    size = len(policy_files()[file])

    assert cut(draft, folder, session, file, range(size)) > 10_000


def test_policy_file_list_names_every_access_file_of_the_folder() -> None:
    there = {
        path.relative_to(POLICIES).as_posix() for path in POLICIES.rglob("*") if path.is_file()
    }

    assert {*POLICY_FILES, *CASE_FILES} == {
        name
        for name in there
        if not name.startswith(("routing/", "tests/routing", "examples/", "README"))
    }
