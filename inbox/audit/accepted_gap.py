"""The entry by which people accepted a gap, and the checkpoints that it leaves behind.

A database was lost, and an older one goes on. Checkpoints outside speak of entries that this log
never had, and will for ever. One entry, `log:gap_accepted`, names the last of them:

    old size, old root (hex), new size, signature

The new size is the number of entries in front of this one, so it is the entry's own number. The
signature is by the key of the checkpoints, over the name of the log and these numbers: who can
write into the database but has no key cannot excuse anything.

Example, the notes of a file in order, and the log goes on at 160 with that entry:

    100, 200, 300 | 161, 170        restored from 150: 200 and 300 do not fit, 300 is named

What the entry leaves behind is the run of notes that do not fit and end with the one it names: 200
and 300. Nothing else passes: notes that fit stand before it with at most the new size, and after it
with more.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from inbox.audit.checkpoint import ParsedCheckpoint

EVENT: Final = "log:gap_accepted"
_MARK: Final = f'"event":"{EVENT}"'.encode()
"""How every such leaf names its event, since its JSON is canonical."""
_SUBJECT: Final = re.compile(r"([1-9][0-9]{0,17}) ([0-9a-f]{64}) ([1-9][0-9]{0,17}) (\S{88})")

Fits = Callable[[ParsedCheckpoint], bool]
"""Whether the log has the tree that a checkpoint speaks of."""
Copies = Sequence[Sequence[ParsedCheckpoint]]
"""The checkpoints of each file, in the order of the file."""


@dataclass(frozen=True, kw_only=True)
class AcceptedGap:
    """A gap that people accepted: the last checkpoint of what is lost, and the entry's number."""

    old: ParsedCheckpoint
    at: int
    """The new size."""
    when: str
    who: str


def gap_subject(key: Ed25519PrivateKey, old: ParsedCheckpoint, at: int) -> str:
    """The subject of the entry that accepts a gap and gets the number `at`."""
    signature = base64.b64encode(key.sign(_signed_text(old, at))).decode()
    return f"{old.size} {old.root.hex()} {at} {signature}"


def claims_to_accept(leaf: bytes) -> bool:
    """Whether the leaf says that a gap was accepted; whether that is true is another question."""
    return _MARK in leaf


def read_accepted_gap(
    leaf: bytes, seq: int, key: Ed25519PublicKey, origin: str
) -> AcceptedGap | None:
    """The gap that this leaf accepts; None if its numbers or its signature are not as they must."""
    try:
        facts = json.loads(leaf)
        found = _SUBJECT.fullmatch(facts["subject"])
        when, who = str(facts["at"]), str(facts["who"])
        if found is None or facts["event"] != EVENT or not facts["seq"] == seq == int(found[3]):
            return None
        old = ParsedCheckpoint(origin=origin, size=int(found[1]), root=bytes.fromhex(found[2]))
        key.verify(base64.b64decode(found[4], validate=True), _signed_text(old, seq))
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error, InvalidSignature):
        return None
    return AcceptedGap(old=old, at=seq, when=when, who=who)


def left_behind(
    copies: Copies, gaps: Sequence[AcceptedGap], fits: Fits
) -> tuple[frozenset[ParsedCheckpoint], frozenset[int]]:
    """The checkpoints that accepted gaps leave behind, and the numbers of the gaps borne out.

    A gap is borne out if a file has the checkpoint that it names where it must stand, and no file
    has it elsewhere.
    """
    behind: set[ParsedCheckpoint] = set()
    borne_out: set[int] = set()
    for gap in gaps:
        runs = [_run_that_ends_with(gap, copy, fits) for copy in copies if gap.old in copy]
        if runs and all(runs):
            borne_out.add(gap.at)
            behind.update(note for run in runs for note in run)
    return frozenset(behind), frozenset(borne_out)


def _run_that_ends_with(
    gap: AcceptedGap, copy: Sequence[ParsedCheckpoint], fits: Fits
) -> Sequence[ParsedCheckpoint]:
    """The notes up to the named one that do not fit, in order; none if it stands elsewhere."""
    end = max(number for number, note in enumerate(copy) if note == gap.old)
    before, after = copy[:end], copy[end + 1 :]
    if (
        fits(gap.old)
        or any(note.size > gap.at and fits(note) for note in before)
        or any(note.size <= gap.at and fits(note) for note in after)
    ):
        return ()
    begin = end
    while begin and copy[begin - 1].size <= copy[begin].size and not fits(copy[begin - 1]):
        begin -= 1
    return copy[begin : end + 1]


def _signed_text(old: ParsedCheckpoint, at: int) -> bytes:
    return f"{EVENT}\n{old.origin}\n{old.size}\n{old.root.hex()}\n{at}\n".encode()
