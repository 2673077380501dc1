"""What the checkpoints that are kept outside the database vouch for, and what they do not.

A tree that fits in itself proves nothing: a holder of the database can write one. Evidence is a
checkpoint that was kept elsewhere, and only of the entries up to its size.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlmodel import Session, col, func, select

from inbox.audit import checkpoint
from inbox.audit.checkpoint import ParsedCheckpoint
from inbox.audit.gap import checkpoint_text, excused_checkpoints
from inbox.audit.leaf import read_leaf
from inbox.audit.verify import AuditFinding, append_to_checkpoint_file, origin_of
from inbox.errors import IntegrityError
from inbox.keys import Keyring
from inbox.store import Transaction
from inbox.tables import AuditEntry, Checkpoint

MAX_UNVOUCHED_AGE: Final = timedelta(minutes=15)
"""Three rounds of signing: entries that no checkpoint outside covers by then are a finding."""


def newest_checkpoint(
    files: Iterable[str],
    key: Ed25519PublicKey,
    origin: str,
    left_behind: Collection[ParsedCheckpoint] = (),
) -> ParsedCheckpoint | None:
    """The largest checkpoint of this log in the texts of checkpoint files, its signature verified.

    Notes that are torn, forged or of another log are passed over here; `verify` reports them. So
    are those that an accepted gap leaves behind: they vouch for nothing that is in this log.
    """
    claimed = []
    for note in (note for file in files for note in checkpoint.split_notes(file)):
        try:
            said = checkpoint.read(note)
        except IntegrityError:
            continue
        if said not in left_behind:
            claimed.append((said.size, note))
    for _, note in sorted(claimed, key=lambda each: each[0], reverse=True):
        try:
            return checkpoint.verify(note, key, origin)
        except IntegrityError:
            continue
    return None


def unvouched_findings(
    tx: Transaction,
    keyring: Keyring,
    outside: Sequence[str],
    left_behind: Collection[ParsedCheckpoint] = (),
) -> list[AuditFinding]:
    """A finding if no checkpoint outside covers the audit, or none covers its newest entries.

    Entries younger than `MAX_UNVOUCHED_AGE` may wait for the next checkpoint. An entry whose time
    lies ahead of `now` by more than that, or cannot be read, may not: its time proves nothing.
    """
    newest = newest_checkpoint(outside, keyring.signer().public_key(), origin_of(tx), left_behind)
    if newest is None or newest.size == 0:
        return [AuditFinding(code="audit.no_checkpoint", at=0)]
    signed = tx.exec(select(func.max(Checkpoint.size))).one()
    if signed is not None and signed > newest.size:
        return [AuditFinding(code="audit.checkpoint_missing", at=newest.size)]
    if _has_old_entry(tx, newest.size):
        return [AuditFinding(code="audit.unvouched", at=newest.size)]
    return []


def _has_old_entry(tx: Transaction, size: int) -> bool:
    """Whether an entry from this number on is older than may be, or of no believable time."""
    leaves = tx.exec(
        select(AuditEntry.leaf).where(col(AuditEntry.seq) >= size).execution_options(yield_per=1000)
    )
    return any(not _is_recent(leaf, tx.now) for leaf in leaves)


def _is_recent(leaf: object, now: datetime) -> bool:
    facts = read_leaf(leaf)
    try:
        at = datetime.fromisoformat(facts.at if facts and facts.at else "")
        return abs(now - at) <= MAX_UNVOUCHED_AGE
    except (ValueError, TypeError, OverflowError):
        return False


def keep_newest_outside(session: Session, keyring: Keyring, path: Path) -> bool:
    """Append the newest signed checkpoint to the file if the file lacks it; whether it did.

    A crash between the signing and the writing, or a file that was cut, would else leave the log
    without evidence until the next entry.
    """
    note = session.exec(select(Checkpoint.note).order_by(col(Checkpoint.size).desc())).first()
    if note is None:
        return False
    text, key, origin = checkpoint_text(path), keyring.signer().public_key(), origin_of(session)
    behind = excused_checkpoints(session, key, origin, [text])
    kept = newest_checkpoint([text], key, origin, behind)
    if kept is not None and kept.size >= checkpoint.read(note).size:
        return False
    append_to_checkpoint_file(path, note)
    return True
