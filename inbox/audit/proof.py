"""A proof that the audit has the entries that name one message, for people without the database.

A person who trusts the log's key checks it with `verify_audit.py`, and learns of no other message:

* An inclusion proof (RFC 6962 §2.1.1) for each entry: hashing the entry with the hashes of the
  proof gives the root of a checkpoint that the log's key has signed.
* A consistency proof (§2.1.2) for each copy of the checkpoints that somebody kept: the tree that
  the newest note of the copy speaks of is the beginning of the one that is signed now.

Of seven entries, to show entry 5 takes three hashes, those of 4, of 6 and of 0 to 3:
`root = h(h(0..3), h(h(h(4), entry 5), h(6)))`.

It does not show that no other entry names the message, that what an entry says is true, or which
text a commitment stands for; and an entry that is younger than the newest checkpoint has no proof.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlmodel import Session, col, select

from inbox.audit import checkpoint, merkle
from inbox.audit.checkpoint import ParsedCheckpoint
from inbox.audit.gap import CUT, FORK, fits
from inbox.audit.verify import origin_of
from inbox.errors import Conflict, IntegrityError, Invalid, NotFound
from inbox.keys import Keyring
from inbox.tables import AuditEntry, AuditNode, Checkpoint

PROOF_FORMAT = "audit proof 1"


@dataclass(frozen=True, kw_only=True)
class ProvedEntry:
    """An entry, and the hashes that lead from it to the root."""

    seq: int
    leaf: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True)
class EarlierCheckpoint:
    """A checkpoint that somebody kept, and the hashes that show that the log grew from it."""

    note: str
    path: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True)
class MessageProof:
    """Everything that the verifier needs beside the log's key."""

    message_id: str
    note: str
    """The newest checkpoint, signed."""
    size: int
    entries: tuple[ProvedEntry, ...]
    later: int
    """How many entries name the message and are younger than the checkpoint."""
    earlier: tuple[EarlierCheckpoint, ...]

    def as_json(self) -> dict[str, object]:
        """The proof as a file has it."""
        return {
            "proof": PROOF_FORMAT,
            "message": self.message_id,
            "checkpoint": self.note,
            "entries": [
                {"seq": each.seq, "leaf": _base64(each.leaf), "path": _texts(each.path)}
                for each in self.entries
            ],
            "earlier": [
                {"checkpoint": each.note, "path": _texts(each.path)} for each in self.earlier
            ],
        }


def prove_message(
    session: Session, keyring: Keyring, message_id: str, copies: Sequence[str]
) -> MessageProof:
    """Prove all signed entries that name the message; `copies` are texts of checkpoint files.

    Read it in one snapshot. Each proof is verified before it is returned, so a database that was
    changed past the program gives none.

    Raises:
        NotFound: no entry names the message.
        Conflict: no checkpoint covers any of them yet (`audit.not_signed`).
        Invalid: a copy has no checkpoint of this log (`audit.no_checkpoint`).
        IntegrityError: this log is not the one that a checkpoint speaks of, or its tree is damaged.
    """
    found = session.exec(
        select(AuditEntry.seq, AuditEntry.leaf)
        .where(col(AuditEntry.message_id) == message_id)
        .order_by(col(AuditEntry.seq))
    ).all()
    if not found:
        raise NotFound
    note = session.exec(
        select(Checkpoint.note).order_by(col(Checkpoint.size).desc()).limit(1)
    ).first()
    if note is None:
        raise Conflict("audit.not_signed", "no checkpoint has been signed yet")
    key, origin = keyring.signer().public_key(), origin_of(session)
    signed = checkpoint.verify(note, key, origin)
    if not fits(session, signed):
        raise IntegrityError(FORK, "the entries are not those that the newest checkpoint signs")
    entries = [_prove_entry(session, signed, seq, leaf) for seq, leaf in found if seq < signed.size]
    if not entries:
        raise Conflict("audit.not_signed", "its entries are younger than the newest checkpoint")
    return MessageProof(
        message_id=message_id,
        note=note,
        size=signed.size,
        entries=tuple(entries),
        later=len(found) - len(entries),
        earlier=tuple(
            _prove_growth(session, _newest_note(copy, key, origin), signed) for copy in copies
        ),
    )


def _prove_entry(session: Session, signed: ParsedCheckpoint, seq: int, leaf: bytes) -> ProvedEntry:
    path = merkle.inclusion_proof(_nodes_of(session), seq, signed.size)
    hashed = merkle.leaf_hash(leaf)
    if not merkle.verify_inclusion(
        hashed, index=seq, size=signed.size, proof=path, root=signed.root
    ):
        raise IntegrityError("audit.node", f"entry {seq} is not what the tree has")
    return ProvedEntry(seq=seq, leaf=leaf, path=tuple(path))


def _prove_growth(
    session: Session, earlier: tuple[str, ParsedCheckpoint], signed: ParsedCheckpoint
) -> EarlierCheckpoint:
    note, kept = earlier
    if kept.size > signed.size:
        raise IntegrityError(CUT, f"a copy speaks of {kept.size} entries, {signed.size} are signed")
    path = merkle.consistency_proof(_nodes_of(session), kept.size, signed.size)
    if not merkle.verify_consistency(
        first=kept.size,
        second=signed.size,
        proof=path,
        first_root=kept.root,
        second_root=signed.root,
    ):
        raise IntegrityError(FORK, f"the first {kept.size} entries are not those of a copy")
    return EarlierCheckpoint(note=note, path=tuple(path))


def _newest_note(copy: str, key: Ed25519PublicKey, origin: str) -> tuple[str, ParsedCheckpoint]:
    """The last note in a copy that the log's key has signed."""
    for note in reversed(checkpoint.split_notes(copy)):
        try:
            return note, checkpoint.verify(note, key, origin)
        except IntegrityError:
            continue
    raise Invalid("audit.no_checkpoint", "a copy has no checkpoint of this log")


def _nodes_of(session: Session) -> merkle.GetNode:
    def get(level: int, index: int) -> bytes:
        digest = session.exec(
            select(AuditNode.digest).where(
                col(AuditNode.level) == level, col(AuditNode.position) == index
            )
        ).first()
        if digest is None:
            raise IntegrityError("audit.nodes", f"the tree lacks a part at level {level}")
        return digest

    return get


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _texts(path: Sequence[bytes]) -> list[str]:
    return [_base64(each) for each in path]
