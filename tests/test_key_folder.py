"""The key folder: made once, closed to others, and refused with words that say what to do."""

import base64
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inbox.errors import ConfigurationError, Conflict, InboxError
from inbox.keys import Keyring, add_key, create_keys

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TITLE = b"Bekymringsmelding"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_keys(tmp_path / "keys", NOW)
    return tmp_path / "keys"


def code_of(folder: Path) -> str:
    with pytest.raises(ConfigurationError) as refused:
        Keyring.load(folder)
    return refused.value.code


def test_create_keys_makes_four_files_readable_only_by_the_owner(folder: Path) -> None:
    kek_id = (folder / "active").read_text().strip()

    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}

    assert set(files) == {f"kek-{kek_id}.key", "active", "lookup.key", "audit.key"}
    assert set(files.values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert kek_id.startswith("20261123-")


def test_create_keys_makes_three_different_keys_of_32_bytes(folder: Path) -> None:
    lines = [path.read_text() for path in folder.glob("*.key")]

    assert len(set(lines)) == 3
    assert {len(base64.b64decode(line)) for line in lines} == {32}


def test_create_keys_never_overwrites_existing_keys(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    with pytest.raises(Conflict) as refused:
        create_keys(folder, NOW)

    assert refused.value.code == "keys.exist"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["active", "lookup.key", "audit.key", "kek-x.key"])
def test_create_keys_is_refused_when_any_key_file_exists(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")

    with pytest.raises(Conflict):
        create_keys(tmp_path, NOW)

    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_add_key_wraps_new_data_keys_and_old_ones_still_open(folder: Path) -> None:
    before = Keyring.load(folder)
    data_key, wrapped = before.new_data_key()
    sealed = data_key.seal(TITLE, table="message", column="title", row="m")

    kek_id = add_key(folder, NOW)
    after = Keyring.load(folder)

    assert after.active == kek_id
    assert after.kek_ids() == {before.active, kek_id}
    assert after.new_data_key()[1].kek_id == kek_id
    opened = after.unwrap(after.rewrap(wrapped))
    assert opened.unseal(sealed, table="message", column="title", row="m") == TITLE


@pytest.mark.parametrize("name", ["kek", "active", "lookup.key", "audit.key"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_key_file_readable_or_writable_by_others_is_refused(
    folder: Path, name: str, mode: int
) -> None:
    path = next(folder.glob(f"{name}*"))
    path.chmod(mode)

    with pytest.raises(ConfigurationError) as refused:
        Keyring.load(folder)

    assert refused.value.code == "keys.readable"
    assert f"{path.name} is open to others: chmod 600 it" in refused.value.reason


@pytest.mark.parametrize("mode", [0o720, 0o702])
def test_key_folder_writable_by_others_is_refused(folder: Path, mode: int) -> None:
    folder.chmod(mode)

    assert code_of(folder) == "keys.folder"


def test_missing_key_folder_is_refused(tmp_path: Path) -> None:
    assert code_of(tmp_path / "none") == "keys.folder"


@pytest.mark.parametrize("name", ["active", "lookup.key", "audit.key"])
def test_missing_file_in_the_key_folder_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()

    assert code_of(folder) == "keys.missing"


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("active", "another", "keys.no_active"),
        ("active", "", "keys.no_active"),
        ("active", "a\nb", "keys.no_active"),
        ("active", "ø", "keys.unreadable"),
        ("lookup.key", "*", "keys.shape"),
        ("lookup.key", "", "keys.length"),
        ("audit.key", base64.b64encode(bytes(31)).decode(), "keys.length"),
        ("kek-two words.key", base64.b64encode(bytes(32)).decode(), "keys.name"),
        ("kek-.key", base64.b64encode(bytes(32)).decode(), "keys.name"),
    ],
)
def test_invalid_file_in_the_key_folder_is_refused(
    folder: Path, name: str, text: str, code: str
) -> None:
    (folder / name).touch(mode=0o600)
    (folder / name).write_text(text)

    assert code_of(folder) == code


def test_directory_in_place_of_a_key_file_is_refused(folder: Path) -> None:
    (folder / "kek-x.key").mkdir(mode=0o700)

    assert code_of(folder) == "keys.unreadable"


def test_key_folder_error_never_quotes_a_key_file(folder: Path) -> None:
    (folder / "lookup.key").write_text("c2VjcmV0")

    with pytest.raises(InboxError) as refused:
        Keyring.load(folder)

    assert "c2VjcmV0" not in str(refused.value)


def test_key_proof_still_holds_after_a_key_is_added(folder: Path) -> None:
    proof = Keyring.load(folder).proof()

    add_key(folder, NOW)

    assert Keyring.load(folder).matches_proof(proof)


def test_keyring_reads_a_key_that_came_into_its_folder_after_it_was_loaded(folder: Path) -> None:
    before = Keyring.load(folder)
    add_key(folder, NOW)
    data_key, wrapped = Keyring.load(folder).new_data_key()

    assert before.unwrap(wrapped).object_key() == data_key.object_key()
    assert before.new_data_key()[1].kek_id == before.active
