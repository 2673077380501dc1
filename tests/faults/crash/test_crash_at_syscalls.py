"""Killed just before any write, sync, link, unlink or send: whoever comes after finishes it."""

import platform
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from tests.databases import SQLITE_SOON
from tests.faults.harness.external_archive import ArchiveServer, archive_server_for
from tests.faults.harness.faulty_lines import delete_before_commit
from tests.faults.harness.fork_server import ForkServer, fork_server_for
from tests.faults.harness.journey_outcome import audit_findings, outcome_faults, send_two
from tests.faults.harness.message_journey import journey, recover_and_finish
from tests.faults.harness.outside_world import OutsideWorld
from tests.faults.harness.syscall_injection import CALLS

LANES = 4
"""So many tests share the calls, each its own world."""


@pytest.fixture(autouse=True)
def _machine() -> None:
    if platform.machine() not in CALLS:
        pytest.skip("the numbers of this machine's system calls are not known here")


@contextmanager
def town(outside: OutsideWorld) -> Iterator[tuple[ForkServer, ArchiveServer]]:
    """A nursery of the line and the case systems' archive."""
    with archive_server_for(outside) as (archive, url):
        send_two(outside)
        with fork_server_for(outside, archive=url) as nursery:
            yield nursery, archive


def _die_at(outside: OutsideWorld, places: Iterable[int]) -> list[str]:
    """Die at each place in turn, and be finished by another; the calls where it died."""
    died: list[str] = []
    with town(outside) as (nursery, archive):
        for place in places:
            sent = send_two(outside)
            ran = nursery.count(journey, die_at=place)
            assert ran.exit_code in (0, -signal.SIGKILL)
            if ran.exit_code == -signal.SIGKILL:
                died.append(ran.calls[-1])
                assert nursery.run(recover_and_finish) == 0
            assert outcome_faults(outside, archive, *sent) == [], (
                f"killed before call {place}: {ran}"
            )
            if ran.exit_code == 0:
                break
    assert audit_findings(outside) == []
    return died


@SQLITE_SOON
def test_journey_killed_at_two_sample_system_calls_is_finished_by_the_next_process(
    outside: OutsideWorld,
) -> None:
    assert len(_die_at(outside, (211, 613))) == 2


@pytest.mark.long
@pytest.mark.parametrize("lane", range(LANES))
def test_journey_killed_before_every_system_call_is_finished_by_the_next_process(
    outside: OutsideWorld, lane: int
) -> None:
    died = _die_at(outside, range(lane + 1, 100_000, LANES))

    assert len(died) > 100


def _has_deleted(calls: Sequence[str]) -> bool:
    """Whether it died after the first thing that was said after an object had its name."""
    return "sendto" in calls[calls.index("link") : -1] if "link" in calls else False


@pytest.mark.long
def test_journey_outcome_reports_the_message_lost_by_a_delete_before_commit(
    outside: OutsideWorld,
) -> None:
    with town(outside) as (nursery, archive):
        send_two(outside)
        place, ran = nursery.count(delete_before_commit).calls.index("link") - 10, None
        while ran is None or not _has_deleted(ran.calls):
            sent = send_two(outside)
            ran = nursery.count(delete_before_commit, die_at=place)
            assert nursery.run(recover_and_finish) == 0
            place += 2

        lost = [each.wire_id for each in sent if outcome_faults(outside, archive, each)]

    assert len(lost) == 1
