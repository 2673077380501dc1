"""A worker that is stopped past its lease and goes on: it settles nothing and doubles nothing."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from inbox.domain import MessageState
from inbox.line.moves import case_system
from tests import databases
from tests.faults.harness import outside_world
from tests.faults.harness.outside_world import OutsideWorld
from tests.faults.race import message_builders, race_outcome
from tests.faults.race.worker_pool import duplicate_effects, worker_pool
from tests.faults.race.worker_process import STOP, Pace, claim_and_advance, work
from tests.worlds import World

_REPEATED = ("DELETE", "/api/messages/in/{messageId}"), ("POST", "/api/messages/out")
_POINTS = (
    "before gateway:fetch",
    "before vault:store",
    "during vault:store",
    "before gateway:confirm",
    "after gateway:confirm",
    "before gateway:create_receipt",
    "after gateway:create_receipt",
    "before gateway:send_receipt",
    "after gateway:send_receipt",
)


@contextmanager
def _stopped(
    outside: OutsideWorld, point: str, meanwhile: Callable[[], None]
) -> Iterator[BaseProcess]:
    """A worker that has stopped there; whatever happens, it is ended."""
    words = Pace().words(seed=0, hooks=9) | {"stop_at": point}
    worker = outside.start(outside.plan(claim_and_advance, die_at=None, **words))
    try:
        _until(lambda: _is_stopped(worker), meanwhile)
        yield worker
    finally:
        worker.kill()
        worker.join()


def _is_stopped(process: BaseProcess) -> bool:
    stat = Path(f"/proc/{process.pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "T"


def _until(true: Callable[[], bool], meanwhile: Callable[[], None] = lambda: None) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it did not happen"
        meanwhile()
        time.sleep(0.02)


def _register(world: World) -> None:
    """The case system registers whatever is offered."""
    for message in world.messages():
        if message.state is MessageState.OFFERED:
            delivery, sak = world.delivery(message.id), message_builders.the_system(world.line)
            case_system.acknowledge_registered(
                world.line, sak, delivery.id, reference="2026/000001-1"
            )


def _goes_on(outside: OutsideWorld, worker: BaseProcess) -> str:
    """Let it go on, and give it other work, which it does; nobody else works now."""
    other = outside.send("Om en elev")
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGCONT)
    _until(lambda: any(m.wire_id == other for m in outside.messages()))
    _until(lambda: outside.message(other).state is MessageState.ROUTED)
    (outside.folder / STOP).touch()
    worker.join(30)
    assert worker.exitcode == 0
    return other


def _check_stopped_at(server: str, folder: Path, point: str) -> None:
    with outside_world.outside_world(databases.postgres_database(server), folder) as outside:
        wire_id = outside.send()
        with _stopped(outside, point, lambda: _register(outside)) as worker:
            outside.clock.advance(outside.line.terms.lease + timedelta(seconds=1))
            _until(lambda: outside.gateway.receipts_at_sender() != [], lambda: _finish(outside))
            other = _goes_on(outside, worker)
        message_builders.settled(outside, outside.message(wire_id), MessageState.ANSWERED)

        for method, path in _REPEATED:
            done = [c for c in outside.gateway.journal if (c.method, c.path) == (method, path)]
            wanted = 2 if method == "DELETE" else 1
            assert sum(call.effect == 200 for call in done) == wanted, (method, path)
        assert len(outside.gateway.receipts_at_sender()) == 1
        assert {m.wire_id for m in outside.messages()} == {wire_id, other}
        assert len(outside.messages()) == 2
        assert race_outcome.of_audit(outside) == []
        assert race_outcome.repeated_moves(outside) == []


def _finish(outside: OutsideWorld) -> None:
    outside.work()
    _register(outside)
    outside.clock.advance(timedelta(seconds=30))


def test_message_of_a_worker_stopped_after_storing_is_finished_once_by_another(
    postgres_server: str, tmp_path: Path
) -> None:
    _check_stopped_at(postgres_server, tmp_path, "after vault:store")


@pytest.mark.long
@pytest.mark.parametrize("point", _POINTS)
def test_message_of_a_worker_stopped_at_any_effect_is_finished_once_by_another(
    postgres_server: str, tmp_path: Path, point: str
) -> None:
    _check_stopped_at(postgres_server, tmp_path, point)


@pytest.mark.long
def test_long_fetch_with_an_expired_lease_leaves_no_parts_and_repeats_no_move(
    postgres_server: str, tmp_path: Path
) -> None:
    with outside_world.outside_world(
        databases.postgres_database(postgres_server), tmp_path
    ) as outside:
        wire_id = outside.send(content=os.urandom(8_000_000))
        with _stopped(outside, "during vault:store", lambda: None) as worker:
            outside.clock.advance(Pace().lease + timedelta(seconds=1))
            outside.collect()  # The gateway's lock has run out before the lease.
            outside.work()
            assert outside.message(wire_id).state is MessageState.OFFERED
            time.sleep(outside.line.terms.lease.total_seconds() / 40)
            _goes_on(outside, worker)

        kept = {message.object_name for message in outside.messages()}
        assert len(outside.messages()) == 2
        left = {name for name, _ in outside.line.vault.names()} - kept
        assert len(left) <= 1, "what the first stored, if it came so far, and nothing else"
        assert list((tmp_path / "vault" / "parts").glob("*")) == []
        assert race_outcome.repeated_moves(outside) == []


# SQLite: one worker process, and everybody else beside it


@pytest.mark.long
def test_second_sqlite_worker_is_refused_and_leases_of_a_killed_worker_are_freed(
    tmp_path: Path,
) -> None:
    hour = Pace(lease=timedelta(hours=1), longest=0.01)
    with outside_world.outside_world(databases.sqlite_database(tmp_path), tmp_path) as outside:
        wire_ids = [outside.send(content=f"{number}".encode()) for number in range(4)]
        with worker_pool(outside) as hall:
            hall.employ(1, work, hour, 1)
            _until((tmp_path / "inbox.db.worker.lock").exists)
            words = hour.words(seed=2, hooks=hall.hooks)
            second = outside.run(work, die_at=None, **words)
            _until(lambda: any(m.state is MessageState.RELEASED for m in outside.messages()))
            hall.replace_one(0)
            hall.wait(60)
            hall.dismiss()

            assert second.exit_code == 1
            assert duplicate_effects(hall, wire_ids) == []
