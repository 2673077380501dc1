"""Directory files, TOML and CSV: what is read, what is refused, and that the two say the same."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from inbox.directory.format.csv_folder import CSV_FILES, read_folder, write_folder
from inbox.directory.format.rows import Directory, RowKind, with_hashed_references
from inbox.directory.format.toml_file import directory_text, read_directory
from inbox.errors import Invalid
from tests.directory.directory_strategies import directories
from tests.municipality import DIRECTORY

HEAD = "organisation = '910075918'\n"


@given(directories())
@settings(max_examples=12, deadline=None)
def test_directory_written_as_toml_and_csv_is_read_back_equal(drawn: Directory) -> None:
    with TemporaryDirectory() as folder:
        write_folder(Path(folder), drawn)

        assert read_directory(directory_text(drawn).encode()) == drawn
        assert read_folder(Path(folder)) == drawn


@pytest.mark.parametrize(
    ("first", "last", "since", "until"),
    [
        ("2026-01-01", "2026-01-31", "2025-12-31 23:00", "2026-01-31 23:00"),
        ("2026-07-01", "2026-07-31", "2026-06-30 22:00", "2026-07-31 22:00"),
        ("2026-10-25", "2026-10-25", "2026-10-24 22:00", "2026-10-25 23:00"),
        ("2027-03-28", "2027-03-28", "2027-03-27 23:00", "2027-03-28 22:00"),
    ],
    ids=["winter", "summer", "a day of 25 hours", "a day of 23 hours"],
)
def test_directory_period_is_of_whole_days_in_norway(
    first: str, last: str, since: str, until: str
) -> None:
    text = HEAD + f"[[person]]\nid='a'\nname='A'\nfrom={first}\nuntil={last}\n"

    directory = read_directory(text.encode())

    row = directory.rows[RowKind.PERSON]["a",]
    assert (str(row.since), str(row.until)) == (f"{since}:00+00:00", f"{until}:00+00:00")
    written = directory_text(directory)
    assert f"from = {first}" in written.replace('"', "")
    assert f"until = {last}" in written.replace('"', "")


def test_directory_period_of_midnights_in_utc_is_written_as_times() -> None:
    times = "from = 2026-01-01T00:00:00Z\nuntil = 2026-02-01T00:00:00Z\n"
    directory = read_directory((HEAD + f"[[person]]\nid='a'\nname='A'\n{times}").encode())

    written = directory_text(directory)

    assert "2026-01-01T00:00:00Z" in written
    assert "2026-02-01T00:00:00Z" in written
    assert read_directory(written.encode()) == directory


@pytest.mark.parametrize("period", ["from=0001-01-01", "until=9999-12-31"])
def test_directory_day_outside_what_can_be_kept_is_refused(period: str) -> None:
    text = HEAD + f"[[person]]\nid='a'\nname='A'\n{period}\n"

    with pytest.raises(Invalid, match=r"directory\.value"):
        read_directory(text.encode())


def test_directory_file_tells_an_empty_list_from_a_missing_list() -> None:
    read = read_directory((HEAD + "conflict = []\n").encode())

    assert set(read.rows) == {RowKind.CONFLICT}
    assert "conflict = []" in directory_text(read)


def test_hashed_directory_reference_is_written_only_as_its_hash() -> None:
    text = (
        f"{HEAD}[[reference]]\ncounterparty='910077473'\nreference='2026/9-1'\nunit='bv'\n"
        "[[identity]]\nperson='ola'\nissuer='https://i.example'\nsubject='pid:01010112345'\n"
    )

    keyed = with_hashed_references(
        read_directory(text.encode()), lambda _: "ab" * 32, lambda *_: "cd" * 32
    )

    assert "2026/9-1" not in directory_text(keyed)
    assert "01010112345" not in directory_text(keyed)
    assert read_directory(directory_text(keyed).encode()) == keyed


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[[unti]]\nid='x'", 2, "read «unti»; allowed: organisation, complete, case_system"),
        ("colour = 1", 2, "read «colour»"),
        ("[[unit]]\nid='Stor Bokstav'\nname='y'", 3, "read a text of 12 characters; allowed: unit"),
        ("[[unit]]\nid='bv'\n", 2, "unit has a name"),
        ("[[person]]\nid='kari'\nname=7", 4, "person.name"),
        ("[[capacity]]\nperson='a'\nunit='b'\nrole='king'", 5, "read «king»; allowed: capacity"),
        ("[[capacity]]\nperson='a'\nunit='b'\nrole='case_system'", 5, "read «case_system»"),
        ("[[capacity]]\nperson='a'\nrolle='x'", 4, "read «rolle»; allowed: person, unit, role"),
        ("[[person]]\nid='a'\nname='A'\nfrom='i dag'", 5, "a day as 2026-01-31"),
        ("[[person]]\nid='a'\nname='A'\nfrom=2026-01-01T08:00:00", 5, "its zone"),
        ("[[person]]\nid='a'\nname='A'\nfrom=2026-02-01\nuntil=2026-01-01", 2, "an end after"),
        ("[[person]]\nid='a'\nname='A'\n[[person]]\nid='a'\nname='B'", 5, "it stands at"),
        ("[[conflict]]\nperson='a'", 2, "exactly one of message, sender, reference"),
        ("[[conflict]]\nperson='a'\nsender='910077473'\nreference='x'", 2, "exactly one of"),
        ("[[conflict]]\nperson='a'\nsender='910077474'", 4, "nine digits that fit"),
        ("[[delegation]]\nunit='b'\nabsent='a'\nsubstitute='c'\ngiven_by='a'", 2, "an until"),
        (
            "[[delegation]]\nunit='b'\nabsent='a'\nsubstitute='a'\ngiven_by='c'\nuntil=2026-01-01",
            2,
            "somebody else",
        ),
        ("[[case_system]]\nid='s'\nname='S'\nmode='webhook'", 2, "webhook_url"),
        ("[[case_system]]\nid='s'\nname='S'\nmode='pull'\nwebhook_url='http://x'", 2, "webhook"),
        ("unit = [1]", 2, "[[unit]]"),
        ("complete = 'yes'", 2, "complete: true, false"),
        ("[[unit]\n", 2, "TOML"),
    ],
)
def test_mistake_in_a_directory_toml_file_is_refused_with_its_line(
    text: str, line: int, said: str
) -> None:
    with pytest.raises(Invalid) as told:
        read_directory((HEAD + text).encode(), file="d.toml")

    assert f": d.toml, line {line}: read " in str(told.value)
    assert said in str(told.value)


@pytest.mark.parametrize("raw", [b"\xff", b"\xef\xbb\xbforganisation = '910075918'", b"", b"x = "])
def test_read_directory_refuses_bytes_that_are_not_a_directory_file(raw: bytes) -> None:
    with pytest.raises(Invalid, match=r"directory\."):
        read_directory(raw)


NAMED = (
    "[[person]]\nid='Kari Nordmann'\nname='x'",
    "[[person]]\nid='01017012345'\nnavn='Kari Nordmann'",
    "[[person]]\nid='kari'\nname=' Kari Nordmann'",
    "[[capacity]]\nperson='kari'\nunit='bv'\nrole='Kari Nordmann'",
    "[[conflict]]\nperson='kari'\nmessage='01017012345'",
    "[[clearance]]\nperson='kari'\nshielding=' 01017012345'",
    "'Kari Nordmann' = 1",
    "[['Kari Nordmann']]\nx=1",
)


@pytest.mark.parametrize("text", NAMED)
def test_directory_refusal_contains_neither_name_nor_national_id(text: str) -> None:
    with pytest.raises(Invalid) as told:
        read_directory((HEAD + text).encode())

    assert "Nordmann" not in str(told.value)
    assert "01017012345" not in str(told.value)


def _folder(path: Path) -> Path:
    write_folder(path, read_directory(DIRECTORY))
    return path


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("people.csv", "id,name,hometown\n", "people.csv, line 1: read «hometown»; allowed: id, n"),
        ("people.csv", "id,id\n", "people.csv, line 1: read «id»"),
        ("people.csv", "id,name\nkari\n", "people.csv, line 2: read 1 cells; allowed: 2"),
        ("people.csv", "id,name\nkari,Kari\nkari,K\n", "line 3: read the same again"),
        ("people.csv", 'id,name\nkari,"Kari\n', "not CSV"),
        ("people.csv", "\ufeffid,name\n", "byte order mark"),
        ("units.csv", "id,name,shares_unassigned\nbv,B,ja\n", "units.csv, line 2: read «ja»"),
        ("capacities.csv", "person,unit\nkari,bv\n", "line 2: read nothing; allowed: capacity has"),
        ("organisation.csv", "organisation\n", "one row"),
        ("organisation.csv", "organisation,complete\n910075918,ja\n", "complete: true, false"),
        ("staff.csv", "", "staff.csv: read «staff.csv»; allowed: capacities.csv"),
        ("Kari Nordmann.csv", "", "a text of 17 characters"),
    ],
)
def test_mistake_in_a_directory_csv_file_is_refused_with_file_and_line(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (_folder(tmp_path) / name).write_text(text, encoding="utf-8")

    with pytest.raises(Invalid) as told:
        read_folder(tmp_path)

    assert said in str(told.value)


def test_directory_folder_without_organisation_csv_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"organisation\.csv"):
        read_folder(tmp_path)


def test_write_folder_removes_the_files_of_an_earlier_export(tmp_path: Path) -> None:
    folder = _folder(tmp_path)

    write_folder(folder, read_directory(HEAD.encode()))

    assert [path.name for path in folder.iterdir()] == ["organisation.csv"]
    assert set(CSV_FILES) == set(RowKind)
