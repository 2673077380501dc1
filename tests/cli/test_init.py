"""The beginning: two people, once, under policies that hold."""

import shutil
from pathlib import Path

import pytest
from sqlmodel import select

from inbox.migrations import shipped_folder
from inbox.store import create_engine
from inbox.tables import ActivePolicy, AuditEntry, CapacityRow, Person
from tests.cli.installation import OURS, Answer, Installed

TWO = ("--person", "anne=Anne Arkivar", "--person", "bjorn=Bjorn Arkivar")


def _init(installed: Installed, *words: str) -> Answer:
    return installed.ask("init", "--organisation", OURS, *(words or TWO))


def _rows(installed: Installed, query: object) -> list[object]:
    from sqlmodel import Session

    engine = create_engine(f"sqlite:///{installed.folder}/inbox.db")
    with Session(engine) as session:
        found = list(session.exec(query))  # type: ignore[call-overload] # a query of any one thing
    engine.dispose()
    return found


@pytest.fixture
def prepared(empty: Installed) -> Installed:
    assert empty.ask("keys", "create").code == 0
    assert empty.ask("database", "upgrade").code == 0
    return empty


def test_init_prints_two_personal_codes_and_stores_only_their_hashes(prepared: Installed) -> None:
    answer = _init(prepared, *TWO, "--json")

    assert answer.code == 0
    assert isinstance(answer.value, dict)
    codes = list(answer.value["codes"].values())
    assert len(set(codes)) == 2
    stored = b"".join(path.read_bytes() for path in prepared.folder.glob("inbox.db*"))
    assert b"anne" in stored
    assert [code for code in codes if code.encode() in stored] == []
    assert len(_rows(prepared, select(Person.code_hash).where(Person.code_hash.is_not(None)))) == 2  # type: ignore[union-attr] # a column


def test_init_makes_two_archivists_a_policy_editor_and_a_security_reviewer(
    first: Installed,
) -> None:
    capacities = _rows(first, select(CapacityRow))

    assert {(c.person, c.role) for c in capacities if isinstance(c, CapacityRow)} == {
        ("anne", "archivist"),
        ("anne", "policy_editor"),
        ("bjorn", "archivist"),
        ("bjorn", "security_reviewer"),
    }


def test_init_activates_the_policies_and_audits_person_ids_without_names(first: Installed) -> None:
    digests = _rows(first, select(ActivePolicy.digest))
    leaves = b"\n".join(
        leaf for leaf in _rows(first, select(AuditEntry.leaf)) if isinstance(leaf, bytes)
    )

    assert first.ask("policy", "lint").out.strip().endswith(f"digest {digests[0]}")
    assert b"installation:people_enrolled" in leaves
    assert b"anne+bjorn" in leaves
    assert b"Arkivar" not in leaves


def test_second_init_is_refused_and_points_to_inbox_directory(installed: Installed) -> None:
    answer = installed.ask(
        *("init", "--organisation", OURS, "--person", "eva=Eva", "--person", "ola=Ola"),
        *("--desk", "dokumentsenteret=Dokumentsenteret", "--json"),
    )

    assert answer.code == 1
    assert answer.err.startswith("inbox: init.done: ")
    assert "inbox directory" in answer.err
    assert len(_rows(installed, select(Person))) == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--person", "anne=Anne"], "init.people"),
        (["--person", "anne=Anne", "--person", "anne=Anne"], "init.people"),
        ([*TWO, "--person", "eva=Eva"], "init.people"),
        (["--person", "anne", "--person", "bjorn=Bjorn"], "init.named"),
        (["--person", "Anne=Anne", "--person", "bjorn=Bjorn"], "init.named"),
        ([*TWO, "--desk", "arkivet=Arkivet"], "init.desk"),
    ],
)
def test_init_with_invalid_people_or_desk_exits_2(
    prepared: Installed, words: list[str], code: str
) -> None:
    answer = _init(prepared, *words, "--json")

    assert answer.code == 2
    assert answer.err.startswith(f"inbox: {code}: ")
    assert _rows(prepared, select(Person)) == []


def test_init_with_an_invalid_organisation_check_digit_is_refused(prepared: Installed) -> None:
    answer = prepared.ask("init", "--organisation", "910075917", *TWO)

    assert answer.code == 2
    assert "org_number.check_digit" in answer.err


def test_init_with_an_invalid_policy_reports_the_file_and_enrols_nobody(
    prepared: Installed, tmp_path: Path
) -> None:
    folder = tmp_path / "policies"
    shutil.copytree(shipped_folder("policies"), folder)
    allow = folder / "allow.csv"
    allow.write_text(allow.read_text().replace("archivist, mailbox,", "arkivar, mailbox,", 1))
    prepared.config.write_text(f'policies = "{folder}"\n' + prepared.config.read_text())

    answer = _init(prepared, *TWO, "--json")

    assert answer.code == 2
    assert "allow.csv" in answer.err
    assert "arkivar" in answer.err
    assert _rows(prepared, select(Person)) == []


def test_init_without_keys_points_to_keys_create(empty: Installed) -> None:
    empty.ask("database", "upgrade")

    answer = _init(empty, *TWO, "--json")

    assert answer.code == 2
    assert "inbox keys create" in answer.err


def test_init_without_tables_points_to_database_upgrade(empty: Installed) -> None:
    empty.ask("keys", "create")

    answer = _init(empty, *TWO, "--json")

    assert answer.code == 2
    assert "database.empty" in answer.err
    assert "inbox database upgrade" in answer.err
