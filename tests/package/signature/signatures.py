"""Makes CMS signatures and certificates that are wrong in one chosen way."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from asn1crypto import algos, cms, core, parser
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from inbox.package.inputs import RevocationList
from inbox.package.signature.revocation import read_revocation_list
from tests import package_builder

HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
WEAK = algos.SignedDigestAlgorithm({"algorithm": "sha1_rsa"})
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Holder:
    """Somebody with a key of any kind and a certificate."""

    key: Key
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def holder(
    *,
    key: Key | None = None,
    org_number: str = package_builder.SENDER,
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    subject: Iterable[tuple[x509.ObjectIdentifier, str]] | None = None,
) -> Holder:
    """A certificate of the test authority with just these extensions."""
    own = key or package_builder.signer().key
    parts = subject or ((NameOID.SERIAL_NUMBER, org_number),)
    root = package_builder.authority()
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(kind, value) for kind, value in parts]))
        .issuer_name(root.root.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(package_builder.NOW - timedelta(days=10))
        .not_valid_after(package_builder.NOW + timedelta(days=10))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return Holder(own, builder.sign(root._key, hashes.SHA256()))


def certificate_with_sha1(der: bytes) -> bytes:
    """The same certificate, signed anew by the test authority with SHA-1."""
    parsed = asn1_x509.Certificate.load(der)
    parsed["tbs_certificate"]["signature"] = parsed["signature_algorithm"] = WEAK
    parsed["signature_value"] = _weakly_signed(parsed["tbs_certificate"])
    encoded: bytes = parsed.dump(force=True)
    return encoded


def list_with_sha1(der: bytes) -> bytes:
    """The same revocation list, signed anew by the test authority with SHA-1."""
    parsed = asn1_crl.CertificateList.load(der)
    parsed["tbs_cert_list"]["signature"] = parsed["signature_algorithm"] = WEAK
    parsed["signature"] = _weakly_signed(parsed["tbs_cert_list"])
    encoded: bytes = parsed.dump(force=True)
    return encoded


def _weakly_signed(inner: core.Sequence) -> bytes:
    key = package_builder.authority()._key
    return key.sign(inner.dump(force=True), padding.PKCS1v15(), HASHES["sha1"]())


@dataclass(frozen=True)
class Middle:
    """An authority between the root and a signer, with its own empty revocation list."""

    der: bytes
    leaf: Holder
    revocations: RevocationList


def intermediate(
    *,
    constraints: Iterable[x509.NameConstraints] = (),
    leaf_extensions: Iterable[x509.ExtensionType] = (),
) -> Middle:
    """A path of three certificates: root, this one, and a signer below it."""
    key = package_builder.signer(package_builder.STRANGER).key
    name = ((NameOID.COMMON_NAME, "Test Issuing CA"),)
    extensions = [
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (usage(key_cert_sign=True, crl_sign=True), True),
        *((each, True) for each in constraints),
    ]
    middle = holder(key=key, subject=name, extensions=extensions)
    subject = x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, package_builder.SENDER)])
    own = package_builder.signer().key
    day = timedelta(days=1)
    building = x509.CertificateBuilder(
        middle.certificate.subject,
        subject,
        own.public_key(),
        77,
        package_builder.NOW - day,
        package_builder.NOW + day,
    )
    for each in leaf_extensions:
        building = building.add_extension(each, critical=False)
    leaf = building.sign(key, hashes.SHA256())
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(middle.certificate.subject)
        .last_update(package_builder.NOW - day)
        .next_update(package_builder.NOW + day)
        .sign(key, hashes.SHA256())
    )
    listed = read_revocation_list(crl.public_bytes(Encoding.DER), fetched_at=package_builder.NOW)
    return Middle(middle.der, Holder(own, leaf), listed)


def usage(**allowed: bool) -> x509.KeyUsage:
    none = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**(none | allowed))


Attributes = list[tuple[str, object]]


def _attributes(attributes: Attributes) -> Attributes:
    return attributes


def _data(_: cms.SignedData) -> None:
    pass


def making(
    who: Holder | None = None,
    *,
    digest: str = "sha256",
    algorithm: str = "sha256_rsa",
    parameters: object = None,
    attributes: Callable[[Attributes], Attributes] = _attributes,
    edit: Callable[[cms.SignedData], None] = _data,
) -> Callable[[bytes], bytes]:
    """What signs a manifest: `attributes` changes what is signed, `edit` what is not."""
    signer = who or holder()

    def make(content: bytes) -> bytes:
        wanted: Attributes = [
            ("content_type", "data"),
            ("message_digest", hashlib.new(digest, content).digest()),
        ]
        each = [
            cms.CMSAttribute({"type": kind, "values": [value]})
            for kind, value in attributes(wanted)
        ]
        signed, received = cms.CMSAttributes(each), b"".join(one.dump() for one in each)
        certificate = asn1_x509.Certificate.load(signer.der)
        name = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
        kind = {"algorithm": algorithm}
        if parameters is not None:
            kind["parameters"] = parameters  # type: ignore[assignment] # asn1crypto takes any
        info = cms.SignerInfo(
            {
                "version": "v1",
                "sid": {"issuer_and_serial_number": name},
                "digest_algorithm": {"algorithm": digest},
                "signed_attrs": signed,
                "signature_algorithm": algos.SignedDigestAlgorithm(kind),
                "signature": _value(
                    signer.key,
                    parser.emit(0, 1, cms.CMSAttributes.tag, received),
                    digest,
                    algorithm,
                ),
            }
        )
        data = cms.SignedData(
            {
                "version": "v1",
                "digest_algorithms": [{"algorithm": digest}],
                "encap_content_info": {"content_type": "data"},
                "certificates": [certificate],
                "signer_infos": [info],
            }
        )
        edit(data)
        encoded: bytes = cms.ContentInfo({"content_type": "signed_data", "content": data}).dump()
        return encoded.replace(signed.contents, received)  # the library sorts them

    return make


def _value(key: Key, signed: bytes, digest: str, algorithm: str) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(signed)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(signed, ec.ECDSA(HASHES[digest]()))
    if algorithm == "rsassa_pss":
        filling = padding.PSS(padding.MGF1(HASHES[digest]()), HASHES[digest]().digest_size)
        return key.sign(signed, filling, HASHES[digest]())
    return key.sign(signed, padding.PKCS1v15(), HASHES[digest]())
