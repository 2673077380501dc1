# ruff: noqa: INP001 - one file that stands alone, not a package
"""Check an exported audit against its signed checkpoints, without the program that wrote it.

    python3 verify_audit.py --key KEY [--key OLDER_KEY] [--at TIME] LEAVES CHECKPOINTS [...]

Needs Python 3.11 and the package `cryptography` (for Ed25519). Written from RFC 6962 (the tree),
https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint.

KEY          a verifier key, `name+id+base64`, as handed out when the log was set up. The name is
             the log's origin. Take it from somebody you trust, not from the log's own machine.
LEAVES       one JSON object per line: {"seq": n, "leaf": "<base64>"}, and n is 0, 1, 2 ...
CHECKPOINTS  signed notes, oldest first, each followed by an empty line. Give every copy that you
             have: the log's own file, another host's, the archive's. Each is a file of its own.

Found are: a changed, added, removed or reordered leaf (another root), a cut (fewer leaves than a
checkpoint says), a gap, a fork (one size, two roots), a roll-back (a size that goes down within a
file), a note that is forged, torn or of another log, that there is no checkpoint, and leaves that
none covers though they are older than 15 minutes or of no believable time. Younger leaves after the
newest checkpoint are counted ("later"): nothing vouches for them yet.

TIME         when the leaves were exported, such as 2026-11-30T12:00:00+00:00; now if not given.

Exit code: 0 everything holds; 1 something does not, a line each; 2 it could not be checked.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Keys = dict[tuple[str, bytes], Ed25519PublicKey]
MAX_UNVOUCHED_AGE = timedelta(minutes=15)


class DamageError(Exception):
    """A finding, in words that hold nothing of a leaf."""


class Checkpoint(NamedTuple):
    """A verified statement: so many leaves, this root; `where` is for the reader."""

    size: int
    root: bytes
    where: str


def decode(text: str) -> bytes:
    """Strict base64: one text for one value. Raises `ValueError`."""
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError("not the usual form of base64")
    return raw


def read_keys(lines: list[str]) -> Keys:
    """Verifier keys by name and key id. Raises `ValueError`."""
    keys: Keys = {}
    for line in lines:
        name, key_id, material = line.strip().split("+", 2)
        raw = decode(material)
        expected = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        if len(raw) != 33 or raw[0] != 1 or expected.hex() != key_id:  # noqa: PLR2004 - type, key
            raise ValueError("not an Ed25519 verifier key, or one with a slip in it")
        keys[name, expected] = Ed25519PublicKey.from_public_bytes(raw[1:])
    return keys


def read_note(note: str, keys: Keys, where: str) -> Checkpoint:
    """A checkpoint that a known key has signed. Raises `DamageError`."""
    text, _, below = note.rpartition("\n\n")
    shape = re.fullmatch(
        r"([^\n]+)\n(0|[1-9][0-9]{0,17})\n([A-Za-z0-9+/]{43}=)((?:\n[^\n]+)*)", text
    )
    if shape is None or re.search(r"[\x00-\x09\x0b-\x1f]", note):
        raise DamageError(f"{where}: not a checkpoint (torn or changed)")
    known = 0
    for line in below.split("\n"):
        mark = re.fullmatch(r"— (\S+) ([A-Za-z0-9+/]+={0,2})", line)
        try:
            raw = decode(mark[2] if mark else "?")
            key = keys.get((mark[1] if mark else "", raw[:4]))
            if key is not None and line.startswith(f"— {shape[1]} "):
                key.verify(raw[4:], (text + "\n").encode())
                known += 1
        except (ValueError, InvalidSignature):
            raise DamageError(f"{where}: forged or torn, its signature does not hold") from None
    if not known:
        raise DamageError(f"{where}: not signed by a key that was given, or of another log")
    return Checkpoint(int(shape[2]), decode(shape[3]), where)


def read_notes(path: Path, keys: Keys, found: list[str]) -> list[Checkpoint]:
    """The file's checkpoints, oldest first; what is wrong goes to `found`."""
    checkpoints: list[Checkpoint] = []
    # A block of signatures ends a note; what stands before the first of them belongs to it.
    blocks = re.split(r"\n\n+(?!— )", path.read_text("utf-8", errors="replace").strip("\n"))
    for number, note in enumerate(filter(None, blocks), 1):
        try:
            new = read_note(note, keys, f"{path.name}, note {number}")
        except DamageError as damage:
            found.append(str(damage))
            continue
        if checkpoints and new.size < checkpoints[-1].size:
            found.append(f"{new.where}: rolled back from {checkpoints[-1].size} to {new.size}")
        checkpoints.append(new)
    return checkpoints


def read_leaves(path: Path) -> Iterator[bytes]:
    """The leaves' bytes in order. Raises `DamageError` at the first line that is not as due."""
    with path.open("rb") as lines:
        for due, line in enumerate(lines):
            try:
                entry = json.loads(line)
                seq, leaf = entry["seq"], decode(entry["leaf"])
            except (ValueError, KeyError, TypeError, RecursionError):
                raise DamageError(f"{path.name}, line {due + 1}: not a leaf") from None
            if seq != due:
                raise DamageError(f"{path.name}, line {due + 1}: a gap, leaf {due} is missing")
            yield leaf


def root_of(peaks: list[tuple[int, bytes]]) -> bytes:
    """The root over perfect subtrees (height, hash), biggest first (RFC 6962, section 2.1)."""
    if not peaks:
        return hashlib.sha256().digest()
    whole = peaks[-1][1]
    for _, left in reversed(peaks[:-1]):
        whole = hashlib.sha256(b"\x01" + left + whole).digest()
    return whole


def roots_at(leaves: Iterator[bytes], sizes: set[int], roots: dict[int, bytes]) -> int:
    """Add the root at each of `sizes` to `roots`, leaf by leaf; the number of leaves."""
    peaks: list[tuple[int, bytes]] = []
    count = 0
    for count, leaf in enumerate(leaves, 1):
        height, top = 0, hashlib.sha256(b"\x00" + leaf).digest()
        while peaks and peaks[-1][0] == height:
            height, top = height + 1, hashlib.sha256(b"\x01" + peaks.pop()[1] + top).digest()
        peaks.append((height, top))
        if count in sizes:
            roots[count] = root_of(peaks)
    return count


def compare(checkpoints: list[Checkpoint], leaves: Path, found: list[str]) -> int:
    """Hold every checkpoint against the leaves; the number of leaves that were readable."""
    first: dict[int, Checkpoint] = {}
    for point in checkpoints:
        other = first.setdefault(point.size, point)
        if other.root != point.root:
            found.append(f"{point.where}: a fork, {other.where} has another root at {point.size}")
    count, roots, missing = 0, {0: root_of([])}, "cut, {} leaves were there and are not now"
    try:
        count = roots_at(read_leaves(leaves), set(first), roots)
    except DamageError as gap:
        found.append(str(gap))
        missing = "not reached, its {} leaves cannot all be read"
    for point in checkpoints:
        if point.size not in roots:
            found.append(f"{point.where}: {missing.format(point.size)}")
        elif roots[point.size] != point.root:
            found.append(f"{point.where}: the first {point.size} leaves are not what was signed")
    return count


def aware(moment: datetime | None) -> datetime:
    """The moment in a time zone, UTC if it names none; now if there is none."""
    moment = moment or datetime.now(UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def is_recent(leaf: bytes, exported: datetime) -> bool:
    """Whether the leaf's own time is within minutes of the export."""
    try:
        at = datetime.fromisoformat(json.loads(leaf)["at"])
        return abs(exported - at) <= MAX_UNVOUCHED_AGE
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return False


def check_vouched(leaves: Path, newest: int, exported: datetime, found: list[str]) -> None:
    """Every leaf that is not young is covered by a checkpoint; the first that is not is named."""
    for number, leaf in enumerate(read_leaves(leaves)):
        if number >= newest and not is_recent(leaf, exported):
            said = f"leaf {number} is older than minutes or of no believable time"
            found.append(f"no checkpoint vouches for the leaves from {newest} on: {said}")
            return


def main(arguments: list[str]) -> int:
    """Check, print, and give the exit code."""
    parser = argparse.ArgumentParser(description="Check an audit against its checkpoints.")
    parser.add_argument("--key", action="append", required=True, help="a verifier key")
    parser.add_argument("--at", type=datetime.fromisoformat, help="when the leaves were exported")
    parser.add_argument("leaves", type=Path)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    chosen = parser.parse_args(arguments)
    found: list[str] = []
    try:
        keys = read_keys(chosen.key)
        points = [p for path in chosen.checkpoints for p in read_notes(path, keys, found)]
        newest = max((point.size for point in points), default=0)
        if newest == 0:
            found.append("there is no checkpoint of any leaf: nothing vouches for them")
        count = compare(points, chosen.leaves, found)
        if newest and not found:
            check_vouched(chosen.leaves, newest, aware(chosen.at), found)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"could not check: {error}\n")
        return 2
    for finding in found:
        sys.stdout.write(f"DAMAGE {finding}\n")
    if not found:
        later = count - newest
        sys.stdout.write(f"OK {count} leaves, {len(points)} checkpoints, {later} leaves later\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
