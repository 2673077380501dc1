"""Signatures made to exhaust the reader, and genuine ones in the older encoding."""

import hashlib
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from inbox.package.inputs import StaleList
from inbox.package.signature.certificate_path import check_certificate_path
from inbox.package.signature.cms import VerifiedSignature, verify_signature
from inbox.package.verdict import AlgorithmClass, VerdictBuilder
from tests.package_builder import NOW, refusal, signer, trusted

CONTENT = b"manifest"
SECONDS = 10
"""Enough on a busy machine, short beside the half minute or more that these took."""
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
DATA = bytes.fromhex("300b06092a864886f70d010701")
SHA256 = bytes.fromhex("300d06096086480165030402010500")
SHA256_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
ENDLESS = b"\x06\x83\x03\x00\x01" + b"\x81" * 0x30000 + b"\x01"
"""An object identifier with one number of 196 609 bytes."""


def tlv(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def endless(tag: int, content: bytes) -> bytes:
    """Of indefinite length, as BouncyCastle writes what it streams."""
    return bytes([tag, 0x80]) + content + b"\0\0"


def signature(
    *,
    attribute: bytes = b"",
    certificates: bytes = b"",
    outside: Callable[[int, bytes], bytes] = tlv,
) -> bytes:
    """Made by hand and right: what the builders of a library refuse to write can be put in."""
    own = asn1_x509.Certificate.load(signer().der)
    digest = tlv(0x04, hashlib.sha256(CONTENT).digest())
    attributes = (
        tlv(0x30, bytes.fromhex("06092a864886f70d010903") + tlv(0x31, DATA[2:]))
        + tlv(0x30, bytes.fromhex("06092a864886f70d010904") + tlv(0x31, digest))
        + attribute
    )
    value = signer().key.sign(tlv(0x31, attributes), padding.PKCS1v15(), hashes.SHA256())
    sid = tlv(0x30, own.issuer.dump() + own["tbs_certificate"]["serial_number"].dump())
    info = tlv(
        0x30,
        b"\x02\x01\x01" + sid + SHA256 + tlv(0xA0, attributes) + SHA256_RSA + tlv(0x04, value),
    )
    inner = b"\x02\x01\x01" + tlv(0x31, SHA256) + outside(0x30, DATA[2:])
    inner += outside(0xA0, signer().der + certificates) + outside(0x31, info)
    return outside(0x30, SIGNED_DATA + outside(0xA0, outside(0x30, inner)))


def test_signature_of_indefinite_length_as_java_writes_is_verified() -> None:
    usual, streamed = signature(), signature(outside=endless)

    assert verify_signature(usual, CONTENT) == verify_signature(streamed, CONTENT)
    assert streamed.startswith(b"\x30\x80")


def with_extension(value: bytes) -> bytes:
    """The signer's certificate with one more extension; its signature is wrong then."""
    own = asn1_x509.Certificate.load(signer().der)
    tbs = own["tbs_certificate"]
    names = ("version", "serial_number", "signature", "issuer", "validity", "subject")
    before = b"".join(tbs[name].dump() for name in names) + tbs["subject_public_key_info"].dump()
    changed = tlv(0x30, before + tlv(0xA3, tlv(0x30, tbs["extensions"].contents + value)))
    return tlv(0x30, changed + own["signature_algorithm"].dump() + own["signature_value"].dump())


def in_pieces(content: bytes) -> bytes:
    """An octet string of many short ones, which a certificate may not have."""
    pieces = (content[at : at + 100] for at in range(0, len(content), 100))
    return endless(0x24, b"".join(tlv(0x04, piece) for piece in pieces))


ALTERNATIVE = bytes.fromhex("0603551d11")
REGISTERED = tlv(0x30, b"\x88" + ENDLESS[1:])


@pytest.mark.parametrize(
    "raw",
    [
        lambda: b"\x30\x80" * 100_000,
        lambda: b"\x30\x80" + SIGNED_DATA + b"\xa0\x80" + b"\x24\x80" * 100_000,
        lambda: b"\x30\x88" + b"\xff" * 8 + signature(),
        lambda: b"\x3f" + b"\x81" * 200_000 + b"\x01" + signature(),
        lambda: tlv(0x30, ENDLESS + b"\xa0\x02\x05\x00"),
        lambda: signature(attribute=tlv(0x30, ENDLESS + b"\x31\x02\x05\x00")),
        lambda: signature(certificates=with_extension(tlv(0x30, ENDLESS + b"\x04\x00"))),
        lambda: signature(
            certificates=with_extension(tlv(0x30, ALTERNATIVE + tlv(0x04, REGISTERED)))
        ),
        lambda: signature(
            certificates=with_extension(tlv(0x30, ALTERNATIVE + in_pieces(REGISTERED)))
        ),
        lambda: signature(certificates=with_extension(b"\xff\xff\xff")),
    ],
)
def test_signature_made_to_exhaust_the_reader_is_refused_within_seconds(
    raw: Callable[[], bytes],
) -> None:
    made, began = raw(), time.process_time()

    assert refusal(lambda: verify_signature(made, CONTENT)) == "signature.malformed"
    assert time.process_time() - began < SECONDS


def test_signature_with_ten_thousand_attributes_is_verified_within_seconds() -> None:
    many = b"".join(
        tlv(0x30, bytes([0x06, 4, 0x2A, 3 + n % 100, 0x81 + n // 100, 1]) + b"\x31\x02\x05\x00")
        for n in range(10_000)
    )
    raw, began = signature(attribute=many), time.process_time()

    assert verify_signature(raw, CONTENT).algorithm_class is AlgorithmClass.MODERN
    assert time.process_time() - began < SECONDS


def test_ten_certificates_of_the_same_name_do_not_exhaust_the_path_builder() -> None:
    """It tries every order of them; ten took more than an hour."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "X")])
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(10)]
    day = timedelta(days=1)
    ring = [
        x509.CertificateBuilder(name, name, key.public_key(), n + 1, NOW - day, NOW + day)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(keys[n - 1], hashes.SHA256())
        .public_bytes(Encoding.DER)
        for n, key in enumerate(keys)
    ]
    signed = VerifiedSignature(
        certificate=ring[0], certificates=tuple(ring), algorithm_class=AlgorithmClass.MODERN
    )
    began = time.process_time()

    def check() -> None:
        findings = VerdictBuilder()
        with findings.quarantine_on_rejection():
            check_certificate_path(
                signed, trusted(), now=NOW, stale_is=StaleList.WAIT, findings=findings
            )

    assert refusal(check) == "trust.unknown_anchor"
    assert time.process_time() - began < SECONDS
