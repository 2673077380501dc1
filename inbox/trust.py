"""Whose signatures are believed: anchors, intermediates and revocation lists from a folder.

`*.pem` are anchors, `*.intermediate.pem` lie between an anchor and a sender, `*.crl` are
revocation lists (DER or PEM). The folder is read again when a file in it has changed.
"""

from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from inbox.errors import ConfigurationError
from inbox.package.revocation import read_revocation_list
from inbox.package.terms import RevocationList, Trust

_Stamp = tuple[tuple[str, int, int], ...]


class TrustFolder:
    """Reads the folder when it has changed; without a folder nobody is believed."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock = Lock()
        self._read: tuple[_Stamp, Trust] = ((), Trust())

    def current(self) -> Trust:
        """What is believed now. Raises `ConfigurationError` for a file that cannot be read."""
        stamp = self._stamp()
        with self._lock:
            if stamp != self._read[0]:
                self._read = (stamp, self._load())
            return self._read[1]

    def _stamp(self) -> _Stamp:
        if self._folder is None:
            return ()
        found = sorted([*self._folder.glob("*.pem"), *self._folder.glob("*.crl")])
        return tuple((f.name, (s := f.stat()).st_mtime_ns, s.st_size) for f in found)

    def _load(self) -> Trust:
        assert self._folder is not None
        anchors: list[bytes] = []
        intermediates: list[bytes] = []
        for path in sorted(self._folder.glob("*.pem")):
            between = path.name.endswith(".intermediate.pem")
            (intermediates if between else anchors).extend(_certificates(path))
        lists = tuple(_revocation_list(path) for path in sorted(self._folder.glob("*.crl")))
        return Trust(anchors=tuple(anchors), intermediates=tuple(intermediates), lists=lists)


def _certificates(path: Path) -> list[bytes]:
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError as error:
        raise ConfigurationError(
            "trust.certificate", f"{path.name} holds no PEM certificate"
        ) from error
    return [certificate.public_bytes(Encoding.DER) for certificate in found]


def _revocation_list(path: Path) -> RevocationList:
    raw = path.read_bytes()
    fetched_at = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
    try:
        if raw.lstrip().startswith(b"-----BEGIN"):
            raw = x509.load_pem_x509_crl(raw).public_bytes(Encoding.DER)
        return read_revocation_list(raw, fetched_at=fetched_at)
    except ValueError as error:
        raise ConfigurationError("trust.list", f"{path.name} is no revocation list") from error
