"""Import, and codes: two people agree, each with the own code."""

import json

import pytest

from tests.cli.conftest import Installation

FILE = """
organisation = "910075918"

[[case_system]]
id = "sak"
name = "Sakarkiv"
mode = "pull"

[[unit]]
id = "bv"
name = "Barneverntjenesten"
case_system = "sak"

[[person]]
id = "kari"
name = "Kari Leder"

[[capacity]]
person = "kari"
unit = "bv"
role = "leader"
"""
TWO = ("--by", "anne", "--with", "bjorn")


def _import(installed: Installation, text: str, *, typed: str | None = None) -> tuple[int, str]:
    file = installed.folder / "directory.toml"
    file.write_text(text)
    arguments = ("directory", "import", str(file), *TWO, "--codes-from-stdin")
    told = installed.inbox(*arguments, typed=installed.both() if typed is None else typed)
    return told.code, told.out + told.err


def test_an_import_gives_the_keys_of_new_case_systems_once(installed: Installation) -> None:
    first, again = _import(installed, FILE), _import(installed, FILE)

    assert first[0] == 0
    assert "sak  key " in first[1]
    assert "sak  secret whsec_" in first[1]
    assert again == (0, "imported\n")


def test_units_are_shown_with_their_case_system_and_how_many_people(
    installed: Installation,
) -> None:
    _import(installed, FILE)

    rows = json.loads(installed.inbox("directory", "show", "--json").out)

    row = next(row for row in rows if row["unit"] == "bv")
    assert row["case_system"] == "sak"
    assert "leader" in json.dumps(row["people"])
    assert "Kari" not in json.dumps(rows)


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [("wrong\nwrong\n", 1, "code.wrong"), ("one\n", 2, "two lines"), ("", 2, "two lines")],
)
def test_without_both_codes_nothing_is_imported(
    installed: Installation, typed: str, code: int, said: str
) -> None:
    ended, told = _import(installed, FILE, typed=typed)

    assert ended == code
    assert said in told
    assert "bv" not in installed.inbox("directory", "show").out


def test_a_file_that_names_what_is_not_there_changes_nothing(installed: Installation) -> None:
    ended, told = _import(installed, FILE.replace('unit = "bv"', 'unit = "nowhere"'))

    assert ended == 2
    assert "neither in it nor known" in told
    assert "bv" not in installed.inbox("directory", "show").out


def test_a_file_with_a_typo_says_which_key(installed: Installation) -> None:
    ended, told = _import(installed, FILE.replace("role =", "rolle ="))

    assert ended == 2
    assert "directory.invalid" in told
    assert "rolle" in told


def test_a_new_code_is_typed_unseen_and_ends_the_old_one(installed: Installation) -> None:
    made = installed.inbox("directory", "code", "anne", *TWO, typed=installed.both())
    old = installed.inbox("directory", "code", "anne", *TWO, typed=installed.both())

    assert made.code == 0
    assert made.out.strip().count("-") == 4
    assert installed.codes["bjorn"] not in made.out + made.err
    assert old.code == 1
    assert "inbox directory code" in old.err


def test_one_person_is_not_two(installed: Installation) -> None:
    code = installed.codes["anne"]
    arguments = ("--by", "anne", "--with", "anne", "--codes-from-stdin")

    told = installed.inbox("directory", "code", "bjorn", *arguments, typed=f"{code}\n{code}\n")

    assert told.code == 1
    assert "two different persons" in told.err


def test_a_code_for_nobody_is_refused(installed: Installation) -> None:
    arguments = ("directory", "code", "nobody", *TWO, "--codes-from-stdin")

    told = installed.inbox(*arguments, typed=installed.both())

    assert told.code == 1
    assert "not_found" in told.err
