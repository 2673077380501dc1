"""Whether the database is older than, or another than, what was signed of it: a gap.

Size and root are compared with the newest checkpoint kept outside: with the last note of each file,
and with the largest. What an accepted gap leaves behind is passed over.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise, takewhile
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.exc import NoResultFound
from sqlmodel import Session, col, select

from inbox import audit
from inbox.audit import checkpoint, merkle
from inbox.audit.accepted_gap import AcceptedGap, left_behind, read_accepted_gap
from inbox.audit.checkpoint import ParsedCheckpoint
from inbox.audit.leaf import read_leaf
from inbox.audit.verify import origin_of
from inbox.errors import IntegrityError
from inbox.keys import Keyring
from inbox.tables import AuditEntry, AuditGapRow, AuditNode

CUT: Final = "audit.cut"
FORK: Final = "audit.fork"
_TAIL_BYTES: Final = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class AuditGap:
    """The database does not hold what a checkpoint outside says that it held."""

    code: str
    """`audit.cut`: fewer entries. `audit.fork`: as many, but others."""
    size: int
    """How many entries the database has."""
    signed: ParsedCheckpoint
    """The checkpoint outside."""
    newest_at: str | None
    """The time of the newest entry that the database has."""

    def as_json(self) -> dict[str, str | int | None]:
        """The same for machines."""
        return {
            "code": self.code,
            "entries": self.size,
            "newest_entry_at": self.newest_at,
            "signed": self.signed.size,
            "signed_root": self.signed.root.hex(),
            "missing_at_least": max(0, self.signed.size - self.size),
        }

    def in_words(self) -> str:
        """What is missing, as far as the checkpoint proves it."""
        until = self.newest_at or "no time"
        if self.code == CUT:
            missing = self.signed.size - self.size
            return (
                f"the database has {self.size} entries, the newest of {until};"
                f" {self.signed.size} were signed: at least {missing} are missing"
            )
        return (
            f"the first {self.signed.size} of {self.size} entries, the newest of {until},"
            " are not those that were signed"
        )


def find_gap(session: Session, keyring: Keyring, files: Sequence[str]) -> AuditGap | None:
    """Compare with the newest checkpoints outside; None if they fit, or there is none.

    Read the files before the session begins: a log that grows meanwhile is no gap. A gap that was
    found and not accepted stands, whatever has become of the files.
    """
    key, origin = keyring.signer().public_key(), origin_of(session)
    excused = excused_checkpoints(session, key, origin, files)
    for note in _newest(files, key, origin, excused):
        if note not in excused and not fits(session, note):
            return gap_from(session, note)
    standing = session.exec(
        select(AuditGapRow).where(col(AuditGapRow.accepted_at).is_(None)).limit(1)
    ).first()
    if standing is None:
        return None
    root = bytes.fromhex(standing.signed_root)
    return gap_from(session, ParsedCheckpoint(origin=origin, size=standing.signed_size, root=root))


def gap_from(session: Session, note: ParsedCheckpoint) -> AuditGap:
    """The gap between the database and a checkpoint that does not fit it.

    As it was when it was found, if it was: what is taken in meanwhile makes nothing less missing.
    """
    found = session.exec(
        select(AuditGapRow).where(
            col(AuditGapRow.signed_root) == note.root.hex(),
            col(AuditGapRow.accepted_at).is_(None),
        )
    ).first()
    if found is not None:
        return AuditGap(code=found.code, size=found.size, signed=note, newest_at=found.newest_at)
    size, _ = audit.head(session)
    last = session.exec(
        select(AuditEntry.leaf).order_by(col(AuditEntry.seq).desc()).limit(1)
    ).first()
    facts = read_leaf(last)
    return AuditGap(
        code=CUT if note.size > size else FORK,
        size=size,
        signed=note,
        newest_at=None if facts is None else facts.at,
    )


def unfit_runs(
    session: Session, keyring: Keyring, files: Sequence[str]
) -> tuple[tuple[ParsedCheckpoint, ...], ...]:
    """The runs of checkpoints that do not fit the log, and whose last one nothing excuses yet.

    Each file is read from its end back to the first note that fits: what stands before it was
    accepted by an entry that this log has. A run ends where the sizes fall.
    """
    key, origin = keyring.signer().public_key(), origin_of(session)
    excused = excused_checkpoints(session, key, origin, files)
    found: dict[ParsedCheckpoint, tuple[ParsedCheckpoint, ...]] = {}
    for file in files:
        newest_first = _verified(reversed(checkpoint.split_notes(file)), key, origin)
        unfit = list(takewhile(lambda note: not fits(session, note), newest_first))[::-1]
        ends = [n for n, note in enumerate(unfit, 1) if not unfit[n:] or unfit[n].size < note.size]
        for begin, end in pairwise([0, *ends]):
            if unfit[end - 1] not in excused:
                found[unfit[end - 1]] = tuple(unfit[begin:end])
    return tuple(found.values())


def excused_checkpoints(
    session: Session, key: Ed25519PublicKey, origin: str, files: Sequence[str]
) -> frozenset[ParsedCheckpoint]:
    """The checkpoints in these texts that are excused by gaps that this log says were accepted.

    Where in the file they stand is looked at by `verify`, not here.
    """
    gaps = accepted_gaps(session, key, origin)
    if not gaps:
        return frozenset()
    copies = [list(_readable(checkpoint.split_notes(file))) for file in files]
    return left_behind(copies, gaps, lambda _: False)[0]


def accepted_gaps(session: Session, key: Ed25519PublicKey, origin: str) -> list[AcceptedGap]:
    """The gaps of which the log has a rightly signed entry."""
    found = session.exec(
        select(AuditEntry.seq, AuditEntry.leaf)
        .join(AuditGapRow, col(AuditGapRow.entry) == col(AuditEntry.seq))
        .order_by(col(AuditEntry.seq))
    )
    read = [read_accepted_gap(leaf, seq, key, origin) for seq, leaf in found]
    return [gap for gap in read if gap is not None]


def fits(session: Session, note: ParsedCheckpoint) -> bool:
    """Whether the log has the tree that the checkpoint speaks of, by its stored nodes."""
    size, _ = audit.head(session)

    def get(level: int, index: int) -> bytes:
        return session.exec(
            select(AuditNode.digest).where(
                col(AuditNode.level) == level, col(AuditNode.position) == index
            )
        ).one()

    try:
        return note.size <= size and merkle.root_at(get, note.size) == note.root
    except NoResultFound:
        return False


def checkpoint_text(path: Path) -> str:
    """The last notes of a checkpoint file, empty if there is none.

    A first note that is cut by the reading is passed over.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _newest(
    files: Sequence[str], key: Ed25519PublicKey, origin: str, excused: Collection[ParsedCheckpoint]
) -> Iterator[ParsedCheckpoint]:
    """The largest checkpoint that is not excused, then the last one of each file."""
    notes = [checkpoint.split_notes(file) for file in files]
    read = [(said, note) for each in notes for note in each for said in _readable([note])]
    largest = sorted(read, key=lambda each: each[0].size, reverse=True)
    wanted = (note for said, note in largest if said not in excused)
    for newest in (wanted, *(reversed(each) for each in notes)):
        yield from islice(_verified(newest, key, origin), 1)


def _readable(notes: Iterable[str]) -> Iterator[ParsedCheckpoint]:
    for note in notes:
        try:
            yield checkpoint.read(note)
        except IntegrityError:
            continue


def _verified(
    notes: Iterable[str], key: Ed25519PublicKey, origin: str
) -> Iterator[ParsedCheckpoint]:
    """What our key has signed; what is torn, forged or of another log is `verify`'s business."""
    for note in notes:
        try:
            yield checkpoint.verify(note, key, origin)
        except IntegrityError:
            continue
