"""Many workers on one PostgreSQL, each dawdling where it likes: every effect once, no deadlock."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from inbox.store import create_engine
from tests import databases
from tests.faults.harness import outside_world
from tests.faults.harness.line_process import LineProcess
from tests.faults.race.worker_pool import (
    WorkerPool,
    deadlocks,
    duplicate_effects,
    left_on_disk,
    repeated_calls,
    worker_pool,
)
from tests.faults.race.worker_process import Pace, claim_and_advance, work
from tests.runs.another_day import clock_of

_TITLES = ("Melding om barnevern", "Om en sakkyndig", "Melding om barnevern")
SHORT = Pace(lease=timedelta(seconds=0.5), longest=0.4)
"""Leases of a tenth of a second here, and pauses of up to four of them."""


@contextmanager
def _hall(server: str, folder: Path, *, messages: int) -> Iterator[tuple[WorkerPool, list[str]]]:
    """So many messages wait at the gateway; how often the server ended a deadlock is nought."""
    before = deadlocks(server)
    with outside_world.outside_world(databases.postgres_database(server), folder) as outside:
        wire_ids = [
            outside.send(_TITLES[number % 3], content=f"innhold {number}".encode())
            for number in range(messages)
        ]
        with worker_pool(outside) as hall:
            yield hall, wire_ids
    assert deadlocks(server) == before


def _seed(number: int = 0) -> int:
    """New each time; pytest shows what was printed when the test fails."""
    seed = time.time_ns() // 1000 % 1_000_000 + number
    print(f"seed {seed}")  # noqa: T201 - shown on failure
    return seed


@pytest.mark.long
def test_two_workers_perform_every_effect_once(postgres_server: str, tmp_path: Path) -> None:
    with _hall(postgres_server, tmp_path, messages=6) as (hall, wire_ids):
        hall.employ(2, claim_and_advance, Pace(), _seed())
        hall.wait(60)
        hall.dismiss()

        assert duplicate_effects(hall, wire_ids) == []
        assert repeated_calls(hall, wire_ids) == []
        assert left_on_disk(hall) == []


@pytest.mark.long
@pytest.mark.parametrize("errand", [work, claim_and_advance])
@pytest.mark.parametrize("workers", [2, 4, 8])
def test_two_to_eight_workers_perform_every_effect_once(
    postgres_server: str, tmp_path: Path, workers: int, errand: Callable[[LineProcess], None]
) -> None:
    messages = 125 * workers if errand is work else 200
    with _hall(postgres_server, tmp_path, messages=messages) as (hall, wire_ids):
        hall.employ(workers, errand, Pace(), _seed())
        hall.wait(120)
        hall.dismiss()

        assert duplicate_effects(hall, wire_ids) == []
        assert repeated_calls(hall, wire_ids) == []
        assert left_on_disk(hall) == []


@pytest.mark.long
@pytest.mark.parametrize("errand", [work, claim_and_advance])
def test_killed_and_replaced_workers_leave_no_missing_or_duplicate_effect(
    postgres_server: str, tmp_path: Path, errand: Callable[[LineProcess], None]
) -> None:
    with _hall(postgres_server, tmp_path, messages=300) as (hall, wire_ids):
        hall.employ(4, errand, Pace(lease=timedelta(seconds=20)), _seed())
        kills = 0

        def kill() -> None:
            nonlocal kills
            if kills < 40:
                hall.replace_one(kills % 4)
                kills += 1

        hall.wait(120, kill)
        hall.dismiss()

        assert kills > 10
        assert duplicate_effects(hall, wire_ids) == []


@pytest.mark.long
@pytest.mark.parametrize("errand", [work, claim_and_advance])
def test_workers_with_expired_leases_repeat_only_idempotent_calls(
    postgres_server: str, tmp_path: Path, errand: Callable[[LineProcess], None]
) -> None:
    with _hall(postgres_server, tmp_path, messages=200) as (hall, wire_ids):
        hall.employ(4, errand, SHORT, _seed())
        hall.wait(120)
        hall.dismiss()

        assert repeated_calls(hall, wire_ids) != [], "no lease was lost: this shows nothing"
        assert duplicate_effects(hall, wire_ids) == []


# Tests of the tests: a line with a planted fault is found


@pytest.mark.long
def test_repeated_calls_are_reported_when_workers_ignore_leases(
    postgres_server: str, tmp_path: Path
) -> None:
    with _hall(postgres_server, tmp_path, messages=8) as (hall, wire_ids):
        hall.employ(2, work, Pace(spoilt="claim"), _seed())
        hall.wait(60)
        hall.dismiss()

        assert repeated_calls(hall, wire_ids) != []


@pytest.mark.long
def test_duplicate_moves_are_reported_when_workers_ignore_the_version_fence(
    postgres_server: str, tmp_path: Path
) -> None:
    spoilt = Pace(lease=SHORT.lease, longest=SHORT.longest, spoilt="fence")
    with _hall(postgres_server, tmp_path, messages=50) as (hall, wire_ids):
        hall.employ(4, work, spoilt, _seed())
        until = time.monotonic() + 60
        while not (found := duplicate_effects(hall, wire_ids)) or not any(
            "told" in f for f in found
        ):
            assert time.monotonic() < until, "nothing was told twice"
            time.sleep(0.2)


@pytest.mark.skipif(
    bool(clock_of(os.environ)),
    reason="libfaketime stops deadlock_timeout",
)
def test_deadlock_is_counted_from_the_postgresql_log(postgres_server: str) -> None:
    before = deadlocks(postgres_server)
    engine = create_engine(databases.postgres_database(postgres_server))
    with engine.connect() as one, engine.connect() as two:
        for connection, key in ((one, 1), (two, 2)):
            connection.exec_driver_sql("SET deadlock_timeout = '20ms'")
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
        threads = [
            threading.Thread(target=_wait_for, args=(connection, key))
            for connection, key in ((one, 2), (two, 1))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    engine.dispose()

    assert deadlocks(postgres_server) > before


def _wait_for(connection: sa.Connection, key: int) -> None:
    with suppress(sa.exc.OperationalError):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
    connection.rollback()
