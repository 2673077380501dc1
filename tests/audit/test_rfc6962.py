"""The single-file verifier against the standard's definitions and what follows from them."""

import hashlib

from tests.audit.line_audit import VERIFIER
from tests.audit.rfc6962 import mth

LEAVES = tuple(b"leaf %d" % n for n in range(131))
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ONE_EMPTY_LEAF = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


def test_reference_tree_hash_gives_the_known_constants() -> None:
    two = hashlib.sha256(b"\1" + bytes.fromhex(ONE_EMPTY_LEAF) * 2).hexdigest()

    assert mth(()).hex() == EMPTY
    assert mth((b"",)).hex() == ONE_EMPTY_LEAF
    assert mth((b"", b"")).hex() == two
    assert mth((b"a", b"b")) != mth((b"b", b"a"))


def test_standalone_verifier_computes_the_standard_root_at_every_size() -> None:
    *_, tree = VERIFIER.grow(iter(LEAVES), set(range(len(LEAVES) + 1)), {})

    assert tree.count == len(LEAVES)
    assert tree.roots == {size: mth(LEAVES[:size]) for size in range(len(LEAVES) + 1)}
