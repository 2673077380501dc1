"""Killed at any effect while it rotates keys and the line works, nothing is lost or left over."""

import hashlib
import signal
from collections.abc import Iterable
from datetime import timedelta

import pytest
from sqlmodel import col, select

from inbox.audit.state import verify_state
from inbox.keys import DataKey, Keyring, add_key
from inbox.line import Line
from inbox.line.queue import unwrap_stored_key
from inbox.line.upkeep.key_rotation import kek_uses, rewrap_keys
from inbox.tables import Installation, Message, WrappedKey
from tests.databases import SQLITE_SOON
from tests.faults.harness.line_process import LineProcess
from tests.faults.harness.outside_world import OutsideWorld

PAST_A_LEASE = timedelta(minutes=10)


def rotate_while_working(inside: LineProcess) -> None:
    """The errand: three or four batches, and between them the line works."""
    with inside.line.store.reading() as tx:
        stored = len(tx.exec(select(WrappedKey.id)).all())
    for _ in rewrap_keys(inside.line, batch_size=max(1, stored // 3)):
        inside.collect()
        inside.work()
    inside.line.store.engine.dispose()


def _add_key(outside: OutsideWorld) -> None:
    """As `inbox keys add` does; processes that start from now on wrap with the new key."""
    add_key(outside.folder / "keys", outside.clock.now)
    proof = Keyring.load(outside.folder / "keys").proof()
    with outside.line.store.transaction() as tx:
        tx.get_one(Installation, 1).key_proof = proof
    outside.line.store.engine.dispose()


def _keys_of(line: Line, keyring: Keyring) -> dict[str, DataKey]:
    """Every data key that is not destroyed, unwrapped."""
    with line.store.reading() as tx:
        stored = tx.exec(select(WrappedKey).where(col(WrappedKey.wrapped).is_not(None))).all()
    looking = {key.id: unwrap_stored_key(_with(line, keyring), key) for key in stored}
    return {owner: key for owner, key in looking.items() if key is not None}


def _with(line: Line, keyring: Keyring) -> Line:
    return Line(**{**vars(line), "keyring": keyring})


def _check_content(outside: OutsideWorld, keyring: Keyring) -> None:
    """Every stored package opens under its data key, and no row was changed unseen."""
    line = outside.line
    keys = _keys_of(line, keyring)
    with line.store.reading() as tx:
        messages = tx.exec(select(Message).where(col(Message.object_name).is_not(None))).all()
        assert verify_state(tx, keyring.row_key()).findings == ()
    for message in messages:
        with line.vault.open(message.object_name or "", keys[message.id].object_key()) as stored:
            assert hashlib.sha256(stored.read()).hexdigest() == message.digest
    line.store.engine.dispose()


def _die_at(outside: OutsideWorld, places: Iterable[int]) -> list[str]:
    """Die at each point in turn, look, and let another process finish; where it died."""
    died: list[str] = []
    outside.send("Melding om barnevern")
    assert outside.run(rotate_while_working).exit_code == 0
    for place in places:
        _add_key(outside)
        outside.send("Melding om barnevern")
        ran = outside.run(rotate_while_working, die_at=place)
        _check_content(outside, Keyring.load(outside.folder / "keys"))
        outside.clock.advance(PAST_A_LEASE)
        assert outside.run(rotate_while_working).exit_code == 0
        _take_old_keys_away(outside)
        if ran.exit_code == 0:
            break
        assert ran.exit_code == -signal.SIGKILL
        died.append(ran.effects[-1])
    return died


def _take_old_keys_away(outside: OutsideWorld) -> None:
    """Those that nothing needs, which must be all but the active one; everything still opens."""
    keyring = Keyring.load(outside.folder / "keys")
    with outside.line.store.reading() as tx:
        uses = kek_uses(tx, keyring)
    assert {use.kek_id for use in uses if not use.is_free} == {keyring.active}
    for use in uses:
        if use.is_free:
            (outside.folder / "keys" / f"kek-{use.kek_id}.key").unlink()
    _check_content(outside, Keyring.load(outside.folder / "keys"))


@SQLITE_SOON
def test_key_rotation_killed_before_and_after_a_commit_is_finished_by_the_next(
    outside: OutsideWorld,
) -> None:
    died = _die_at(outside, (1, 2))

    assert died == ["before key:rewrapped/None", "after key:rewrapped/None"]


@pytest.mark.long
def test_key_rotation_killed_at_every_effect_of_it_and_the_line_loses_no_data_key(
    outside: OutsideWorld,
) -> None:
    died = _die_at(outside, range(1, 1_000))

    assert {"before key:rewrapped/None", "after key:rewrapped/None"} <= set(died)
    assert len(died) > 20
