"""Signed checkpoints of the audit, their copies outside, and the check of all of it."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlmodel import Session, col, func, select

from inbox import audit
from inbox.audit import checkpoint, tree
from inbox.errors import ConfigurationError, IntegrityError
from inbox.keys import Keyring
from inbox.tables import AuditEntry, AuditHead, AuditNode, Checkpoint, Installation

_BATCH: Final = 2_000


def new_checkpoint(session: Session, now: datetime, keyring: Keyring) -> str | None:
    """Sign the tree as it is, if it has grown since the last time; the note for outside."""
    size, root = audit.head(session)
    if size == 0 or session.get(Checkpoint, size) is not None:
        return None
    note = checkpoint.sign(_origin(session), size, root, keyring.signer())
    session.add(Checkpoint(size=size, note=note, signed_at=now))
    return note


def keep_outside(path: Path, note: str) -> None:
    """Append the note to the file, synced. Call it after the commit that it speaks of."""
    with path.open("a", encoding="utf-8") as file:
        file.write(checkpoint.filed(note))
        file.flush()
        os.fsync(file.fileno())


def _origin(session: Session) -> str:
    installation = session.get(Installation, 1)
    if installation is None:
        raise ConfigurationError("database.empty", "the database is no installation yet")
    return installation.origin


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that does not fit: a code, and the entry or size it was found at."""

    code: str
    at: int


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a check of the whole audit found."""

    size: int
    root: str
    checkpoints: int
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify(session: Session, keyring: Keyring, outside: Sequence[str]) -> Report:
    """Check every leaf, node and checkpoint; `outside` are the texts of checkpoint files.

    Finds any changed bit, a gap, a cut, a fork and a roll-back. Read it in one snapshot.
    """
    findings: list[Finding] = []
    notes = _notes(session, keyring, outside, findings)
    frontier: tuple[bytes, ...] = ()
    size, nodes = 0, 0
    for batch in _batches(session):
        made: dict[int, dict[int, bytes]] = {}
        for entry in batch:
            whole = isinstance(entry.leaf, bytes)  # SQLite keeps whatever somebody wrote
            if not whole or entry.seq != size or _seq_of(entry.leaf) != size:
                findings.append(Finding(code="audit.gap", at=size))
                return _report(size, frontier, notes, findings)
            frontier, new = tree.append(frontier, size, tree.leaf_hash(entry.leaf))
            size += 1
            nodes += len(new)
            for node in new:
                made.setdefault(node.level, {})[node.index] = node.hash
            root = tree.root(frontier) if size in notes else b""
            findings += [
                Finding(code="audit.fork", at=size)
                for said in notes.get(size, ())
                if said.root != root
            ]
        findings += _wrong_nodes(session, made)
    findings += [Finding(code="audit.cut", at=at) for at in sorted(notes) if at > size]
    if nodes != session.exec(select(func.count()).select_from(AuditNode)).one():
        findings.append(Finding(code="audit.nodes", at=size))
    head = session.get(AuditHead, 1)
    if head is None or head.size != size or head.frontier != b"".join(frontier):
        findings.append(Finding(code="audit.head", at=size))
    return _report(size, frontier, notes, findings)


_Notes = Mapping[int, list[checkpoint.Checkpoint]]


def _notes(
    session: Session, keyring: Keyring, outside: Sequence[str], findings: list[Finding]
) -> _Notes:
    """Every checkpoint by its size; one that is not ours is a finding."""
    origin, key = _origin(session), keyring.signer().public_key()
    inside = session.exec(select(Checkpoint.note).order_by(col(Checkpoint.size))).all()
    texts = [*inside, *(note for file in outside for note in checkpoint.notes_in(file))]
    found: dict[int, list[checkpoint.Checkpoint]] = {}
    for number, text in enumerate(texts):
        try:
            said = checkpoint.check(text, key, origin)
        except IntegrityError:
            findings.append(Finding(code="audit.checkpoint", at=number))
            continue
        found.setdefault(said.size, []).append(said)
    return found


def _batches(session: Session) -> Iterator[Sequence[AuditEntry]]:
    after = -1
    while True:
        batch = session.exec(
            select(AuditEntry)
            .where(col(AuditEntry.seq) > after)
            .order_by(col(AuditEntry.seq))
            .limit(_BATCH)
        ).all()
        if not batch:
            return
        yield batch
        after = batch[-1].seq
        session.expunge_all()


def _seq_of(leaf: bytes) -> object:
    try:
        return json.loads(leaf)["seq"]
    except (ValueError, KeyError, TypeError):
        return None


def _wrong_nodes(session: Session, made: Mapping[int, Mapping[int, bytes]]) -> list[Finding]:
    """The stored nodes of these leaves that are not what the leaves say."""
    wrong = []
    for level, expected in made.items():
        stored = session.exec(
            select(AuditNode.position, AuditNode.digest).where(
                col(AuditNode.level) == level,
                col(AuditNode.position).between(min(expected), max(expected)),
            )
        ).all()
        if dict(stored) != dict(expected):
            wrong.append(Finding(code="audit.node", at=min(expected)))
    return wrong


def _report(
    size: int, frontier: tuple[bytes, ...], notes: _Notes, findings: list[Finding]
) -> Report:
    return Report(
        size=size,
        root=tree.root(frontier).hex(),
        checkpoints=sum(len(found) for found in notes.values()),
        findings=tuple(findings),
    )
