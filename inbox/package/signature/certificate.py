"""Certificates re-encoded exactly as received: a signature is valid for those bytes only."""

from typing import Final

from asn1crypto import core, parser, x509

MAX_CERTIFICATE_BYTES: Final = 32 * 1024
"""No genuine certificate is so large; asn1crypto reads a hostile one in the square of its size."""


def received_bytes(value: core.Asn1Value) -> bytes:
    """The bytes of a parsed value as they were received, with the length in DER.

    asn1crypto 1.5 takes any length whose last byte is 80 for an endless one, and its `dump` writes
    what has it anew: one certificate in 256, in a spelling that nobody may have signed.
    """
    received: bytes = parser.emit(value.class_, value.method, value.tag, value.contents)
    return received


class _TbsCertificate(x509.TbsCertificate):  # type: ignore[misc] # the library has no types
    def dump(self, force: bool = False) -> bytes:  # noqa: FBT001, FBT002 - the library's own form
        del force
        return received_bytes(self)


class Certificate(x509.Certificate):  # type: ignore[misc] # the library has no types
    """A certificate that is encoded, and whose signature is verified, exactly as received."""

    _fields = [("tbs_certificate", _TbsCertificate), *x509.Certificate._fields[1:]]  # noqa: RUF012

    def dump(self, force: bool = False) -> bytes:  # noqa: FBT001, FBT002 - the library's own form
        """The bytes that were loaded."""
        del force
        return received_bytes(self)


def load_certificate(der: bytes) -> Certificate:
    """Parse a certificate with its extensions; raises the errors in `cms.MALFORMED_ASN1_ERRORS`."""
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise ValueError("the certificate is too large")
    certificate: Certificate = Certificate.load(der, strict=True)
    _ = certificate["tbs_certificate"]["extensions"].native
    return certificate
