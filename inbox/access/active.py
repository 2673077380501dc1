"""The policy that may decide now: the one that the database names, or nobody may do anything.

A process that cannot have that policy denies everything; it never goes on with another.
"""

from datetime import datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlmodel import col

from inbox.access.folder import load_folder
from inbox.access.policy import Policy
from inbox.errors import PolicyError
from inbox.tables import ActivePolicy

KIND: Final = "access"
NO_DIGEST: Final = ""
"""What stands for the digest where the database names none."""


class ActivePolicies:
    """The access policy of one process. Threads may share it: it is swapped, never changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._policy = Policy.nobody(NO_DIGEST)
        self._failed: tuple[str, object] | None = None
        self.problem: PolicyError | None = None
        """Why the folder could not be used when it was last tried, for `doctor` and the status."""

    def current(self, session: Session) -> Policy:
        """The policy that the database names in the caller's transaction, loaded if it is another.

        The folder is tried again for the same digest only once its files have changed.
        """
        digest = session.execute(
            sa.select(col(ActivePolicy.digest)).where(col(ActivePolicy.kind) == KIND)
        ).scalar_one_or_none()
        if digest is None:
            return Policy.nobody(NO_DIGEST)
        policy = self._policy
        if policy.digest == digest:
            return policy
        return self._load(digest)

    def _load(self, digest: str) -> Policy:
        attempt = (digest, self._fingerprint())
        if attempt == self._failed:
            return Policy.nobody(digest)
        try:
            loaded = load_folder(self._folder)
        except PolicyError as error:
            self.problem = error
        else:
            if loaded.digest == digest:
                self._policy, self._failed, self.problem = loaded, None, None
                return loaded
            self.problem = PolicyError("policy.not_active", "the folder is not the active policy")
        self._failed = attempt
        return Policy.nobody(digest)

    def _fingerprint(self) -> tuple[tuple[str, int, int], ...]:
        """Names, times and sizes of what is in the folder; empty if it cannot be looked at."""
        try:
            entries = [entry for entry in self._folder.rglob("*") if entry.is_file()]
            looks = [(entry, entry.stat()) for entry in entries]
        except OSError:
            return ()
        return tuple(sorted((e.as_posix(), s.st_mtime_ns, s.st_size) for e, s in looks))


def activate(session: Session, now: datetime, digest: str, approved_by: str | None) -> None:
    """Name the policy that decides from now on, in the caller's transaction; safe to repeat.

    `approved_by` is the id of the person who approved it, None at the very beginning.
    """
    row = session.get(ActivePolicy, KIND)
    if row is None:
        row = ActivePolicy(kind=KIND, digest=digest, active_from=now)
    row.digest, row.approved_by, row.active_from = digest, approved_by, now
    session.add(row)
    session.flush()
