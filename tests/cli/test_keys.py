"""Keys on the command line: made once, never shown, and the right ones or none."""

import re
import shutil

from tests.cli.installation import Installed


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
