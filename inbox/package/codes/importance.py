"""Which of several reasons against a package is reported: the one that matters most.

First comes what nobody may waive, so that no two people waive one reason in vain for another. Among
equals the order is: whom it is from, whether it can be taken apart, whether it is graded, and then
what else is odd about it.
"""

from collections.abc import Iterable
from typing import Final

from inbox.package.codes.registry import CODES, GRADE_UNREADABLE, SECURITY_GRADE

_ORDER: Final = (
    # Whom it is from; a signature of another kind explains whatever else is odd.
    *("arrival", "signature.xades", "signature", "manifest"),
    *("trust", "revocation-unknown", "signer", "envelope"),
    # Whether it can be taken apart; another kind of container explains the rest.
    *("container.asic_s", "container.encrypted", "container"),
    # Whether it is graded.
    *(SECURITY_GRADE, GRADE_UNREADABLE, "arkivmelding.too_large", "arkivmelding.protective_grade"),
    # What else is odd about it.
    *("arkivmelding", "documents"),
)
"""Codes and areas of codes; a code that has no place of its own stands where its area does."""


def _place(code: str) -> int:
    return _ORDER.index(code if code in _ORDER else code.partition(".")[0])


_LISTED: Final = tuple(CODES)
_RANKS: Final = {code: (CODES[code].waivable, _place(code), _LISTED.index(code)) for code in CODES}


def by_importance(codes: Iterable[str]) -> tuple[str, ...]:
    """The codes, each once, the one that matters most first."""
    return tuple(sorted(set(codes), key=_RANKS.__getitem__))


def most_important(codes: Iterable[str]) -> str:
    """The code that is reported when all of these stand; there is at least one."""
    return by_importance(codes)[0]
