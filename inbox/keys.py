"""Key-encryption keys, data keys, and encryption of fields: the only module with secret keys.

A key folder holds these files, each of one line and closed to everybody but its owner:

* `kek-<id>.key`: a key-encryption key (32 bytes, base64). Old ones stay until nothing is wrapped
  by them any more (`inbox keys rotate`).
* `active`: the id of the key-encryption key that wraps what is new. There is no other rule.
* `lookup.key`: the key of the keyed hashes (32 bytes, base64). It is never changed.
* `audit.key`: the Ed25519 seed that signs checkpoints (32 bytes, base64).
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from inbox.days import day_of
from inbox.errors import ConfigurationError, Conflict, IntegrityError, NotThereYet

KEY_BYTES = 32
_NONCE_BYTES = 12
_SEALED_V1 = b"\x01"
_KEK_ID = re.compile(r"[0-9a-z][0-9a-z-]{0,62}")
_OTHERS_MODE_BITS = 0o077
_PROOF_TEXT = b"inbox: the keys at hand are the keys of this database"


@dataclass(frozen=True, kw_only=True)
class WrappedDataKey:
    """A data key as it may be stored: useless without the key-encryption key of that id."""

    kek_id: str
    wrapped: bytes


class DataKey:
    """The data key of one message or arrival: encrypts its fields and derives its objects' key."""

    __slots__ = ("_fields", "_object")

    def __init__(self, secret: bytes) -> None:
        self._fields = AESGCM(_subkey(secret, b"inbox/1 field"))
        self._object = _subkey(secret, b"inbox/1 object")

    def __repr__(self) -> str:
        return "<DataKey>"

    def __reduce__(self) -> str:
        raise TypeError("a data key is never written anywhere")

    def seal(self, plaintext: bytes, *, table: str, column: str, row: str) -> bytes:
        """Encrypt a field: version byte, random nonce, ciphertext and tag (AES-256-GCM).

        Each call gives another value.

        It opens only in the same table, column and row: moved elsewhere it is damage.
        """
        nonce = os.urandom(_NONCE_BYTES)
        place = _length_prefixed(_SEALED_V1, table.encode(), column.encode(), row.encode())
        return _SEALED_V1 + nonce + self._fields.encrypt(nonce, plaintext, place)

    def unseal(self, sealed: bytes, *, table: str, column: str, row: str) -> bytes:
        """Decrypt a field.

        Raises `IntegrityError` if it was changed, or belongs to another place or another key.
        """
        if sealed[:1] != _SEALED_V1:
            raise IntegrityError("keys.sealed_version", f"{table}.{column}")
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        place = _length_prefixed(_SEALED_V1, table.encode(), column.encode(), row.encode())
        try:
            return self._fields.decrypt(nonce, ciphertext, place)
        except (InvalidTag, ValueError) as error:
            raise IntegrityError("keys.unseal", f"{table}.{column}") from error

    def object_key(self) -> bytes:
        """The 32 bytes that the vault encrypts this key's objects with; never the field key."""
        return self._object


class Keyring:
    """The keys of one organisation, read once at start.

    A key-encryption key that was put into the folder later is read when something is wrapped by it:
    a process that runs while keys are rotated opens what was wrapped anew. The active one stays
    what it was at the start.
    """

    def __init__(
        self,
        *,
        keks: Mapping[str, bytes],
        active: str,
        lookup: bytes,
        audit_seed: bytes,
        folder: Path | None = None,
    ) -> None:
        if active not in keks:
            raise ConfigurationError("keys.no_active", f"there is no kek-{active}.key")
        for key in (*keks.values(), lookup, audit_seed):
            if len(key) != KEY_BYTES:
                raise ConfigurationError("keys.length", f"every key is {KEY_BYTES} bytes")
        self._keks = dict(keks)
        self._folder = folder
        self._lookup = lookup
        self._audit_seed = audit_seed
        self._rows = _subkey(lookup, b"inbox/1 rows")
        self.active = active
        """The id of the key-encryption key that wraps what is new."""

    def __repr__(self) -> str:
        return f"<Keyring active={self.active}>"

    def __reduce__(self) -> str:
        raise TypeError("a keyring is never written anywhere")

    @classmethod
    def load(cls, folder: Path) -> "Keyring":
        """Read the key folder. Raises `ConfigurationError`, which says what to do."""
        names = _key_file_names(folder)
        active = _read_private_file(folder / "active").strip()
        keks = {name[4:-4]: _read_key(folder / name) for name in names if name.startswith("kek-")}
        for kek_id in keks:
            if _KEK_ID.fullmatch(kek_id) is None:
                raise ConfigurationError("keys.name", "a key's id is of a-z, 0-9 and hyphens")
        if _KEK_ID.fullmatch(active) is None:
            raise ConfigurationError("keys.no_active", "the file active holds one id of a key")
        lookup, audit = _read_key(folder / "lookup.key"), _read_key(folder / "audit.key")
        return cls(keks=keks, active=active, lookup=lookup, audit_seed=audit, folder=folder)

    def kek_ids(self) -> frozenset[str]:
        """The ids of all key-encryption keys at hand, the active one among them."""
        return frozenset(self._keks)

    def new_data_key(self) -> tuple[DataKey, WrappedDataKey]:
        """A new random data key, and its wrapped form, which must be stored to recover it."""
        secret = os.urandom(KEY_BYTES)
        return DataKey(secret), self._wrap(secret)

    def unwrap(self, wrapped: WrappedDataKey) -> DataKey:
        """Recover a data key from its wrapped form.

        Raises:
            ConfigurationError: its key-encryption key is not at hand (`keys.unknown_kek`).
            IntegrityError: it was not wrapped by the key of that id, or it was changed.
        """
        return DataKey(self._unwrap_secret(wrapped))

    def rewrap(self, wrapped: WrappedDataKey) -> WrappedDataKey:
        """The same data key under the active key. Safe to repeat; raises as `unwrap` does."""
        return self._wrap(self._unwrap_secret(wrapped))

    def lookup_hash(self, kind: str, value: str) -> bytes:
        """A keyed hash (HMAC-SHA-256) by which a value can be found again without being stored.

        Equal for equal text only: the caller brings the value into one form first.
        """
        text = value.encode(errors="surrogatepass")
        return hmac.digest(self._lookup, _length_prefixed(kind.encode(), text), hashlib.sha256)

    def row_key(self) -> bytes:
        """The key by which audit entries vouch for rows; it stays, as the lookup key does."""
        return self._rows

    def signer(self) -> Ed25519PrivateKey:
        """The key that signs the checkpoints of the audit."""
        return Ed25519PrivateKey.from_private_bytes(self._audit_seed)

    def proof(self) -> bytes:
        """A value to store with the data, so that `matches_proof` knows whether keys can open it.

        Take a new one after every change of the active key, before the old key goes away.
        """
        data_key, wrapped = self.new_data_key()
        sealed = data_key.seal(self._proof_text(), table="proof", column="keys", row=wrapped.kek_id)
        parts = {"kek": wrapped.kek_id, "wrapped": wrapped.wrapped.hex(), "sealed": sealed.hex()}
        return json.dumps(parts, sort_keys=True).encode()

    def matches_proof(self, proof: bytes) -> bool:
        """Whether `proof` was made with these keys, the lookup and audit keys included."""
        try:
            parts = json.loads(proof)
            kek_id, wrapped = str(parts["kek"]), bytes.fromhex(parts["wrapped"])
            data_key = self.unwrap(WrappedDataKey(kek_id=kek_id, wrapped=wrapped))
            sealed = bytes.fromhex(parts["sealed"])
            text = data_key.unseal(sealed, table="proof", column="keys", row=kek_id)
        except (ValueError, KeyError, TypeError, ConfigurationError, IntegrityError):
            return False
        return hmac.compare_digest(text, self._proof_text())

    def _proof_text(self) -> bytes:
        public = self.signer().public_key().public_bytes_raw()
        return _length_prefixed(_PROOF_TEXT, self.lookup_hash("proof", "proof"), public)

    def _added_later(self, kek_id: str) -> bytes | None:
        """The key of that id, if it has come into the folder since the start."""
        if self._folder is None or _KEK_ID.fullmatch(kek_id) is None:
            return None
        try:
            _key_file_names(self._folder)
            kek = _read_key(self._folder / f"kek-{kek_id}.key")
        except ConfigurationError:
            return None
        self._keks[kek_id] = kek
        return kek

    def _wrap(self, secret: bytes) -> WrappedDataKey:
        wrapped = keywrap.aes_key_wrap_with_padding(self._keks[self.active], secret)
        return WrappedDataKey(kek_id=self.active, wrapped=wrapped)

    def _unwrap_secret(self, wrapped: WrappedDataKey) -> bytes:
        kek = self._keks.get(wrapped.kek_id) or self._added_later(wrapped.kek_id)
        if kek is None:
            raise ConfigurationError("keys.unknown_kek", f"kek-{wrapped.kek_id}.key is not here")
        try:
            secret = keywrap.aes_key_unwrap_with_padding(kek, wrapped.wrapped)
        except (keywrap.InvalidUnwrap, ValueError) as error:
            raise IntegrityError("keys.unwrap", f"by kek-{wrapped.kek_id}.key") from error
        if len(secret) != KEY_BYTES:
            raise IntegrityError("keys.unwrap", "a data key of another length")
        return secret


def proof_kek_id(proof: bytes) -> str | None:
    """The id of the key-encryption key that a proof was made with; None if it is damaged."""
    try:
        return str(json.loads(proof)["kek"])
    except (ValueError, KeyError, TypeError):
        return None


def create_keys(folder: Path, now: datetime) -> str:
    """Create a new key folder, synced to disk; returns the id of its key-encryption key.

    Never overwrites: `Conflict` (`keys.exist`) if the folder holds a file of that kind. After a
    crash half-way, empty the folder and begin again: no data can be under these keys yet.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sync_folder(folder.parent)
    if _key_file_names(folder) or (folder / "active").exists():
        raise Conflict("keys.exist", "the key folder is not empty, and keys are never overwritten")
    for name in ("lookup.key", "audit.key"):
        _write_new(folder / name, _new_key_line())
    return add_key(folder, now)


def add_key(folder: Path, now: datetime) -> str:
    """Add a key-encryption key and make it the active one; returns its id. Old keys stay.

    The name `active` changes in one step after the key is synced to disk. A running process goes
    on wrapping with the key that was active when it started.
    """
    kek_id = f"{day_of(now):%Y%m%d}-{secrets.token_hex(3)}"
    _write_new(folder / f"kek-{kek_id}.key", _new_key_line())
    _sync_folder(folder)
    fresh = folder / f"active.{kek_id}"
    _write_new(fresh, f"{kek_id}\n")
    fresh.replace(folder / "active")
    _sync_folder(folder)
    return kek_id


def _subkey(secret: bytes, label: bytes) -> bytes:
    return HKDFExpand(hashes.SHA256(), KEY_BYTES, label).derive(secret)


def _length_prefixed(*parts: bytes) -> bytes:
    """Each part behind its length: no two lists of parts give the same bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _new_key_line() -> str:
    return base64.b64encode(os.urandom(KEY_BYTES)).decode() + "\n"


def _key_file_names(folder: Path) -> list[str]:
    """The names of the key files; refuses a folder in which others could exchange them."""
    try:
        if folder.stat().st_mode & 0o022:
            raise ConfigurationError("keys.folder", "others can write in it: chmod 700 the folder")
        return sorted(path.name for path in folder.iterdir() if path.suffix == ".key")
    except FileNotFoundError as error:
        raise NotThereYet("keys.folder", "the key folder is not there") from error
    except OSError as error:
        raise ConfigurationError("keys.folder", "the key folder cannot be read") from error


def _read_private_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS_MODE_BITS:
                raise ConfigurationError(
                    "keys.readable", f"{path.name} is open to others: chmod 600 it"
                )
            return file.read(1024).decode("ascii")
    except FileNotFoundError as error:
        raise NotThereYet("keys.missing", f"{path.name} is not in the folder") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("keys.unreadable", f"{path.name} cannot be read") from error


def _read_key(path: Path) -> bytes:
    try:
        key = base64.b64decode(_read_private_file(path).strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigurationError("keys.shape", f"{path.name} is not base64") from error
    if len(key) != KEY_BYTES:
        raise ConfigurationError("keys.length", f"{path.name} must hold {KEY_BYTES} bytes")
    return key


def _write_new(path: Path, line: str) -> None:
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(line)
        file.flush()
        os.fsync(fd)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_DIRECTORY | os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
