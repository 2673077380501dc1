"""Keys on the command line: made once, never shown, and the right ones or none."""

import re
import shutil
from pathlib import Path

from sqlmodel import select

from inbox.tables import Pulse, WrappedKey
from inbox.wiring import build_store
from tests.cli.database_edits import settings_of
from tests.cli.installation import Installed

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"
SYSTEMS = b"""organisation = "910075918"

[[case_system]]
id = "sak"
name = "Sak"
mode = "pull"

[[case_system]]
id = "fag"
name = "Fag"
mode = "pull"
"""


def _material(installed: Installed) -> set[str]:
    return {path.read_text().strip() for path in (installed.folder / "keys").glob("*.key")}


def test_keys_create_prints_the_audit_verifier_key_and_no_secret_key(
    empty: Installed,
) -> None:
    answer = empty.ask("keys", "create")

    assert answer.code == 0
    assert re.search(r"^audit inbox\+[0-9a-f]{8}\+\S{44}$", answer.out, re.MULTILINE)
    assert empty.ask("audit", "key").out.strip() in answer.out
    assert len(_material(empty)) == 3
    assert [key for key in _material(empty) if key in answer.out] == []


def test_keys_create_never_overwrites_existing_keys(installed: Installed) -> None:
    before = _material(installed)

    answer = installed.ask("keys", "create")

    assert (answer.code, _material(installed)) == (1, before)
    assert answer.err.startswith("inbox: keys.exist: ")


def test_keys_add_activates_a_new_key_that_the_database_accepts(installed: Installed) -> None:
    assert installed.ask("keys", "add").code == 0

    rows = installed.ask("keys", "list", "--json").value
    assert isinstance(rows, list)
    assert [row["active"] for row in rows].count("yes") == 1
    assert [row["days"] for row in rows] == [0, 0]
    assert installed.ask("audit", "verify").err == ""


def _with_case_systems(installed: Installed) -> Installed:
    """Two data keys are stored: each case system has one."""
    (installed.folder / "directory.toml").write_bytes(SYSTEMS)
    answer = installed.as_two("directory", "import", str(installed.folder / "directory.toml"))
    assert answer.code == 0, answer.err
    return installed


def _keks_in_use(installed: Installed) -> set[str | None]:
    store = build_store(settings_of(installed))
    with store.reading() as tx:
        found = set(tx.exec(select(WrappedKey.kek_id)))
    store.engine.dispose()
    return found


def test_key_rotation_drill_in_operators_md_works_as_described(installed: Installed) -> None:
    _with_case_systems(installed)
    (old,) = (path.stem.removeprefix("kek-") for path in installed.folder.glob("keys/kek-*.key"))
    section = PAGE.read_text().partition("## Rotating keys\n")[2].partition("\n```\n")[0]
    commands = re.findall(r"^\$ inbox (.*)$", section, re.MULTILINE)

    told = [installed.ask(*command.split()) for command in commands]

    assert commands == ["keys add", "doctor", "keys rotate", "keys list", "doctor"]
    added, doctor, rotated, _, doctor_after = told
    assert (added.code, rotated.code) == (0, 0), rotated.err
    assert re.search(rf"keys:{old} +needed: \d+ data keys are under it", doctor.out)
    assert re.search(r"\(100 %\)", rotated.out)
    assert f"{old}  not needed: take it away" in rotated.out
    assert re.search(rf"keys:{old} +not needed: take it away", doctor_after.out)
    assert old not in _keks_in_use(installed)
    (installed.folder / "keys" / f"kek-{old}.key").rename(installed.folder / f"kek-{old}.key")
    last = installed.ask("doctor")
    assert "they open a test value of this database" in last.out
    assert (old in last.out, "keys.unknown_kek" in last.out) == (False, False)
    assert installed.ask("audit", "verify", "--state").out.count("WRONG state") == 0


def test_doctor_names_a_key_that_was_taken_away_too_early(installed: Installed) -> None:
    _with_case_systems(installed)
    (old,) = (path.stem.removeprefix("kek-") for path in installed.folder.glob("keys/kek-*.key"))
    installed.ask("keys", "add")
    (installed.folder / "keys" / f"kek-{old}.key").unlink()

    told = installed.ask("doctor")
    rotated = installed.ask("keys", "rotate")

    assert "keys.unknown_kek" in told.out
    assert f"kek-{old}.key back from your copy" in told.out
    assert rotated.code == 1
    assert "NOT case_system:fag: keys.unknown_kek" in rotated.out


def test_rotate_and_doctor_name_a_worker_that_still_wraps_with_the_old_key(
    installed: Installed,
) -> None:
    _with_case_systems(installed)
    (old,) = (path.stem.removeprefix("kek-") for path in installed.folder.glob("keys/kek-*.key"))
    installed.ask("keys", "add")
    store = build_store(settings_of(installed))
    with store.transaction() as tx:
        tx.add(Pulse(name=f"kek:{old}", at=tx.now))
    store.engine.dispose()

    rotated, doctor = installed.ask("keys", "rotate"), installed.ask("doctor")

    assert (rotated.code, rotated.out) == (1, "")
    assert rotated.err.startswith(f"inbox: keys.worker_behind: a worker still wraps with {old}, ")
    assert "keys.worker_behind" in doctor.out
    assert _keks_in_use(installed) - {None} == {old}


def test_keys_rotate_again_has_nothing_to_do(installed: Installed) -> None:
    _with_case_systems(installed)
    installed.ask("keys", "add")
    installed.ask("keys", "rotate")

    again = installed.ask("keys", "rotate", "--json")

    value = again.value
    assert isinstance(value, dict)
    assert (again.code, value["rewrapped"], value["refused"]) == (0, 0, [])
    assert sorted(each["may_be_taken_away"] for each in value["keys"]) == [False, True]


def test_keys_list_shows_only_ids_and_ages(installed: Installed) -> None:
    answer = installed.ask("keys", "list")

    assert re.search(r"^\d{8}-[0-9a-f]{6} +0 +yes", answer.out, re.MULTILINE)
    assert [key for key in _material(installed) if key in answer.out] == []


def test_serve_without_the_key_folder_is_refused(installed: Installed) -> None:
    shutil.rmtree(installed.folder / "keys")

    answer = installed.ask("serve")

    assert answer.code == 75
    assert answer.err.startswith("inbox: keys.folder: ")
    assert "put the key folder of this database in its place" in answer.err


def test_serve_and_keys_add_refuse_keys_of_another_installation(installed: Installed) -> None:
    shutil.rmtree(installed.folder / "keys")
    installed.ask("keys", "create")

    answers = [installed.ask("serve"), installed.ask("keys", "add")]

    assert [answer.code for answer in answers] == [2, 2]
    assert all(answer.err.startswith("inbox: keys.not_these: ") for answer in answers)
    assert len(_material(installed)) == 3
