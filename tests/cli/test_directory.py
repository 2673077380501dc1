"""Import, and codes: two people agree, each with the own code."""

import json

import pytest
from typer.testing import CliRunner

from inbox.cli import run
from tests.cli.installed import Installed

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


def _import(installed: Installed, text: str, *, typed: str | None = None) -> tuple[int, str]:
    file = installed.folder / "directory.toml"
    file.write_text(text)
    words = ("directory", "import", str(file))
    if typed is None:
        told = installed.as_two(*words)
    else:
        told = installed.ask(*words, *TWO, "--codes-from-stdin", stdin=typed)
    return told.code, told.out + told.err


def test_an_import_gives_the_keys_of_new_case_systems_once(installed: Installed) -> None:
    first, again = _import(installed, FILE), _import(installed, FILE)

    assert first[0] == 0
    assert "sak  key " in first[1]
    assert "sak  secret whsec_" in first[1]
    assert again == (0, "imported\n")


def test_units_are_shown_with_their_case_system_and_how_many_people(
    installed: Installed,
) -> None:
    _import(installed, FILE)

    rows = json.loads(installed.ask("directory", "show", "--json").out)

    row = next(row for row in rows if row["unit"] == "bv")
    assert row["case_system"] == "sak"
    assert "leader" in json.dumps(row["people"])
    assert "Kari" not in json.dumps(rows)


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [("wrong\nwrong\n", 1, "code.wrong"), ("one\n", 2, "two lines"), ("", 2, "two lines")],
)
def test_without_both_codes_nothing_is_imported(
    installed: Installed, typed: str, code: int, said: str
) -> None:
    ended, told = _import(installed, FILE, typed=typed)

    assert ended == code
    assert said in told
    assert "bv" not in installed.ask("directory", "show").out


def test_a_file_that_names_what_is_not_there_changes_nothing(installed: Installed) -> None:
    ended, told = _import(installed, FILE.replace('unit = "bv"', 'unit = "nowhere"'))

    assert ended == 2
    assert "neither in it nor known" in told
    assert "bv" not in installed.ask("directory", "show").out


def test_a_file_with_a_typo_says_which_key(installed: Installed) -> None:
    ended, told = _import(installed, FILE.replace("role =", "rolle ="))

    assert ended == 2
    assert "directory.invalid" in told
    assert "rolle" in told


def test_a_new_code_is_typed_unseen_and_ends_the_old_one(installed: Installed) -> None:
    both = f"{installed.codes['anne']}\n{installed.codes['bjorn']}\n"
    words = ["--config", str(installed.config), "directory", "code", "anne", *TWO]

    with CliRunner().isolation(input=both) as streams:  # which stands for a terminal
        ended = run(words)
        made, asked = streams[0].getvalue().decode(), streams[1].getvalue().decode()

    old = installed.as_two("directory", "code", "anne")

    assert ended == 0
    assert made.strip().count("-") == 4
    assert "Personal code of bjorn" in asked
    assert installed.codes["bjorn"] not in made + asked
    assert old.code == 1
    assert "inbox directory code" in old.err


def test_one_person_is_not_two(installed: Installed) -> None:
    told = installed.as_two("directory", "code", "bjorn", by="anne", with_="anne")

    assert told.code == 1
    assert "two different persons" in told.err


def test_a_code_for_nobody_is_refused(installed: Installed) -> None:
    told = installed.as_two("directory", "code", "nobody")

    assert told.code == 1
    assert "not_found" in told.err
