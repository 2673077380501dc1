# ruff: noqa: INP001 - one file that stands alone, not a package
"""Check an exported audit, or a proof about one message, without the program that wrote it.

    python3 verify_audit.py --key KEY [--key OLDER_KEY] [--at TIME] LEAVES CHECKPOINTS [...]
    python3 verify_audit.py --key KEY [--key OLDER_KEY] --proof PROOF [CHECKPOINTS ...]

Needs Python 3.11 and the package `cryptography` (for Ed25519). Written from RFC 6962 (the tree),
https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint.

KEY          a verifier key, `name+id+base64`; the name is the log's origin. Take it from somebody
             you trust, not from the log's own machine.
LEAVES       one JSON object per line: {"seq": n, "leaf": "<base64>"}, and n is 0, 1, 2 ...
CHECKPOINTS  signed notes, oldest first, each followed by an empty line. Give every copy that you
             have: the log's own file, another host's, the archive's. Each is a file of its own.

Found are: a changed, added, removed or reordered leaf, a cut (fewer leaves than a checkpoint says),
a gap, a fork (one size, two roots), a roll-back (a size that goes down within a file), a note that
is forged, torn or of another log, that there is no checkpoint, and leaves that none covers though
they are older than 15 minutes or of no believable time. Younger leaves are counted ("later").

Where a database was lost and an older one went on, people may have accepted that: a signed leaf
`log:gap_accepted` names the last checkpoint of what is lost and the number of leaves before itself.
That one break passes, if a file has that checkpoint in its place, and is printed before all else.

PROOF        shows that leaves stood in the log when it was signed, and that it only grew since the
             newest notes of CHECKPOINTS; not that no other leaf names the message, or what is true.
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
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Keys = dict[tuple[str, bytes], Ed25519PublicKey]
MAX_UNVOUCHED_AGE = timedelta(minutes=15)
GAP_EVENT = "log:gap_accepted"
GAP_MARK = f'"event":"{GAP_EVENT}"'.encode()
GAP = re.compile(r"([1-9][0-9]{0,17}) ([0-9a-f]{64}) ([1-9][0-9]{0,17}) (\S{88})")


class DamageError(Exception):
    """A finding, in words that hold nothing of a leaf."""


class Checkpoint(NamedTuple):
    """A verified statement: so many leaves, this root; `where` is for the reader."""

    size: int
    root: bytes
    where: str

    @property
    def tree(self) -> tuple[int, bytes]:
        """What it says."""
        return self.size, self.root


Copies = list[list[Checkpoint]]


class AcceptedGap(NamedTuple):
    """The checkpoint that an accepted gap leaves behind at last, and the number of its leaf."""

    old: tuple[int, bytes]
    at: int
    who: str
    when: str


class Tree(NamedTuple):
    """What the leaves give: how many, the roots at some sizes, and what was accepted where."""

    count: int
    roots: dict[int, bytes]
    gaps: dict[int, AcceptedGap | None]
    """None: a leaf that says so, and whose numbers or signature are not as they must."""

    def fits(self, point: Checkpoint) -> bool:
        """Whether the leaves are those that the checkpoint speaks of."""
        return self.roots.get(point.size) == point.root


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
            checkpoints.append(read_note(note, keys, f"{path.name}, note {number}"))
        except DamageError as damage:
            found.append(str(damage))
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


def read_gap(leaf: bytes, seq: int, keys: Keys) -> AcceptedGap | None:
    """What the leaf says was accepted; None if its number is another, or no key has signed it."""
    try:
        facts = json.loads(leaf)
        said = GAP.fullmatch(facts["subject"])
        if said is None or facts["event"] != GAP_EVENT or not facts["seq"] == seq == int(said[3]):
            return None
        signature, who, when = decode(said[4]), str(facts["who"]), str(facts["at"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    for (name, _), key in keys.items():
        try:
            key.verify(signature, "\n".join([GAP_EVENT, name, *said.group(1, 2, 3), ""]).encode())
        except InvalidSignature:
            continue
        return AcceptedGap((int(said[1]), bytes.fromhex(said[2])), seq, who, when)
    return None


def grow(leaves: Iterator[bytes], sizes: set[int], keys: Keys) -> Iterator[Tree]:
    """The tree after every leaf, with the root at each of `sizes` that it has reached."""
    peaks: list[tuple[int, bytes]] = []
    roots, gaps = {0: root_of([])}, dict[int, AcceptedGap | None]()
    yield Tree(0, roots, gaps)
    for count, leaf in enumerate(leaves, 1):
        height, top = 0, hashlib.sha256(b"\x00" + leaf).digest()
        while peaks and peaks[-1][0] == height:
            height, top = height + 1, hashlib.sha256(b"\x01" + peaks.pop()[1] + top).digest()
        peaks.append((height, top))
        if count in sizes:
            roots[count] = root_of(peaks)
        if GAP_MARK in leaf:
            gaps[count - 1] = read_gap(leaf, count - 1, keys)
        yield Tree(count, roots, gaps)


def left_behind(gap: AcceptedGap, copies: Copies, tree: Tree) -> set[tuple[int, bytes]]:
    """What an accepted gap leaves behind: in each file the run of notes up to the one it names.

    None of the run fits the leaves. Nothing, so that the gap excuses nothing, unless every note
    that fits has at most the new size where it stands before, and more where it stands after.
    """
    behind: set[tuple[int, bytes]] = set()
    for copy in copies:
        ends = [number for number, point in enumerate(copy) if point.tree == gap.old]
        if not ends:
            continue
        end = begin = ends[-1]
        early = [point for point in copy[:end] if point.size > gap.at]
        late = [point for point in copy[end + 1 :] if point.size <= gap.at]
        if any(tree.fits(point) for point in [copy[end], *early, *late]):
            return set()
        while begin and not tree.fits(copy[begin - 1]) and copy[begin - 1].size <= copy[begin].size:
            begin -= 1
        behind |= {point.tree for point in copy[begin : end + 1]}
    return behind


def compare(
    copies: Copies, leaves: Path, keys: Keys, found: list[str]
) -> tuple[Tree, list[AcceptedGap], Copies]:
    """Hold every checkpoint against the leaves, as far as they were readable.

    Returns the tree, the gaps that passed, and the checkpoints that they do not leave behind.
    """
    sizes, tree = {point.size for copy in copies for point in copy}, Tree(0, {}, {})
    missing = "cut, {} leaves were there and are not now"
    try:
        for tree in grow(read_leaves(leaves), sizes, keys):  # noqa: B007 - the last one is used
            pass
    except DamageError as damage:
        found.append(str(damage))
        missing = "not reached, its {} leaves cannot all be read"
    passed, behind = [], set[tuple[int, bytes]]()
    for number, gap in tree.gaps.items():
        excused = set() if gap is None else left_behind(gap, copies, tree)
        behind |= excused
        if gap is not None and excused:
            passed.append(gap)
        else:
            found.append(f"leaf {number}: says that a gap was accepted, which nothing bears out")
    standing = [[point for point in copy if point.tree not in behind] for copy in copies]
    check_points(standing, tree, missing, found)
    return tree, passed, standing


def check_points(standing: Copies, tree: Tree, missing: str, found: list[str]) -> None:
    """Every checkpoint is in order, has one root for its size, and speaks of these leaves."""
    first: dict[int, Checkpoint] = {}
    for copy in standing:
        for earlier, point in pairwise(copy):
            if point.size < earlier.size:  # The file is append-only.
                found.append(f"{point.where}: rolled back from {earlier.size} to {point.size}")
        for point in copy:
            other = first.setdefault(point.size, point)
            if other.root != point.root:
                said = f"a fork, {other.where} has another root at {point.size}"
                found.append(f"{point.where}: {said}")
    for point in (point for copy in standing for point in copy):
        if point.size not in tree.roots:
            found.append(f"{point.where}: {missing.format(point.size)}")
        elif not tree.fits(point):
            found.append(f"{point.where}: the first {point.size} leaves are not what was signed")


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


def gap_text(gap: AcceptedGap) -> str:
    """What is said first, for ever, of a break that people accepted."""
    said = f"GAP at leaf {gap.at}: {gap.who} accepted at {gap.when} that leaves are lost;"
    return f"{said} {gap.old[0]} were signed, root {gap.old[1].hex()}\n"


def node(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def included(leaf: bytes, at: int, size: int, path: list[bytes]) -> bytes:
    """The root over `size` leaves, of which `leaf` is the hash of one (RFC 6962, 2.1.1)."""
    if size == 1:
        return leaf
    split, other = 1 << (size - 1).bit_length() - 1, path.pop()
    if at < split:
        return node(included(leaf, at, split, path), other)
    return node(other, included(leaf, at - split, size - split, path))


def grown(size: int, now: int, path: list[bytes], root: bytes | None) -> tuple[bytes, bytes]:
    """The roots over the first `size` leaves and over `now` of them (RFC 6962, 2.1.2)."""
    if size == now:
        whole = path.pop() if root is None else root
        return whole, whole
    split, other = 1 << (now - 1).bit_length() - 1, path.pop()
    if size <= split:
        old, new = grown(size, split, path, root)
        return old, node(new, other)
    old, new = grown(size - split, now - split, path, None)
    return node(other, old), node(other, new)


def check_proof(file: Path, copies: Copies, keys: Keys, found: list[str]) -> str:
    """Check every leaf of a proof, and that the log grew from every copy; what it is about."""
    proof = json.loads(file.read_text("ascii"))
    point = read_note(proof["checkpoint"].strip("\n"), keys, file.name)
    known = {point.tree}
    for entry in proof["entries"]:
        leaf, seq, path = decode(entry["leaf"]), entry["seq"], [*map(decode, entry["path"])]
        says, hashed = json.loads(leaf), hashlib.sha256(b"\x00" + leaf).digest()
        fits = 0 <= seq < point.size and included(hashed, seq, point.size, path) == point.root
        if path or not fits or (says["seq"], says["message"]) != (seq, proof["message"]):
            found.append(f"leaf {seq}: not in the tree that was signed, or of another message")
    for earlier in proof["earlier"]:
        old, path = read_note(earlier["checkpoint"].strip("\n"), keys, file.name), earlier["path"]
        if 0 < old.size <= point.size:
            roots = grown(old.size, point.size, path := [*map(decode, path)], old.root)
            known |= {old.tree} if roots == (old.root, point.root) and not path else set()
    newest = [copy[-1] for copy in copies if copy and copy[-1].tree not in known]
    found += [f"{kept.where}: the proof does not show that the log grew from it" for kept in newest]
    found += [] if proof["entries"] else [f"{file.name}: proves nothing"]
    return f"OK {len(proof['entries'])} leaves of {proof['message']}, of {point.size} signed\n"


def check_export(given: argparse.Namespace, copies: Copies, keys: Keys, found: list[str]) -> str:
    """Check all leaves against all checkpoints; what to print after the accepted gaps."""
    tree, passed, standing = compare(copies, given.leaves, keys, found)
    newest = max((point.size for copy in standing for point in copy), default=0)
    if newest == 0:
        found.append("there is no checkpoint of any leaf: nothing vouches for them")
    if newest and not found:
        at = given.at or datetime.now(UTC)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)  # UTC where no zone is named.
        check_vouched(given.leaves, newest, at, found)
    sys.stdout.write("".join(map(gap_text, passed)))
    later, points = tree.count - newest, sum(map(len, copies))
    return f"OK {tree.count} leaves, {points} checkpoints, {later} leaves later\n"


def main(arguments: list[str]) -> int:
    """Check, print, and give the exit code."""
    parser = argparse.ArgumentParser(description="Check an audit against its checkpoints.")
    parser.add_argument("--key", action="append", required=True, help="a verifier key")
    parser.add_argument("--at", type=datetime.fromisoformat, help="when the leaves were exported")
    parser.add_argument("--proof", action="store_true", help="the first file is a proof")
    parser.add_argument("leaves", type=Path, help="the export, or the proof")
    parser.add_argument("checkpoints", type=Path, nargs="*")
    chosen, found = parser.parse_args(arguments), list[str]()
    try:
        keys = read_keys(chosen.key)
        copies = [read_notes(path, keys, found) for path in chosen.checkpoints]
        if not copies and not chosen.proof:
            raise ValueError("no checkpoints are given")  # noqa: TRY301 - as any other
        if chosen.proof:
            said = check_proof(chosen.leaves, copies, keys, found)
        else:
            said = check_export(chosen, copies, keys, found)
    except (DamageError, KeyError, TypeError, IndexError, RecursionError) as damage:
        found.append(str(damage) if isinstance(damage, DamageError) else "not a proof")
    except (OSError, ValueError) as error:
        sys.stderr.write(f"could not check: {error}\n")
        return 2
    sys.stdout.write("".join(f"DAMAGE {finding}\n" for finding in found) or said)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
