"""The current trust: the certificates in the folder, and the fetched revocation lists."""

from dataclasses import replace
from pathlib import Path
from threading import Lock

from sqlmodel import Session

from inbox.errors import Unavailable
from inbox.package.inputs import Trust
from inbox.trust.crl_store import FetchedListCache
from inbox.trust.trust_folder import FolderFingerprint, fingerprint_of, read_trust_folder


class TrustStore:
    """Reads the trust folder again when it has changed; without a folder nobody is trusted."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock = Lock()
        self._read: tuple[FolderFingerprint, Trust] = ((), Trust())
        self._fetched = FetchedListCache()

    def current(self) -> Trust:
        """The trust that is in the folder now.

        Raises `ConfigurationError` for a file that cannot be read, and `Unavailable` where the
        folder is not there: whoever it would name is not to be called unknown for that.
        """
        if self._folder is None:
            return Trust()
        try:
            if not self._folder.is_dir():
                raise Unavailable("trust.folder", "the trust folder is not there")
            stamp = fingerprint_of(self._folder)
            with self._lock:
                if stamp != self._read[0]:
                    self._read = (stamp, read_trust_folder(self._folder))
                return self._read[1]
        except OSError as error:
            raise Unavailable("trust.folder", type(error).__name__) from error

    def current_trust(self, session: Session) -> Trust:
        """The trust in the folder together with the fetched lists. Raises as `current`."""
        trust = self.current()
        return replace(trust, lists=(*trust.lists, *self._fetched.current(session)))
