"""The revocation status of a certificate, by complete lists fetched earlier (RFC 5280 §6.3).

The problem: a signer's certificate is good only as long as its issuer has not revoked it, and only
the issuer's certificate revocation list (CRL) says so. A list may be old, partial, forged, another
issuer's, or missing.

The method: CRL processing of RFC 5280 §6.3.3, for complete lists that are at hand. It is asymmetric
on purpose. For "revoked", any list that the issuer signed is enough, however old and however small
its scope; for "good", the list must be fresh and complete for this certificate (decision 0014).

An example, the signer's certificate with serial number 7, issued by the authority B:

    list that is at hand                          what it says    the answer with it alone
    B's, of yesterday, names 9                    good            GOOD
    B's, a month past its next update, names 9    nothing         UNKNOWN: the message waits
    B's, a month past its next update, names 7    revoked         REVOKED
    B's, of yesterday, for authorities only       nothing         UNKNOWN
    another authority's, names 7                  nothing         UNKNOWN
    none, and the settings say B publishes none                   NOT_PUBLISHED

The rows are tried by `test_worked_examples.py` and `test_revocation.py`.

Not done here: nothing is fetched, and no address in a certificate is followed (decision 0014).
There is no OCSP. A delta list (§5.2.4) or an indirect one (§5.2.5) shows nothing: neither "good"
nor "revoked".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from weakref import WeakKeyDictionary

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from inbox.errors import ConfigurationError
from inbox.package.inputs import RevocationList, Trust

UNREADABLE_ERRORS: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises where bytes are not what they claim."""
_STRONG = frozenset({"sha256", "sha384", "sha512"})


class RevocationStatus(StrEnum):
    """The revocation status of one certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    NOT_PUBLISHED = "not published"
    """Its issuer publishes no list, and the settings say to believe it all the same."""


def read_revocation_list(der: bytes, *, fetched_at: datetime) -> RevocationList:
    """Parse the list with its times; raises `ConfigurationError` if it is not a revocation list.

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


def crl_number_of(each: RevocationList) -> int:
    """The CRL number, which only increases; -1 if the list has none."""
    try:
        extensions = _parse_cached(each).parsed.extensions
        return extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except (x509.ExtensionNotFound, *UNREADABLE_ERRORS):
        return -1


def issuer_of(each: RevocationList, trust: Trust) -> bytes | None:
    """The certificate of the trusted authority that signed the list.

    Returns None if no trusted authority did.
    """
    authorities = (*trust.anchors, *trust.intermediates)
    return next((authority for authority in authorities if _is_signed_by(each, authority)), None)


def authorities_without_fresh_list(trust: Trust, now: datetime) -> tuple[str, ...]:
    """The names of trusted authorities without a fresh revocation list.

    Messages signed under them wait.
    """
    return tuple(map(subject_of, _without_fresh_list(trust, now)))


def subject_of(certificate: bytes) -> str:
    """The name in a certificate that is believed, as RFC 4514 writes it."""
    return x509.load_der_x509_certificate(certificate).subject.rfc4514_string()


def nobody_is_shown_good(trust: Trust, now: datetime) -> bool:
    """Whether no signer's certificate can be shown to be good: in every chain a list is missing.

    Example: a root with two authorities below it. Without the root's list everybody waits; without
    that of one of the two, only those wait whom it issued.
    """
    authorities = dict.fromkeys((*trust.anchors, *trust.intermediates))
    missing = set(_without_fresh_list(trust, now))
    issued = {each: _issuers(each, authorities) for each in authorities}
    # A least fixpoint from the anchors down. `shown` are the authorities that have a fresh list and
    # are shown good themselves; the certificates that they issued can be shown good.
    shown, before = {each for each in trust.anchors if each not in missing}, -1
    while len(shown) != before:
        before = len(shown)
        shown |= {e for e in authorities if e not in missing and issued[e] & shown}
    # Signers are issued by the lowest authorities. One that has issued another authority is assumed
    # to issue no signer.
    above = set[bytes]().union(*issued.values())
    return not shown - above


def _issuers(authority: bytes, among: Iterable[bytes]) -> set[bytes]:
    """Which of the others issued this one's certificate, by name; chains are verified elsewhere."""
    name = x509.load_der_x509_certificate(authority).issuer
    return {
        each
        for each in among
        if each != authority and x509.load_der_x509_certificate(each).subject == name
    }


def _without_fresh_list(trust: Trust, now: datetime) -> tuple[bytes, ...]:
    fresh = [each for each in trust.lists if _is_fresh(each, trust, now)]
    return tuple(
        authority
        for authority in dict.fromkeys((*trust.anchors, *trust.intermediates))
        if authority not in trust.without_lists
        and _is_authority(x509.load_der_x509_certificate(authority))
        and not any(_is_signed_by(each, authority) for each in fresh)
    )


def distribution_points(certificates: Iterable[bytes]) -> tuple[str, ...]:
    """Where these certificates say that their issuers publish lists."""
    found: dict[str, None] = {}
    for der in certificates:
        names = _crl_locations_of(x509.load_der_x509_certificate(der))
        urls = (name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))
        found |= dict.fromkeys(sorted(urls))
    return tuple(found)


def revocation_status(
    certificate: bytes, above: Sequence[bytes], trust: Trust, now: datetime
) -> RevocationStatus:
    """Revoked if any list of the issuer says so, however old.

    Good if a fresh and complete list does not name the certificate. Not published if no list shows
    either, and the settings say that its issuer need not publish one. Unknown otherwise.

    `above` is the path from the issuer to the anchor. An authority that has changed its key has two
    certificates under one name, in `above` or in `trust`, and either key may sign its list.
    """
    standing = RevocationStatus.UNKNOWN
    if above and above[0] in trust.without_lists:
        standing = RevocationStatus.NOT_PUBLISHED
    authorities = (*above, *trust.anchors, *trust.intermediates)
    for each in trust.lists:
        said = _status_by_readable_list(each, certificate, authorities)
        if said is RevocationStatus.REVOKED:
            return said
        if said is RevocationStatus.GOOD and _is_fresh(each, trust, now):
            standing = RevocationStatus.GOOD
    return standing


def _is_fresh(each: RevocationList, trust: Trust, now: datetime) -> bool:
    return each.this_update <= now and not each.is_stale(now, trust.stale_after)


@dataclass(frozen=True, kw_only=True)
class _ParsedList:
    parsed: x509.CertificateRevocationList
    serials: frozenset[int]
    signed_by: dict[bytes, bool] = field(default_factory=dict)
    """Whether this authority signed the list, for each authority that was tried."""


_PARSED_LISTS: Final[WeakKeyDictionary[RevocationList, _ParsedList]] = WeakKeyDictionary()
"""A list can have megabytes, and every package needs it: it is parsed once while it is in use."""


def _parse_cached(each: RevocationList) -> _ParsedList:
    read = _PARSED_LISTS.get(each)
    if read is None:
        parsed = x509.load_der_x509_crl(each.der)
        read = _ParsedList(
            parsed=parsed, serials=frozenset(entry.serial_number for entry in parsed)
        )
        _PARSED_LISTS[each] = read
    return read


def _is_signed_by(each: RevocationList, authority: bytes) -> bool:
    """Whether the list is this authority's own, rightly signed by a key that may sign lists."""
    try:
        read = _parse_cached(each)
        if authority not in read.signed_by:
            read.signed_by[authority] = _verifies(read.parsed, authority)
        return read.signed_by[authority]
    except UNREADABLE_ERRORS:
        return False


def _verifies(parsed: x509.CertificateRevocationList, authority: bytes) -> bool:
    issuer = x509.load_der_x509_certificate(authority)
    digest = parsed.signature_hash_algorithm
    key = issuer.public_key()
    if (
        # A list signed with SHA-1 could be a collision made by somebody else: it shows nothing.
        digest is None
        or digest.name not in _STRONG
        or not names_match(parsed.issuer, issuer.subject)
    ):
        return False
    if not _may_sign_lists(issuer) or not isinstance(key, RSAPublicKey | EllipticCurvePublicKey):
        return False
    return parsed.is_signature_valid(key)


def names_match(one: x509.Name, other: x509.Name) -> bool:
    """Whether two names are equal, ignoring case, spaces and string types (RFC 5280 §7.1)."""
    if one == other:
        return True
    same: bool = asn1_x509.Name.load(one.public_bytes()) == asn1_x509.Name.load(
        other.public_bytes()
    )
    return same


def _status_by_readable_list(
    each: RevocationList, certificate: bytes, authorities: Iterable[bytes]
) -> RevocationStatus:
    """What one list says; unknown if a library fails on the list or on a certificate."""
    try:
        return _status_by_list(each, certificate, authorities)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - others chose what the libraries are given
        return RevocationStatus.UNKNOWN


def _status_by_list(
    each: RevocationList, certificate: bytes, authorities: Iterable[bytes]
) -> RevocationStatus:
    """What one list says of a certificate, whatever the time; unknown if it has no say in it.

    A list that is not complete for the certificate can still say that it is revoked.
    """
    subject = x509.load_der_x509_certificate(certificate)
    read = _parse_cached(each)
    # §6.3.3 (b) (1): the list is of the certificate's own issuer, or it has no say.
    if not names_match(read.parsed.issuer, subject.issuer):
        return RevocationStatus.UNKNOWN
    # §6.3.3 (f), (g): signed by that authority, whose key may sign lists (§4.2.1.3, cRLSign).
    if not any(_is_signed_by(each, authority) for authority in authorities):
        return RevocationStatus.UNKNOWN
    extensions = list(read.parsed.extensions)
    # §6.3.3 (j), before the scope is looked at: to show "revoked", a partial list is enough. But in
    # an indirect list the serial number may be another issuer's, and a delta list may remove it.
    if subject.serial_number in read.serials and not any(map(_may_cover_other_issuers, extensions)):
        return RevocationStatus.REVOKED
    # §5.2: a critical extension that is not understood means that the list shows nothing. The scope
    # (§5.2.5) and the mark of a delta list (§5.2.4) count even if they are not marked as critical.
    complete = all(
        _is_complete(extension.value, subject)
        for extension in extensions
        if extension.critical
        or isinstance(extension.value, x509.IssuingDistributionPoint | x509.DeltaCRLIndicator)
    )
    return RevocationStatus.GOOD if complete else RevocationStatus.UNKNOWN


def _may_cover_other_issuers(extension: x509.Extension[x509.ExtensionType]) -> bool:
    """Whether a serial number in the list need not mean that this issuer's is revoked."""
    value = extension.value
    indirect = isinstance(value, x509.IssuingDistributionPoint) and value.indirect_crl
    return indirect or isinstance(value, x509.DeltaCRLIndicator)


def _may_sign_lists(authority: x509.Certificate) -> bool:
    try:
        return authority.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True


def _is_complete(extension: x509.ExtensionType, subject: x509.Certificate) -> bool:
    """Whether a list with this extension can still be complete for the certificate."""
    if isinstance(extension, x509.CRLNumber | x509.AuthorityKeyIdentifier):
        return True
    if not isinstance(extension, x509.IssuingDistributionPoint):
        return False
    # §6.3.3 (b) (2) (ii) to (iv), and (d): the scope and the reasons must include this certificate.
    partial = (
        extension.indirect_crl
        or extension.only_contains_attribute_certs
        or extension.only_some_reasons
        or extension.relative_name
        or (extension.only_contains_ca_certs and not _is_authority(subject))
        or (extension.only_contains_user_certs and _is_authority(subject))
    )
    # §6.3.3 (b) (2) (i): a list for one distribution point must be one that the certificate names.
    names = set(extension.full_name or ())
    return not partial and (not names or bool(names & _crl_locations_of(subject)))


def _is_authority(subject: x509.Certificate) -> bool:
    try:
        return subject.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _crl_locations_of(subject: x509.Certificate) -> set[x509.GeneralName]:
    """Where the certificate says that its list is published."""
    try:
        points = subject.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return set()
    return {name for point in points for name in point.full_name or ()}
