"""Identities in the directory's files: one identity is one person, and a new one widens access."""

import pytest
from sqlmodel import col, select

from inbox.directory.apply import hash_references, import_agreed, plan_changes
from inbox.directory.diff import RowChangeType
from inbox.errors import Invalid
from inbox.tables import Identity
from tests.directory.installation import read
from tests.worlds import World

PID = "01010112345"


def row(person: str, issuer: str = "https://idporten.no", more: str = "") -> str:
    return f"""
[[identity]]
person = "{person}"
issuer = "{issuer}"
subject = "pid:{PID}"
{more}
"""


def take(world: World, text: str) -> None:
    with world.line.store.transaction() as tx:
        import_agreed(world.line, tx, read(text), approved_by="anne+bjorn")


def test_new_identity_widens_access_and_is_stored_as_a_hash(world: World) -> None:
    with world.line.store.transaction() as tx:
        directory = hash_references(world.line, read(row("kari")))
        (change,) = plan_changes(world.line, tx, directory)

    assert change.widens
    assert PID not in repr(change)
    take(world, row("kari"))
    assert world.open_tasks("kari") == {"identity"}
    with world.line.store.reading() as tx:
        assert PID not in repr(tx.exec(select(Identity)).one())


def test_second_import_of_an_identity_changes_nothing_and_its_end_narrows(world: World) -> None:
    take(world, row("kari"))
    ended = row("kari", more="until = 2026-11-19")

    with world.line.store.transaction() as tx:
        again = plan_changes(world.line, tx, hash_references(world.line, read(row("kari"))))
        (end,) = plan_changes(world.line, tx, hash_references(world.line, read(ended)))

    assert again == ()
    assert (end.change_type, end.widens) == (RowChangeType.ENDED, False)


@pytest.mark.parametrize("issuer", ["https://idporten.no", "https://ansattporten.no"])
def test_identity_of_another_person_is_refused_at_each_issuer(world: World, issuer: str) -> None:
    take(world, row("kari"))

    with pytest.raises(Invalid) as refused:
        take(world, row("ola", issuer))

    assert refused.value.code == "directory.identity_taken"
    assert PID not in str(refused.value)


def test_identity_of_two_people_in_one_file_is_refused(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        take(world, row("kari") + row("ola", "https://ansattporten.no"))

    assert refused.value.code == "directory.identity_taken"


def test_identity_that_has_ended_can_be_another_persons(world: World) -> None:
    take(world, row("kari"))
    take(world, row("kari", more="until = 2026-11-19"))

    take(world, row("ola"))

    with world.line.store.reading() as tx:
        people = tx.exec(select(Identity.person).order_by(col(Identity.person))).all()
    assert people == ["kari", "ola"]


@pytest.mark.parametrize(
    "subject", ["pid:0101011234", "kari@example.no", PID, "oid:x/y", "sub:a b"]
)
def test_refused_subject_is_not_repeated(subject: str) -> None:
    text = f"[[identity]]\nperson='kari'\nissuer='https://i.example'\nsubject='{subject}'\n"

    with pytest.raises(Invalid) as refused:
        read(text)

    assert subject not in str(refused.value)
