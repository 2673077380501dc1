"""The connections of a process to its database: fewer than threads, and never two for one."""

from datetime import timedelta
from pathlib import Path
from threading import Thread
from time import sleep

from inbox.access.policy.vocabulary import Role
from inbox.domain import MessageState
from inbox.line.moves import archive_staff, unit
from tests.faults.outage.http_world import http_world, wait_until


def test_whole_line_goes_on_with_one_connection_for_all_threads(
    database: str, tmp_path: Path
) -> None:
    with http_world(database, tmp_path, connections=1) as there:
        there.send()
        by_hand = there.send("Ingen regel")
        running = Thread(target=there.worker.run, daemon=True)
        running.start()
        wait_until(lambda: len(there.world.messages()) == 2, seconds=60)
        wait_until(lambda: there.world.message(by_hand).state is MessageState.UNROUTED, seconds=60)
        message = there.world.message(by_hand)

        anne = there.world.person("anne", Role.ARCHIVIST, "desk")
        archive_staff.place(
            there.line, anne, message.id, unit="bv", expected_version=message.version
        )
        placed = there.world.message(by_hand)
        kari = there.world.person("kari", Role.LEADER, "bv")
        unit.release(there.line, kari, placed.id, expected_version=placed.version)
        wait_until(lambda: len(there.told.registered) == 2, seconds=60)
        for _ in range(20):
            there.world.clock.advance(timedelta(seconds=10))
            sleep(0.2)
        wait_until(lambda: len(there.answered()) == 2, seconds=60)
        there.worker.stop()
        running.join(timeout=30)

        assert not running.is_alive()
        assert there.wrong() == []
