"""The vault: damage anywhere in an object is found, and no wrong byte is ever given out."""

import hashlib
import os
from pathlib import Path

import pytest

from inbox.errors import IntegrityError, Unavailable
from inbox.vault import FolderVault, Vault

KEY = bytes(range(32))
CHUNK = 16 * 1024
HEADER = len(b"inbox-object 1 abc\n")


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    return FolderVault(tmp_path)


def content(size: int) -> bytes:
    return hashlib.shake_128(b"%d" % size).digest(size)


def damaged(vault: Vault, name: str = "abc", key: bytes = KEY) -> str:
    """Read all of it as a careless reader would; the code, and never a wrong byte."""
    with pytest.raises(IntegrityError) as found, vault.open(name, key) as reader:
        reader.read()
    return found.value.code


def test_vault_reader_keeps_the_current_chunk_between_small_reads(
    vault: FolderVault, tmp_path: Path
) -> None:
    vault.store("abc", [content(2 * CHUNK)], KEY)

    with vault.open("abc", KEY) as reader:
        first = reader.read(1)
        os.truncate(tmp_path / "ab" / "abc", 0)
        assert first + reader.read(100) == content(2 * CHUNK)[:101]
        with pytest.raises(IntegrityError):
            reader.read(CHUNK)


def test_vault_object_does_not_open_with_another_key(vault: FolderVault) -> None:
    vault.store("abc", [b"x"], KEY)

    assert damaged(vault, key=bytes(32)) == "vault.key"


def test_missing_vault_object_raises_integrity_error(vault: FolderVault) -> None:
    assert damaged(vault) == "vault.missing"


REGIONS = {
    "the first byte": (0, "vault.header"),
    "the version": (13, "vault.header"),
    "the name": (HEADER - 2, "vault.header"),
    "the salt": (HEADER, "vault.key"),
    "the salt's end": (HEADER + 23, "vault.key"),
    "the commitment": (HEADER + 24, "vault.key"),
    "the commitment's end": (HEADER + 55, "vault.key"),
    "the first chunk": (HEADER + 56, "vault.chunk"),
    "the first chunk's tag": (HEADER + 56 + CHUNK + 15, "vault.chunk"),
    "the second chunk": (HEADER + 56 + CHUNK + 16, "vault.chunk"),
    "the second chunk's middle": (HEADER + 56 + CHUNK + 9000, "vault.chunk"),
    "the last chunk": (HEADER + 56 + 2 * (CHUNK + 16), "vault.chunk"),
    "the last byte": (-1, "vault.chunk"),
}


@pytest.mark.parametrize("region", REGIONS)
def test_flipped_bit_in_any_region_of_an_object_is_detected(
    vault: FolderVault, tmp_path: Path, region: str
) -> None:
    vault.store("abc", [content(2 * CHUNK + 100)], KEY)
    place, code = REGIONS[region]

    _flip(tmp_path / "ab" / "abc", place)

    assert damaged(vault) == code


def test_every_flipped_byte_of_a_small_vault_object_is_detected(
    vault: FolderVault, tmp_path: Path
) -> None:
    vault.store("abc", [b"secret"], KEY)
    path = tmp_path / "ab" / "abc"

    for place in range(path.stat().st_size):
        _flip(path, place)
        damaged(vault)
        _flip(path, place)

    with vault.open("abc", KEY) as reader:
        assert reader.read() == b"secret"


@pytest.mark.parametrize("size", [0, 100, CHUNK, 2 * CHUNK + 100])
def test_truncated_or_extended_vault_object_is_detected(
    vault: FolderVault, tmp_path: Path, size: int
) -> None:
    vault.store("abc", [content(size)], KEY)
    path = tmp_path / "ab" / "abc"
    whole = path.read_bytes()
    borders = [HEADER + 56 + n * (CHUNK + 16) + d for n in range(3) for d in (-1, 0, 1, 15, 16, 17)]
    lengths = {0, 1, HEADER, HEADER + 55, len(whole) - 1, len(whole) - 16, *borders}

    for length in {length for length in lengths if length < len(whole)}:
        path.write_bytes(whole[:length])
        in_tag = length >= HEADER + 56 and (length - HEADER - 56) % (CHUNK + 16) < 16
        assert (damaged(vault) == "vault.cut") is in_tag
    for more in (b"\0", bytes(16), bytes(CHUNK), whole[HEADER + 56 :]):
        path.write_bytes(whole + (more or b"\0"))
        damaged(vault)


def test_swapped_chunks_within_an_object_are_detected(vault: FolderVault, tmp_path: Path) -> None:
    vault.store("abc", [content(2 * CHUNK + 100)], KEY)
    path = tmp_path / "ab" / "abc"
    whole, start, length = path.read_bytes(), HEADER + 56, CHUNK + 16
    one, two = whole[start : start + length], whole[start + length : start + 2 * length]

    path.write_bytes(whole[:start] + two + one + whole[start + 2 * length :])

    assert damaged(vault) == "vault.chunk"


def test_objects_swapped_under_each_others_name_are_detected(
    vault: FolderVault, tmp_path: Path
) -> None:
    vault.store("abc", [b"for one"], KEY)
    vault.store("abd", [b"for other"], KEY)
    one, other = tmp_path / "ab" / "abc", tmp_path / "ab" / "abd"
    contents = one.read_bytes(), other.read_bytes()

    other.write_bytes(contents[0])
    one.write_bytes(contents[1])
    assert (damaged(vault, "abc"), damaged(vault, "abd")) == ("vault.header",) * 2

    other.write_bytes(contents[0].replace(b"abc\n", b"abd\n", 1))
    assert damaged(vault, "abd") == "vault.key"


def test_vault_reader_gives_no_data_after_damage_is_detected(
    vault: FolderVault, tmp_path: Path
) -> None:
    vault.store("abc", [content(3 * CHUNK)], KEY)
    _flip(tmp_path / "ab" / "abc", HEADER + 56 + CHUNK + 16)

    with vault.open("abc", KEY) as reader:
        assert reader.read(CHUNK) == content(3 * CHUNK)[:CHUNK]
        with pytest.raises(IntegrityError):
            reader.read(1)
        reader.seek(2 * CHUNK)
        with pytest.raises(IntegrityError):
            reader.read(1)


def test_disk_read_error_raises_unavailable_and_not_integrity_error(
    vault: FolderVault, tmp_path: Path
) -> None:
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab" / "abc").symlink_to("/proc/self/mem")
    (tmp_path / "ab" / "abd").mkdir()

    for name in ("abc", "abd"):
        with pytest.raises(Unavailable) as said:
            vault.open(name, KEY)
        assert said.value.code == "vault.io"


def _flip(path: Path, place: int) -> None:
    whole = bytearray(path.read_bytes())
    whole[place] ^= 1
    path.write_bytes(whole)
