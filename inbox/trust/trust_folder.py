"""Reads the trust folder of an operator: anchors, intermediates and revocation lists.

`*.pem` are anchors, `*.intermediate.pem` lie between an anchor and a sender, `*.crl` are
revocation lists (DER or PEM).
"""

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from inbox.errors import ConfigurationError
from inbox.package.inputs import RevocationList, Trust
from inbox.package.signature.revocation import read_revocation_list

FolderFingerprint = tuple[tuple[str, int, int], ...]
"""Names, times and sizes: another one means that something has changed."""


def fingerprint_of(folder: Path) -> FolderFingerprint:
    """A fingerprint of the folder, computed without reading its files."""
    found = sorted([*folder.glob("*.pem"), *folder.glob("*.crl")])
    return tuple((f.name, (s := f.stat()).st_mtime_ns, s.st_size) for f in found)


def read_trust_folder(folder: Path) -> Trust:
    """Read all certificates and lists in the folder.

    Raises `ConfigurationError` for a file that cannot be read.
    """
    anchors: list[bytes] = []
    intermediates: list[bytes] = []
    for path in sorted(folder.glob("*.pem")):
        between = path.name.endswith(".intermediate.pem")
        (intermediates if between else anchors).extend(_read_certificates(path))
    lists = tuple(_read_list_file(path) for path in sorted(folder.glob("*.crl")))
    return Trust(anchors=tuple(anchors), intermediates=tuple(intermediates), lists=lists)


def read_pem_or_der_list(raw: bytes, *, fetched_at: datetime) -> RevocationList:
    """Parse a revocation list in DER or PEM.

    Raises `ValueError` or `ConfigurationError` if it is neither.
    """
    if raw.lstrip().startswith(b"-----BEGIN"):
        raw = x509.load_pem_x509_crl(raw).public_bytes(Encoding.DER)
    return read_revocation_list(raw, fetched_at=fetched_at)


def _read_certificates(path: Path) -> list[bytes]:
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError as error:
        raise ConfigurationError(
            "trust.certificate", f"{path.name} holds no PEM certificate"
        ) from error
    return [certificate.public_bytes(Encoding.DER) for certificate in found]


def _read_list_file(path: Path) -> RevocationList:
    fetched_at = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
    try:
        return read_pem_or_der_list(path.read_bytes(), fetched_at=fetched_at)
    except (ValueError, ConfigurationError) as error:
        raise ConfigurationError("trust.list", f"{path.name} is no revocation list") from error
