"""The database names the policy that decides: a process that cannot have it denies everything."""

from pathlib import Path
from shutil import copytree

import pytest
from sqlmodel import Session

from inbox.access import Policy
from inbox.access.active import ActivePolicies, activate
from inbox.access.folder import load_folder
from tests.access.town import NOW, POLICIES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(copytree(POLICIES, tmp_path / "policies"))


def touch(folder: Path, text: str) -> None:
    """Another policy: the same rules, another comment."""
    path = folder / "allow.csv"
    path.write_text(path.read_text() + f"# {text}\n")


def test_where_the_database_names_none_nobody_may_do_anything(
    folder: Path, session: Session
) -> None:
    assert ActivePolicies(folder).current(session).rules == ()


def test_the_named_policy_is_loaded_once(folder: Path, session: Session) -> None:
    policies = ActivePolicies(folder)
    activate(session, NOW, load_folder(folder).digest, "ada")

    first = policies.current(session)

    assert first.rules
    assert policies.current(session) is first
    assert policies.problem is None


def test_a_folder_that_was_changed_without_approval_does_not_decide(
    folder: Path, session: Session
) -> None:
    activate(session, NOW, load_folder(folder).digest, "ada")
    running = ActivePolicies(folder)
    before = running.current(session)
    touch(folder, "changed")

    assert running.current(session) is before
    started = ActivePolicies(folder)
    assert started.current(session).rules == ()
    assert started.problem is not None
    assert started.problem.code == "policy.not_active"


def test_a_newly_approved_policy_is_taken_at_once_or_denies(folder: Path, session: Session) -> None:
    policies = ActivePolicies(folder)
    old = load_folder(folder).digest
    activate(session, NOW, old, "ada")
    assert policies.current(session).digest == old

    activate(session, NOW, "f" * 64, "ada")
    denying = policies.current(session)
    assert (denying.rules, denying.digest) == ((), "f" * 64)
    touch(folder, "new")
    new = load_folder(folder).digest
    activate(session, NOW, new, None)
    assert policies.current(session).digest == new
    assert policies.current(session).rules


def test_a_broken_folder_is_tried_again_once_its_files_have_changed(
    folder: Path, session: Session
) -> None:
    good = load_folder(folder).digest
    rows = (folder / "deny.csv").read_bytes()
    (folder / "deny.csv").write_bytes(rows + b"p, D09\n")
    policies = ActivePolicies(folder)
    activate(session, NOW, good, "ada")

    assert policies.current(session).rules == ()
    problem = policies.problem
    assert problem is not None
    assert policies.current(session).rules == ()
    assert policies.problem is problem
    (folder / "deny.csv").write_bytes(rows)
    assert policies.current(session).digest == good
    assert policies.current(session).rules


def test_the_first_policy_has_no_approver_and_later_ones_replace_it(
    session: Session, the_policy: Policy
) -> None:
    for digest, approver in (("a", None), (the_policy.digest, "ada")):
        activate(session, NOW, digest, approver)

    assert ActivePolicies(POLICIES).current(session).digest == the_policy.digest
