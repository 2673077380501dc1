"""Verifies one detached CMS signature: its structure, then the signature value (RFC 5652).

The problem: a CMS message can say one thing in two places, and libraries differ in which of them
they believe. A package is accepted only if every reader would understand the same.

The method: a profile of RFC 5652, read strictly, in this order: (1) SignedData without content, as
the manifest lies beside it (§5.2); (2) one SignerInfo (§5.3); (3) one digest algorithm everywhere;
(4) each signed attribute once (§11); (5) the signer's certificate (§5.3, sid); (6) its key; (7)
protected algorithms (RFC 6211); (8) the certificate that is named (RFC 5035); (9) the digest of the
content (§11.2); (10) the signature value (§5.4), which a library computes (decision 0041).

An example, a genuine signature over the manifest of a package:

    digestAlgorithms    {sha256}                            must be the signer's
    encapContentInfo    data, without content               the content is the manifest
    certificates        the signer's, and its issuer's      at most ten
    signerInfos         one:
      sid               issuer and serial number            points to exactly one certificate
      signedAttrs       contentType, messageDigest, …       the digest of the manifest
      signature         RSA over signedAttrs                covers that digest, so the manifest too

Not done here: whether the signer is trusted (`certificate_path`), and who it is (`signer`). No time
in a signature is believed; timestamps (RFC 3161) and other unsigned attributes are not read.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from asn1crypto import algos, cms, core, parser, tsp
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import load_der_x509_certificate
from pyhanko_certvalidator.sig_validate import (
    DefaultSignatureValidator,
    SignatureValidationContext,
)

from inbox.errors import PackageRejected
from inbox.package.signature.certificate import Certificate, load_certificate, received_bytes
from inbox.package.signature.revocation import UNREADABLE_ERRORS
from inbox.package.verdict import AlgorithmClass

_DIGESTS = frozenset({"sha1", "sha256", "sha384", "sha512"})
_LEGACY_ATTRIBUTES = frozenset(
    {"content_type", "signing_time", "message_digest", "cms_algorithm_protection"}
)
_CERTIFICATE_REFERENCES = {
    "signing_certificate": tsp.SigningCertificate,
    "signing_certificate_v2": tsp.SigningCertificateV2,
}
_OVERLONG_IDENTIFIER = re.compile(rb"[\x80-\xff]{1000}")
"""No genuine signature has so long an identifier; asn1crypto needs half a minute to read one."""
_MAX_CERTIFICATES = 10
_MIN_RSA_BITS = 2048
_MIN_EC_BITS = 256
MALFORMED_ASN1_ERRORS = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""What asn1crypto raises for malformed bytes: while it parses, or later when a field is read."""


@dataclass(frozen=True, kw_only=True)
class VerifiedSignature:
    """A signature that verifies; nothing is said about whether its signer is trusted."""

    certificate: bytes
    """The signer's certificate, DER."""
    certificates: tuple[bytes, ...]
    """All that came with it, DER, in the sender's order."""
    algorithm_class: AlgorithmClass


def verify_signature(raw: bytes, content: bytes) -> VerifiedSignature:
    """Verify a `.p7s` over exactly these bytes; raises `PackageRejected` (`signature.*`)."""
    try:
        if _OVERLONG_IDENTIFIER.search(raw):
            raise PackageRejected("signature.malformed", "an endless identifier")
        signed_data = _signed_data(raw)
        return _verify(signed_data, content)
    except (*MALFORMED_ASN1_ERRORS, *UNREADABLE_ERRORS) as error:
        raise PackageRejected("signature.malformed", type(error).__name__) from error


def _signed_data(raw: bytes) -> cms.SignedData:
    # `strict`: bytes after the structure are refused, for another reader could find a second one.
    info = cms.ContentInfo.load(raw, strict=True)
    if info["content_type"].native != "signed_data":
        raise PackageRejected("signature.malformed", "not SignedData")
    signed_data = info["content"]
    # (1) A signature with content of its own could be valid for that, and not cover the manifest.
    encapsulated = signed_data["encap_content_info"]
    if not isinstance(encapsulated["content"], core.Void):
        raise PackageRejected("signature.embedded_content")
    if encapsulated["content_type"].native != "data":
        raise PackageRejected("signature.attributes", "content type of the data")
    return signed_data


def _verify(signed_data: cms.SignedData, content: bytes) -> VerifiedSignature:
    # (2) With two signers, nobody could say which of them is the sender.
    if len(signed_data["signer_infos"]) != 1:
        raise PackageRejected("signature.signer_count")
    signer = signed_data["signer_infos"][0]
    digest = _digest_algorithm(signed_data, signer)
    attributes = _attributes(signer)
    certificates = _certificates(signed_data)
    certificate = _signer_certificate(signer["sid"].chosen, certificates)
    _check_key(certificate)
    _check_algorithm_protection(attributes, signer)
    _check_certificate_reference(attributes, certificate)
    if attributes["content_type"].native != "data":
        raise PackageRejected("signature.attributes", "content type")
    # (9) RFC 5652 §11.2: binds the signed attributes to the content.
    if attributes["message_digest"].native != hashlib.new(digest, content).digest():
        raise PackageRejected("signature.other_bytes")
    _check_signature_value(signer, certificate, digest)
    legacy = digest == "sha1"
    if legacy:
        _check_legacy_profile(signer, attributes, certificate)
    return VerifiedSignature(
        certificate=certificate.dump(),
        certificates=tuple(other.dump() for other in certificates),
        algorithm_class=AlgorithmClass.LEGACY_SHA1 if legacy else AlgorithmClass.MODERN,
    )


def _digest_algorithm(signed_data: cms.SignedData, signer: cms.SignerInfo) -> str:
    """The one digest that all places agree on."""
    digest = str(signer["digest_algorithm"]["algorithm"].native)
    announced = {each["algorithm"].native for each in signed_data["digest_algorithms"]}
    algorithm = signer["signature_algorithm"]
    kind = algorithm.signature_algo
    # (3) RFC 5652 §5.1: the set announced at the top must be the one digest of the signer (§5.3).
    if digest not in _DIGESTS or announced != {digest}:
        raise PackageRejected("signature.algorithm", "digest")
    if kind not in {"rsassa_pkcs1v15", "rsassa_pss", "ecdsa"}:
        raise PackageRejected("signature.algorithm", "kind")
    if algorithm["algorithm"].native != "rsassa_pkcs1v15" and algorithm.hash_algo != digest:
        raise PackageRejected("signature.algorithm", "digest and signature disagree")
    if kind == "rsassa_pss" and not _pss_uses_same_digest(algorithm["parameters"], digest):
        raise PackageRejected("signature.algorithm", "parameters")
    return digest


def _pss_uses_same_digest(parameters: algos.RSASSAPSSParams, digest: str) -> bool:
    mask = parameters["mask_gen_algorithm"]
    return bool(
        mask["algorithm"].native == "mgf1" and mask["parameters"]["algorithm"].native == digest
    )


def _attributes(signer: cms.SignerInfo) -> Mapping[str, core.Asn1Value]:
    """The signed attributes, each once and with one value; both mandatory ones are there."""
    attributes: dict[str, core.Asn1Value] = {}
    for attribute in signer["signed_attrs"]:
        name = attribute["type"].native
        # (4) RFC 5652 §5.3 and §11: one instance with one value. Of two, one reader would use the
        # first and another the last.
        if name in attributes or len(attribute["values"]) != 1:
            raise PackageRejected("signature.attributes", "an attribute twice")
        attributes[name] = attribute["values"][0]
    if not {"content_type", "message_digest"} <= attributes.keys():
        raise PackageRejected("signature.attributes", "a mandatory attribute is missing")
    return attributes


def _certificates(signed_data: cms.SignedData) -> list[Certificate]:
    choices = list(signed_data["certificates"] or ())
    if not choices or len(choices) > _MAX_CERTIFICATES:
        raise PackageRejected("signature.signer_certificate", f"{len(choices)} certificates")
    if any(choice.name != "certificate" for choice in choices):
        raise PackageRejected("signature.signer_certificate", "of another kind")
    return [_certificate(received_bytes(choice.chosen)) for choice in choices]


def _certificate(der: bytes) -> Certificate:
    certificate = load_certificate(der)
    _ = certificate.native  # asn1crypto reads lazily: what cannot be read, fails here
    if certificate.serial_number <= 0:
        raise PackageRejected("signature.malformed", "a serial number below 1 (RFC 5280 §4.1.2.2)")
    # Only the inner one is signed; the outer one could be anybody's (RFC 5280 §4.1.1.2).
    inner, outer = certificate["tbs_certificate"]["signature"], certificate["signature_algorithm"]
    if received_bytes(inner) != received_bytes(outer):
        raise PackageRejected("signature.malformed", "two algorithms (RFC 5280 §4.1.1.2)")
    load_der_x509_certificate(der)  # DER, as a certificate must be
    return certificate


def _signer_certificate(identifier: core.Asn1Value, certificates: list[Certificate]) -> Certificate:
    """The one certificate that the signer's identifier points to."""
    if isinstance(identifier, cms.IssuerAndSerialNumber):
        fits = [
            certificate
            for certificate in certificates
            if certificate.issuer == identifier["issuer"]
            and certificate.serial_number == identifier["serial_number"].native
        ]
    else:
        fits = [each for each in certificates if each.key_identifier == identifier.native]
    if len({certificate.dump() for certificate in fits}) != 1:
        raise PackageRejected("signature.signer_certificate", f"{len(fits)} fit")
    return fits[0]


def _check_key(certificate: Certificate) -> None:
    key = certificate.public_key
    least = {"rsa": _MIN_RSA_BITS, "rsassa_pss": _MIN_RSA_BITS, "ec": _MIN_EC_BITS}
    if key.algorithm not in least:
        raise PackageRejected("signature.algorithm", "key")
    if key.bit_size < least[key.algorithm]:
        raise PackageRejected("signature.weak_key", str(key.bit_size))


def _check_algorithm_protection(
    attributes: Mapping[str, core.Asn1Value], signer: cms.SignerInfo
) -> None:
    """The algorithms named inside what is signed must be those named outside (RFC 6211)."""
    protection = attributes.get("cms_algorithm_protection")
    if protection is None:
        return
    for field in ("digest_algorithm", "signature_algorithm"):
        if protection[field].native != signer[field].native:
            raise PackageRejected("signature.algorithm", "protected algorithms differ")


def _check_certificate_reference(
    attributes: Mapping[str, core.Asn1Value], certificate: Certificate
) -> None:
    """Where the signature names the signer's certificate (RFC 5035), it must be this one."""
    for name, kind in _CERTIFICATE_REFERENCES.items():
        if name not in attributes:
            continue
        first = kind.load(received_bytes(attributes[name]))["certs"][0]
        has_choice = kind is tsp.SigningCertificateV2
        digest = first["hash_algorithm"]["algorithm"].native if has_choice else "sha1"
        if digest not in _DIGESTS or (
            first["cert_hash"].native != hashlib.new(digest, certificate.dump()).digest()
        ):
            raise PackageRejected("signature.signer_certificate", "another one is named")


def _check_signature_value(signer: cms.SignerInfo, certificate: Certificate, digest: str) -> None:
    """Verify over the attributes as received, only their outer tag exchanged (RFC 5652 §5.4)."""
    set_of = 17
    try:
        DefaultSignatureValidator().validate_signature(
            signature=signer["signature"].native,
            signed_data=parser.emit(0, 1, set_of, signer["signed_attrs"].contents),
            public_key_info=certificate.public_key,
            signature_algorithm=signer["signature_algorithm"],
            context=SignatureValidationContext(contextual_md_algorithm=digest),
        )
    except (InvalidSignature, UnsupportedAlgorithm) as error:
        raise PackageRejected("signature.wrong", type(error).__name__) from error


def _check_legacy_profile(
    signer: cms.SignerInfo,
    attributes: Mapping[str, core.Asn1Value],
    certificate: Certificate,
) -> None:
    """Accept SHA-1 only in the form in which Norwegian gateways (integrasjonspunkt) write it.

    It is RSA with PKCS #1 v1.5, with few signed attributes and no unsigned ones.
    """
    plain = signer["signature_algorithm"].signature_algo == "rsassa_pkcs1v15"
    unsigned = not isinstance(signer["unsigned_attrs"], core.Void)
    if not plain or certificate.public_key.algorithm != "rsa" or unsigned:
        raise PackageRejected("signature.legacy_shape", "kind")
    if not set(attributes) <= _LEGACY_ATTRIBUTES:
        raise PackageRejected("signature.legacy_shape", "attributes")
