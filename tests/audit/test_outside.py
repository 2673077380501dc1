"""What no checkpoint outside vouches for is a finding, and the worker completes its own file."""

from datetime import timedelta
from pathlib import Path

import pytest

from inbox import audit
from inbox.audit import outside, verify
from inbox.audit.checkpoint import file_entry, sign, split_notes
from inbox.worker import Worker
from tests.worlds import World


def _entry(world: World) -> None:
    with world.line.store.transaction() as tx:
        audit.record(tx, audit.Entry(event="x:y", who="w", subject="s"))


def _sign(world: World) -> str:
    with world.line.store.transaction() as tx:
        note = verify.new_checkpoint(tx, world.line.keyring)
    assert note is not None
    return file_entry(note)


def _codes(world: World, *files: str) -> list[str]:
    with world.line.store.reading() as tx:
        found = outside.unvouched_findings(tx, world.line.keyring, files)
    return [finding.code for finding in found]


def _worker(world: World) -> Worker:
    return Worker(world.line, poll_seconds=1, checkpoints=world.folder / "checkpoints.txt")


def test_audit_without_a_checkpoint_outside_is_unvouched(small_world: World) -> None:
    _sign(small_world)
    foreign = sign("another", 1, bytes(32), small_world.line.keyring.signer())
    of_nothing = sign("test", 0, bytes(32), small_world.line.keyring.signer())

    assert _codes(small_world) == ["audit.no_checkpoint"]
    assert _codes(small_world, "") == ["audit.no_checkpoint"]
    assert _codes(small_world, file_entry(foreign)) == ["audit.no_checkpoint"]
    assert _codes(small_world, file_entry(of_nothing)) == ["audit.no_checkpoint"]


@pytest.mark.parametrize(
    ("minutes", "codes"), [(0, []), (15, []), (16, ["audit.unvouched"]), (-16, ["audit.unvouched"])]
)
def test_entries_after_the_newest_checkpoint_are_unvouched_when_minutes_old(
    small_world: World, minutes: int, codes: list[str]
) -> None:
    file = _sign(small_world)
    _entry(small_world)

    small_world.clock.advance(timedelta(minutes=minutes))

    assert _codes(small_world, file) == codes


def test_old_audit_that_a_checkpoint_covers_whole_is_vouched(small_world: World) -> None:
    file = _sign(small_world)

    small_world.clock.advance(timedelta(days=400))

    assert _codes(small_world, file) == []


def test_checkpoint_file_cut_to_its_first_note_is_a_finding(small_world: World) -> None:
    first = _sign(small_world)
    _entry(small_world)
    second = _sign(small_world)

    assert _codes(small_world, first) == ["audit.checkpoint_missing"]
    assert _codes(small_world, first, first + second) == []
    assert _codes(small_world, second + first) == []


@pytest.mark.parametrize("left", ["", "first", "torn"])
def test_worker_completes_its_checkpoint_file_without_a_new_entry(
    small_world: World, left: str
) -> None:
    path: Path = small_world.folder / "checkpoints.txt"
    first = _sign(small_world)
    _entry(small_world)
    second = _sign(small_world)
    path.write_text({"": "", "first": first, "torn": first + second[:-40] + "\n\n"}[left])
    assert _codes(small_world, path.read_text()) != []

    for _ in range(3):
        _worker(small_world)._checkpoint()

    assert _codes(small_world, path.read_text()) == []
    assert split_notes(path.read_text()).count(second[:-1]) == 1
