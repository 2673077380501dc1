"""The short reference of a message: what people say to each other of it, made of its id alone.

Eight letters and digits such as `K7P4-9QXM` (Crockford's base32, without I, L, O and U). It is the
first 40 bits of a random id, so it says nothing: neither how much mail there is, nor in what order.
"""

import re
from typing import Final

from inbox.domain import MessageId
from inbox.errors import Invalid

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LETTERS: Final = 8
_BITS: Final = 5
_HEX_DIGITS: Final = _LETTERS * _BITS // 4
_ID_DIGITS: Final = 32
_ALIKE: Final = str.maketrans({"I": "1", "L": "1", "O": "0"})
_WRITTEN: Final = re.compile(f"[{_ALPHABET}]{{{_LETTERS}}}")


def short_reference_of(row_id: str) -> str:
    """The short reference of a message, arrival or proposal of ours."""
    number = int(row_id[:_HEX_DIGITS], 16)
    letters = [_ALPHABET[(number >> (_BITS * place)) % 32] for place in range(_LETTERS)]
    text = "".join(reversed(letters))
    return f"{text[:4]}-{text[4:]}"


def ids_with_reference(text: str) -> tuple[MessageId, MessageId]:
    """The least and the greatest id that have this reference, for a search by the key of a table.

    Case, spaces and hyphens do not matter, nor I and L for 1, and O for 0. Raises `Invalid`.
    """
    plain = re.sub(r"[\s-]", "", text).upper().translate(_ALIKE)
    if _WRITTEN.fullmatch(plain) is None:
        raise Invalid("message.reference", "a reference is written as K7P4-9QXM")
    number = 0
    for letter in plain:
        number = number << _BITS | _ALPHABET.index(letter)
    first = f"{number:0{_HEX_DIGITS}x}"
    rest = _ID_DIGITS - _HEX_DIGITS
    return MessageId(first + "0" * rest), MessageId(first + "f" * rest)
