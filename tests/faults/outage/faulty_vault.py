"""A vault whose disk is full or broken at the n-th time, in front of a real one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO

from inbox.errors import Unavailable
from inbox.vault import StoredObject, Vault


class At(StrEnum):
    """Where it fails."""

    WRITE = "write"
    """At a piece on its way to disk: the vault takes back what it wrote."""
    SYNC = "sync"
    """After the object has got its name: it may be there or not."""
    READ = "read"
    REMOVE = "remove"


@dataclass(kw_only=True)
class FaultyVault:
    """As `Vault`; raises what `FolderVault` raises, at the `nth` time counted from the staging."""

    vault: Vault
    at: At | None = None
    code: str = "vault.io"
    nth: int | None = None
    """None: every time."""
    seen: int = 0
    struck: int = 0
    stored: list[str] = field(default_factory=list)
    """The names that were asked for, in order."""

    def stage(self, at: At, code: str, nth: int | None = None) -> None:
        """From now on."""
        self.at, self.code, self.nth, self.seen, self.struck = at, code, nth, 0, 0

    def calm(self) -> None:
        """Nothing fails any longer."""
        self.at = None

    def _strike(self, at: At) -> None:
        if at is not self.at:
            return
        self.seen += 1
        if self.nth in (None, self.seen):
            self.struck += 1
            raise Unavailable(self.code, "by the test")

    def store(self, name: str, chunks: Iterable[bytes], key: bytes) -> StoredObject:
        self.stored.append(name)
        stored = self.vault.store(name, self._watched(chunks), key)
        self._strike(At.SYNC)
        return stored

    def _watched(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._strike(At.WRITE)
            yield chunk
        self._strike(At.WRITE)

    def open(self, name: str, key: bytes) -> BinaryIO:
        self._strike(At.READ)
        return self.vault.open(name, key)

    def remove(self, name: str) -> None:
        self._strike(At.REMOVE)
        self.vault.remove(name)

    def names(self) -> Iterator[tuple[str, datetime]]:
        return self.vault.names()

    def set_aside(self, name: str) -> None:
        self.vault.set_aside(name)

    def restore_from_aside(self, name: str) -> bool:
        return self.vault.restore_from_aside(name)

    def remove_set_aside(self, before: datetime) -> int:
        return self.vault.remove_set_aside(before)

    def remove_partial_objects(self, before: datetime) -> int:
        return self.vault.remove_partial_objects(before)

    def free_bytes(self) -> int:
        return self.vault.free_bytes()
