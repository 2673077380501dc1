"""The Merkle tree of RFC 6962 over the audit's leaves: hashes, appending, proofs, verification.

Pure: who stores the nodes gives `get(level, index)`, the hash of the perfect subtree over the
leaves `index * 2**level` up to `(index + 1) * 2**level`; `append` says which nodes to store. The
frontier of a tree is the hashes of its largest perfect subtrees, biggest first.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inbox.errors import IntegrityError

EMPTY_ROOT = hashlib.sha256().digest()
"""The root of a tree without leaves (RFC 6962 §2.1)."""

GetNode = Callable[[int, int], bytes]


@dataclass(frozen=True, kw_only=True)
class Node:
    """The hash of a perfect subtree; stored once and never changed. Level 0 is a leaf."""

    level: int
    index: int
    hash: bytes


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf's bytes (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def append(
    frontier: Sequence[bytes], size: int, hashed: bytes
) -> tuple[tuple[bytes, ...], tuple[Node, ...]]:
    """Append one leaf; returns the frontier of `size + 1` leaves and the new nodes.

    `hashed` is the new leaf's `leaf_hash`. Raises `IntegrityError` if `frontier` cannot be that of
    `size` leaves.
    """
    if len(frontier) != size.bit_count():
        raise IntegrityError("audit.frontier", f"{len(frontier)} hashes for {size} leaves")
    edge = list(frontier)
    node = Node(level=0, index=size, hash=hashed)
    nodes = [node]
    while node.index % 2:
        joined = node_hash(edge.pop(), node.hash)
        node = Node(level=node.level + 1, index=node.index // 2, hash=joined)
        nodes.append(node)
    return (*edge, node.hash), tuple(nodes)


def root(frontier: Sequence[bytes]) -> bytes:
    """The root over all leaves (MTH of RFC 6962 §2.1)."""
    if not frontier:
        return EMPTY_ROOT
    *bigger, hashed = frontier
    for left in reversed(bigger):
        hashed = node_hash(left, hashed)
    return hashed


def root_at(get: GetNode, size: int) -> bytes:
    """The root of the tree when it had `size` leaves, computed from the stored nodes."""
    return _subtree_hash(get, 0, size) if size else EMPTY_ROOT


def inclusion_proof(get: GetNode, index: int, size: int) -> list[bytes]:
    """The proof that leaf `index` is in the tree of `size` leaves (PATH of RFC 6962 §2.1.1)."""
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of that size")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_subtree_hash(get, middle, end))
            end = middle
        else:
            proof.append(_subtree_hash(get, start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(get: GetNode, first: int, second: int) -> list[bytes]:
    """The proof that the tree of `first` leaves began that of `second` (RFC 6962 §2.1.2).

    Empty where there is nothing to prove: from no leaves, or to the same size.
    """
    if not 0 <= first <= second:
        raise ValueError("a tree never gets smaller")
    if first in {0, second}:
        return []
    proof: list[bytes] = []
    start, end = 0, second
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            proof.append(_subtree_hash(get, middle, end))
            end = middle
        else:
            proof.append(_subtree_hash(get, start, middle))
            start = middle
    if start:
        proof.append(_subtree_hash(get, start, end))
    return proof[::-1]


def verify_inclusion(
    hashed: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether `proof` shows the leaf of that hash at `index` under `root` (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last = index, size - 1
    for other in proof:
        if last == 0:
            return False
        if node % 2 or node == last:
            hashed = node_hash(other, hashed)
            while node and not node % 2:
                node, last = node // 2, last // 2
        else:
            hashed = node_hash(hashed, other)
        node, last = node // 2, last // 2
    return last == 0 and hmac.compare_digest(hashed, root)


def verify_consistency(
    *, first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes
) -> bool:
    """Whether `proof` shows that the second tree only added to the first (RFC 9162 §2.1.4.2)."""
    if first in {0, second}:
        same = EMPTY_ROOT if first == 0 < second else second_root
        return 0 <= first <= second and not proof and hmac.compare_digest(first_root, same)
    if not 0 < first < second or not proof:
        return False
    path = [first_root, *proof] if first.bit_count() == 1 else list(proof)
    node, last = first - 1, second - 1
    while node % 2:
        node, last = node // 2, last // 2
    old = new = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if node % 2 or node == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while node and not node % 2:
                node, last = node // 2, last // 2
        else:
            new = node_hash(new, other)
        node, last = node // 2, last // 2
    is_new = last == 0 and hmac.compare_digest(new, second_root)
    return is_new and hmac.compare_digest(old, first_root)


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _subtree_hash(get: GetNode, start: int, end: int) -> bytes:
    """The hash over the leaves `start` to `end`, where a subtree of the whole begins at `start`."""
    size = end - start
    if size.bit_count() == 1:
        return get(size.bit_length() - 1, start // size)
    middle = start + _split(size)
    return node_hash(_subtree_hash(get, start, middle), _subtree_hash(get, middle, end))
