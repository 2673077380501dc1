"""An upgrade never denies what the active policy allows: it decides on, or is refused first."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from inbox.access import Action, Policy, Role
from inbox.access.files.active import ActivePolicies
from inbox.access.files.before_upgrade import check_active_policy
from inbox.access.files.folder import digest_of
from inbox.access.files.versions import DigestRule, pack_files
from inbox.access.policy.names import RemovedName, Vocabulary, program_vocabulary
from inbox.errors import PolicyError
from inbox.line.active_rule_books import rule_book_kind
from inbox.migrations import downgrade, upgrade
from inbox.store import SCHEMA_REVISION, create_engine
from tests.access.kept_policies import (
    decided,
    decided_otherwise,
    files_of_fewer_names,
    files_of_other_facts,
    recorded_decisions,
)
from tests.access.town import files_of_vocabulary_1


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    made = create_engine(database)
    yield made
    made.dispose()


def kept_by_the_program_of_before(engine: sa.Engine, files: dict[str, bytes]) -> str:
    """A database as the program of version 0002 left it; returns the digest of its policy."""
    downgrade(engine, "0002")
    digest = digest_of(files, DigestRule.DECIDING_FILES)
    with engine.execution_options(inbox_writes=True).begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO policy_version (id, kind, digest, files, proposed_by, proposed_at)"
                " VALUES ('v', 'policy', :digest, :files, 'kari', '2026-01-01')"
            ),
            {"digest": digest, "files": pack_files(files)},
        )
        connection.execute(
            sa.text(
                "INSERT INTO active_policy (kind, digest, version, active_from)"
                " VALUES ('policy', :digest, 'v', '2026-01-01')"
            ),
            {"digest": digest},
        )
    return digest


def current(engine: sa.Engine, vocabulary: Vocabulary | None = None) -> Policy:
    """The policy that a process finds active which has just begun."""
    policies = ActivePolicies(vocabulary=vocabulary)
    with Session(engine) as session:
        policy = policies.current(session)
    assert policies.problem is None
    return policy


def revision(engine: sa.Engine) -> str:
    with engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())


def test_upgrade_keeps_each_decision_of_a_policy_with_fewer_facts_and_actions(
    engine: sa.Engine,
) -> None:
    digest = kept_by_the_program_of_before(engine, files_of_fewer_names())

    for step in ("0003", "0004", "0005", "head"):
        upgrade(engine, step, check=check_active_policy)
        policy = current(engine)

        assert policy.digest == digest
        assert decided_otherwise(policy, but=Action.NOTE) == []
    newer = (Action.ASK_ACCESS, Action.DECLARE_CONFLICT, Action.END_CONFLICT)
    assert policy.later.denied == (Action.NOTE, *newer, Action.FIGURES)
    later = {"needs_reviewer", "note", "undo", "decline", "figures", "own_recent_move"}
    later |= {"escalated", "records_manager", "by_hand", "readable", *newer}
    later |= {"leads_person", "unassignable"}
    assert {name.name for name in policy.later.names} == later
    asked = {held for *_, held, _ in recorded_decisions()}
    notes = {decided(policy, role, Action.NOTE, held) for role in Role for held in asked}
    assert {answer.split()[0] for answer in notes} == {"no"}


def test_upgraded_policy_decides_a_new_action_by_the_rows_that_it_was_part_of(
    engine: sa.Engine,
) -> None:
    kept_by_the_program_of_before(engine, files_of_fewer_names())
    program = program_vocabulary()
    note = replace(program.names["note"], since=4, part_of=(Action.OPEN,))
    vocabulary = replace(program, version=4, names={**program.names, "note": note})

    upgrade(engine, check=partial(check_active_policy, vocabulary=vocabulary))
    policy = current(engine, vocabulary)

    assert decided_otherwise(policy, but=Action.NOTE) == []
    asked = [(role, held) for role, action, held, _ in recorded_decisions() if action == "open"]
    answers = [decided(policy, role, Action.NOTE, held) for role, held in asked]
    assert answers == [decided(policy, role, Action.OPEN, held) for role, held in asked]
    assert {answer.split()[0] for answer in answers} == {"yes", "no"}


def test_policy_with_a_fact_that_the_program_lacks_is_refused_before_the_upgrade(
    engine: sa.Engine,
) -> None:
    kept_by_the_program_of_before(engine, files_of_other_facts())

    with pytest.raises(PolicyError) as refused:
        upgrade(engine, check=check_active_policy)

    assert refused.value.code == "policy.condition_name"
    assert "the active policy cannot be read: allow.csv, line " in refused.value.reason
    assert "read «urgent»" in refused.value.reason
    assert "with the program of before, let two people activate a policy without it" in str(
        refused.value
    )
    assert revision(engine) == "0002"


def test_upgrade_asks_after_the_policy_alone_where_a_rule_book_is_active_too(
    engine: sa.Engine,
) -> None:
    kept_by_the_program_of_before(engine, files_of_other_facts())
    kind = {"kind": rule_book_kind("910075918")}
    with engine.execution_options(inbox_writes=True).begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO policy_version (id, kind, digest, files, proposed_by, proposed_at)"
                " SELECT 'r', :kind, digest, files, proposed_by, proposed_at FROM policy_version"
            ),
            kind,
        )
        connection.execute(
            sa.text(
                "INSERT INTO active_policy (kind, digest, version, active_from)"
                " SELECT :kind, digest, 'r', active_from FROM active_policy"
            ),
            kind,
        )

    with pytest.raises(PolicyError, match="the active policy cannot be read: allow.csv, line "):
        upgrade(engine, check=check_active_policy)


def test_refused_upgrade_says_what_to_write_instead_of_a_removed_fact(engine: sa.Engine) -> None:
    kept_by_the_program_of_before(engine, files_of_vocabulary_1())
    program = program_vocabulary()
    names = {name: known for name, known in program.names.items() if name != "covers"}
    vocabulary = replace(program, version=4, names=names, removed=covers_removed(program))

    with pytest.raises(PolicyError, match="allowed: write `has_grant`") as refused:
        upgrade(engine, check=partial(check_active_policy, vocabulary=vocabulary))

    assert refused.value.code == "policy.removed"
    assert "nothing is upgraded" in refused.value.reason


def covers_removed(program: Vocabulary) -> dict[str, RemovedName]:
    """The fact `covers`, as it would be listed after it was removed."""
    instead = dict.fromkeys(program.names["covers"].meaning, "write `has_grant`")
    return {"covers": RemovedName(name="covers", until=3, instead=instead)}


def test_database_without_a_policy_or_with_a_damaged_one_may_be_upgraded(
    engine: sa.Engine,
) -> None:
    upgrade(engine, check=check_active_policy)
    kept_by_the_program_of_before(engine, files_of_vocabulary_1())
    with engine.execution_options(inbox_writes=True).begin() as connection:
        connection.execute(sa.text("UPDATE policy_version SET files = :files"), {"files": b"{"})
    upgrade(engine, check=check_active_policy)
    downgrade(engine, "base")
    upgrade(engine, check=check_active_policy)
    assert revision(engine) == SCHEMA_REVISION


def test_policy_of_a_newer_digest_rule_is_read_by_that_rule_before_an_upgrade(
    engine: sa.Engine,
) -> None:
    kept_by_the_program_of_before(engine, files_of_other_facts())
    upgrade(engine)

    with pytest.raises(PolicyError, match="urgent"):
        upgrade(engine, check=check_active_policy)
