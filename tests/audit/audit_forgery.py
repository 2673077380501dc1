"""What somebody with the database and all the time could do: write a coherent audit anew."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from inbox.audit import merkle
from inbox.audit.leaf import LeafFacts, leaf_bytes, read_leaf
from inbox.audit.row_digests import SALT_NAME
from inbox.migrations import downgrade, upgrade
from inbox.tables import AuditEntry, AuditHead, AuditNode, AuditSalt, Checkpoint, table_of
from tests.worlds import World

Change = Callable[[list[bytes]], Sequence[bytes]]

_ENTRIES = table_of(AuditEntry)
_NODES = table_of(AuditNode)
_HEAD = table_of(AuditHead)
_SALTS = table_of(AuditSalt)
_CHECKPOINTS = table_of(Checkpoint)


def rebuild(world: World, change: Change) -> None:
    """Exchange the leaves for others; entries, nodes, salts and head fit them, no note does."""
    world.edited = True
    rebuild_database(world.line.store.engine, change)


def rebuild_database(engine: Engine, change: Change) -> None:
    """The same in a database that no world is on."""
    with engine.execution_options(inbox_writes=True).begin() as connection:
        query = sa.select(_ENTRIES.c.leaf).order_by(_ENTRIES.c.seq)
        leaves = [bytes(leaf) for leaf in connection.scalars(query)]
        for table in (_ENTRIES, _NODES, _CHECKPOINTS):
            connection.execute(sa.delete(table))
        kept = change(leaves)
        _write(connection, kept)
        _move_salts(connection, leaves, kept)


def renumbered(leaf: bytes, seq: int) -> bytes:
    """The leaf with another number."""
    return leaf.replace(b'"seq":%d,' % _said(leaf).seq, b'"seq":%d,' % seq)


def without_marks(leaves: list[bytes]) -> list[bytes]:
    """The entries as versions wrote them that vouched for no row."""
    return [_without_marks(json.loads(leaf)) for leaf in leaves]


def migrate_from_before(engine: Engine) -> None:
    """The database goes through the migration from the version that vouched for no row."""
    downgrade(engine, "0004")
    upgrade(engine)


def _without_marks(said: dict[str, Any]) -> bytes:
    said.pop("rows", None)
    said["salts"].pop(SALT_NAME, None)
    return leaf_bytes(said)


def _write(connection: Connection, leaves: Sequence[bytes]) -> None:
    frontier: tuple[bytes, ...] = ()
    for seq, leaf in enumerate(leaves):
        frontier, nodes = merkle.append(frontier, seq, merkle.leaf_hash(leaf))
        entry = {"seq": seq, "leaf": leaf, "message_id": _said(leaf).message_id}
        connection.execute(sa.insert(_ENTRIES), entry)
        for node in nodes:
            made = {"level": node.level, "position": node.index, "digest": node.hash}
            connection.execute(sa.insert(_NODES), made)
    connection.execute(sa.update(_HEAD).values(size=len(leaves), frontier=b"".join(frontier)))


def _move_salts(connection: Connection, old: Sequence[bytes], new: Sequence[bytes]) -> None:
    """Salts go with the leaf that they were made for."""
    now_at = {mark: seq for seq, leaf in enumerate(new) for mark in _said(leaf).salts.values()}
    rows = connection.execute(sa.select(_SALTS)).mappings().all()
    connection.execute(sa.delete(_SALTS))
    for row in rows:
        seq = now_at.get(_said(old[row["seq"]]).salts[row["name"]])
        if seq is not None:
            connection.execute(sa.insert(_SALTS), {**row, "seq": seq})


def _said(leaf: bytes) -> LeafFacts:
    said = read_leaf(leaf)
    assert said is not None
    return said
