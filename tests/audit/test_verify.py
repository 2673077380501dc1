"""Every change to the stored audit is found: bit, cut, insert, exchange, fork, roll-back."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from inbox import audit
from inbox.audit import verify
from inbox.errors import IntegrityError
from tests.databases import SQLITE_SOON
from tests.worlds import World


def _filled(world: World) -> str:
    """Some entries and two checkpoints; the text of the file outside."""
    texts = []
    for _ in range(2):
        world.send()
        world.collect()
        world.work()
        with world.line.store.transaction() as tx:
            note = verify.new_checkpoint(tx, world.line.keyring)
        assert note is not None
        verify.append_to_checkpoint_file(world.folder / "checkpoints.txt", note)
        texts.append(note)
    return (world.folder / "checkpoints.txt").read_text()


def _report(world: World, *outside: str) -> verify.AuditReport:
    with world.line.store.reading() as tx:
        return verify.verify(tx, world.line.keyring, outside)


def _change(world: World, statement: str) -> None:
    world.edited = True
    engine = world.line.store.engine.execution_options(inbox_writes=True)
    with engine.begin() as connection:
        connection.execute(sa.text(statement))


def test_audit_verify_finds_nothing_in_an_untouched_audit(world: World) -> None:
    outside = _filled(world)

    report = _report(world, outside)

    assert report.holds
    assert report.checkpoints == 4
    assert report.size > 10


def test_concurrent_workers_sign_only_one_checkpoint(world: World) -> None:
    world.send()
    world.collect()

    def sign() -> str | None:
        with world.line.store.transaction() as tx:
            return verify.new_checkpoint(tx, world.line.keyring)

    with ThreadPoolExecutor(1) as other, world.line.store.transaction() as tx:
        first = verify.new_checkpoint(tx, world.line.keyring)
        second = other.submit(sign)
        time.sleep(0.1)  # Until it waits for us.
        tx.commit()
        assert second.result(10) is None

    assert first is not None
    assert _report(world).holds


@SQLITE_SOON
@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (
            "UPDATE audit_entry SET leaf = substr(leaf, 1, 20) || substr(leaf, 22) WHERE seq = 4",
            "audit.",
        ),
        ("DELETE FROM audit_entry WHERE seq = 4", "audit.gap"),
        ("DELETE FROM audit_node WHERE level = 1 AND position = 1", "audit.node"),
        ("DELETE FROM audit_node WHERE level = 0 AND position = 3", "audit.node"),
        ("UPDATE audit_head SET size = size - 1", "audit.head"),
        ("UPDATE checkpoint SET note = replace(note, 'test', 'tost')", "audit.checkpoint"),
    ],
)
def test_audit_verify_finds_damaged_and_deleted_rows(
    world: World, statement: str, code: str
) -> None:
    outside = _filled(world)
    _change(world, statement)

    report = _report(world, outside)

    assert any(finding.code.startswith(code) for finding in report.findings)


def test_collect_fails_without_an_audit_head_and_stores_no_message(small_world: World) -> None:
    _change(small_world, "DELETE FROM audit_head")
    small_world.send()

    with pytest.raises(IntegrityError, match=r"audit\.no_head"):
        small_world.collect()

    assert small_world.messages() == []


def test_audit_leaf_has_only_a_commitment_to_personal_text(small_world: World) -> None:
    canary = "Kari Nordmann 01010112345"
    with small_world.line.store.transaction() as tx:
        audit.record(
            tx,
            audit.Entry(event="x:y", who="w", subject="s", committed={"reason": canary}),
        )

    def leaves(session: Session) -> bytes:
        return b"".join(
            bytes(row[0])
            for row in session.connection().exec_driver_sql("SELECT leaf FROM audit_entry")
        )

    with small_world.line.store.reading() as tx:
        assert canary.encode() not in leaves(tx)
        assert b"reason" in leaves(tx)
