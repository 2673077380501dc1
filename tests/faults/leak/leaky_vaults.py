"""Parts that write down what must not be written down, so that the search can be seen to see."""

import io
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from inbox.vault import StoredObject, Vault


@dataclass(frozen=True, kw_only=True)
class TeeingVault:
    """A vault that keeps a copy of what is stored, as it is, in a folder of its own."""

    inner: Vault
    folder: Path

    def store(self, name: str, chunks: Iterable[bytes], key: bytes) -> StoredObject:
        return self.inner.store(name, self._copied(name, chunks), key)

    def _copied(self, name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        with (self.folder / name).open("wb") as copy:
            for chunk in chunks:
                copy.write(chunk)
                yield chunk

    def open(self, name: str, key: bytes) -> BinaryIO:
        return self.inner.open(name, key)

    def remove(self, name: str) -> None:
        self.inner.remove(name)

    def names(self) -> Iterator[tuple[str, datetime]]:
        return self.inner.names()

    def set_aside(self, name: str) -> None:
        self.inner.set_aside(name)

    def restore_from_aside(self, name: str) -> bool:
        return self.inner.restore_from_aside(name)

    def remove_set_aside(self, before: datetime) -> int:
        return self.inner.remove_set_aside(before)

    def remove_partial_objects(self, before: datetime) -> int:
        return self.inner.remove_partial_objects(before)

    def free_bytes(self) -> int:
        return self.inner.free_bytes()


@dataclass(frozen=True, kw_only=True)
class SpoolingVault(TeeingVault):
    """A vault that reads by way of a temporary file, which stays."""

    def _copied(self, name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        del name
        yield from chunks

    def open(self, name: str, key: bytes) -> BinaryIO:
        with self.inner.open(name, key) as source:
            content = source.read()
        with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as spool:
            spool.write(content)
        return io.BytesIO(content)
