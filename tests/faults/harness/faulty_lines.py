"""Journeys with a planted fault each, to see that the checks see it."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import event

from inbox import audit
from inbox.gateway import IncomingPackage, Notice
from inbox.store import Store, create_engine
from inbox.vault import FolderVault, StoredObject, _encrypt, _sync_folder
from tests.faults.harness.effect_points import WatchedGateway
from tests.faults.harness.line_process import LineProcess
from tests.faults.harness.message_journey import journey, journey_on_failing_disk


class _Careless(FolderVault):
    """Stores as the vault does, and leaves out a sync, or what it answered."""

    def __init__(self, folder: Path, *, leaves_out: str) -> None:
        super().__init__(folder)
        self._leaves_out = leaves_out

    def store(self, name: str, chunks: Iterable[bytes], key: bytes) -> StoredObject:
        path, parts = self._path(name), self._folder / "parts"
        for folder in (path.parent, parts):
            folder.mkdir(exist_ok=True)
            _sync_folder(folder.parent)
        fd = os.open(parts / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        stored = _encrypt(fd, name, chunks, key)
        if self._leaves_out == "trust":
            with suppress(OSError):
                os.fsync(fd)
        elif self._leaves_out != "file":
            os.fsync(fd)
        os.close(fd)
        path.hardlink_to(parts / name)
        if self._leaves_out != "folder":
            _sync_folder(path.parent)
        (parts / name).unlink()
        return stored


@dataclass(frozen=True)
class _Eager(WatchedGateway):
    """A gateway whose messages are deleted as soon as they are fetched."""

    @contextmanager
    def fetch(self, notice: Notice) -> Iterator[IncomingPackage]:
        with self.real.fetch(notice) as fetched:
            yield fetched
        self.real.confirm(notice)


def without_syncing_the_file(inside: LineProcess) -> None:
    """The object's bytes are never synced."""
    vault = _Careless(inside.folder / "vault", leaves_out="file")
    inside.line = replace(inside.line, vault=vault)
    journey(inside)


def without_syncing_the_folder(inside: LineProcess) -> None:
    """The object's name is never synced."""
    vault = _Careless(inside.folder / "vault", leaves_out="folder")
    inside.line = replace(inside.line, vault=vault)
    journey(inside)


def without_syncing_the_commit(inside: LineProcess) -> None:
    """SQLite commits without waiting for the disk."""
    engine = create_engine(inside.plan.url)
    event.listen(engine, "connect", lambda found, _: found.execute("PRAGMA synchronous=OFF"))
    store = Store(engine, seal=audit.seal, clock=inside.clock)
    inside.line = replace(inside.line, store=store)
    journey(inside)


def delete_before_commit(inside: LineProcess) -> None:
    """The gateway hears "delivered" while only the bytes are safe."""
    gateways = {name: _Eager(g, inside.points) for name, g in inside.line.gateways.items()}
    inside.line = replace(inside.line, gateways=gateways)
    journey(inside)


def trusting_a_failed_sync(inside: LineProcess) -> None:
    """Through trouble with a vault that does not look at what its sync answered."""
    vault = _Careless(inside.folder / "vault", leaves_out="trust")
    inside.line = replace(inside.line, vault=vault)
    journey_on_failing_disk(inside)
