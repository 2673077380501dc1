"""Signs checkpoints, appends them to a file outside the database, and verifies the whole audit."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

from sqlmodel import Session, and_, col, func, or_, select

from inbox import audit
from inbox.audit import checkpoint, merkle
from inbox.audit.accepted_gap import (
    AcceptedGap,
    Copies,
    claims_to_accept,
    left_behind,
    read_accepted_gap,
)
from inbox.audit.leaf import LeafFacts, read_leaf, salt_digest
from inbox.errors import ConfigurationError, IntegrityError
from inbox.keys import Keyring
from inbox.store import Transaction
from inbox.tables import AuditEntry, AuditHead, AuditNode, AuditSalt, Checkpoint, Installation

_BATCH: Final = 2_000
_BEFORE_ALL: Final = -(2**63)
"""Numbers below 0 are never given: one that stands there is found."""


def new_checkpoint(tx: Transaction, keyring: Keyring) -> str | None:
    """Sign the current tree if it has grown since the last checkpoint.

    Returns the note to keep outside, or None.

    Of several workers that would sign the same tree one does, and the others are given None.
    """
    size, root = audit.head(tx, lock=True)
    if size == 0 or tx.get(Checkpoint, size) is not None:
        return None
    note = checkpoint.sign(origin_of(tx), size, root, keyring.signer())
    tx.add(Checkpoint(size=size, note=note, signed_at=tx.now))
    return note


def append_to_checkpoint_file(path: Path, note: str) -> None:
    """Append the note to the checkpoint file and sync it. Call it after the commit."""
    with path.open("a", encoding="utf-8") as file:
        file.write(checkpoint.file_entry(note))
        file.flush()
        os.fsync(file.fileno())


def origin_of(session: Session) -> str:
    """The name of the log, which every checkpoint of it begins with."""
    installation = session.get(Installation, 1)
    if installation is None:
        raise ConfigurationError("database.empty", "the database is no installation yet")
    return installation.origin


@dataclass(frozen=True, kw_only=True)
class AuditFinding:
    """One inconsistency: a code, and the entry or tree size at which it was found."""

    code: str
    at: int


@dataclass(frozen=True, kw_only=True)
class AuditReport:
    """The result of verifying the whole audit."""

    size: int
    root: str
    checkpoints: int
    findings: tuple[AuditFinding, ...]
    accepted: tuple[AcceptedGap, ...] = ()
    """The gaps that people accepted and that checkpoints outside bear out."""
    left_behind: frozenset[checkpoint.ParsedCheckpoint] = frozenset()
    """The checkpoints outside that those gaps leave behind."""

    @property
    def holds(self) -> bool:
        """Whether there are no findings."""
        return not self.findings


def verify(session: Session, keyring: Keyring, outside: Sequence[str]) -> AuditReport:
    """Verify every leaf, node, salt and checkpoint; `outside` are the texts of checkpoint files.

    Finds any changed bit, a gap, a cut, a fork and a roll-back; the break of a gap that people
    accepted passes, and only that. Read it in one snapshot. Nothing vouches for
    `Checkpoint.signed_at`, which nobody reads: a note says no time.
    """
    findings: list[AuditFinding] = []
    notes = _read_checkpoints(session, keyring, outside, findings)
    tree = _TreeReading(sizes=frozenset(note.size for copy in notes for note in copy))
    nodes, salts = 0, SaltChecker()
    for batch in _batches(session):
        made: dict[int, dict[int, bytes]] = {}
        said: list[LeafFacts] = []
        for seq, leaf, message_id in batch:
            speaks = read_leaf(leaf)
            if speaks is None or not seq == speaks.seq == tree.size:
                findings.append(AuditFinding(code="audit.gap", at=tree.size))
                return _report(session, keyring, tree, notes, findings)
            if message_id != speaks.message_id:
                findings.append(AuditFinding(code="audit.index", at=tree.size))
            said.append(speaks)
            new = tree.add(leaf)
            nodes += len(new)
            for node in new:
                made.setdefault(node.level, {})[node.index] = node.hash
        findings += _wrong_nodes(session, made)
        findings += [
            AuditFinding(code="audit.salt", at=at) for at in salts.mismatches(session, said)
        ]
    tree.whole = True
    findings += [
        AuditFinding(code="audit.salt", at=at) for at in salts.final_mismatches(session, tree.size)
    ]
    if nodes != session.exec(select(func.count()).select_from(AuditNode)).one():
        findings.append(AuditFinding(code="audit.nodes", at=tree.size))
    head = session.exec(select(AuditHead.id, AuditHead.size, AuditHead.frontier)).all()
    if list(head) != [(1, tree.size, b"".join(tree.frontier))]:
        findings.append(AuditFinding(code="audit.head", at=tree.size))
    return _report(session, keyring, tree, notes, findings)


@dataclass(kw_only=True)
class _TreeReading:
    """What the leaves have given so far, and what is compared with checkpoints at the end."""

    sizes: frozenset[int]
    """Those at which the root is wanted."""
    size: int = 0
    whole: bool = False
    """Whether all leaves have been read."""
    frontier: tuple[bytes, ...] = ()
    roots: dict[int, bytes] = field(default_factory=lambda: {0: merkle.EMPTY_ROOT})
    acceptances: dict[int, bytes] = field(default_factory=dict)
    """The leaves that say that a gap was accepted, by number."""

    def add(self, leaf: bytes) -> tuple[merkle.Node, ...]:
        """Append the next leaf; the nodes that it makes."""
        if claims_to_accept(leaf):
            self.acceptances[self.size] = leaf
        self.frontier, new = merkle.append(self.frontier, self.size, merkle.leaf_hash(leaf))
        self.size += 1
        if self.size in self.sizes:
            self.roots[self.size] = merkle.root(self.frontier)
        return new

    def fits(self, note: checkpoint.ParsedCheckpoint) -> bool:
        """Whether the tree was as the checkpoint says."""
        return self.roots.get(note.size) == note.root


def _read_checkpoints(
    session: Session, keyring: Keyring, outside: Sequence[str], findings: list[AuditFinding]
) -> Copies:
    """The checkpoints of the database, then of each file; one that is not ours is a finding."""
    origin, key = origin_of(session), keyring.signer().public_key()
    rows = session.exec(select(Checkpoint.size, Checkpoint.note).order_by(col(Checkpoint.size)))
    every: list[list[tuple[int | None, str]]] = [list(rows.all())]
    every += [[(None, note) for note in checkpoint.split_notes(file)] for file in outside]
    found: list[list[checkpoint.ParsedCheckpoint]] = []
    numbers = count()
    for notes in every:
        found.append([])
        for (size, text), number in zip(notes, numbers, strict=False):
            try:
                said = checkpoint.verify(text, key, origin)
            except IntegrityError:
                findings.append(AuditFinding(code="audit.checkpoint", at=number))
                continue
            if size not in {None, said.size}:
                findings.append(AuditFinding(code="audit.checkpoint", at=number))
            found[-1].append(said)
    return found


def _batches(session: Session) -> Iterator[Sequence[tuple[int, bytes, str | None]]]:
    """Number, leaf and message of the entries, in the order of their numbers."""
    after = _BEFORE_ALL
    while True:
        batch = session.exec(
            select(AuditEntry.seq, AuditEntry.leaf, AuditEntry.message_id)
            .where(col(AuditEntry.seq) > after)
            .order_by(col(AuditEntry.seq))
            .limit(_BATCH)
        ).all()
        if not batch:
            return
        yield batch
        after = batch[-1][0]


def _wrong_nodes(session: Session, made: Mapping[int, Mapping[int, bytes]]) -> list[AuditFinding]:
    """The stored nodes of these leaves that are not what the leaves say."""
    spans = [
        and_(
            col(AuditNode.level) == level,
            col(AuditNode.position).between(min(expected), max(expected)),
        )
        for level, expected in made.items()
    ]
    stored: dict[int, dict[int, bytes]] = {}
    for level, position, digest in session.exec(
        select(AuditNode.level, AuditNode.position, AuditNode.digest).where(or_(*spans))
    ):
        stored.setdefault(level, {})[position] = digest
    return [
        AuditFinding(code="audit.node", at=min(expected))
        for level, expected in made.items()
        if stored.get(level) != expected
    ]


def _report(
    session: Session,
    keyring: Keyring,
    tree: _TreeReading,
    notes: Copies,
    findings: list[AuditFinding],
) -> AuditReport:
    """Compare the checkpoints with the tree, as far as it was read."""
    key, origin = keyring.signer().public_key(), origin_of(session)
    read = [read_accepted_gap(leaf, at, key, origin) for at, leaf in tree.acceptances.items()]
    gaps = [gap for gap in read if gap is not None]
    behind, borne_out = left_behind(notes[1:], gaps, tree.fits)
    unfit = [
        note for note in {note for copy in notes for note in copy} - behind if not tree.fits(note)
    ]
    wrong = {AuditFinding(code="audit.fork", at=n.size) for n in unfit if n.size <= tree.size}
    if tree.whole:
        wrong |= {AuditFinding(code="audit.cut", at=n.size) for n in unfit if n.size > tree.size}
    wrong |= {
        AuditFinding(code="audit.gap_accepted", at=at)
        for at in tree.acceptances.keys() - borne_out
        if tree.whole
    }
    return AuditReport(
        size=tree.size,
        root=merkle.root(tree.frontier).hex(),
        checkpoints=sum(len(copy) for copy in notes),
        findings=(*findings, *sorted(wrong, key=lambda finding: (finding.at, finding.code))),
        accepted=tuple(gap for gap in gaps if gap.at in borne_out),
        left_behind=behind,
    )


class SaltChecker:
    """Checks salts batch by batch.

    Emptied salts are judged at the end, when it is known which messages were erased.
    """

    def __init__(self) -> None:
        self._count = 0
        self._emptied: dict[int, str | None] = {}
        self._erased: set[str | None] = set()

    def mismatches(self, session: Session, leaves: Sequence[LeafFacts]) -> Iterator[int]:
        """The sequence numbers of leaves whose stored salts differ from those the leaf names."""
        self._erased |= {leaf.message_id for leaf in leaves if leaf.erases}
        stored: dict[int, dict[str, tuple[object, str | None]]] = {}
        for seq, name, salt, message_id in session.exec(
            select(AuditSalt.seq, AuditSalt.name, AuditSalt.salt, AuditSalt.message_id).where(
                col(AuditSalt.seq).between(leaves[0].seq, leaves[-1].seq)
            )
        ):
            stored.setdefault(seq, {})[name] = salt, message_id
        for leaf in leaves:
            found = stored.get(leaf.seq, {})
            self._count += len(leaf.salts)
            if found.keys() != leaf.salts.keys() or not all(
                self._matches(leaf, mark, *found[name]) for name, mark in leaf.salts.items()
            ):
                yield leaf.seq

    def final_mismatches(self, session: Session, size: int) -> Iterator[int]:
        """What only the end shows: salts emptied without an erasure, and salts of no leaf."""
        yield from (seq for seq, of in self._emptied.items() if of not in self._erased)
        if self._count != session.exec(select(func.count()).select_from(AuditSalt)).one():
            yield size

    def _matches(self, leaf: LeafFacts, mark: str, salt: object, message_id: str | None) -> bool:
        if salt == b"":
            self._emptied[leaf.seq] = leaf.message_id
        elif not isinstance(salt, bytes) or salt_digest(salt) != mark:
            return False
        return message_id == leaf.message_id
