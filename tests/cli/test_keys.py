"""Keys on the command line: made once, never shown, and the right ones or none."""

import re
import shutil

from tests.cli.installed import Installed


def _material(installed: Installed) -> set[str]:
    return {path.read_text().strip() for path in (installed.folder / "keys").glob("*.key")}


def test_creating_keys_gives_the_line_that_verifies_the_audit_and_no_key(
    empty: Installed,
) -> None:
    answer = empty.ask("keys", "create")

    assert answer.code == 0
    assert re.search(r"^audit inbox\+[0-9a-f]{8}\+\S{44}$", answer.out, re.MULTILINE)
    assert empty.ask("audit", "key").out.strip() in answer.out
    assert len(_material(empty)) == 3
    assert [key for key in _material(empty) if key in answer.out] == []


def test_keys_that_are_there_are_never_overwritten(installed: Installed) -> None:
    before = _material(installed)

    answer = installed.ask("keys", "create")

    assert (answer.code, _material(installed)) == (1, before)
    assert answer.err.startswith("inbox: keys.exist: ")


def test_an_added_key_is_active_and_the_database_knows_it(installed: Installed) -> None:
    assert installed.ask("keys", "add").code == 0

    rows = installed.ask("keys", "list", "--json").value
    assert isinstance(rows, list)
    assert [row["active"] for row in rows].count("yes") == 1
    assert [row["days"] for row in rows] == [0, 0]
    assert installed.ask("audit", "verify").err == ""


def test_listing_shows_ids_and_ages_only(installed: Installed) -> None:
    answer = installed.ask("keys", "list")

    assert re.search(r"^\d{8}-[0-9a-f]{6} +0 +yes", answer.out, re.MULTILINE)
    assert [key for key in _material(installed) if key in answer.out] == []


def test_a_vault_without_its_key_folder_is_not_served(installed: Installed) -> None:
    shutil.rmtree(installed.folder / "keys")

    answer = installed.ask("serve")

    assert answer.code == 2
    assert answer.err.startswith("inbox: keys.folder: ")
    assert "put the key folder of this database in its place" in answer.err


def test_other_keys_than_the_databases_are_not_served(installed: Installed) -> None:
    shutil.rmtree(installed.folder / "keys")
    installed.ask("keys", "create")

    answers = [installed.ask("serve"), installed.ask("keys", "add")]

    assert [answer.code for answer in answers] == [2, 2]
    assert all(answer.err.startswith("inbox: keys.not_these: ") for answer in answers)
    assert len(_material(installed)) == 3
