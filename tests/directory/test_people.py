"""Who works here: import, the first two people, personal codes, and acting in one capacity."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from inbox.access.policy.vocabulary import Role
from inbox.directory import (
    enrol_first_people,
    import_agreed,
    is_code_valid,
    issue_code,
    sign_in_as,
    verified_capacities,
)
from inbox.directory.format.toml_file import read_directory
from inbox.domain import OrgNumber
from inbox.errors import Conflict, Invalid, NotFound
from inbox.line.case_systems import case_system_by_key
from inbox.tables import CapacityRow, Clearance, Installation, KnownReference, Person, Unit
from tests.directory.installation import at_time
from tests.municipality import DIRECTORY
from tests.worlds import OURS, World


def test_a_personal_code_proves_one_person_and_is_stored_hashed(small_world: World) -> None:
    with small_world.line.store.transaction() as tx:
        code = issue_code(tx, "anne")
        assert is_code_valid(tx, "anne", code)
        assert not is_code_valid(tx, "bjorn", code)
        assert not is_code_valid(tx, "anne", code.upper() + "x")
        stored = tx.get_one(Person, "anne").code_hash or b""
        assert code.encode() not in stored


def test_new_personal_code_invalidates_the_old_code(small_world: World) -> None:
    with small_world.line.store.transaction() as tx:
        old = issue_code(tx, "anne")
        issue_code(tx, "anne")
        assert not is_code_valid(tx, "anne", old)


def test_person_who_left_cannot_sign_in_or_act(small_world: World) -> None:
    with small_world.line.store.transaction() as tx:
        code = issue_code(tx, "anne")
        tx.get_one(Person, "anne").active_until = tx.now
        assert not is_code_valid(tx, "anne", code)
        with pytest.raises(NotFound):
            sign_in_as(tx, "anne", role=Role.ARCHIVIST, unit="desk", code=code)


def test_acting_in_an_ended_capacity_is_refused(small_world: World) -> None:
    with small_world.line.store.transaction() as tx:
        for row in tx.exec(select(CapacityRow).where(col(CapacityRow.person) == "kari")):
            row.active_until = tx.now + timedelta(hours=1)
        assert sign_in_as(tx, "kari", role=Role.LEADER, unit="bv").person == "kari"
        with pytest.raises(NotFound):
            sign_in_as(
                at_time(tx, tx.now + timedelta(hours=2)), "kari", role=Role.LEADER, unit="bv"
            )


def test_capacities_of_a_person_are_shown_only_for_the_own_personal_code(
    small_world: World,
) -> None:
    with small_world.line.store.transaction() as tx:
        anne, bjorn = (issue_code(tx, person) for person in ("anne", "bjorn"))

        found = verified_capacities(tx, "anne", anne)

        assert {(each.role, each.strong_auth) for each in found} >= {(Role.ARCHIVIST, True)}
        for person, code in (("anne", bjorn), ("anne", ""), ("nobody", anne)):
            with pytest.raises(Conflict, match=r"code\.wrong"):
                verified_capacities(tx, person, code)


def test_capacities_in_a_closed_unit_cannot_be_used(small_world: World) -> None:
    with small_world.line.store.transaction() as tx:
        code = issue_code(tx, "kari")
        assert sign_in_as(tx, "kari", role=Role.LEADER, unit="bv").unit == "bv"
        before = {each.unit for each in verified_capacities(tx, "kari", code)}
        tx.get_one(Unit, "bv").active_until = tx.now

        left = {each.unit for each in verified_capacities(tx, "kari", code)}

        assert left == before - {"bv"}
        with pytest.raises(NotFound):
            sign_in_as(tx, "kari", role=Role.LEADER, unit="bv")


def test_repeated_directory_import_adds_nothing_and_shows_no_key_again(small_world: World) -> None:
    with small_world.line.store.transaction() as tx:
        again = import_agreed(
            small_world.line, tx, read_directory(DIRECTORY), approved_by="anne+bjorn"
        )
        people = tx.exec(select(Person.id)).all()
        capacities = tx.exec(select(CapacityRow.id)).all()
        clearances = tx.exec(select(Clearance.id)).all()

    assert again == {}
    assert len(people) == 4
    assert len(capacities) == 6
    assert len(clearances) == 3


def test_a_case_system_is_found_by_its_key_while_it_is_active(small_world: World) -> None:
    key, _ = small_world.keys["sak"]
    with small_world.line.store.reading() as tx:
        found = case_system_by_key(tx, key)
        assert found is not None
        assert found.id == "sak"
        assert case_system_by_key(tx, key + "x") is None
        assert case_system_by_key(at_time(tx, tx.now - timedelta(days=1)), key) is None


def test_imported_case_reference_is_stored_as_a_keyed_hash(small_world: World) -> None:
    text = DIRECTORY + (
        b"[[reference]]\ncounterparty='910077473'\nreference='2026/000999-1'\nunit='bv'\n"
    )
    with small_world.line.store.transaction() as tx:
        import_agreed(small_world.line, tx, read_directory(text), approved_by="a+b")
        known = tx.exec(select(KnownReference)).one()

    assert known.unit == "bv"
    assert "2026" not in known.reference_hash


def _begin(world: World, people: dict[str, str]) -> dict[str, str]:
    with world.line.store.transaction() as tx:
        return enrol_first_people(
            tx,
            organisation=OrgNumber(OURS),
            people=people,
            desk=("post", "Postmottak"),
            digest="d" * 64,
        )


def test_enrol_first_people_requires_two_people_and_runs_only_once(small_world: World) -> None:
    with pytest.raises(Invalid, match=r"init\.people"):
        _begin(small_world, {"en": "En"})
    codes = _begin(small_world, {"en": "En", "to": "To"})
    with pytest.raises(Conflict, match=r"init\.done"):
        _begin(small_world, {"tre": "Tre", "fire": "Fire"})

    with small_world.line.store.reading() as tx:
        assert all(is_code_valid(tx, person, code) for person, code in codes.items())
        assert tx.get_one(Installation, 1).people_enrolled_at == tx.now
        assert tx.get_one(Unit, "post").name == "Postmottak"
        assert sign_in_as(tx, "en", role=Role.POLICY_EDITOR, unit="post")
        assert sign_in_as(tx, "to", role=Role.SECURITY_REVIEWER, unit="post")
        with pytest.raises(NotFound):
            sign_in_as(tx, "en", role=Role.SECURITY_REVIEWER, unit="post")
