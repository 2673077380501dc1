"""Versions of policies and rule books, as they were proposed.

Their files are stored complete and never change.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sqlmodel import Session, col, select

from inbox.domain import new_id
from inbox.errors import PolicyError
from inbox.store import Transaction
from inbox.tables import ActivePolicy, PolicyVersion

FilesByName = Mapping[str, bytes]
"""The files of a version by their names in the policy folder."""


class DigestRule(IntEnum):
    """By which rule the digest of a version was computed; each version carries the number."""

    DECIDING_FILES = 1
    """Over the files that decide: two versions whose invariants or cases differ share it."""
    EVERY_FILE = 2
    """Over every file of the version. Whatever is new is computed by this one."""


NEWEST_DIGEST_RULE: Final = DigestRule.EVERY_FILE


@dataclass(frozen=True, kw_only=True)
class FilesOfVersion:
    """The files of a version, and the rule by which its digest was computed."""

    files: FilesByName
    digest_rule: DigestRule = NEWEST_DIGEST_RULE


def digest_over(files: FilesByName, *names: str) -> str:
    """SHA-256 over names and bytes, sorted by name, each preceded by its length in eight bytes.

    Over every file, if no names are given.
    """
    digest = hashlib.sha256()
    for name in sorted(names or files):
        for part in (name.encode(), files[name]):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def files_of(version: PolicyVersion) -> FilesOfVersion:
    """The files of a stored version. Raises `PolicyError` if they cannot be decoded."""
    return FilesOfVersion(
        files=unpack_files(version.files), digest_rule=read_digest_rule(version.digest_rule)
    )


def read_digest_rule(number: int) -> DigestRule:
    """The rule with this number. Raises `PolicyError` if this program does not know it."""
    try:
        return DigestRule(number)
    except ValueError as error:
        raise PolicyError("policy.digest_rule", "its digest is of a rule not known here") from error


def pack_files(files: FilesByName) -> bytes:
    """Encode the files for storage. All of them are UTF-8: the strict readers took them."""
    return json.dumps(
        {name: raw.decode("utf-8") for name, raw in files.items()}, sort_keys=True
    ).encode("ascii")


def unpack_files(raw: bytes) -> FilesByName:
    """Decode stored files, byte for byte. Raises `PolicyError` if `pack_files` did not write it."""
    try:
        kept = json.loads(raw)
        return {name: text.encode("utf-8") for name, text in kept.items()}
    except (ValueError, AttributeError) as error:
        raise PolicyError("policy.damaged", "the files of a version are not as kept") from error


def is_active(session: Session, kind: str, files: FilesByName) -> bool:
    """Whether exactly these files, every one of them, are those of what is named as active."""
    version = active_version(session, kind)
    if version is None:
        return False
    named = session.get_one(ActivePolicy, kind)
    return version.digest == named.digest and version.files == pack_files(files)


def active_version(session: Session, kind: str) -> PolicyVersion | None:
    """The version that is active now; None if there is none, or if its files were not stored."""
    return session.exec(
        select(PolicyVersion)
        .join(ActivePolicy, col(ActivePolicy.version) == col(PolicyVersion.id))
        .where(col(ActivePolicy.kind) == kind)
    ).one_or_none()


def history(session: Session, kind: str) -> tuple[PolicyVersion, ...]:
    """Every version that was ever proposed, newest first."""
    return tuple(
        session.exec(
            select(PolicyVersion)
            .where(col(PolicyVersion.kind) == kind)
            .order_by(col(PolicyVersion.proposed_at).desc(), col(PolicyVersion.id))
        )
    )


def activate(
    tx: Transaction,
    digest: str,
    approved_by: str | None,
    *,
    kind: str,
    version: str | None = None,
) -> None:
    """Make a version the active one, in the caller's transaction; safe to repeat.

    `approved_by` is the id of the person who approved it. Without a version that has its files
    nobody can load it: everything is denied.
    """
    row = tx.get(ActivePolicy, kind)
    if row is None:
        row = ActivePolicy(kind=kind, digest=digest, active_from=tx.now)
    row.digest, row.version, row.approved_by, row.active_from = digest, version, approved_by, tx.now
    tx.add(row)
    tx.flush()


def keep_first_version(  # noqa: PLR0913 - what is kept, and by whom
    tx: Transaction,
    *,
    kind: str,
    digest: str,
    files: FilesByName,
    proposed_by: str,
    approved_by: str,
    digest_rule: DigestRule = NEWEST_DIGEST_RULE,
) -> None:
    """Store the first version, which two people set up together, and make it the active one."""
    version = PolicyVersion(
        id=new_id(),
        kind=kind,
        digest=digest,
        digest_rule=digest_rule,
        files=pack_files(files),
        proposed_by=proposed_by,
        proposed_at=tx.now,
        approved_by=approved_by,
        approved_at=tx.now,
        activated_by=approved_by,
        activated_at=tx.now,
    )
    tx.add(version)
    tx.flush()
    activate(tx, digest, approved_by, kind=kind, version=version.id)
