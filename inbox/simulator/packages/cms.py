"""Detached CMS signatures in two dialects: as an integrasjonspunkt makes them, and a modern one."""

import hashlib
from datetime import UTC, datetime
from enum import StrEnum

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from inbox.simulator.packages.certificates import SigningKey


class Profile(StrEnum):
    """How it is signed; both carry the certificate and algorithm protection."""

    SHA1 = "sha1"
    """SHA-1, a bare rsaEncryption, no signing-certificate: what a 2026 gateway writes (§11.3)."""
    SHA256 = "sha256"
    """SHA-256 with signingCertificateV2, as DSS (§13)."""


SHA256_WITHOUT_PARAMETERS = bytes.fromhex("300b0609608648016503040201")
"""As DER, because asn1crypto would add NULL parameters."""


def sign(content: bytes, signer: SigningKey, *, profile: Profile, at: datetime) -> bytes:
    """The signature over the content, in DER; the content is not in it."""
    certificate = asn1_x509.Certificate.load(signer.der)
    digest = _digest_algorithm(profile)
    signature = _signature_algorithm(profile)
    attributes = [
        _attribute("content_type", "data"),
        _attribute("signing_time", cms.Time({"utc_time": at.astimezone(UTC)})),
        _attribute("cms_algorithm_protection", _protection(profile)),
        _attribute("message_digest", hashlib.new(profile, content).digest()),
    ]
    if profile is Profile.SHA256:
        attributes.append(_attribute("signing_certificate_v2", _certificate_id(signer)))
    signed = cms.CMSAttributes(attributes)
    hashed = {Profile.SHA1: hashes.SHA1(), Profile.SHA256: hashes.SHA256()}[profile]
    name = cms.IssuerAndSerialNumber(
        {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
    )
    info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier({"issuer_and_serial_number": name}),
            "digest_algorithm": digest,
            "signed_attrs": signed,
            "signature_algorithm": signature,
            "signature": signer.key.sign(signed.dump(), padding.PKCS1v15(), hashed),
        }
    )
    data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [digest],
            "encap_content_info": {"content_type": "data"},
            "certificates": [certificate],
            "signer_infos": [info],
        }
    )
    encoded: bytes = cms.ContentInfo({"content_type": "signed_data", "content": data}).dump()
    return encoded


def _attribute(kind: str, value: object) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": kind, "values": [value]})


def _digest_algorithm(profile: Profile) -> algos.DigestAlgorithm:
    """The gateway writes NULL parameters, DSS none."""
    if profile is Profile.SHA1:
        return algos.DigestAlgorithm({"algorithm": "sha1", "parameters": core.Null()})
    return algos.DigestAlgorithm.load(SHA256_WITHOUT_PARAMETERS)


def _signature_algorithm(profile: Profile) -> algos.SignedDigestAlgorithm:
    name = {Profile.SHA1: "rsassa_pkcs1v15", Profile.SHA256: "sha256_rsa"}[profile]
    return algos.SignedDigestAlgorithm({"algorithm": name, "parameters": core.Null()})


def _protection(profile: Profile) -> cms.CMSAlgorithmProtection:
    return cms.CMSAlgorithmProtection(
        {
            "digest_algorithm": _digest_algorithm(profile),
            "signature_algorithm": _signature_algorithm(profile),
        }
    )


def _certificate_id(signer: SigningKey) -> tsp.SigningCertificateV2:
    """Names the certificate by its digest; SHA-256 is the default and therefore left out."""
    return tsp.SigningCertificateV2({"certs": [{"cert_hash": hashlib.sha256(signer.der).digest()}]})
