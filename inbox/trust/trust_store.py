"""The current trust: the certificates in the folder, and the fetched revocation lists."""

import hashlib
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from threading import Lock

from sqlmodel import Session

from inbox.errors import ConfigurationError, Unavailable
from inbox.package.inputs import Trust
from inbox.trust.crl_store import FetchedListCache
from inbox.trust.trust_folder import FolderFingerprint, fingerprint_of, read_trust_folder


class TrustStore:
    """Reads the trust folder again when it has changed; without a folder nobody is trusted.

    `without_lists` are the SHA-256 digests, in hexadecimal, of certificates in the folder whose
    authorities publish no revocation list.
    """

    def __init__(self, folder: Path | None, *, without_lists: Collection[str] = ()) -> None:
        self._folder = folder
        self._without_lists = frozenset(without_lists)
        self._lock = Lock()
        self._read: tuple[FolderFingerprint, Trust] = ((), Trust())
        self._fetched = FetchedListCache()

    def current(self) -> Trust:
        """The trust that is in the folder now.

        Raises `ConfigurationError` for a file that cannot be read, and `Unavailable` where the
        folder is not there: an authority that it would name must not be called unknown for that.
        """
        if self._folder is None:
            return Trust()
        try:
            if not self._folder.is_dir():
                raise Unavailable("trust.folder", "the trust folder is not there")
            stamp = fingerprint_of(self._folder)
            with self._lock:
                if stamp != self._read[0]:
                    self._read = (stamp, self._excused(read_trust_folder(self._folder)))
                return self._read[1]
        except OSError as error:
            raise Unavailable("trust.folder", type(error).__name__) from error

    def _excused(self, trust: Trust) -> Trust:
        """The trust that knows who need have no list. Raises `ConfigurationError`."""
        by_digest = {
            hashlib.sha256(der).hexdigest(): der for der in (*trust.anchors, *trust.intermediates)
        }
        if unknown := sorted(self._without_lists - by_digest.keys()):
            raise ConfigurationError(
                "trust.without_lists",
                f"revocation.without_lists names {unknown[0][:12]}…, and no certificate in the"
                " trust folder has that SHA-256 digest",
            )
        return replace(trust, without_lists=frozenset(by_digest[e] for e in self._without_lists))

    def current_trust(self, session: Session) -> Trust:
        """The trust in the folder together with the fetched lists. Raises as `current`."""
        trust = self.current()
        return replace(trust, lists=(*trust.lists, *self._fetched.current(session)))
