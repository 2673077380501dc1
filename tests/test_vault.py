"""The vault: what is stored comes back whole or not at all, whatever the disk does."""

import hashlib
import io
import os
import random
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import pytest
from cryptography.cobblestone import Cobblestone256Decryptor

from inbox.errors import Conflict, IntegrityError, Invalid
from inbox.vault import FolderVault

KEY = bytes(range(32))
CHUNK = 16 * 1024
HEADER = len(b"inbox-object 1 abc\n")
SIZES = sorted({0, 1, 15, 16, 17, 70_000} | {n * CHUNK + d for n in (1, 2, 3) for d in (-1, 0, 1)})


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    return FolderVault(tmp_path)


def content(size: int) -> bytes:
    return hashlib.shake_128(b"%d" % size).digest(size)


@pytest.mark.parametrize("size", SIZES)
def test_stored_object_is_read_back_with_its_size_and_digest(vault: FolderVault, size: int) -> None:
    stored = vault.store("abc", [content(size)], KEY)

    with vault.open("abc", KEY) as reader:
        assert reader.read() == content(size)
    assert stored.size == size
    assert stored.sha256 == hashlib.sha256(content(size)).hexdigest()


@pytest.mark.parametrize("size", SIZES)
def test_stored_object_decrypts_with_the_cryptography_library_after_its_header(
    vault: FolderVault, tmp_path: Path, size: int
) -> None:
    vault.store("abc", [content(size)], KEY)

    stored = (tmp_path / "ab" / "abc").read_bytes()

    decryptor = Cobblestone256Decryptor(KEY, b"inbox-object 1 abc\n")
    assert stored[:HEADER] == b"inbox-object 1 abc\n"
    assert decryptor.update(stored[HEADER:]) + decryptor.finalize() == content(size)


def test_store_is_independent_of_the_chunk_boundaries(vault: FolderVault) -> None:
    whole = content(100_000)
    dice = random.Random(7)  # noqa: S311 - lifelike, not secret
    cuts = [0, *sorted(dice.randrange(len(whole)) for _ in range(50)), len(whole)]

    stored = vault.store("abc", (whole[a:b] for a, b in pairwise(cuts)), KEY)

    with vault.open("abc", KEY) as reader:
        assert reader.read() == whole
    assert stored.size == 100_000


@pytest.mark.parametrize("size", SIZES)
def test_vault_reader_seeks_and_reads_like_an_ordinary_file(vault: FolderVault, size: int) -> None:
    vault.store("abc", [content(size)], KEY)
    model = io.BytesIO(content(size))
    dice = random.Random(size)  # noqa: S311 - lifelike, not secret

    with vault.open("abc", KEY) as reader:
        assert (reader.readable(), reader.seekable(), reader.writable()) == (True, True, False)
        for _ in range(300):
            _same_step(reader, model, dice, size)


def _same_step(reader: BinaryIO, model: BinaryIO, dice: random.Random, size: int) -> None:
    offset, length = dice.randrange(size + 100), dice.choice([0, 1, 100, CHUNK, 40_000, -1])
    match dice.randrange(4):
        case 0:
            assert reader.seek(offset) == model.seek(offset)
        case 1:
            back = min(offset, size)
            assert reader.seek(-back, io.SEEK_END) == model.seek(-back, io.SEEK_END)
        case 2:
            assert reader.seek(3, io.SEEK_CUR) == model.seek(3, io.SEEK_CUR)
    assert reader.read(length) == model.read(length)
    assert reader.tell() == model.tell()


def test_vault_reader_refuses_a_position_before_the_beginning(vault: FolderVault) -> None:
    vault.store("abc", [b"x"], KEY)

    with vault.open("abc", KEY) as reader, pytest.raises(ValueError, match="before the beginning"):
        reader.seek(-2, io.SEEK_END)


def test_zip_file_is_read_directly_from_the_vault(vault: FolderVault) -> None:
    container = io.BytesIO()
    with zipfile.ZipFile(container, "w") as written:
        written.writestr("a.pdf", content(200_000))
        written.writestr("b.xml", b"<b/>")
    vault.store("abc", [container.getvalue()], KEY)

    with vault.open("abc", KEY) as reader, zipfile.ZipFile(reader) as read:
        assert read.read("b.xml") == b"<b/>"


def test_same_object_can_be_read_by_many_threads_at_once(vault: FolderVault) -> None:
    whole, answers = content(300_000), []
    vault.store("abc", [whole], KEY)

    def read() -> None:
        with vault.open("abc", KEY) as reader:
            answers.append(b"".join(iter(lambda: reader.read(999), b"")) == whole)

    readers = [threading.Thread(target=read) for _ in range(8)]
    for thread in readers:
        thread.start()
    for thread in readers:
        thread.join()

    assert answers == [True] * 8


def test_closed_or_failed_reader_releases_its_file_handle(vault: FolderVault) -> None:
    vault.store("abc", [b"x"], KEY)
    before = _open_files()

    with vault.open("abc", KEY) as reader:
        assert len(_open_files()) == len(before) + 1
    with pytest.raises(IntegrityError):
        vault.open("abc", bytes(32))

    assert reader.closed
    assert _open_files() == before


def test_store_under_an_existing_name_raises_conflict(vault: FolderVault, tmp_path: Path) -> None:
    vault.store("abc", [b"first"], KEY)

    with pytest.raises(Conflict):
        vault.store("abc", [b"second"], KEY)

    with vault.open("abc", KEY) as reader:
        assert reader.read() == b"first"
    assert _parts(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    ["", "ab", "../abc", "a/bc", "ABC", ".abc", "-abc", "abc\n", "abø", "x" * 128, "parts/x"],
)
def test_vault_refuses_an_invalid_object_name(vault: FolderVault, name: str) -> None:
    for use in (_stored(vault), vault.remove, lambda name: vault.open(name, KEY)):
        with pytest.raises(Invalid):
            use(name)


def test_vault_files_and_folders_are_closed_to_others(vault: FolderVault, tmp_path: Path) -> None:
    vault.store("abc", [b"x"], KEY)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}

    assert modes == {"ab": 0o700, "abc": 0o600, "parts": 0o700}


def test_vault_folder_contains_no_plaintext(vault: FolderVault, tmp_path: Path) -> None:
    vault.store("abc", [b"canary" * 10_000], KEY)

    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]

    assert len(files) == 1
    assert b"canary" not in files[0]


def test_remove_can_be_repeated_and_open_readers_continue(vault: FolderVault) -> None:
    vault.store("abc", [content(70_000)], KEY)

    with vault.open("abc", KEY) as reader:
        vault.remove("abc")
        vault.remove("abc")
        assert reader.read() == content(70_000)

    assert list(vault.names()) == []


def test_names_lists_only_whole_objects_with_their_times(
    vault: FolderVault, tmp_path: Path
) -> None:
    for name in ("abc", "a.c", "xyz-1"):
        vault.store(name, [b"x"], KEY)
    os.utime(tmp_path / "ab" / "abc", (0, 86_400))
    for foreign in ("lost+found", "ab/UPPER", "ab/xyz", "parts/abd.1234"):
        (tmp_path / foreign).touch()

    names = dict(vault.names())

    assert set(names) == {"abc", "a.c", "xyz-1"}
    assert names["abc"] == datetime(1970, 1, 2, tzinfo=UTC)


def test_names_skips_an_object_removed_during_iteration(vault: FolderVault) -> None:
    for name in ("abc", "abd", "abe"):
        vault.store(name, [b"x"], KEY)

    seen = []
    for name, _ in vault.names():
        seen.append(name)
        for other in {"abc", "abd", "abe"} - {name}:
            vault.remove(other)

    assert len(seen) == 1


def test_large_object_is_stored_and_read_in_little_memory(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, inbox.vault as v\n"
        "from tests.bench.neighbour_process import memory_mb\n"
        "vault = v.FolderVault(pathlib.Path(sys.argv[1]))\n"
        "key, piece = bytes(32), bytes(256 * 1024)\n"
        "def through(name, times):\n"
        "    stored = vault.store(name, (piece for _ in range(times)), key)\n"
        "    with vault.open(name, key) as reader:\n"
        "        while reader.read(len(piece)):\n"
        "            pass\n"
        "        assert reader.tell() == stored.size == times * len(piece)\n"
        "    return memory_mb('VmHWM')\n"
        "print(-through('one', 1) + through('large', 256))\n"
    )

    grown = subprocess.check_output([sys.executable, "-c", program, str(tmp_path)])

    assert float(grown) < 8


def _stored(vault: FolderVault) -> Callable[[str], object]:
    return lambda name: vault.store(name, [b"x"], KEY)


def _open_files() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def _parts(folder: Path) -> list[Path]:
    return list((folder / "parts").iterdir())
