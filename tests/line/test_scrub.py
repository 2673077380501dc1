"""The scrub reads all that is stored, round after round; damage is a task until it is mended."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from inbox.domain import MessageState
from inbox.line.queue import claim
from inbox.line.stations import advance
from inbox.line.upkeep.scrub import scrub_step
from inbox.tables import Arrival, Message, WrappedKey, table_of
from tests.worlds import World

DAY = timedelta(days=1)


def _received(world: World) -> Message:
    wire_id = world.send()
    world.collect()
    world.work()
    return world.message(wire_id)


def _object(world: World, message: Message) -> Path:
    (path,) = (world.folder / "vault").rglob(message.object_name or "")
    return path


def _flip(world: World, message: Message) -> None:
    path = _object(world, message)
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.write_bytes(octets)


def _cut(world: World, message: Message) -> None:
    path = _object(world, message)
    path.write_bytes(path.read_bytes()[:-20])


def _remove(world: World, message: Message) -> None:
    _object(world, message).unlink()


def _unreadable(world: World, message: Message) -> None:
    """A directory in its place: the disk answers with an error, as for a bad sector."""
    path = _object(world, message)
    path.unlink()
    path.mkdir()


def _change(column: str) -> Callable[[World, Message], None]:
    def change(world: World, message: Message) -> None:
        rows = table_of(Message)
        with world.line.store.transaction() as tx:
            tx.execute(
                sa.update(rows).where(rows.c.id == message.id).values({column: b"\x01damaged"})
            )

    change.__name__ = column
    return change


def _lose_key(world: World, message: Message) -> None:
    with world.line.store.transaction() as tx:
        tx.get_one(WrappedKey, message.id).wrapped = b"damaged"


def _other_digest(world: World, message: Message) -> None:
    with world.line.store.transaction() as tx:
        tx.get_one(Message, message.id).digest = "0" * 64


@pytest.mark.parametrize(
    "damage",
    [
        _flip,
        _cut,
        _remove,
        _unreadable,
        _lose_key,
        _other_digest,
        _change("sealed_envelope"),
        _change("sealed_metadata"),
        _change("sealed_archive"),
        _change("sealed_documents"),
    ],
    ids=lambda damage: damage.__name__.strip("_"),
)
def test_scrub_opens_one_task_for_a_damaged_message_and_none_for_others(
    small_world: World, damage: Callable[[World, Message], None]
) -> None:
    whole, damaged = _received(small_world), _received(small_world)
    damage(small_world, damaged)

    assert scrub_step(small_world.line) == 2
    small_world.clock.advance(DAY)
    assert scrub_step(small_world.line) == 2

    assert "damaged" in small_world.open_tasks(damaged.id)
    assert "damaged" not in small_world.open_tasks(whole.id)


def test_scrub_closes_the_task_when_a_good_copy_is_in_place(
    small_world: World, tmp_path: Path
) -> None:
    message = _received(small_world)
    shutil.copy(_object(small_world, message), tmp_path / "copy")
    _flip(small_world, message)
    scrub_step(small_world.line)
    assert "damaged" in small_world.open_tasks(message.id)
    shutil.copy(tmp_path / "copy", _object(small_world, message))

    small_world.clock.advance(DAY)
    scrub_step(small_world.line)

    assert "damaged" not in small_world.open_tasks(message.id)


def test_scrub_reads_a_message_once_in_a_round_and_begins_anew_after_a_day(
    small_world: World,
) -> None:
    _received(small_world)
    assert scrub_step(small_world.line) == 1
    small_world.clock.advance(timedelta(hours=1))
    _received(small_world)

    assert scrub_step(small_world.line) == 1
    assert scrub_step(small_world.line) == 0
    small_world.clock.advance(DAY)
    assert scrub_step(small_world.line) == 2


def test_scrub_step_ends_after_its_share_of_bytes_and_the_next_goes_on(
    small_world: World,
) -> None:
    for _ in range(3):
        _received(small_world)
        small_world.clock.advance(timedelta(minutes=1))

    assert [scrub_step(small_world.line, max_bytes=1) for _ in range(4)] == [1, 1, 1, 0]


def test_scrub_reads_again_after_a_clock_that_was_a_year_ahead(small_world: World) -> None:
    _received(small_world)
    small_world.clock.advance(timedelta(days=400))
    scrub_step(small_world.line)
    small_world.clock.advance(timedelta(days=-400))

    assert scrub_step(small_world.line) == 1


def test_scrub_passes_over_erased_messages(small_world: World) -> None:
    message = _received(small_world)
    with small_world.line.store.transaction() as tx:
        row = tx.get_one(Message, message.id)
        row.state, row.object_name, row.erased_at = MessageState.ERASED, None, tx.now

    assert scrub_step(small_world.line) == 0
    assert "damaged" not in small_world.open_tasks(message.id)


def test_vault_that_is_away_damages_no_message(small_world: World) -> None:
    message = _received(small_world)
    (small_world.folder / "vault").rename(small_world.folder / "elsewhere")
    (small_world.folder / "vault").write_text("no folder")

    scrub_step(small_world.line)

    assert "damaged" not in small_world.open_tasks(message.id)


def test_station_that_meets_a_damaged_package_tells_an_operator_at_once(
    small_world: World,
) -> None:
    wire_id = small_world.send()
    small_world.collect()
    job = claim(small_world.line, Arrival)
    while job is not None:
        job = advance(small_world.line, job)
    message = small_world.message(wire_id)
    _flip(small_world, message)

    small_world.work()

    assert small_world.message(wire_id).state is MessageState.RECEIVED
    assert "damaged" in small_world.open_tasks(message.id)
