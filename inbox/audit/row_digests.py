"""Digests of deciding rows, and the keyed marks by which an audit entry vouches for them.

The mark in a leaf is keyed with a key that is not in the database, and is of one leaf. Who can only
write to the database can neither make the mark of a changed row, nor use an old mark again. Without
the key nobody can guess what a row says, either.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from inbox.audit.deciding_rows import DecidingTable

ABSENT: Final = bytes(32)
"""The digest of a row that is not there."""
SALT_NAME: Final = "rows"
"""The salt of the marks of rows that erasing removes."""
_MARK_BYTES: Final = 18


def row_name(table: DecidingTable, values: Sequence[object]) -> str:
    """The name of a row in the audit: its table, and its key; `values` are the deciding ones."""
    return name_of_key(table, [values[place] for place in table.key_places])


def name_of_key(table: DecidingTable, key: Sequence[object]) -> str:
    """The same of the values of the key."""
    return f"{table.name}/{'/'.join(map(str, key))}"


def row_digest(table: DecidingTable, rows: Sequence[Sequence[object]]) -> bytes:
    """The digest of the deciding values of a row, or of all rows of a group."""
    if not rows:
        return ABSENT
    digest = hashlib.sha256()
    for encoded in sorted(_encode_row(table, row) for row in rows):
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.digest()


def row_mark(key: bytes, seq: int, salt: bytes, name: str, digest: bytes) -> str:
    """What the leaf with this number holds for a row; `salt` is empty for most tables."""
    said = name.encode(errors="surrogatepass")
    parts = (seq.to_bytes(8, "big"), len(salt).to_bytes(1, "big"), salt, digest, said)
    return base64.b64encode(
        hmac.digest(key, b"".join(parts), hashlib.sha256)[:_MARK_BYTES]
    ).decode()


def row_marks(
    key: bytes, seq: int, salt: bytes, digests: Mapping[str, bytes], salted: frozenset[str]
) -> dict[str, str]:
    """The marks of all rows of a leaf; the salt counts for present rows of the salted tables."""
    return {
        name: row_mark(key, seq, salt if is_salted(name, digest, salted) else b"", name, digest)
        for name, digest in digests.items()
    }


def is_salted(name: str, digest: bytes, salted: frozenset[str]) -> bool:
    """Whether the mark of this row takes the salt of its leaf."""
    return digest != ABSENT and name.partition("/")[0] in salted


def _encode_row(table: DecidingTable, values: Sequence[object]) -> bytes:
    """Each column with its name, its type and its length; a put-off row has no code."""
    names = table.names
    works = bool(table.working) and values[names.index("state")] in table.working
    parts = []
    for name, value in zip(names, values, strict=True):
        if value is None or value is False or (works and name == "code"):
            continue  # So a column that is new, and empty, changes no digest.
        raw = _encode(value)
        parts.append(b"%s=%d:%s" % (name.encode(), len(raw), raw))
    return b";".join(parts)


def _encode(value: object) -> bytes:
    if isinstance(value, Enum):
        value = value.value
    match value:
        case str():
            return b"s" + value.encode(errors="surrogatepass")
        case bytes():
            return b"x" + value
        case bool() | int():
            return b"i%d" % value
        case datetime():
            return b"t" + value.astimezone(UTC).isoformat(timespec="microseconds").encode()
    raise TypeError(type(value).__name__)
