"""At the upgrade the rows that stand are vouched for as they are found, once and for good."""

import json
from collections import Counter

import pytest
from sqlmodel import select

from inbox.audit.state import TAKEN, take_state, verify_state
from inbox.tables import AuditEntry, Person
from tests.audit.audit_forgery import migrate_from_before, rebuild, without_marks
from tests.audit.state_edits import findings_of, said_after
from tests.worlds import World


@pytest.fixture
def old(world: World) -> World:
    """A world whose database and log are of the version before."""
    world.send()
    world.collect()
    world.work()
    rebuild(world, without_marks)
    migrate_from_before(world.line.store.engine)
    return world


def _take(world: World) -> None:
    with world.line.store.transaction() as tx:
        take_state(tx)


def _events(world: World) -> Counter[str]:
    with world.line.store.reading() as tx:
        return Counter(json.loads(leaf)["event"] for leaf in tx.exec(select(AuditEntry.leaf)))


def test_before_the_first_start_the_state_check_says_that_nothing_is_vouched_for(
    old: World,
) -> None:
    assert [finding.code for finding in findings_of(old)] == ["state.not_taken"]


def test_rows_of_the_version_before_are_counted_as_found(old: World) -> None:
    _take(old)

    with old.line.store.reading() as tx:
        report = verify_state(tx, old.line.keyring.row_key())
        people = len(tx.exec(select(Person)).all())
    assert report.findings == ()
    assert report.as_found["person"] == people
    assert sum(report.as_found.values()) == report.compared


def test_a_row_that_is_written_after_the_upgrade_is_as_found_no_more(old: World) -> None:
    _take(old)
    with old.line.store.transaction() as tx:
        tx.get_one(Person, "ola").name = "Ola To"

    with old.line.store.reading() as tx:
        report = verify_state(tx, old.line.keyring.row_key())
    assert report.findings == ()
    assert sum(report.as_found.values()) == report.compared - 1


def test_an_edit_of_a_row_as_found_is_a_finding(old: World) -> None:
    _take(old)

    said = said_after(old, "UPDATE capacity SET role = 'auditor' WHERE role = 'leader'")

    assert list(dict.fromkeys(said)) == [("state.differs", "capacity")]


def test_the_state_is_never_taken_twice(old: World) -> None:
    _take(old)
    before = _events(old)

    _take(old)

    assert before[TAKEN] > 0
    assert _events(old) == before


def test_a_new_installation_is_never_taken_as_found(small_world: World) -> None:
    _take(small_world)

    assert _events(small_world)[TAKEN] == 0
