"""Data keys are wrapped anew under the active key: all of them, and none that is destroyed."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from inbox.domain import MessageState
from inbox.errors import ConfigurationError, Conflict
from inbox.keys import Keyring, add_key
from inbox.line.queue import unwrap_stored_key
from inbox.line.upkeep.key_rotation import (
    SEEN_LATELY,
    KekUse,
    check_may_rotate,
    kek_uses,
    rewrap_keys,
)
from inbox.tables import AuditEntry, Installation, Message, WrappedKey
from inbox.worker import Worker
from tests.worlds import World


def _add_key(world: World) -> str:
    """As `inbox keys add` does, with the line started anew; the id of the old key."""
    old = world.line.keyring.active
    add_key(world.folder / "keys", world.clock.now)
    world.line = replace(world.line, keyring=Keyring.load(world.folder / "keys"))
    with world.line.store.transaction() as tx:
        tx.get_one(Installation, 1).key_proof = world.line.keyring.proof()
    return old


def _rotate(world: World) -> list[tuple[str, str]]:
    """Rotate all; what was refused in the last round."""
    return [each for batch in rewrap_keys(world.line) for each in batch.refused]


def _uses(world: World) -> dict[str, KekUse]:
    with world.line.store.reading() as tx:
        return {use.kek_id: use for use in kek_uses(tx, world.line.keyring)}


def _stored(world: World) -> Sequence[WrappedKey]:
    with world.line.store.reading() as tx:
        return tx.exec(select(WrappedKey).order_by(col(WrappedKey.id))).all()


def _worker_notes_its_key(world: World) -> None:
    checkpoints = world.folder / "checkpoints.txt"
    Worker(world.line, poll_seconds=1, checkpoints=checkpoints)._record_pulse()


def _mail(world: World, count: int = 2) -> list[Message]:
    for _ in range(count):
        world.send("Ingen regel")
    world.collect()
    world.work()
    return world.messages()


def test_rotate_wraps_every_data_key_under_the_active_key_and_all_open_without_the_old(
    world: World,
) -> None:
    messages = _mail(world)
    old = _add_key(world)
    before = {key.id: unwrap_stored_key(world.line, key) for key in _stored(world)}

    assert _rotate(world) == []

    (world.folder / "keys" / f"kek-{old}.key").unlink()
    alone = replace(world.line, keyring=Keyring.load(world.folder / "keys"))
    after = {key.id: unwrap_stored_key(alone, key) for key in _stored(world)}
    assert len(before) > len(messages)
    for owner, key in before.items():
        again = after[owner]
        assert (key is None) == (again is None)
        if key is not None and again is not None:
            assert key.object_key() == again.object_key()
    assert {key.kek_id for key in _stored(world)} == {alone.keyring.active, None}


def test_rotate_writes_one_audit_entry_a_batch_and_none_when_all_is_done(world: World) -> None:
    _mail(world)
    _add_key(world)

    _rotate(world)
    _rotate(world)

    with world.line.store.reading() as tx:
        leaves = tx.exec(select(AuditEntry.leaf)).all()
    assert sum(b'"event":"key:rewrapped"' in leaf for leaf in leaves) == 1


def test_old_key_is_free_only_when_no_data_key_and_no_worker_uses_it(world: World) -> None:
    _worker_notes_its_key(world)
    old = _add_key(world)

    needed = _uses(world)[old]
    _rotate(world)
    in_use = _uses(world)[old]
    world.clock.advance(SEEN_LATELY)

    assert needed.data_keys > 1
    assert (in_use.data_keys, in_use.wraps_at is not None, in_use.is_free) == (0, True, False)
    assert _uses(world)[old].is_free
    assert not _uses(world)[world.line.keyring.active].is_free


def test_rotate_is_refused_while_a_worker_wraps_with_another_key(small_world: World) -> None:
    _worker_notes_its_key(small_world)
    old = _add_key(small_world)

    with pytest.raises(Conflict, match=old) as refused:
        check_may_rotate(tuple(_uses(small_world).values()))

    assert refused.value.code == "keys.worker_behind"
    small_world.clock.advance(SEEN_LATELY)
    check_may_rotate(tuple(_uses(small_world).values()))


def test_rotate_is_refused_where_the_folder_calls_an_older_key_active(small_world: World) -> None:
    old = _add_key(small_world)
    (small_world.folder / "keys" / "active").write_text(f"{old}\n")
    small_world.line = replace(small_world.line, keyring=Keyring.load(small_world.folder / "keys"))

    with pytest.raises(ConfigurationError) as refused:
        check_may_rotate(tuple(_uses(small_world).values()))

    assert refused.value.code == "keys.active_differs"


def test_damaged_data_key_is_reported_and_keeps_the_old_key_needed(small_world: World) -> None:
    damaged, *_ = _mail(small_world)
    with small_world.line.store.transaction() as tx:
        tx.get_one(WrappedKey, damaged.id).wrapped = b"damaged"
    old = _add_key(small_world)

    refused = _rotate(small_world)

    assert set(refused) == {(damaged.id, "keys.unwrap")}
    assert (_uses(small_world)[old].data_keys, _uses(small_world)[old].is_free) == (1, False)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_data_key_that_is_destroyed_meanwhile_stays_destroyed(world: World) -> None:
    erased, other, *_ = _mail(world)
    _add_key(world)

    with world.line.store.transaction() as tx:
        key = tx.get_one(WrappedKey, erased.id)
        key.kek_id, key.wrapped, key.destroyed_at = None, None, tx.now
        tx.flush()
        _rotate(world)
    _rotate(world)

    stored = {key.id: key for key in _stored(world)}
    assert (stored[erased.id].kek_id, stored[erased.id].wrapped) == (None, None)
    assert stored[other.id].kek_id == world.line.keyring.active


def test_line_that_started_before_the_rotation_goes_on_with_its_messages(world: World) -> None:
    world.send()
    world.collect()
    before = world.line
    _add_key(world)
    _rotate(world)
    world.line = before

    world.work()

    assert [message.state for message in world.messages()] == [MessageState.OFFERED]
    with world.line.store.reading() as tx:
        codes = tx.execute(sa.select(col(Message.code))).scalars().all()
    assert codes == [None]
