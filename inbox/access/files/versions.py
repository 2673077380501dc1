"""Versions of policies and rule books, as they were proposed.

Their files are stored complete and never change.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session, col, select

from inbox.domain import new_id
from inbox.errors import PolicyError
from inbox.tables import ActivePolicy, PolicyVersion

FilesByName = Mapping[str, bytes]
"""The files of a version by their names in the policy folder."""


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
    session: Session,
    now: datetime,
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
    row = session.get(ActivePolicy, kind)
    if row is None:
        row = ActivePolicy(kind=kind, digest=digest, active_from=now)
    row.digest, row.version, row.approved_by, row.active_from = digest, version, approved_by, now
    session.add(row)
    session.flush()


def keep_first_version(  # noqa: PLR0913 - what is kept, and by whom
    session: Session,
    now: datetime,
    *,
    kind: str,
    digest: str,
    files: FilesByName,
    proposed_by: str,
    approved_by: str,
) -> None:
    """Store the first version, which two people set up together, and make it the active one."""
    version = PolicyVersion(
        id=new_id(),
        kind=kind,
        digest=digest,
        files=pack_files(files),
        proposed_by=proposed_by,
        proposed_at=now,
        approved_by=approved_by,
        approved_at=now,
        activated_by=approved_by,
        activated_at=now,
    )
    session.add(version)
    session.flush()
    activate(session, now, digest, approved_by, kind=kind, version=version.id)
