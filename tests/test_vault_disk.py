"""The vault: crashes, full and broken disks leave nothing behind that counts."""

import errno
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inbox import vault as vault_module
from inbox.errors import ConfigurationError, Unavailable
from inbox.vault import FolderVault

KEY = bytes(range(32))
CHUNK = 16 * 1024
HEADER = len(b"inbox-object 1 abc\n")


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    return FolderVault(tmp_path)


def content(size: int) -> bytes:
    return hashlib.shake_128(b"%d" % size).digest(size)


def test_error_during_store_propagates_and_leaves_no_parts(
    vault: FolderVault, tmp_path: Path
) -> None:
    def broken() -> Iterator[bytes]:
        yield content(100_000)
        raise ConnectionResetError(errno.ECONNRESET, "in the middle")

    with pytest.raises(ConnectionResetError):
        vault.store("abc", broken(), KEY)

    assert list(vault.names()) == []
    assert _parts(tmp_path) == []
    vault.store("abc", [b"again"], KEY)


def test_vault_does_not_create_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        FolderVault(tmp_path / "unmounted")

    assert refused.value.code == "vault.no_folder"
    assert list(tmp_path.iterdir()) == []


def test_vault_raises_unavailable_when_its_folder_disappears(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    vault = FolderVault(tmp_path / "disk")
    (tmp_path / "disk").rmdir()

    for use in (_stored(vault), lambda _: vault.free_bytes(), lambda _: list(vault.names())):
        with pytest.raises(Unavailable) as away:
            use("abc")
        assert away.value.code == "vault.io"
    assert list(tmp_path.iterdir()) == []


def test_parts_of_a_killed_process_are_removed_once_old(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, pathlib, inbox.vault as v\n"
        "def chunks():\n"
        "    yield bytes(100_000)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "v.FolderVault(pathlib.Path(sys.argv[1])).store('abc', chunks(), bytes(32))\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    vault = FolderVault(tmp_path)
    (part,) = _parts(tmp_path)
    written = datetime.fromtimestamp(part.stat().st_mtime, UTC)  # The disk's own clock.

    assert killed.returncode == -9
    assert list(vault.names()) == []
    assert vault.remove_partial_objects(written - timedelta(seconds=1)) == 0
    assert vault.remove_partial_objects(written + timedelta(seconds=1)) == 1
    assert _parts(tmp_path) == []


def test_remove_parts_when_the_parts_folder_does_not_exist(vault: FolderVault) -> None:
    assert vault.remove_partial_objects(datetime.now(UTC)) == 0


def test_store_raises_unavailable_when_its_part_is_removed_meanwhile(
    vault: FolderVault,
) -> None:
    def slow() -> Iterator[bytes]:
        yield b"x"
        assert vault.remove_partial_objects(datetime.now(UTC) + timedelta(seconds=1)) == 1

    with pytest.raises(Unavailable):
        vault.store("abc", slow(), KEY)

    assert list(vault.names()) == []


@pytest.mark.parametrize(
    ("room", "size"), [(10, 0), (60, 0), (5_000, 10_000), (5_000, 900_000), (200_000, 900_000)]
)
def test_full_disk_raises_vault_full_and_leaves_no_object_or_part(
    tmp_path: Path, room: int, size: int
) -> None:
    """A limit on the size of files: a write gives a part of it, and the next one an error."""
    program = (
        "import resource, sys, pathlib, inbox.vault as v\n"
        "from inbox.errors import Unavailable\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)\n"
        "vault = v.FolderVault(pathlib.Path(sys.argv[1]))\n"
        "try:\n"
        "    vault.store('abc', [bytes(int(sys.argv[3]))], bytes(32))\n"
        "except Unavailable as error:\n"
        "    sys.exit(0 if error.code == 'vault.full' else 3)\n"
        "sys.exit(4)\n"
    )

    full = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), str(room), str(size)], check=False
    )

    assert full.returncode == 0
    assert list(FolderVault(tmp_path).names()) == []
    assert _parts(tmp_path) == []


def test_write_to_a_full_device_raises_vault_full() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(Unavailable) as said:
        vault_module._write(full.fileno(), b"x")

    assert said.value.code == "vault.full"


def test_free_bytes_equals_the_free_space_of_the_file_system(
    vault: FolderVault, tmp_path: Path
) -> None:
    status = os.statvfs(tmp_path)

    assert abs(vault.free_bytes() - status.f_bavail * status.f_frsize) < 100_000_000


def _parts(folder: Path) -> list[Path]:
    return list((folder / "parts").iterdir())


def _stored(vault: FolderVault) -> Callable[[str], object]:
    return lambda name: vault.store(name, [b"x"], KEY)
