"""Directories at the command line: import, diff, approve, export, and personal codes."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inbox.cli import run
from tests.cli.database_edits import change, leaves_of
from tests.cli.installation import Answer, Installed
from tests.cli.rule_edits import DIRECTORY_FILE

pytestmark = pytest.mark.usefixtures("in_english")

REVIEWING = ("--as", "security_reviewer")
PAGE = (Path(__file__).parents[2] / "docs" / "directory.md").read_text()
TWO = ("--by", "anne", "--with", "bjorn")
LEAVES = 'organisation="910075918"\n[[capacity]]\nperson="kari"\nunit="bv"\nrole="leader"\n'


def _file(installed: Installed, text: str, name: str = "directory.toml") -> str:
    path = installed.folder / name
    path.write_text(text)
    return str(path)


def _import(installed: Installed, text: str, *, typed: str | None = None) -> tuple[int, str]:
    words = ("directory", "import", _file(installed, text))
    if typed is None:
        told = installed.as_two(*words)
    else:
        told = installed.ask(*words, *TWO, "--code-from-stdin", stdin=typed)
    return told.code, told.out + told.err


def _as(installed: Installed, person: str, *words: str) -> Answer:
    code = installed.codes[person] + "\n"
    return installed.ask("directory", *words, "--by", person, "--code-from-stdin", stdin=code)


def test_directory_import_prints_keys_of_new_case_systems_only_once(installed: Installed) -> None:
    first, again = _import(installed, DIRECTORY_FILE), _import(installed, DIRECTORY_FILE)

    assert first[0] == 0
    assert "sak  key " in first[1]
    assert "sak  secret whsec_" in first[1]
    assert again == (0, "no difference\n")


def test_directory_show_lists_units_with_case_system_and_people_count(
    installed: Installed,
) -> None:
    _import(installed, DIRECTORY_FILE)

    rows = json.loads(installed.ask("directory", "show", "--json").out)

    row = next(row for row in rows if row["unit"] == "bv")
    assert row["case_system"] == "sak"
    assert row["people"] == "1 leader"
    assert "Kari" not in json.dumps(rows)


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [("wrong\nwrong\n", 1, "code.wrong"), ("one\n", 2, "a line each"), ("", 2, "a line each")],
)
def test_directory_import_without_both_personal_codes_changes_nothing(
    installed: Installed, typed: str, code: int, said: str
) -> None:
    ended, told = _import(installed, DIRECTORY_FILE, typed=typed)

    assert ended == code
    assert said in told
    assert "bv" not in installed.ask("directory", "show").out


def test_directory_import_with_an_unknown_unit_reference_changes_nothing(
    installed: Installed,
) -> None:
    ended, told = _import(installed, DIRECTORY_FILE.replace('unit = "bv"', 'unit = "nowhere"'))

    assert ended == 2
    assert "directory.reference: directory.toml, line 18: unit names a unit" in told
    assert "bv" not in installed.ask("directory", "show").out


def test_directory_import_reports_the_line_and_allowed_keys_of_an_unknown_key(
    installed: Installed,
) -> None:
    ended, told = _import(installed, DIRECTORY_FILE.replace("role =", "rolle ="))

    assert ended == 2
    assert "line 21: read «rolle»; allowed: person, unit, role" in told


def test_one_person_can_end_a_capacity_and_directory_export_omits_that_capacity(
    installed: Installed,
) -> None:
    _import(installed, DIRECTORY_FILE)
    file = _file(installed, LEAVES + "until=2026-01-01\n", "leaves.toml")

    told = _as(installed, "anne", "import", file)
    exported = _as(installed, "anne", "export")
    first_day = _as(installed, "anne", "export", "--on", "2001-01-01")

    assert (told.code, told.out.splitlines()[0]) == (0, "- capacity kari bv role leader")
    assert 'name = "Kari Leder"' in exported.out
    assert "leader" not in exported.out
    assert "[[" not in first_day.out


@pytest.mark.parametrize(
    ("on", "begins", "is_there"),
    [
        ("2030-12-02", "2030-12-01 23:00", True),
        ("2030-12-02", "2030-12-01 23:01", False),
        ("2030-07-02", "2030-07-01 22:00", True),
        ("2030-07-02", "2030-07-01 22:01", False),
    ],
)
def test_directory_export_on_a_day_is_of_its_beginning_in_norway(
    installed: Installed, on: str, begins: str, *, is_there: bool
) -> None:
    _import(installed, DIRECTORY_FILE)
    change(
        installed,
        f"UPDATE capacity SET active_from = '{begins}:00.000000' WHERE person = 'kari'",  # noqa: S608
    )

    exported = _as(installed, "anne", "export", "--on", on)

    assert ("leader" in exported.out) is is_there


def test_directory_diff_people_requires_a_capacity_with_access_read(
    installed: Installed,
) -> None:
    file = _file(installed, DIRECTORY_FILE)

    nobody = installed.ask("directory", "diff", file, "--people")
    anne = _as(installed, "anne", "diff", file, "--people", "--as", "archivist")
    bjorn = _as(installed, "bjorn", "diff", file, "--people", *REVIEWING, "--json")

    assert (nobody.code, "--by" in nobody.err) == (2, True)
    assert (anne.code, anne.out) == (1, "")
    assert anne.err == "inbox: not_permitted: it takes a capacity that may access_read\n"
    said = json.loads(bjorn.out)
    assert {row["kind"] for row in said["changes"]} == {
        "case_system",
        "unit",
        "person",
        "capacity",
    }
    assert said["people"] == []
    assert "Kari" not in bjorn.out


def test_directory_diff_people_is_limited_to_the_own_organisation_and_audited(
    installed: Installed,
) -> None:
    theirs = DIRECTORY_FILE.replace("910075918", "910076787")
    for their in ("sak", "bv", "kari"):
        theirs = theirs.replace(f'"{their}"', f'"{their}-there"')
    assert _import(installed, theirs)[0] == 0
    asked = b"directory:impact_read"

    refused = _as(installed, "bjorn", "diff", _file(installed, theirs), "--people", *REVIEWING)
    before = [leaf for leaf in leaves_of(installed) if asked in leaf]
    told = _as(installed, "bjorn", "diff", _file(installed, DIRECTORY_FILE), "--people", *REVIEWING)

    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("inbox: not_permitted: ")
    assert (told.code, before) == (0, [])
    assert len([leaf for leaf in leaves_of(installed) if asked in leaf]) == 1


def test_examples_in_docs_directory_md_match_program_output(
    installed: Installed, tmp_path: Path
) -> None:
    shown = set(re.findall(r"<!-- run: (\w+) -->", PAGE))
    toml = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    output = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert toml is not None
    assert output is not None
    file = _file(installed, toml[1])

    assert shown == {"diff", "propose", "both", "export"}
    assert installed.ask("directory", "diff", file).out == output[1]
    proposed = _as(installed, "anne", "import", file)
    found = dict(re.findall(r"^(proposal|digest) (\w+)$", proposed.out, re.MULTILINE))
    seen = _as(installed, "bjorn", "approve", found["proposal"])
    assert found["digest"] in seen.out
    assert output[1] in seen.out
    done = _as(installed, "bjorn", "approve", found["proposal"], "--acknowledge", found["digest"])
    assert "familia  key " in done.out
    again = installed.as_two("directory", "import", file)
    assert again.out == "no difference\n", again.err
    folder = str(tmp_path / "exported")
    assert _as(installed, "anne", "export", "--csv", folder).code == 0
    assert installed.ask("directory", "diff", folder).out == "no difference\n"
    text = _as(installed, "anne", "export").out
    for whole in (text, text.replace("complete = false", "complete = true")):
        assert installed.ask("directory", "diff", _file(installed, whole)).out == "no difference\n"


def test_directory_code_prompts_without_echo_and_invalidates_the_old_code(
    installed: Installed,
) -> None:
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


def test_directory_code_is_refused_when_both_approvers_are_the_same_person(
    installed: Installed,
) -> None:
    told = installed.as_two("directory", "code", "bjorn", by="anne", with_="anne")

    assert told.code == 1
    assert "not_permitted" in told.err


def test_directory_code_for_an_unknown_person_is_refused(installed: Installed) -> None:
    told = installed.as_two("directory", "code", "nobody")

    assert told.code == 1
    assert "not_found" in told.err
