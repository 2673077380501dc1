"""Revocation: which lists say something, and what it means that none does."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from inbox.errors import Unavailable
from inbox.package.inputs import RevocationList, StaleList
from inbox.package.signature.revocation import read_revocation_list
from inbox.simulator.packages.certificates import SigningKey, TestAuthority
from tests.package.signature.signatures import list_with_sha1
from tests.package_builder import NOW, authority, opened, pack, quarantine, signer, trusted

DAY = timedelta(days=1)


def revocations(
    *extensions: tuple[x509.ExtensionType, bool],
    revoked: Iterable[SigningKey] = (),
    by: TestAuthority | None = None,
) -> RevocationList:
    """A list of the test authority's with just these extensions."""
    root = by or authority()
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority().root.subject)
        .last_update(NOW - timedelta(hours=1))
        .next_update(NOW + DAY)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    for each in revoked:
        entry = x509.RevokedCertificateBuilder().revocation_date(NOW - DAY)
        serial = each.certificate.serial_number
        builder = builder.add_revoked_certificate(entry.serial_number(serial).build())
    crl = builder.sign(root._key, hashes.SHA256())
    return read_revocation_list(crl.public_bytes(Encoding.DER), fetched_at=NOW)


def point(**changes: object) -> x509.IssuingDistributionPoint:
    fields: dict[str, object] = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**(fields | changes))  # type: ignore[arg-type] # a table


def url(text: str) -> list[x509.GeneralName]:
    return [x509.UniformResourceIdentifier(text)]


def test_stale_revocation_list_means_wait_and_later_a_waivable_refusal() -> None:
    old = trusted(listed_at=NOW - 8 * DAY)

    with pytest.raises(Unavailable) as waiting:
        opened(pack(), trust=old)
    assert waiting.value.code == "trust.stale_list"
    refused = quarantine(pack(), trust=old, stale_is=StaleList.REJECT)
    assert refused.code == "revocation-unknown"
    assert (refused.verdict.chain, refused.verdict.revocation) == (True, False)
    assert opened(pack(), trust=old, waivers=["revocation-unknown"]).verdict.waived == (
        "revocation-unknown",
    )


def test_missing_revocation_list_raises_unavailable() -> None:
    with pytest.raises(Unavailable):
        opened(pack(), trust=replace(trusted(), lists=()))


def test_stale_revocation_list_still_shows_a_revoked_certificate() -> None:
    old = trusted(listed_at=NOW - 30 * DAY, revoked=[signer()])

    refused = quarantine(pack(), trust=old, waivers=["revocation-unknown", "trust.revoked"])

    assert refused.code == "trust.revoked"


def test_revocation_list_is_stale_after_its_next_update_or_the_longest_age() -> None:
    made = RevocationList(der=b"", fetched_at=NOW, this_update=NOW, next_update=NOW + 180 * DAY)
    endless = replace(made, next_update=None)

    assert not made.is_stale(NOW + 179 * DAY, timedelta(days=7))
    assert made.is_stale(NOW + 181 * DAY, timedelta(days=7))
    assert not endless.is_stale(NOW + 6 * DAY, timedelta(days=7))
    assert endless.is_stale(NOW + 8 * DAY, timedelta(days=7))


@pytest.mark.parametrize(
    "extensions",
    [
        [(x509.DeltaCRLIndicator(1), True)],
        [(x509.DeltaCRLIndicator(1), False)],
        [(point(only_contains_ca_certs=True), True)],
        [(point(only_contains_attribute_certs=True), True)],
        [(point(indirect_crl=True), True)],
        [(point(full_name=url("http://elsewhere.test.invalid/x.crl")), True)],
        [(point(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise})), True)],
        [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), True)],
    ],
)
def test_revocation_list_that_is_not_complete_for_the_certificate_is_ignored(
    extensions: list[tuple[x509.ExtensionType, bool]],
) -> None:
    partial = revocations(*extensions)

    with pytest.raises(Unavailable):
        opened(pack(), trust=replace(trusted(), lists=(partial,)))


@pytest.mark.parametrize(
    "extensions",
    [
        [],
        [(x509.CRLNumber(7), True)],
        [(point(only_contains_user_certs=True), True)],
        [(point(full_name=url("http://crl.test.invalid/simulator.crl")), True)],
    ],
)
def test_revocation_list_that_is_complete_for_the_certificate_is_accepted(
    extensions: list[tuple[x509.ExtensionType, bool]],
) -> None:
    whole = replace(trusted(), lists=(revocations(*extensions),))

    assert opened(pack(), trust=whole).verdict.revocation is True


def test_revocation_list_with_a_wrong_or_weak_signature_is_ignored() -> None:
    good = trusted().lists[0]
    forged = replace(good, der=good.der[:-1] + bytes([good.der[-1] ^ 1]))
    other = TestAuthority.__new__(TestAuthority)
    other._key = signer().key

    weak = replace(good, der=list_with_sha1(good.der))

    for shown in (forged, revocations(by=other), weak):
        with pytest.raises(Unavailable):
            opened(pack(), trust=replace(trusted(), lists=(shown,)))


def test_revocation_list_from_the_future_is_ignored() -> None:
    with pytest.raises(Unavailable):
        opened(pack(), trust=trusted(listed_at=NOW + 2 * DAY))
