"""Wrong personal codes: audited whatever becomes of the transaction, and slower each time."""

import json
from datetime import timedelta

import pytest
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.directory import issue_code, sign_in_as, verified_capacities
from inbox.errors import Conflict, InboxError, NotFound, Unavailable
from inbox.tables import AuditEntry, RefusedSignIn
from tests.directory.installation import at_time
from tests.worlds import World

REFUSED = "person:code_refused"


def code_of(world: World, person: str) -> str:
    with world.line.store.transaction() as tx:
        return issue_code(tx, person)


def outcome(world: World, person: str, code: str, later: timedelta = timedelta(0)) -> str:
    """What a sign-in ends with, in a transaction that only reads."""
    try:
        with world.line.store.reading() as tx:
            verified_capacities(at_time(tx, tx.now + later), person, code)
    except InboxError as error:
        return error.code
    return "in"


def refusals(world: World) -> list[tuple[str, str]]:
    with world.line.store.reading() as tx:
        leaves = tx.exec(select(AuditEntry.leaf).order_by(col(AuditEntry.seq))).all()
    read = [json.loads(leaf) for leaf in leaves]
    return [(leaf["subject"], leaf["who"]) for leaf in read if leaf["event"] == REFUSED]


def test_wrong_personal_code_is_in_the_audit_though_nothing_was_written(
    small_world: World,
) -> None:
    code_of(small_world, "anne")

    assert outcome(small_world, "anne", "wrong") == "code.wrong"

    assert refusals(small_world) == [("anne", "stranger")]


def test_wrong_personal_code_is_in_the_audit_though_the_transaction_was_rolled_back(
    small_world: World,
) -> None:
    with pytest.raises(Conflict), small_world.line.store.transaction() as tx:
        verified_capacities(tx, "anne", "wrong")
    with pytest.raises(NotFound), small_world.line.store.transaction() as tx:
        sign_in_as(tx, "anne", role=Role.ARCHIVIST, unit="desk", code="wrong")

    assert refusals(small_world) == [("anne", "stranger")] * 2


def test_id_of_nobody_is_not_in_the_audit_as_it_was_typed(small_world: World) -> None:
    outcome(small_world, "12057912345", "wrong")

    assert refusals(small_world) == [("nobody known", "stranger")]


def test_third_wrong_code_makes_even_the_right_one_wait_and_each_more_makes_it_longer(
    small_world: World,
) -> None:
    right = code_of(small_world, "anne")
    for _ in range(3):
        assert outcome(small_world, "anne", "wrong") == "code.wrong"

    paused = outcome(small_world, "anne", right)
    after = outcome(small_world, "anne", "wrong", timedelta(seconds=16))
    longer = outcome(small_world, "anne", right, timedelta(seconds=16))

    assert (paused, after, longer) == ("code.paused", "code.wrong", "code.paused")
    assert outcome(small_world, "anne", right, timedelta(seconds=31)) == "in"
    assert len(refusals(small_world)) == 4


def test_pause_is_a_quarter_of_an_hour_at_most(small_world: World) -> None:
    right = code_of(small_world, "anne")
    with small_world.line.store.transaction() as tx:
        tx.add(RefusedSignIn(person="anne", refused=1000, last_at=tx.now))

    assert outcome(small_world, "anne", right, timedelta(minutes=14)) == "code.paused"
    assert outcome(small_world, "anne", right, timedelta(minutes=16)) == "in"


def test_attempt_in_a_pause_is_not_counted_and_not_audited(small_world: World) -> None:
    for _ in range(3):
        outcome(small_world, "anne", "wrong")

    for _ in range(5):
        assert outcome(small_world, "anne", "wrong") == "code.paused"

    assert len(refusals(small_world)) == 3


def test_right_code_and_a_new_code_let_the_count_begin_anew(small_world: World) -> None:
    right = code_of(small_world, "anne")
    for _ in range(2):
        outcome(small_world, "anne", "wrong")
    assert outcome(small_world, "anne", right) == "in"
    for _ in range(3):
        outcome(small_world, "anne", "wrong")
    assert outcome(small_world, "anne", right) == "code.paused"

    new = code_of(small_world, "anne")

    assert outcome(small_world, "anne", new) == "in"


def test_wrong_codes_for_one_person_let_another_in(small_world: World) -> None:
    right = code_of(small_world, "bjorn")
    for _ in range(3):
        outcome(small_world, "anne", "wrong")

    assert outcome(small_world, "bjorn", right) == "in"


def test_pause_stops_sign_in_with_one_capacity_too(small_world: World) -> None:
    right = code_of(small_world, "anne")
    for _ in range(3):
        outcome(small_world, "anne", "wrong")

    with (
        pytest.raises(Unavailable, match=r"code\.paused"),
        small_world.line.store.transaction() as tx,
    ):
        sign_in_as(tx, "anne", role=Role.ARCHIVIST, unit="desk", code=right)


def test_pause_that_a_wrong_clock_dated_ahead_ends_when_the_clock_is_right(
    small_world: World,
) -> None:
    right = code_of(small_world, "anne")
    with small_world.line.store.transaction() as tx:
        ahead = tx.now + timedelta(days=400)
        tx.add(RefusedSignIn(person="anne", refused=1000, last_at=ahead))

    assert outcome(small_world, "anne", "wrong") == "code.wrong"
    assert outcome(small_world, "anne", right) == "in"
