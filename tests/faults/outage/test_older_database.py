"""The real program on an older copy of its database: what it says, keeps, takes and leaves."""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest

from inbox.domain import ArrivalState
from inbox.simulator.http.server import serve
from inbox.worker import Worker
from tests.cli.installation import PROGRAM
from tests.faults.leak.serve_process import environment, settings_for
from tests.worlds import World


@dataclass(frozen=True, kw_only=True)
class _Serving:
    process: "subprocess.Popen[bytes]"
    folder: Path

    def address(self, name: str) -> str:
        """The address of a listener, once it says it."""
        until = monotonic() + 120
        while (text := (self.folder / "out.log").read_text()).count("\n") < 2:
            assert self.process.poll() is None, self.said()
            assert monotonic() < until
            sleep(0.05)
        return dict(line.split(" ", 1) for line in text.splitlines())[name]

    def said(self) -> str:
        """What it wrote to standard error."""
        return (self.folder / "err.log").read_text()


@contextmanager
def _serving(world: World, *words: str) -> Iterator[_Serving]:
    """`inbox serve`, ended by a signal: it must end well."""
    with (world.folder / "out.log").open("wb") as out, (world.folder / "err.log").open("wb") as err:
        process = subprocess.Popen(
            [PROGRAM, "--config", world.folder / "inbox.toml", "serve", *words],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=environment(world.folder),
        )
    try:
        yield _Serving(process=process, folder=world.folder)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()


def _two_letters(world: World) -> None:
    for title in ("Melding om barnevern", "Om sakkyndig"):
        world.send(title)
    world.collect()
    world.work()
    Worker(world.line, poll_seconds=1, checkpoints=world.folder / "checkpoints.txt")._checkpoint()


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


@pytest.fixture
def older(small_world: World) -> Iterator[World]:
    """A copy of the database was taken, two letters came, and the copy was put back."""
    world, database = small_world, small_world.folder / "inbox.db"
    world.clock.now = datetime.now(UTC)
    (world.folder / "trust" / "root.crl").write_bytes(world.authority.crl(world.clock.now))
    _two_letters(world)
    _copy(database, world.folder / "older.db")
    _two_letters(world)
    world.line.store.engine.dispose()
    for path in world.folder.glob("inbox.db*"):
        path.unlink()
    _copy(world.folder / "older.db", database)
    for path in (world.folder / "vault").rglob("*.*"):
        os.utime(path, (0, 0))
    with serve(world.gateway.app) as gateway:
        settings_for(world, f"sqlite:///{database}", gateway)
        yield world


def _objects(world: World) -> set[Path]:
    return {path for path in (world.folder / "vault").rglob("*.*") if path.is_file()}


def _until_stored(world: World, wire_id: str) -> None:
    until = monotonic() + 120
    while not any(m.wire_id == wire_id for m in world.messages()):
        assert monotonic() < until, "it was not taken into custody"
        sleep(0.1)


def test_serve_on_an_older_database_says_so_and_removes_signs_and_offers_nothing(
    older: World,
) -> None:
    signed, objects = (older.folder / "checkpoints.txt").read_text(), _objects(older)
    assert len(objects) == 4
    assert len(older.messages()) == 2
    wire_id = older.send()

    with _serving(older) as serving, httpx.Client(trust_env=False, timeout=60) as client:
        _until_stored(older, wire_id)
        ready = client.get(f"{serving.address('operator')}/health/ready").json()
        key = {"authorization": f"Bearer {older.keys['fag'][0]}"}
        pull = client.get(f"{serving.address('api')}/api/v1/deliveries", headers=key)

    assert serving.said().startswith("inbox: audit.cut: the database has ")
    assert "inbox restore" in serving.said().splitlines()[0]
    assert (ready["ready"], ready["needs"]["audit"]) == (False, "audit.cut")
    assert ready["standstill"]["missing_at_least"] > 0
    assert pull.status_code == 503
    assert (older.folder / "checkpoints.txt").read_text() == signed
    assert objects < _objects(older)
    assert older.arrival(wire_id).state is ArrivalState.STORED
    assert older.gateway.queue() != []


def test_serve_without_a_worker_holds_still_on_an_older_database_too(older: World) -> None:
    with _serving(older, "--no-worker") as serving, httpx.Client(trust_env=False) as client:
        key = {"authorization": f"Bearer {older.keys['fag'][0]}"}
        pull = client.get(f"{serving.address('api')}/api/v1/deliveries", headers=key)

    assert (pull.status_code, pull.json()["code"]) == (503, "standstill")
    assert serving.said().startswith("inbox: audit.cut: ")
