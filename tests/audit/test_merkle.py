"""The Merkle tree against the standard's own recursive definitions, and against wrong proofs."""

import hashlib
from collections.abc import Iterable
from itertools import pairwise

import pytest

from inbox.audit import merkle
from inbox.errors import IntegrityError
from tests.audit.rfc6962 import mth, path, subproof

SIZES = 131


def _h(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


class _Grown:
    """A tree as the product keeps it: stored nodes and a root per size."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.frontier: tuple[bytes, ...] = ()
        self.roots = [merkle.root(())]
        for size, leaf in enumerate(leaves):
            self.frontier, new = merkle.append(self.frontier, size, merkle.leaf_hash(leaf))
            for node in new:
                assert (node.level, node.index) not in self.nodes
                self.nodes[node.level, node.index] = node.hash
            self.roots.append(merkle.root(self.frontier))

    def get(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]


LEAVES = tuple(b"leaf %d" % n for n in range(SIZES))
GROWN = _Grown(LEAVES)


def test_merkle_roots_match_those_published_for_certificate_transparency() -> None:
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
    leaves.append("606162636465666768696a6b6c6d6e6f")

    roots = [root.hex() for root in _Grown([bytes.fromhex(leaf) for leaf in leaves]).roots]

    assert roots == [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]


def test_merkle_root_matches_the_standard_at_every_size() -> None:
    expected = [mth(LEAVES[:size]) for size in range(SIZES)]

    assert GROWN.roots[:SIZES] == expected
    assert [merkle.root_at(GROWN.get, size) for size in range(SIZES)] == expected


def test_every_inclusion_proof_matches_the_standard_and_verifies() -> None:
    for size in range(1, SIZES):
        for index in range(size):
            proof = merkle.inclusion_proof(GROWN.get, index, size)

            assert proof == path(index, LEAVES[:size])
            assert _included(index, index, size, proof, GROWN.roots[size])


def test_every_consistency_proof_matches_the_standard_and_verifies() -> None:
    for second in range(SIZES):
        for first in range(second + 1):
            proof = merkle.consistency_proof(GROWN.get, first, second)

            assert not first or proof == subproof(first, LEAVES[:second], whole=True)
            assert _consistent(first, second, proof)


def test_a_wrong_inclusion_proof_is_refused() -> None:
    for size in (1, 2, 3, 7, 8, 13, 64, 65, 130):
        root = GROWN.roots[size]
        for index in range(size):
            proof = merkle.inclusion_proof(GROWN.get, index, size)

            for wrong in _spoilt(proof):
                assert not _included(index, index, size, wrong, root)
            assert not _included(index + 1, index, size, proof, root)
            assert not _included(index, size, size, proof, root)
            assert not _included(index, -1, size, proof, root)
            assert not _included(index, index, size, proof, GROWN.roots[size - 1])


def test_a_wrong_consistency_proof_is_refused() -> None:
    for second in (2, 3, 7, 8, 13, 64, 65, 130):
        for first in range(1, second):
            proof = merkle.consistency_proof(GROWN.get, first, second)

            for wrong in _spoilt(proof):
                assert not _consistent(first, second, wrong)
            for roots in ((GROWN.roots[first - 1], GROWN.roots[second]), _swapped(first, second)):
                assert not _consistent(first, second, proof, roots=roots)


def test_inclusion_proof_of_a_subtree_is_refused_for_a_larger_tree() -> None:
    sibling, part = merkle.leaf_hash(LEAVES[1]), merkle.root_at(GROWN.get, 2)

    assert _included(0, 0, 2, [sibling], part)
    assert not _included(0, 0, 4, [sibling], part)


def test_consistency_with_the_same_or_the_empty_tree_requires_an_empty_proof() -> None:
    other = _h(b"other")

    assert _consistent(5, 5, [])
    assert not _consistent(5, 5, [other])
    assert not _consistent(5, 5, [], roots=(GROWN.roots[5], other))
    assert _consistent(0, 5, [])
    assert not _consistent(0, 5, [], roots=(other, GROWN.roots[5]))
    assert not _consistent(0, 0, [], roots=(GROWN.roots[0], other))
    assert not _consistent(5, 4, [])
    assert not _consistent(3, 5, [])


def test_proof_of_a_missing_leaf_or_a_shrinking_tree_is_refused() -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        merkle.inclusion_proof(GROWN.get, 5, 5)
    with pytest.raises(ValueError, match="never gets smaller"):
        merkle.consistency_proof(GROWN.get, 6, 5)


def test_merkle_append_refuses_a_frontier_of_another_size() -> None:
    with pytest.raises(IntegrityError) as refused:
        merkle.append(GROWN.frontier, SIZES + 1, _h(b""))

    assert refused.value.code == "audit.frontier"


def test_merkle_leaf_hash_differs_from_an_inner_node_hash() -> None:
    left, right = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")

    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


def _included(leaf: int, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    hashed = merkle.leaf_hash(LEAVES[leaf])
    return merkle.verify_inclusion(hashed, index=index, size=size, proof=proof, root=root)


def _consistent(
    first: int, second: int, proof: list[bytes], roots: tuple[bytes, bytes] | None = None
) -> bool:
    old, new = roots or (GROWN.roots[first], GROWN.roots[second])
    return merkle.verify_consistency(
        first=first, second=second, proof=proof, first_root=old, second_root=new
    )


def _swapped(first: int, second: int) -> tuple[bytes, bytes]:
    return GROWN.roots[second], GROWN.roots[first]


def _spoilt(proof: list[bytes]) -> list[list[bytes]]:
    """The proof with one thing wrong: a hash changed, left out, exchanged or one too many."""
    other = _h(b"other")
    changed = [[*proof[:at], other, *proof[at + 1 :]] for at in range(len(proof))]
    short = [proof[:at] + proof[at + 1 :] for at in range(len(proof))]
    swapped = []
    for at, (one, two) in enumerate(pairwise(proof)):
        swapped.append([*proof[:at], two, one, *proof[at + 2 :]])
    return [*changed, *short, *swapped, [*proof, other], [other, *proof]]
