"""Encrypted storage of package bytes; the only code that knows where they are.

An object is a header line (`inbox-object 1 <name>`, newline) and one Cobblestone-256 message: C2SP
chunked encryption, https://c2sp.org/chunked-encryption, with SHA-512 and AES-256-GCM, whose context
is that header line. So an object says what it is, and opens under its own name and key only.
"""

import errno
import hashlib
import hmac
import io
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from cryptography.cobblestone import Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from inbox.errors import Conflict, IntegrityError, Invalid, NotThereYet, Unavailable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_NAME = re.compile(r"[0-9a-z][0-9a-z.-]{2,126}")
_PARTS = "parts"
_ASIDE = "aside"
_DISK_FULL_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_LABEL = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"
_SALT, _COMMITMENT, _KEY, _NONCE, _TAG = 24, 32, 32, 12, 16
_CHUNK, _MOST_CHUNKS = 16 * 1024, 2**38


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """Length in bytes and SHA-256 (lower-case hex) of the plaintext that was stored."""

    size: int
    sha256: str


class Vault(Protocol):
    """Storage for encrypted objects that are written once, under random names of ours.

    Names are 3 to 127 of a-z, 0-9, hyphen and dot (`Invalid` otherwise); a key is 32 bytes.
    Every method may raise `Unavailable`: `vault.full`, or `vault.io` for all else.
    """

    def store(self, name: str, chunks: Iterable[bytes], key: bytes) -> StoredObject:
        """Encrypt and store the chunks as they come.

        When this returns, the object survives a power cut.

        Never replaces (`Conflict`). What `chunks` raises passes through and leaves nothing; its
        largest chunk bounds the memory. After `Unavailable` repeat it under a new name.
        """

    def open(self, name: str, key: bytes) -> BinaryIO:
        """A seekable reader of the object; any number may be open, and the caller closes each.

        It gives authenticated bytes only. Wrong key, changed, cut or another's bytes, no such
        object: `IntegrityError`, here or from any read, and from every read after that.
        """

    def remove(self, name: str) -> None:
        """Remove the object; it may be gone already. Open readers go on."""

    def names(self) -> Iterator[tuple[str, datetime]]:
        """The name of every complete object and when it was last written, in no order."""

    def set_aside(self, name: str) -> None:
        """Move the object to where `names` does not list it; it may be gone already."""

    def restore_from_aside(self, name: str) -> bool:
        """Put an object back that was set aside; whether there was one."""

    def remove_set_aside(self, before: datetime) -> int:
        """Remove what was set aside before then. Returns how many."""

    def remove_partial_objects(self, before: datetime) -> int:
        """Remove partial objects that a crash left and that have not been written since.

        Returns how many.
        """

    def free_bytes(self) -> int:
        """How many bytes are free."""


class FolderVault:
    """Objects as files in a folder that must exist: a missing folder may be a missing disk."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise NotThereYet("vault.no_folder", "make the vault's folder, or mount its disk")
        self._folder = folder
        self._made: set[Path] = set()

    def store(self, name: str, chunks: Iterable[bytes], key: bytes) -> StoredObject:
        """As `Vault.store`: write, fsync, link to the name, fsync the folder."""
        path = self._path(name)
        with _translate_disk_errors():
            self._make_folder(path.parent)
            self._make_folder(self._folder / _PARTS)
            part = self._folder / _PARTS / f"{name}.{secrets.token_hex(4)}"
            fd = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            try:
                stored = _encrypt(fd, name, chunks, key)
                with _translate_disk_errors():
                    os.fsync(fd)
            finally:
                with _translate_disk_errors():
                    os.close(fd)
            _link(part, path)
        finally:
            with suppress(OSError):
                part.unlink()
        return stored

    def open(self, name: str, key: bytes) -> BinaryIO:
        """As `Vault.open`."""
        path = self._path(name)
        with _translate_disk_errors():
            try:
                file = path.open("rb", buffering=0)
            except FileNotFoundError as error:
                raise IntegrityError("vault.missing", name) from error
        try:
            return io.BufferedReader(_ObjectReader(file, name, key), _CHUNK)
        except BaseException:
            file.close()
            raise

    def remove(self, name: str) -> None:
        """As `Vault.remove`. What a power cut brings back has no row: the collector's business."""
        with _translate_disk_errors():
            self._path(name).unlink(missing_ok=True)

    def names(self) -> Iterator[tuple[str, datetime]]:
        """As `Vault.names`; files that cannot be ours are passed over."""
        with _translate_disk_errors():
            every = list(self._folder.iterdir())
        folders = [path for path in every if path.name not in {_PARTS, _ASIDE}]
        for path, written_at in (found for folder in folders for found in _files(folder)):
            if _NAME.fullmatch(path.name) and self._path(path.name) == path:
                yield path.name, written_at

    def set_aside(self, name: str) -> None:
        """As `Vault.set_aside`; its time is from then on that of the moving."""
        path, aside = self._path(name), self._folder / _ASIDE
        with _translate_disk_errors(), suppress(FileNotFoundError):
            self._make_folder(aside)
            os.utime(path)
            path.rename(aside / name)
            _sync_folder(aside)

    def restore_from_aside(self, name: str) -> bool:
        """As `Vault.restore_from_aside`."""
        path, kept = self._path(name), self._folder / _ASIDE / name
        with _translate_disk_errors():
            if not kept.exists() or path.exists():
                return False
            self._make_folder(path.parent)
            kept.rename(path)
            _sync_folder(path.parent)
            return True

    def remove_set_aside(self, before: datetime) -> int:
        """As `Vault.remove_set_aside`."""
        old = [path for path, moved_at in _files(self._folder / _ASIDE) if moved_at < before]
        for path in old:
            with _translate_disk_errors():
                path.unlink(missing_ok=True)
        return len(old)

    def remove_partial_objects(self, before: datetime) -> int:
        """As `Vault.remove_partial_objects`; every write touches the object being written."""
        old = [path for path, written_at in _files(self._folder / _PARTS) if written_at < before]
        for path in old:
            with _translate_disk_errors():
                path.unlink(missing_ok=True)
        return len(old)

    def free_bytes(self) -> int:
        """As `Vault.free_bytes`: what the file system gives to this user."""
        with _translate_disk_errors():
            return shutil.disk_usage(self._folder).free

    def _make_folder(self, folder: Path) -> None:
        """Make a sub-folder. Synced once by each process: who made it may have died before that."""
        if not (folder in self._made and folder.is_dir()):
            folder.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(folder.parent)
            self._made.add(folder)

    def _path(self, name: str) -> Path:
        if _NAME.fullmatch(name) is None:
            raise Invalid("vault.name", "not a name of an object")
        return self._folder / name[:2] / name


class _ObjectReader(io.RawIOBase):
    """Plaintext of one object, a chunk at a time; owns `file`, also when the constructor raises."""

    def __init__(self, file: io.FileIO, name: str, key: bytes) -> None:
        self._file, self._name = file, name
        with _translate_disk_errors():
            total, header = os.fstat(file.fileno()).st_size, _header(name)
        if self._pread(len(header), 0) != header:
            raise IntegrityError("vault.header", name)
        prefix = self._pread(_SALT + _COMMITMENT, len(header))
        info = _LABEL + prefix[:_SALT] + header
        derived = HKDFExpand(hashes.SHA512(), _KEY + _NONCE + _COMMITMENT, info).derive(key)
        if not hmac.compare_digest(derived[_KEY + _NONCE :], prefix[_SALT:]):
            raise IntegrityError("vault.key", name)
        self._aead = AESGCM(derived[:_KEY])
        self._nonce = int.from_bytes(derived[_KEY : _KEY + _NONCE], "big")
        self._start = len(header) + len(prefix)
        self._last, rest = divmod(total - self._start, _CHUNK + _TAG)
        if rest < _TAG or self._last >= _MOST_CHUNKS:
            raise IntegrityError("vault.cut", name)
        self._size = self._last * _CHUNK + rest - _TAG
        self._position, self._broken, self._at, self._plain = 0, False, -1, b""
        self._load_chunk(self._last)  # The last chunk alone is short: it authenticates the length.

    def readable(self) -> bool:
        return True

    seekable = readable

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("a position before the beginning")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        if self._broken:
            raise IntegrityError("vault.chunk", self._name)
        if self._position >= self._size:
            return 0
        index, offset = divmod(self._position, _CHUNK)
        self._load_chunk(index)
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._plain) - offset)
        target[:count] = self._plain[offset : offset + count]
        self._position += count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()

    def _load_chunk(self, index: int) -> None:
        """Have chunk `index` in memory, authenticated; after one failure nothing is given out."""
        if index == self._at:
            return
        length = _CHUNK + _TAG if index < self._last else self._size % _CHUNK + _TAG
        sealed = self._pread(length, self._start + index * (_CHUNK + _TAG))
        nonce = (self._nonce ^ index).to_bytes(_NONCE, "big")
        try:
            self._plain = self._aead.decrypt(nonce, sealed, None)
        except (InvalidTag, ValueError) as error:
            self._broken = True
            raise IntegrityError("vault.chunk", self._name) from error
        self._at = index

    def _pread(self, length: int, offset: int) -> bytes:
        with _translate_disk_errors():
            return os.pread(self._file.fileno(), length, offset)


def _header(name: str) -> bytes:
    return f"inbox-object 1 {name}\n".encode()


def _encrypt(fd: int, name: str, chunks: Iterable[bytes], key: bytes) -> StoredObject:
    encryptor, digest, size = Cobblestone256Encryptor(key, _header(name)), hashlib.sha256(), 0
    _write(fd, _header(name))
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        _write(fd, encryptor.update(chunk))
    _write(fd, encryptor.finalize())
    return StoredObject(size=size, sha256=digest.hexdigest())


def _write(fd: int, content: bytes) -> None:
    """Write all of it: a full disk may first take a part and say so only the next time."""
    rest = memoryview(content)
    with _translate_disk_errors():
        while rest:
            rest = rest[os.write(fd, rest) :]


def _link(part: Path, path: Path) -> None:
    with _translate_disk_errors():
        try:
            path.hardlink_to(part)
        except FileExistsError as error:
            raise Conflict("vault.exists", path.name) from error
        _sync_folder(path.parent)


def _files(folder: Path) -> Iterator[tuple[Path, datetime]]:
    with _translate_disk_errors():
        paths = list(folder.iterdir()) if folder.is_dir() else []
    for path in paths:
        with _translate_disk_errors(), suppress(FileNotFoundError):
            yield path, datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_DIRECTORY | os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def _translate_disk_errors() -> Iterator[None]:
    """What the disk refuses is `Unavailable`; no call inside is ever repeated on the same file."""
    try:
        yield
    except OSError as error:
        code = "vault.full" if error.errno in _DISK_FULL_ERRORS else "vault.io"
        raise Unavailable(code, errno.errorcode.get(error.errno or 0, "?")) from error
