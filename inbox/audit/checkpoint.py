"""Signed checkpoints of the audit: C2SP tlog-checkpoint in a signed note, with an Ed25519 key.

A checkpoint says: "the log `origin` had `size` leaves with this root". Formats:
https://c2sp.org/tlog-checkpoint and https://c2sp.org/signed-note. Many are kept in one append-only
text file, each note followed by an empty line (`file_entry`, `split_notes`).
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from inbox.errors import IntegrityError, Invalid

_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_ROOT_BYTES = 32
_MAX_CHARACTERS = 200_000
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+")
_SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, kw_only=True)
class ParsedCheckpoint:
    """The content of a checkpoint note. Trust it only if `verify` returned it."""

    origin: str
    size: int
    root: bytes


def sign(origin: str, size: int, root: bytes, key: Ed25519PrivateKey) -> str:
    """Sign a checkpoint in the name of its origin; the same arguments give the same text.

    The caller answers for never signing what contradicts an earlier checkpoint.
    """
    _check_name(origin)
    if size < 0 or len(root) != _ROOT_BYTES:
        raise Invalid("audit.checkpoint", "a size is not negative, a root is 32 bytes")
    text = f"{origin}\n{size}\n{_base64(root)}\n"
    signature = _key_id(origin, key.public_key()) + key.sign(text.encode())
    return f"{text}\n— {origin} {_base64(signature)}\n"


def read(note: str) -> ParsedCheckpoint:
    """Parse a note without checking its signatures.

    Raises `IntegrityError` if it is not a checkpoint.
    """
    return _parse(note)[0]


def verify(
    note: str, public_key: Ed25519PublicKey, origin: str, *, name: str | None = None
) -> ParsedCheckpoint:
    """Verify that the note belongs to `origin` and is signed by this key, and return its content.

    `name` is the key's name where that is not the origin. Signatures of other keys (witnesses, an
    older key) are passed over. Raises `IntegrityError`.
    """
    checkpoint, text, signatures = _parse(note)
    if checkpoint.origin != origin:
        raise IntegrityError("audit.checkpoint_origin", "a checkpoint of another log")
    name, key_id = name or origin, _key_id(name or origin, public_key)
    ours = [rest for signer, known, rest in signatures if (signer, known) == (name, key_id)]
    if not ours:
        raise IntegrityError("audit.checkpoint_unsigned", "not signed by this key")
    for signature in ours:
        try:
            public_key.verify(signature, text.encode())
        except InvalidSignature as error:
            raise IntegrityError("audit.checkpoint_signature", "does not verify") from error
    return checkpoint


def verifier_key(name: str, public_key: Ed25519PublicKey) -> str:
    """The public key as a verifier line: name, key id in hex, and base64 of type and key."""
    _check_name(name)
    material = _base64(_ED25519 + public_key.public_bytes_raw())
    return f"{name}+{_key_id(name, public_key).hex()}+{material}"


def file_entry(note: str) -> str:
    """The text to append to the checkpoint file for this note."""
    return note + "\n"


def split_notes(file: str) -> list[str]:
    """The notes of a checkpoint file, oldest first; incomplete ones are returned as they are."""
    notes, parts = [], []
    for block in filter(None, (block.strip("\n") for block in file.split("\n\n"))):
        parts.append(block)
        if block.startswith("— "):
            notes.append("\n\n".join(parts) + "\n")
            parts = []
    return [*notes, "\n\n".join(parts)] if parts else notes


def _parse(note: str) -> tuple[ParsedCheckpoint, str, list[tuple[str, bytes, bytes]]]:
    """The checkpoint, the text that is signed, and (name, key id, signature) of each signature."""
    body, gap, below = note.rpartition("\n\n")
    lines, marks = body.split("\n"), below.split("\n")
    fit = len(note) <= _MAX_CHARACTERS and gap and below.endswith("\n")
    if not fit or len(lines) < 3 or not all(lines) or re.search(r"[\x00-\x09\x0b-\x1f]", note):  # noqa: PLR2004 - origin, size, root
        raise IntegrityError("audit.checkpoint_shape", "not a signed note of three lines")
    origin, size, encoded = lines[:3]
    root = _unbase64(encoded)
    if _SIZE.fullmatch(size) is None or root is None or len(root) != _ROOT_BYTES:
        raise IntegrityError("audit.checkpoint_shape", "not a tree size and a root")
    signatures = [_signature(mark) for mark in marks[:-1]]
    return ParsedCheckpoint(origin=origin, size=int(size), root=root), body + "\n", signatures


def _signature(line: str) -> tuple[str, bytes, bytes]:
    match = _SIGNATURE.fullmatch(line)
    raw = _unbase64(match[2]) if match else None
    if match is None or raw is None or len(raw) <= _KEY_ID_BYTES:
        raise IntegrityError("audit.checkpoint_shape", "not a signature line")
    return match[1], raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:]


def _key_id(name: str, public_key: Ed25519PublicKey) -> bytes:
    material = name.encode() + b"\n" + _ED25519 + public_key.public_bytes_raw()
    return hashlib.sha256(material).digest()[:_KEY_ID_BYTES]


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise Invalid("audit.origin", "an origin has no spaces, plus signs or control characters")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _unbase64(text: str) -> bytes | None:
    """The bytes, if `text` is the one right way to write them."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if _base64(raw) == text else None
