"""The loop: it works by itself, one on SQLite, outlives what fails, signs and cleans up."""

import os
import threading
import time
from dataclasses import replace
from datetime import timedelta
from itertools import chain, repeat
from pathlib import Path

import pytest
from sqlmodel import select

from inbox.audit import verify
from inbox.domain import ArrivalState, MessageState
from inbox.errors import ConfigurationError
from inbox.line.queue import claim
from inbox.tables import Arrival, Assignment, Checkpoint, Person
from inbox.worker import Worker
from tests.access.kept_policies import files_of_fewer_names, keep_as_rule_1
from tests.worker_thread import until, working
from tests.worlds import World

DAY_SECONDS = 86_400.0


def _states(world: World) -> list[str]:
    return sorted(message.state.value for message in world.messages())


def test_worker_collects_and_advances_messages_by_itself(world: World) -> None:
    world.send()
    world.send("Om en elev")
    world.send("Ingen regel")

    with working(world):
        until(lambda: _states(world) == ["OFFERED", "ROUTED", "UNROUTED"])


def test_second_worker_on_sqlite_is_refused(small_world: World) -> None:
    with working(small_world):
        until(lambda: Path(f"{small_world.folder}/inbox.db.worker.lock").exists())
        other = Worker(
            small_world.line, poll_seconds=1, checkpoints=small_world.folder / "checkpoints.txt"
        )
        time.sleep(0.2)

        with pytest.raises(ConfigurationError, match=r"worker\.running"):
            other.run()


def test_worker_start_on_sqlite_frees_leases_of_a_dead_worker(small_world: World) -> None:
    wire_id = small_world.send()
    small_world.collect()
    assert claim(small_world.line, Arrival) is not None

    with working(small_world):
        until(lambda: small_world.arrival(wire_id).state is ArrivalState.CONFIRMED)


def test_worker_continues_after_a_damaged_message(small_world: World) -> None:
    bad = small_world.send()
    small_world.collect()
    small_world.work()
    with small_world.line.store.transaction() as tx:
        row = tx.merge(small_world.message(bad))
        row.state, row.due_at, row.sealed_metadata = MessageState.OPENED, tx.now, b"damaged"
    good = small_world.send()

    with working(small_world):
        until(
            lambda: any(
                m.wire_id == good and m.state is MessageState.OFFERED
                for m in small_world.messages()
            )
        )

    assert small_world.message(bad).state is MessageState.OPENED


def test_worker_opens_a_leaver_task_for_assignments_of_a_person_who_left(
    small_world: World,
) -> None:
    wire_id = small_world.send("Om en elev")
    small_world.collect()
    small_world.work()
    message = small_world.message(wire_id)
    with small_world.line.store.transaction() as tx:
        tx.add(Assignment(id="a", message_id=message.id, person="ola", active_from=tx.now))
        tx.get_one(Person, "ola").active_until = tx.now + timedelta(days=1)
    small_world.clock.advance(timedelta(days=2))

    with working(small_world):
        until(lambda: "leaver" in small_world.open_tasks(message.id))


def test_worker_opens_a_task_for_an_action_that_the_policy_is_too_old_to_know(
    small_world: World,
) -> None:
    with small_world.line.store.transaction() as tx:
        keep_as_rule_1(tx, files_of_fewer_names())
    small_world.edited = True

    with working(small_world):
        until(lambda: small_world.open_tasks("note") == {"new_action"})


def test_worker_signs_checkpoints_and_keeps_them_outside(small_world: World) -> None:
    small_world.send()
    with working(small_world):
        until(lambda: _states(small_world) == ["OFFERED"])
    outside = (small_world.folder / "checkpoints.txt").read_text()

    with small_world.line.store.reading() as tx:
        report = verify.verify(tx, small_world.line.keyring, [outside])
        assert tx.exec(select(Checkpoint)).first() is not None

    assert report.holds
    assert report.checkpoints >= 2


def test_worker_sets_only_old_vault_objects_without_a_row_aside(small_world: World) -> None:
    wire_id = small_world.send()
    small_world.collect()
    small_world.work()
    key, _ = small_world.line.keyring.new_data_key()
    small_world.line.vault.store("0rphan.1", [b"left by a crash"], key.object_key())
    for path in (small_world.folder / "vault").rglob("*.*"):
        os.utime(path, (0, 0))
    small_world.line.vault.store("0rphan.2", [b"just now"], key.object_key())
    now = small_world.clock.now
    ages = {name for name, at in small_world.line.vault.names() if at < now - timedelta(days=1)}
    assert len(ages) == 2

    with working(small_world, tick=chain([0.0], repeat(DAY_SECONDS)).__next__):
        until(lambda: "0rphan.1" not in dict(small_world.line.vault.names()))

    left = set(dict(small_world.line.vault.names()))
    assert left == {"0rphan.2", small_world.message(wire_id).object_name}


def test_worker_logs_one_line_for_many_equal_failures_of_the_database(
    small_world: World, caplog: pytest.LogCaptureFixture
) -> None:
    small_world.send()
    with working(small_world) as worker:
        until(lambda: _states(small_world) == ["OFFERED"])
        small_world.edited = True
        with small_world.line.store.transaction() as tx:
            tx.connection().exec_driver_sql("ALTER TABLE arrival RENAME TO arrival_gone")
        until(lambda: worker._outages.failures() > 20)

    lines = [
        record
        for record in caplog.records
        if record.__dict__.get("inbox_fields", {}).get("code") == "database.unavailable"
    ]
    assert [record.getMessage() for record in lines] == ["failed"]


def test_long_transfer_moves_to_a_long_slot_and_frees_the_small_one(small_world: World) -> None:
    from inbox.errors import Unavailable
    from inbox.line.throttle.transfer_slots import TransferSlots

    slots = TransferSlots(small=1, long=1)
    with slots.job_slot():
        slots.move_to_long_slot()
        slots.move_to_long_slot()
        taken = threading.Event()

        def small() -> None:
            with slots.job_slot():
                taken.set()
                with pytest.raises(Unavailable, match=r"transfer\.no_long_slot"):
                    slots.move_to_long_slot()

        thread = threading.Thread(target=small)
        thread.start()
        thread.join(timeout=5)
        assert taken.is_set()
    assert replace(small_world.line, transfer_slots=slots).transfer_slots is slots
