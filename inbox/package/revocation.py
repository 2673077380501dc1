"""Is a certificate revoked, by the complete lists that were fetched? (RFC 5280 §6.3)."""

from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from inbox.errors import ConfigurationError
from inbox.package.terms import RevocationList, Trust

_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
_STRONG = frozenset({"sha256", "sha384", "sha512"})


class Standing(StrEnum):
    """What the lists say about one certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


def read_revocation_list(der: bytes, *, fetched_at: datetime) -> RevocationList:
    """The list with its own times; raises `ConfigurationError` if it is none.

    Its signature is not checked here: only the issuer's certificate can, when it is used.
    """
    try:
        parsed = x509.load_der_x509_crl(der)
        return RevocationList(
            der=der,
            fetched_at=fetched_at,
            this_update=parsed.last_update_utc,
            next_update=parsed.next_update_utc,
        )
    except ValueError as error:
        raise ConfigurationError("trust.revocation_list", "not a revocation list") from error


def standing_of(certificate: bytes, issuer: bytes, trust: Trust, now: datetime) -> Standing:
    """Revoked if any list of the issuer's says so, however old; good if a fresh one does not."""
    try:
        subject = x509.load_der_x509_certificate(certificate)
        authority = x509.load_der_x509_certificate(issuer)
        standing = Standing.UNKNOWN
        for each in trust.lists:
            parsed = x509.load_der_x509_crl(each.der)
            if not _speaks_of(parsed, subject, authority):
                continue
            if parsed.get_revoked_certificate_by_serial_number(subject.serial_number) is not None:
                return Standing.REVOKED
            if each.this_update <= now and not each.stale(now, trust.stale_after):
                standing = Standing.GOOD
    except _UNREADABLE:
        return Standing.UNKNOWN
    return standing


def _speaks_of(
    parsed: x509.CertificateRevocationList, subject: x509.Certificate, authority: x509.Certificate
) -> bool:
    """Whether the list is the issuer's own, rightly signed, and complete for this certificate."""
    if parsed.issuer != authority.subject or subject.issuer != authority.subject:
        return False
    digest = parsed.signature_hash_algorithm
    key = authority.public_key()
    if digest is None or digest.name not in _STRONG or not _may_sign_lists(authority):
        return False
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey):
        return False
    return parsed.is_signature_valid(key) and all(
        _is_complete(extension.value, subject)
        for extension in parsed.extensions
        if extension.critical or isinstance(extension.value, x509.IssuingDistributionPoint)
    )


def _may_sign_lists(authority: x509.Certificate) -> bool:
    try:
        return authority.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True


def _is_complete(extension: x509.ExtensionType, subject: x509.Certificate) -> bool:
    """Whether a list that says this about itself still says all there is about the certificate."""
    if isinstance(extension, x509.CRLNumber | x509.AuthorityKeyIdentifier):
        return True
    if not isinstance(extension, x509.IssuingDistributionPoint):
        return False
    partial = (
        extension.indirect_crl
        or extension.only_contains_attribute_certs
        or extension.only_some_reasons
        or extension.relative_name
        or (extension.only_contains_ca_certs and not _is_authority(subject))
        or (extension.only_contains_user_certs and _is_authority(subject))
    )
    names = set(extension.full_name or ())
    return not partial and (not names or bool(names & _points_of(subject)))


def _is_authority(subject: x509.Certificate) -> bool:
    try:
        return subject.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _points_of(subject: x509.Certificate) -> set[x509.GeneralName]:
    """Where the certificate says that its list is published."""
    try:
        points = subject.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return set()
    return {name for point in points for name in point.full_name or ()}
