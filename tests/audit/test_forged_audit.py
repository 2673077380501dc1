"""A cut, an inserted, exchanged or changed entry, an old copy: coherent inside, found from outside.

Whoever has the database and the time can write a tree that fits in itself. What they do not have
is the key of the notes that were kept elsewhere, so that the copy outside contradicts them.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.audit.audit_forgery import Change, rebuild, renumbered
from tests.audit.line_audit import Kept, kept_by_the_line


@pytest.fixture
def kept(small: Kept, tmp_path: Path) -> Iterator[Kept]:
    """The same for one test to spoil: its database is put back afterwards."""
    _copy(small.world.folder / "inbox.db", tmp_path / "before.db")
    yield small
    _put_back(small, tmp_path / "before.db")


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def _put_back(kept: Kept, before: Path) -> None:
    kept.engine.dispose()
    _copy(before, kept.world.folder / "inbox.db")


def _cut(leaves: list[bytes]) -> Sequence[bytes]:
    return leaves[:-2]


def _inserted(leaves: list[bytes]) -> Sequence[bytes]:
    more = [*leaves[:5], leaves[4], *leaves[5:]]
    return [renumbered(leaf, seq) for seq, leaf in enumerate(more)]


def _exchanged(leaves: list[bytes]) -> Sequence[bytes]:
    more = [*leaves[:3], leaves[4], leaves[3], *leaves[5:]]
    return [renumbered(leaf, seq) for seq, leaf in enumerate(more)]


def _changed(leaves: list[bytes]) -> Sequence[bytes]:
    return [*leaves[:2], leaves[2].replace(b'"who":"', b'"who":"x'), *leaves[3:]]


def _left_out(leaves: list[bytes]) -> Sequence[bytes]:
    return [renumbered(leaf, seq) for seq, leaf in enumerate([*leaves[:7], *leaves[8:]])]


def _last_changed(leaves: list[bytes]) -> Sequence[bytes]:
    return [*leaves[:-1], leaves[-1].replace(b'"at":"2', b'"at":"3')]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_cut, "audit.cut"),
        (_inserted, "audit.fork"),
        (_exchanged, "audit.fork"),
        (_changed, "audit.fork"),
        (_left_out, "audit.fork"),
        (_last_changed, "audit.fork"),
    ],
    ids=lambda value: getattr(value, "__name__", value).strip("_"),
)
def test_coherently_rewritten_audit_is_contradicted_by_the_checkpoints_outside(
    kept: Kept, change: Change, code: str
) -> None:
    assert kept.codes(kept.outside) == set()
    assert kept.second_opinion() == 0

    rebuild(kept.world, change)

    # The entry that erased a message is cut off, and the salts that went with it stay gone.
    assert kept.codes() == ({"audit.salt"} if change is _cut else set())
    assert code in kept.codes(kept.outside)
    assert kept.second_opinion() == 1


@pytest.mark.parametrize(
    "statements",
    [
        [
            "UPDATE audit_entry SET seq = -1 WHERE seq = 3",
            "UPDATE audit_entry SET seq = 3 WHERE seq = 4",
            "UPDATE audit_entry SET seq = 4 WHERE seq = -1",
        ],
        ["UPDATE audit_entry SET leaf = (SELECT leaf FROM audit_entry WHERE seq = 3) WHERE seq=4"],
        ["DELETE FROM audit_entry WHERE seq > 20"],
        ["INSERT INTO audit_entry SELECT -1, leaf, message_id FROM audit_entry WHERE seq = 4"],
        ["INSERT INTO audit_entry SELECT max(seq) + 1, leaf, NULL FROM audit_entry"],
        ["INSERT INTO audit_node SELECT 40, position, digest FROM audit_node WHERE level = 1"],
        ["UPDATE audit_entry SET message_id = NULL WHERE message_id IS NOT NULL"],
        ["DELETE FROM audit_salt WHERE salt != x''"],
        ["UPDATE audit_salt SET salt = x'' WHERE length(salt) > 0"],
        ["UPDATE audit_salt SET message_id = NULL"],
        ["INSERT INTO audit_salt SELECT 0, name, salt, message_id FROM audit_salt LIMIT 1"],
        ["INSERT INTO audit_salt SELECT 999, name, salt, message_id FROM audit_salt LIMIT 1"],
        ["INSERT INTO audit_head SELECT 2, size, frontier FROM audit_head"],
        ["UPDATE checkpoint SET size = size + 1 WHERE size = (SELECT max(size) FROM checkpoint)"],
        ["UPDATE audit_entry SET leaf = CAST(leaf AS TEXT) WHERE seq = 4"],
        ["UPDATE audit_entry SET leaf = x'7b7d' WHERE seq = 4"],
    ],
    ids=lambda statements: statements[0][:60],
)
def test_audit_verify_finds_incoherent_changes_without_outside_checkpoints(
    kept: Kept, statements: list[str]
) -> None:
    assert kept.codes() == set()

    with kept.engine.begin() as connection:
        changed = [connection.execute(sa.text(statement)).rowcount for statement in statements]

    assert min(changed) > 0
    assert kept.codes() != set()


def test_restored_old_audit_is_found_by_a_newer_checkpoint(kept: Kept, tmp_path: Path) -> None:
    newer = kept_by_the_line(kept.world, 60)
    assert kept.codes(newer.outside) == set()

    _put_back(kept, tmp_path / "before.db")

    assert kept.codes() == set()
    assert kept.codes(newer.outside) == {"audit.cut"}
    assert newer.second_opinion() == 1


@pytest.mark.long
def test_restored_old_audit_that_has_grown_is_found_as_a_fork(kept: Kept, tmp_path: Path) -> None:
    newer = kept_by_the_line(kept.world, 60)

    _put_back(kept, tmp_path / "before.db")
    grown = kept_by_the_line(kept.world, 90)

    assert kept.codes() == set()
    assert "audit.fork" in kept.codes(newer.outside)
    assert grown.second_opinion(outside=newer.outside.encode()) == 1


def test_audit_still_verifies_after_erasing_a_message_empties_its_salts(kept: Kept) -> None:
    with kept.engine.connect() as connection:
        emptied = connection.scalar(
            sa.text("SELECT count(*) FROM audit_salt WHERE length(salt) = 0 AND name = 'reason'")
        )
        whole = connection.scalar(
            sa.text("SELECT count(*) FROM audit_salt WHERE length(salt) = 16 AND name = 'reason'")
        )

    assert (emptied, whole) == (1, 1)
    assert kept.codes(kept.outside) == set()
