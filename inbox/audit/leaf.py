"""The bytes of an audit leaf: one canonical encoding, with commitments for personal text."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from inbox.errors import Invalid

Value: TypeAlias = "str | int | Mapping[str, Value] | None"

_LEAST_SALT_BYTES = 16


def leaf_bytes(fields: Mapping[str, Value]) -> bytes:
    """Canonical JSON: keys sorted by code point, no spaces, UTF-8; equal facts give equal bytes.

    Raises `Invalid` (`audit.leaf`) for anything but text, whole numbers, truth, null and maps of
    them, and for text that is no Unicode.
    """
    try:
        text = json.dumps(
            _check_value(fields), sort_keys=True, ensure_ascii=False, separators=(",", ":")
        )
        return text.encode()
    except UnicodeEncodeError as error:
        raise Invalid("audit.leaf", "text that is not Unicode") from error


def commitment(salt: bytes, value: str) -> str:
    """What a leaf holds in place of personal text: base64 of HMAC-SHA-256 under a random salt.

    With salt and value it can be shown later what the leaf spoke of; when the salt is erased,
    nobody can, not even by guessing. A salt is of one value and at least 16 bytes (`Invalid`).
    """
    if len(salt) < _LEAST_SALT_BYTES:
        raise Invalid("audit.salt", f"a salt has at least {_LEAST_SALT_BYTES} bytes")
    text = value.encode(errors="surrogatepass")  # What a sender wrote never stops the audit.
    return base64.b64encode(hmac.digest(salt, text, hashlib.sha256)).decode()


def salt_digest(salt: bytes) -> str:
    """The hash of a salt that stands in the leaf, so that a changed salt can be detected.

    A salt is random and long: its hash gives neither the salt back nor a way to guess the text.
    """
    return base64.b64encode(hashlib.sha256(salt).digest()).decode()


def _check_value(value: Value) -> Value:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _check_value(inner) for key, inner in value.items()}
    raise Invalid("audit.leaf", f"a leaf holds no {type(value).__name__}")


@dataclass(frozen=True, kw_only=True)
class LeafFacts:
    """The number, time, message id and salt hashes of a leaf, and whether it is an erasure."""

    seq: int
    message_id: str | None
    salts: Mapping[str, str]
    erases: bool
    at: str | None = None
    """The time as the leaf has it; None if it has none."""


def read_leaf(leaf: object) -> LeafFacts | None:
    """Read these facts from a leaf.

    Returns None if it is not a valid leaf, since SQLite stores any value.
    """
    if not isinstance(leaf, bytes):
        return None
    try:
        facts = json.loads(leaf)
        seq, message_id, salts = facts["seq"], facts["message"], facts["salts"]
        erases = facts["event"] == "message:erased"
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(message_id, str | None) or not isinstance(salts, dict):
        return None
    at = facts.get("at")
    return LeafFacts(
        seq=seq,
        message_id=message_id,
        salts=salts,
        erases=erases,
        at=at if isinstance(at, str) else None,
    )
