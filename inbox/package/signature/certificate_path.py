"""Checks a signer's certificate: the path to a trust anchor, and revocation (RFC 5280 §6).

The problem: a signature that verifies shows only that somebody has a key. Whose key it is, an
authority states in a certificate; the authority has a certificate from another one above it, and so
on up to an anchor, which the operator chose.

The method: path building (RFC 4158) and path validation (RFC 5280 §6.1) by the library
pyhanko-certvalidator, with checks of our own (decision 0041). Before it runs, certificates that no
chain of signatures connects to a trusted authority are left out. While it runs, weak algorithms are
refused and nothing is fetched. After it, we check key usage (§4.2.1.3), and revocation of each
certificate below the anchor (§6.3).

An example. The signature came with S and I; A lies in the trust folder:

    S  "Bergvik kommune"   issued by I, valid 2025-2027    asked about in the lists of I
    I  "Issuing CA"        issued by A, valid 2020-2030    asked about in the lists of A
    A  "Root CA"           the anchor                      not asked about: the operator chose it

The path is (S, I, A), and it is remembered as valid 2025-2027, the time that all three share. If
the sender leaves out I, the answer is `trust.unknown_anchor`, unless the trust folder has I.

Not done here: `signer` decides whether S may sign for the sender. The path is checked for now, and
never for the signing time, which the sender alone states. Addresses in certificates (AIA, OCSP) are
not followed.
"""

from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import (
    ExpiredError,
    InvalidCertificateError,
    NotYetValidError,
    PathBuildingError,
    ValidationError,
)
from pyhanko_certvalidator.policy_decl import DisallowWeakAlgorithmsPolicy

from inbox.errors import ConfigurationError, InboxError, PackageRejected, Unavailable
from inbox.package.codes.registry import REVOCATION_UNKNOWN
from inbox.package.inputs import STALE_LIST, StaleList, Trust
from inbox.package.signature.certificate import Certificate, load_certificate
from inbox.package.signature.cms import MALFORMED_ASN1_ERRORS, VerifiedSignature
from inbox.package.signature.revocation import (
    UNREADABLE_ERRORS,
    RevocationStatus,
    names_match,
    revocation_status,
)
from inbox.package.verdict import VerdictBuilder

_WEAK_ALGORITHMS = DisallowWeakAlgorithmsPolicy(  # type: ignore[no-untyped-call] # the library forgot
    weak_hash_algos=frozenset({"md2", "md5", "sha1"})
)
"""For certificates: SHA-1 is tolerated in the signature over a manifest, never in a certificate."""
_SIGNING_USAGES = frozenset({"digital_signature", "non_repudiation"})
_T = TypeVar("_T")


def check_certificate_path(
    signed: VerifiedSignature,
    trust: Trust,
    *,
    now: datetime,
    stale_is: StaleList,
    findings: VerdictBuilder,
) -> None:
    """Check path, validity, key usage and revocation, and write the results into the findings.

    A failure that is waived raises nothing, but its result in the findings is `False`.

    Raises `PackageRejected` (`trust.*`, `revocation-unknown`) and `Unavailable`
    (`trust.stale_list`).
    """
    with _verdict_on_failure(findings):
        path = _find_path(signed, trust, now, findings)
        findings.chain = findings.chain is not False and bool(path)
        _check_usage(signed, findings)
        _check_revocation(path, trust, now=now, stale_is=stale_is, findings=findings)


REVOCATION_NOT_CHECKED: Final = "revocation_not_checked"
"""The note of a package whose signer's authority publishes no list, and need not."""


@contextmanager
def _verdict_on_failure(findings: VerdictBuilder) -> Iterator[None]:
    """Any exception of a library about the sender's certificates becomes the code `trust.path`.

    The library has raised `NotImplementedError` for a name constraint on IP addresses, and may
    raise other exceptions that nobody has seen yet. A path that cannot be checked is not valid.
    """
    try:
        yield
    except (InboxError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - the sender chooses what the libraries are given
        findings.chain = False
        raise PackageRejected("trust.path", type(error).__name__) from None


@dataclass(frozen=True, kw_only=True)
class _Path:
    """DER, signer first, anchor last; and when all of them are valid."""

    certificates: tuple[bytes, ...]
    valid_from: datetime
    valid_until: datetime


def _find_path(
    signed: VerifiedSignature, trust: Trust, now: datetime, findings: VerdictBuilder
) -> tuple[bytes, ...]:
    """The path in DER, signer first, anchor last; empty when a waiver let a broken path pass.

    Building a path takes longer than all other checks of a small package, and senders use the same
    certificates for years. So a path is remembered, and used while all its certificates are valid.
    """
    known = _cached_paths(
        signed.certificate, signed.certificates, trust.anchors, trust.intermediates
    )
    for path in known:
        if path.valid_from <= now <= path.valid_until:
            return path.certificates
    built = _build_path(signed, trust, now, findings)
    if not built:
        return ()
    path = _Path(
        certificates=tuple(certificate.dump() for certificate in built),
        valid_from=max(certificate.not_valid_before for certificate in built),
        valid_until=min(certificate.not_valid_after for certificate in built),
    )
    known.append(path)
    return path.certificates


@lru_cache(maxsize=1000)
def _cached_paths(*certificates: bytes | tuple[bytes, ...]) -> list[_Path]:
    """The paths built so far from exactly these certificates; the caller appends new ones."""
    del certificates
    return []


def _build_path(
    signed: VerifiedSignature, trust: Trust, now: datetime, findings: VerdictBuilder
) -> tuple[Certificate, ...]:
    # Nothing is fetched. Revocation is not checked by the library but by `revocation`, on lists at
    # hand, because "no fresh list" must mean waiting and not an invalid path (decision 0014).
    context = ValidationContext(
        trust_roots=_certificates(trust.anchors),
        other_certs=[
            *_certificates(trust.intermediates),
            *map(load_certificate, _issued_under_trust(signed, trust)),
        ],
        moment=now,
        allow_fetching=False,
        revocation_mode="none",
        algorithm_usage_policy=_WEAK_ALGORITHMS,
    )
    validator = CertificateValidator(
        load_certificate(signed.certificate), validation_context=context
    )
    try:
        path = _run_without_waiting(validator.async_validate_path())
    except (ValidationError, PathBuildingError, *MALFORMED_ASN1_ERRORS) as error:
        findings.chain = False
        findings.reject_unless_waived(_error_code_of(error), type(error).__name__)
        return ()
    return tuple(path.iter_certs(include_root=True))[::-1]


def _issued_under_trust(signed: VerifiedSignature, trust: Trust) -> list[bytes]:
    """The certificates sent with the signature that a chain of signatures connects to trust.

    The library matches issuers by name alone and tries every order: ten made-up certificates with
    one name would keep it busy for an hour.
    """
    # Breadth first from the anchors down: each round verifies signatures by those already believed.
    # What no round reaches is never given to the path builder.
    believed = [*_load_readable(trust.anchors), *_load_readable(trust.intermediates)]
    waiting = _load_readable(signed.certificates)
    found: list[x509.Certificate] = []
    while new := [each for each in waiting if any(_is_issued_by(each, up) for up in believed)]:
        found += new
        waiting = [each for each in waiting if each not in new]
        believed = new
    return [each.public_bytes(Encoding.DER) for each in found]


def _load_readable(ders: Iterable[bytes]) -> list[x509.Certificate]:
    found = []
    for der in ders:
        with suppress(*UNREADABLE_ERRORS):
            found.append(x509.load_der_x509_certificate(der))
    return found


def _is_issued_by(each: x509.Certificate, up: x509.Certificate) -> bool:
    try:
        if not names_match(each.issuer, up.subject):
            return False
        key, how = up.public_key(), each.signature_algorithm_parameters
        if isinstance(key, RSAPublicKey) and isinstance(how, PKCS1v15 | PSS):
            assert each.signature_hash_algorithm is not None
            key.verify(
                each.signature, each.tbs_certificate_bytes, how, each.signature_hash_algorithm
            )
            return True
        if isinstance(key, EllipticCurvePublicKey) and isinstance(how, ECDSA):
            key.verify(each.signature, each.tbs_certificate_bytes, how)
            return True
    except (InvalidSignature, *UNREADABLE_ERRORS):
        return False
    return False


def _error_code_of(error: Exception) -> str:
    match error:
        case PathBuildingError() | InvalidCertificateError():
            return "trust.unknown_anchor"
        case ExpiredError():
            return "trust.expired"
        case NotYetValidError():
            return "trust.not_yet_valid"
        case _:
            return "trust.path"


def _run_without_waiting(steps: Coroutine[object, object, _T]) -> _T:
    """Run a coroutine that has nothing to wait for, because it may fetch nothing."""
    try:
        steps.send(None)
    except StopIteration as done:
        answer: _T = done.value
        return answer
    steps.close()
    raise PackageRejected("trust.path", "path building wanted to wait")


def _check_usage(signed: VerifiedSignature, findings: VerdictBuilder) -> None:
    """Check that the signer's key may sign; it may if the certificate has no key usage."""
    # §4.2.1.3: digitalSignature, or contentCommitment (nonRepudiation), as both are in use here.
    certificate = load_certificate(signed.certificate)
    usage = certificate.key_usage_value
    if usage is not None and not _SIGNING_USAGES & set(usage.native):
        findings.chain = False
        findings.reject_unless_waived("trust.usage")


def _check_revocation(
    path: tuple[bytes, ...],
    trust: Trust,
    *,
    now: datetime,
    stale_is: StaleList,
    findings: VerdictBuilder,
) -> None:
    """Check every certificate below the anchor; without a path, revocation is not shown."""
    # `path[number:]` is the path from the issuer up; the anchor is an input, not checked (§6.1).
    standings = [
        revocation_status(certificate, path[number:], trust, now)
        for number, certificate in enumerate(path[:-1], 1)
    ]
    if RevocationStatus.REVOKED in standings:
        findings.revocation = False
        raise PackageRejected("trust.revoked")
    if RevocationStatus.UNKNOWN not in standings:
        if RevocationStatus.NOT_PUBLISHED in standings:
            findings.notes.append(REVOCATION_NOT_CHECKED)
            return
        findings.revocation = findings.revocation is not False and bool(path)
        return
    findings.revocation = False
    if stale_is is StaleList.WAIT and REVOCATION_UNKNOWN not in findings.waivers:
        if findings.objections:
            return  # Other objections hold the message anyway, so it need not wait for a list.
        raise Unavailable(STALE_LIST, "no fresh list for a certificate in the path")
    findings.reject_unless_waived(REVOCATION_UNKNOWN)


def _certificates(ders: Iterable[bytes]) -> list[Certificate]:
    try:
        return [load_certificate(der) for der in ders]
    except ValueError as error:
        raise ConfigurationError("trust.certificate", "an anchor is not a certificate") from error
