"""The definitions of RFC 6962, section 2.1, word by word: slow, and written from the standard."""

import hashlib
from functools import cache


def _hash(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


@cache
def mth(leaves: tuple[bytes, ...]) -> bytes:
    """MTH of RFC 6962 §2.1, word by word."""
    if not leaves:
        return _hash(b"")
    if len(leaves) == 1:
        return _hash(b"\0" + leaves[0])
    k = _k(len(leaves))
    return _hash(b"\1" + mth(leaves[:k]) + mth(leaves[k:]))


def path(m: int, leaves: tuple[bytes, ...]) -> list[bytes]:
    """PATH of RFC 6962 §2.1.1, word by word."""
    if len(leaves) == 1:
        return []
    k = _k(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: tuple[bytes, ...], *, whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 §2.1.2, word by word; `whole` is the standard's b."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = _k(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole=whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], whole=False), mth(leaves[:k])]


def _k(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k
