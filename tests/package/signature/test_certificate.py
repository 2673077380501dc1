"""A certificate is believed in the very bytes that its issuer signed."""

from collections.abc import Callable

import pytest
from asn1crypto import cms, core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from inbox.package.signature.certificate import MAX_CERTIFICATE_BYTES, load_certificate
from tests.package.signature.signatures import Attributes, Holder, holder, making
from tests.package_builder import opened, pack, quarantine

LAST_BYTE_OF_LENGTH = 0x80
"""What asn1crypto takes to be endless, and writes anew when it is asked for the bytes."""
UNHEARD_OF = x509.ObjectIdentifier("1.2.3.4")
PLAIN_USAGE, PADDED_USAGE = b"\x03\x02\x06\xc0", b"\x03\x02\x06\xc2"
"""May sign; the padding of a BIT STRING says nothing, and DER has zeros there."""


def _of_that_length(usage: bytes) -> Holder:
    """A certificate whose signed part has such a length, with these bytes as its key usage."""
    own = (x509.UnrecognizedExtension(ExtensionOID.KEY_USAGE, usage), True)
    # One serial number in 128 is a byte shorter than the others, so once around may miss it.
    for length in range(1024):
        filling = x509.UnrecognizedExtension(UNHEARD_OF, bytes(length))
        made = holder(extensions=[own, (filling, False)])
        if (len(made.certificate.tbs_certificate_bytes) - 4) & 0xFF == LAST_BYTE_OF_LENGTH:
            return made
    raise AssertionError("no certificate of that length")


def test_asn1crypto_rewrites_a_certificate_whose_bytes_load_certificate_keeps() -> None:
    """Where it no longer does, `received_bytes` can go."""
    der = _of_that_length(PADDED_USAGE).der

    parsed = asn1_x509.Certificate.load(der)
    _ = parsed["tbs_certificate"]["extensions"].native
    kept = load_certificate(der)

    assert PADDED_USAGE not in parsed["tbs_certificate"].dump()
    assert (kept.dump(), kept["tbs_certificate"].dump()) == (der, _signed_part(der))


def test_changing_one_padding_bit_of_a_certificate_is_refused_as_trust_path() -> None:
    issued = _of_that_length(PLAIN_USAGE)
    genuine = making(issued)
    forged = issued.der.replace(PLAIN_USAGE, PADDED_USAGE)

    accepted = opened(pack(signature=genuine))
    refused = quarantine(pack(signature=lambda raw: genuine(raw).replace(issued.der, forged)))

    assert accepted.verdict.chain is True
    assert refused.code == "trust.path"


def test_certificate_with_non_der_padding_is_trusted_if_its_issuer_signed_those_bytes() -> None:
    assert opened(pack(signature=making(_of_that_length(PADDED_USAGE)))).verdict.chain is True


@pytest.mark.parametrize("first", [b"\x00", b"\xff"])
def test_certificate_with_a_serial_number_below_one_is_refused(first: bytes) -> None:
    """`cryptography` warns of it today, and will not read it tomorrow."""
    issued = holder()
    number = issued.certificate.serial_number
    own = number.to_bytes((number.bit_length() + 8) // 8, "big")
    spoilt = first + bytes(len(own) - 1)
    raw = making(issued)

    refused = quarantine(pack(signature=lambda content: raw(content).replace(own, spoilt)))

    assert refused.code == "signature.malformed"


def test_outer_signature_algorithm_of_a_certificate_must_equal_the_signed_one() -> None:
    """Nothing signs the one outside: without its parameters it would be another certificate."""
    issued = holder()
    whole, without = (
        bytes.fromhex("300d06092a864886f70d01010b0500"),
        bytes.fromhex("300b06092a864886f70d01010b"),
    )
    _, between, outside = issued.der.partition(_signed_part(issued.der))
    forged = _in_a_sequence(between + outside.replace(whole, without))
    genuine = making(issued)

    refused = quarantine(pack(signature=lambda raw: _with_certificate(genuine(raw), forged)))

    assert refused.code == "signature.malformed"


def _in_a_sequence(contents: bytes) -> bytes:
    whole: bytes = core.Sequence(contents=contents).dump()
    return whole


def _with_certificate(raw: bytes, der: bytes) -> bytes:
    info = cms.ContentInfo.load(raw)
    info["content"]["certificates"] = cms.CertificateSet(contents=der)
    changed: bytes = info.dump()
    return changed


def _unsorted(size: int) -> Callable[[Attributes], Attributes]:
    """Not in the order of DER, and as long as somebody likes."""
    return lambda wanted: [(UNHEARD_OF.dotted_string, core.OctetString(bytes(size))), *wanted]


def test_signed_attributes_out_of_der_order_are_verified_as_received_at_every_length() -> None:
    for size in range(256):
        assert opened(pack(signature=making(attributes=_unsorted(size)))).verdict.integrity is True


def _signed_part(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).tbs_certificate_bytes


def test_certificate_larger_than_any_genuine_one_is_refused_before_it_is_parsed() -> None:
    large = b"\x30\x82\xff\xff".ljust(MAX_CERTIFICATE_BYTES + 1, b"\x00")

    with pytest.raises(ValueError, match="too large"):
        load_certificate(large)
