"""Reads an export of the audit's entries that was kept elsewhere, and says what it has beyond ours.

An export is what `audit export` writes: a JSON object per line, `seq` and the leaf in base64. What
it says beyond this log is believed only as far as a checkpoint bears it out.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, col, select

from inbox.audit import merkle
from inbox.audit.checkpoint import ParsedCheckpoint
from inbox.errors import Invalid
from inbox.tables import AuditNode


@dataclass(frozen=True, kw_only=True)
class EntriesCopy:
    """What a copy has beyond this log."""

    size: int
    common: int
    """How many entries it begins with that this log has, too."""
    signed: bool
    """Whether it has all that the checkpoint speaks of."""
    events: Mapping[str, int]
    """Of the entries beyond, how many there are of each event."""
    messages: tuple[str, ...]
    """The ids of the messages that those are about, in the order in which they first occur."""


def read_copy(session: Session, path: Path, signed: ParsedCheckpoint) -> EntriesCopy:
    """Read the whole copy, and compare it with this log and with the checkpoint.

    Raises `Invalid` for what is no export, or not of the log that was signed.
    """
    frontier: tuple[bytes, ...] = ()
    common, agrees = 0, True
    root, size = None, 0
    events: Counter[str] = Counter()
    messages: dict[str, None] = {}
    for size, leaf in enumerate(_leaves(path), 1):
        hashed = merkle.leaf_hash(leaf)
        frontier, _ = merkle.append(frontier, size - 1, hashed)
        agrees = agrees and hashed == _ours(session, size - 1)
        if agrees:
            common = size
        else:
            _count(leaf, events, messages)
        if size == signed.size:
            root = merkle.root(frontier)
    if common == 0 or (root is not None and root != signed.root):
        raise Invalid("restore.audit_copy", f"{path.name} is not of the log that was signed")
    return EntriesCopy(
        size=size,
        common=common,
        signed=root is not None,
        events=dict(sorted(events.items())),
        messages=tuple(messages),
    )


def _leaves(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as lines:
            for due, line in enumerate(lines):
                entry = json.loads(line)
                seq, leaf = entry["seq"], base64.b64decode(entry["leaf"], validate=True)
                if seq != due:
                    raise Invalid("restore.audit_copy", f"{path.name} lacks entry {due}")
                yield leaf
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise Invalid(
            "restore.audit_copy", f"{path.name} cannot be read as an export of the audit"
        ) from None


def _ours(session: Session, seq: int) -> bytes | None:
    return session.exec(
        select(AuditNode.digest).where(col(AuditNode.level) == 0, col(AuditNode.position) == seq)
    ).first()


def _count(leaf: bytes, events: Counter[str], messages: dict[str, None]) -> None:
    try:
        facts = json.loads(leaf)
        event, message = str(facts["event"]), facts["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        event, message = "cannot be read", None
    events[event] += 1
    if isinstance(message, str):
        messages[message] = None
