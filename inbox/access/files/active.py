"""Loads the rules that are active now: exactly those that the database names, or none.

The database also has their files: a process that cannot read them denies everything, and never
goes on with others. The policy folder is where they are written, and decides nothing.
"""

from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Final, Generic, Protocol, TypeVar

import sqlalchemy as sa
from sqlmodel import Session, col

from inbox.access.files import versions
from inbox.access.files.folder import digest_of, read_policy_version
from inbox.access.files.versions import FilesByName, FilesOfVersion
from inbox.access.policy.engine import Policy
from inbox.access.policy.names import Vocabulary
from inbox.errors import PolicyError
from inbox.store import Transaction
from inbox.tables import ActivePolicy, PolicyVersion

POLICY_KIND: Final = "policy"
_PRELOADED: Final = "preloaded"
"""What stands for the version of rules that a process was given when it began."""
_NO_DIGEST: Final = ""
"""What stands for the digest where the database names none."""


class _HasDigest(Protocol):
    @property
    def digest(self) -> str:
        """The digest of the files that decide."""


R = TypeVar("R", bound=_HasDigest)


class ActiveRules(Generic[R]):
    """The active rules of one kind, as this process has loaded them.

    Threads may share it: it is swapped, never changed.

    `at_hand` is used only if it is what the database names.
    """

    def __init__(
        self, kind: str, read: Callable[[FilesOfVersion], R], preloaded: R | None = None
    ) -> None:
        self._read = read
        # Built once: it is asked in every transaction, and building takes longer than asking.
        self._select_active = sa.select(col(ActivePolicy.digest), col(ActivePolicy.version)).where(
            col(ActivePolicy.kind) == kind
        )
        self._loaded: tuple[R | None, str | None] = preloaded, _PRELOADED
        self._failed: tuple[str, str | None] | None = None
        self._loading = Lock()
        self.problem: PolicyError | None = None
        """Why what is named could not be used when it was last tried."""

    def current(self, session: Session) -> tuple[str, R | None]:
        """The digest that the database names in the caller's transaction, and its rules.

        The rules are None if they cannot be loaded.

        Read again only when another is named. A caller that comes while it is being read waits:
        what decided before must not decide now.
        """
        row = session.execute(self._select_active).one_or_none()
        if row is None:
            return _NO_DIGEST, None
        digest, version = row
        return digest, self.named(session, digest, version)

    def named(self, session: Session, digest: str, version: str | None) -> R | None:
        """The rules that the database names so, for who has read that in this transaction."""
        if (loaded := self._loaded_as(digest, version)) is not None:
            self.problem = None
            return loaded
        with self._loading:
            return self._load(session, digest, version)

    def _load(self, session: Session, digest: str, version: str | None) -> R | None:
        if (loaded := self._loaded_as(digest, version)) is not None:
            return loaded
        if self._failed == (digest, version):
            return None
        try:
            loaded = self._read_version(session, digest, version)
        except PolicyError as error:
            self.problem, self._failed = error, (digest, version)
            return None
        # One assignment: who reads it without the lock never has one without the other.
        self._loaded, self._failed, self.problem = (loaded, version), None, None
        return loaded

    def _loaded_as(self, digest: str, version: str | None) -> R | None:
        """What is loaded, if it is this version; versions of before may share their digest."""
        loaded, loaded_version = self._loaded
        if loaded is None or loaded.digest != digest:
            return None
        return loaded if loaded_version in {version, _PRELOADED} else None

    def _read_version(self, session: Session, digest: str, version: str | None) -> R:
        kept = session.execute(
            sa.select(col(PolicyVersion.files), col(PolicyVersion.digest_rule)).where(
                col(PolicyVersion.id) == version
            )
        ).one_or_none()
        if kept is None:
            raise PolicyError("policy.not_kept", "the files of what is active are not kept")
        files, digest_rule = kept
        loaded = self._read(
            FilesOfVersion(
                files=versions.unpack_files(files),
                digest_rule=versions.read_digest_rule(digest_rule),
            )
        )
        if loaded.digest != digest:
            raise PolicyError("policy.not_active", "the files that are kept are not what is active")
        return loaded


class ActivePolicies:
    """The active access policy of one process."""

    def __init__(
        self, preloaded: Policy | None = None, vocabulary: Vocabulary | None = None
    ) -> None:
        read = partial(read_policy_version, vocabulary=vocabulary)
        self._active = ActiveRules(POLICY_KIND, read, preloaded)

    def current(self, session: Session) -> Policy:
        """The policy that the database names in the caller's transaction.

        If that policy cannot be loaded, the result is a policy that denies everything.
        """
        digest, policy = self._active.current(session)
        return Policy.deny_all(digest) if policy is None else policy

    @property
    def problem(self) -> PolicyError | None:
        """Why the named policy could not be loaded at the last attempt."""
        return self._active.problem


def is_active_policy(session: Session, files: FilesByName) -> bool:
    """Whether these are the files of the active policy, all of them, and their digest is its own.

    What has been altered behind the program's back is never called active: it decides nothing.
    """
    if not versions.is_active(session, POLICY_KIND, files):
        return False
    named = session.get_one(ActivePolicy, POLICY_KIND)
    version = session.get_one(PolicyVersion, named.version)
    try:
        digest = digest_of(files, versions.read_digest_rule(version.digest_rule))
    except PolicyError:
        return False
    return digest == named.digest


def activate_policy(tx: Transaction, digest: str, approved_by: str | None) -> None:
    """Make a policy the active one; see `versions.activate`."""
    versions.activate(tx, digest, approved_by, kind=POLICY_KIND)
