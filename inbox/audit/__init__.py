"""The audit log: entries appended in the transaction of the change, so that it can be proved.

`record` notes an entry in the transaction; `seal` appends all of them to the tree as the last thing
before the commit, because the head row that orders the audit is locked from then on.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from inbox.audit import merkle
from inbox.audit.deciding_rows import DECIDING_TABLES
from inbox.audit.leaf import Value, commitment, leaf_bytes, salt_digest
from inbox.audit.row_changes import take_digests
from inbox.audit.row_digests import SALT_NAME, is_salted, row_marks
from inbox.errors import ConfigurationError, IntegrityError
from inbox.store import Transaction
from inbox.tables import AuditEntry, AuditHead, AuditNode, AuditSalt, table_of

_ENTRIES = table_of(AuditEntry)
_NODES = table_of(AuditNode)
_HEAD = table_of(AuditHead)
_SALTS = table_of(AuditSalt)

_SELECT_HEAD = sa.select(_HEAD.c.size, _HEAD.c.frontier).where(_HEAD.c.id == 1)
_LOCK_HEAD = _SELECT_HEAD.with_for_update()
_UPDATE_HEAD = (
    sa.update(_HEAD)
    .where(_HEAD.c.id == 1)
    .values(size=sa.bindparam("new_size"), frontier=sa.bindparam("new_frontier"))
)
_ADD_ENTRIES, _ADD_NODES, _ADD_SALTS = (sa.insert(each) for each in (_ENTRIES, _NODES, _SALTS))
_APPEND_ON_POSTGRESQL = sa.text(
    """
    WITH entries AS (
        INSERT INTO audit_entry (seq, leaf, message_id)
        SELECT * FROM unnest(
            CAST(:entry_seq AS bigint[]),
            CAST(:entry_leaf AS bytea[]),
            CAST(:entry_message_id AS varchar[])
        )
    ), nodes AS (
        INSERT INTO audit_node (level, position, digest)
        SELECT * FROM unnest(
            CAST(:node_level AS integer[]),
            CAST(:node_position AS bigint[]),
            CAST(:node_digest AS bytea[])
        )
    ), salts AS (
        INSERT INTO audit_salt (seq, name, salt, message_id)
        SELECT * FROM unnest(
            CAST(:salt_seq AS bigint[]),
            CAST(:salt_name AS varchar[]),
            CAST(:salt_salt AS bytea[]),
            CAST(:salt_message_id AS varchar[])
        )
    )
    UPDATE audit_head SET size = :new_size, frontier = :new_frontier WHERE id = 1
    """
)
"""What the other four do, in one round trip while the head is locked: an array is a column."""

_ROWS_WRITTEN: Final = "rows:written"
_HASH_BYTES = 32
ROWS_PER_ENTRY: Final = 500
"""So many rows an entry vouches for at most, beside those that it is about."""
_SALTED: Final = frozenset(name for name, table in DECIDING_TABLES.items() if table.salted)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One event: `subject:happened`, in the past tense, never renamed.

    `committed` is for personal text: only a salted commitment of it stands in the leaf, and
    erasing the message empties the salts.
    """

    event: str
    who: str
    """The capacity that acted, `worker`, or a case system."""
    subject: str
    message_id: str | None = None
    was: str | None = None
    became: str | None = None
    by: str | None = None
    code: str | None = None
    rule: str | None = None
    policy: str | None = None
    duties: Collection[str] = ()
    """The duties of the rule: it is in the audit only if all of them were met."""
    committed: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, bytes] = field(default_factory=dict)
    """The digests of the deciding rows that it vouches for, by their names: filled by `seal`."""


def record(tx: Transaction, entry: Entry) -> None:
    """Add an entry to this transaction's audit entries.

    It is appended if and only if the transaction commits.
    """
    tx.entries.append(entry)


def seal(tx: Transaction) -> None:
    """Append the recorded entries to the Merkle tree.

    Called by `Store.transaction` as the last step before the commit.
    """
    entries = _with_rows(tx.entries, take_digests(tx))
    if not entries:
        return
    connection = tx.connection()
    key = _row_key(tx) if any(entry.rows for entry in entries) else b""
    size, frontier = _lock_head(connection)
    leaves: list[dict[str, object]] = []
    nodes: list[dict[str, object]] = []
    salts: list[dict[str, object]] = []
    for seq, entry in enumerate(entries, start=size):
        new_salts = {name: secrets.token_bytes(16) for name in _salt_names(entry)}
        leaf = _leaf(seq, entry, new_salts, tx.now, _marks(key, seq, entry, new_salts))
        frontier, made = merkle.append(frontier, seq, merkle.leaf_hash(leaf))
        leaves.append({"seq": seq, "leaf": leaf, "message_id": entry.message_id})
        nodes += [{"level": n.level, "position": n.index, "digest": n.hash} for n in made]
        salts += [
            {"seq": seq, "name": name, "salt": salt, "message_id": entry.message_id}
            for name, salt in new_salts.items()
        ]
    new_head = {"new_size": size + len(entries), "new_frontier": b"".join(frontier)}
    if connection.dialect.name == "postgresql":
        columns = (
            _columns("entry", ("seq", "leaf", "message_id"), leaves)
            | _columns("node", ("level", "position", "digest"), nodes)
            | _columns("salt", ("seq", "name", "salt", "message_id"), salts)
        )
        connection.execute(_APPEND_ON_POSTGRESQL, columns | new_head)
        return
    connection.execute(_ADD_ENTRIES, leaves)
    connection.execute(_ADD_NODES, nodes)
    if salts:
        connection.execute(_ADD_SALTS, salts)
    connection.execute(_UPDATE_HEAD, new_head)


def _columns(
    row: str, names: Sequence[str], rows: Sequence[Mapping[str, object]]
) -> dict[str, object]:
    """The rows as one array for each column."""
    return {f"{row}_{name}": [each[name] for each in rows] for name in names}


def _with_rows(entries: list[Entry], digests: dict[str, bytes]) -> list[Entry]:
    """The entries, and with them the rows: each with what was last recorded of it, if anything.

    The others go to the first entry, or to one of their own where there is none, or too many.
    """
    about = {entry.subject: place for place, entry in enumerate(entries)}
    found: dict[int, dict[str, bytes]] = {}
    others: dict[str, bytes] = {}
    for name, digest in digests.items():
        table, _, subject = name.partition("/")
        place, salted = about.get(subject), table in _SALTED
        if place is not None and not (salted and entries[place].message_id != subject):
            found.setdefault(place, {})[name] = digest
        elif salted:  # Its salt must go with its message.
            entry = Entry(event=_ROWS_WRITTEN, who="line", subject=subject, message_id=subject)
            entries = [*entries, replace(entry, rows={name: digest})]
        else:
            others[name] = digest
    if others and len(others) <= ROWS_PER_ENTRY and about:
        found[0] = {**found.get(0, {}), **others}
        others = {}
    entries = [
        replace(entry, rows={**entry.rows, **found[place]}) if place in found else entry
        for place, entry in enumerate(entries)
    ]
    return entries + rows_entries(Entry(event=_ROWS_WRITTEN, who="line", subject="rows"), others)


def rows_entries(entry: Entry, digests: Mapping[str, bytes]) -> list[Entry]:
    """The entry as often as it takes to vouch for all these rows."""
    rows = list(digests.items())
    starts = range(0, len(rows), ROWS_PER_ENTRY)
    return [replace(entry, rows=dict(rows[at : at + ROWS_PER_ENTRY])) for at in starts]


def _salt_names(entry: Entry) -> list[str]:
    salted = any(is_salted(name, digest, _SALTED) for name, digest in entry.rows.items())
    return [*entry.committed, *([SALT_NAME] if salted else [])]


def _row_key(tx: Transaction) -> bytes:
    if tx.row_key is None:
        raise ConfigurationError("audit.no_row_key", "rows are written without the keys at hand")
    return tx.row_key()


def _marks(key: bytes, seq: int, entry: Entry, salts: Mapping[str, bytes]) -> Mapping[str, str]:
    return row_marks(key, seq, salts.get(SALT_NAME, b""), entry.rows, _SALTED)


def head(session: Session, *, lock: bool = False) -> tuple[int, bytes]:
    """Size and root hash of the tree as stored now.

    With `hold` nobody else appends, or holds it, before this transaction ends.
    """
    row = session.execute(_LOCK_HEAD if lock else _SELECT_HEAD).one()
    return row.size, merkle.root(_frontier(row.frontier))


def _lock_head(connection: sa.Connection) -> tuple[int, tuple[bytes, ...]]:
    row = connection.execute(_LOCK_HEAD).one_or_none()
    if row is None:
        raise IntegrityError("audit.no_head", "the audit has no head row")
    return row.size, _frontier(row.frontier)


def _frontier(stored: bytes) -> tuple[bytes, ...]:
    return tuple(stored[at : at + _HASH_BYTES] for at in range(0, len(stored), _HASH_BYTES))


def _leaf(
    seq: int, entry: Entry, salts: Mapping[str, bytes], now: datetime, marks: Mapping[str, str]
) -> bytes:
    rows: Mapping[str, Value] = {"rows": marks} if marks else {}
    return leaf_bytes(
        {
            **rows,
            "at": now.isoformat(timespec="microseconds"),
            "became": entry.became,
            "by": entry.by,
            "code": entry.code,
            "committed": {
                name: commitment(salts[name], text) for name, text in entry.committed.items()
            },
            "duties": " ".join(sorted(entry.duties)) or None,
            "event": entry.event,
            "message": entry.message_id,
            "policy": entry.policy,
            "rule": entry.rule,
            "salts": {name: salt_digest(salt) for name, salt in salts.items()},
            "seq": seq,
            "subject": entry.subject,
            "was": entry.was,
            "who": entry.who,
        }
    )
