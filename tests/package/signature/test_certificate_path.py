"""Trust: whose certificate, is it good, and what is the signer to the sender?"""

from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from ipaddress import ip_address, ip_network

import pytest
from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from inbox.domain import OrgNumber, Service
from inbox.errors import ConfigurationError, InboxError, Unavailable
from inbox.package import inspect
from inbox.package.inputs import Limits, StaleList, Trust
from inbox.package.signature.certificate_path import _run_without_waiting, _verdict_on_failure
from inbox.package.signature.revocation import read_revocation_list
from inbox.package.verdict import SignerIs, VerdictBuilder
from inbox.simulator.packages.certificates import OrgStyle, SigningKey
from inbox.simulator.packages.cms import Profile
from tests.package.signature.signatures import (
    Holder,
    certificate_with_sha1,
    holder,
    intermediate,
    making,
    usage,
)
from tests.package_builder import (
    NOW,
    RECEIVER,
    SENDER,
    STRANGER,
    SUPPLIER,
    authority,
    envelope_of,
    expecting,
    genuine,
    opened,
    pack,
    quarantine,
    refusal,
    signed_by,
    signer,
    trusted,
)

DAY = timedelta(days=1)


def by(org_number: str) -> bytes:
    return pack(signature=signed_by(signer(org_number)))


def test_package_signed_by_a_trusted_sender_gets_a_full_verdict() -> None:
    verdict = opened(genuine()).verdict

    assert (verdict.integrity, verdict.chain, verdict.revocation) == (True, True, True)
    assert verdict.signer_is is SignerIs.SENDER
    assert verdict.signers[0].name == "Test kommune"
    assert verdict.signers[0].issuer == "Test Root CA"


@pytest.mark.parametrize("style", OrgStyle)
def test_signer_organisation_number_is_found_in_every_certificate_style(style: OrgStyle) -> None:
    raw = pack(signature=signed_by(authority().issue(SENDER, style=style)))

    assert opened(raw).verdict.signers[0].org_number == SENDER


def test_certificate_with_two_organisation_numbers_is_refused() -> None:
    subject = [
        (NameOID.SERIAL_NUMBER, str(SENDER)),
        (NameOID.ORGANIZATION_IDENTIFIER, f"NTRNO-{STRANGER}"),
    ]

    refused = quarantine(pack(signature=making(holder(subject=subject))))

    assert refused.code == "signer.no_org_number"
    assert refused.verdict.signers[0].name is None


def test_listed_supplier_may_sign_for_the_sender() -> None:
    listed = expecting(on_behalf_of=frozenset({(SUPPLIER, SENDER)}))

    verdict = opened(by(SUPPLIER), expected=listed).verdict

    assert verdict.signer_is is SignerIs.SUPPLIER
    assert quarantine(by(SUPPLIER)).code == "signer.not_sender"


def test_supplier_named_in_the_envelope_is_refused_unless_listed() -> None:
    claiming = envelope_of(sender=f"{SUPPLIER}:{SENDER}")
    listed = expecting(on_behalf_of=frozenset({(SUPPLIER, SENDER)}))

    assert quarantine(by(SUPPLIER), envelope=claiming).code == "signer.supplier_unknown"
    assert opened(by(SUPPLIER), envelope=claiming, expected=listed).verdict.signer_is == "supplier"
    assert opened(by(SENDER), envelope=claiming).verdict.signer_is == "sender"
    assert quarantine(by(STRANGER), envelope=claiming).code == "signer.not_sender"


def test_own_gateway_may_sign_on_dpf_only() -> None:
    on_dpf = expecting(service=Service.DPF)
    other = expecting(service=Service.DPF, own=frozenset({OrgNumber(STRANGER)}))

    assert opened(by(RECEIVER), expected=on_dpf).verdict.signer_is is SignerIs.OWN_GATEWAY
    assert opened(by(STRANGER), expected=other).verdict.signer_is is SignerIs.OWN_GATEWAY
    assert quarantine(by(RECEIVER)).code == "signer.not_sender"
    assert quarantine(by(STRANGER), expected=on_dpf).code == "signer.not_sender"


def test_dpf_package_signed_by_the_own_gateway_may_name_any_envelope_sender() -> None:
    on_dpf = expecting(service=Service.DPF)

    for named in (SENDER, RECEIVER, "999999999"):
        verdict = opened(by(RECEIVER), envelope=envelope_of(sender=named), expected=on_dpf).verdict
        assert verdict.signer_is is SignerIs.OWN_GATEWAY
    assert quarantine(by(SENDER), envelope=envelope_of(sender="999999999")).code.startswith(
        "signer"
    )


@pytest.mark.parametrize(
    "subject",
    [
        [(NameOID.SERIAL_NUMBER, f"NTRNO-{SENDER}")],
        [
            (NameOID.SERIAL_NUMBER, str(SENDER)),
            (NameOID.ORGANIZATION_IDENTIFIER, f"NTRNO-{SENDER}"),
        ],
        [
            (NameOID.SERIAL_NUMBER, "of the card 77"),
            (NameOID.ORGANIZATION_IDENTIFIER, f"NTRNO-{SENDER}"),
        ],
    ],
)
def test_signer_number_may_be_in_serial_number_or_organization_identifier(
    subject: list[tuple[x509.ObjectIdentifier, str]],
) -> None:
    assert opened(pack(signature=making(holder(subject=subject)))).verdict.signer_is == "sender"


@pytest.mark.parametrize("number", ["NTRSE-910077473", "VATNO-910077473", "910077474", "91007747"])
def test_certificate_with_an_invalid_organisation_number_is_refused(number: str) -> None:
    who = holder(subject=[(NameOID.ORGANIZATION_IDENTIFIER, number)])

    assert quarantine(pack(signature=making(who))).code == "signer.no_org_number"


def test_refused_signer_is_recorded_in_the_verdict() -> None:
    verdict = quarantine(by(STRANGER)).verdict

    assert (verdict.integrity, verdict.chain, verdict.revocation) == (True, True, True)
    assert (verdict.signers[0].org_number, verdict.signer_is) == (STRANGER, "stranger")


def test_certificate_with_a_trusted_issuer_name_but_another_issuer_key_is_refused() -> None:
    impostor = x509.CertificateBuilder(
        issuer_name=authority().root.subject,
        subject_name=signer().certificate.subject,
        public_key=signer().key.public_key(),
        serial_number=1,
        not_valid_before=NOW - DAY,
        not_valid_after=NOW + DAY,
    ).sign(signer(STRANGER).key, hashes.SHA256())
    forged = SigningKey(signer().key, impostor)

    assert quarantine(pack(signature=signed_by(forged))).code in {
        "trust.path",
        "trust.unknown_anchor",
    }


def test_self_signed_certificate_is_trusted_only_as_an_anchor() -> None:
    name = x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, str(SENDER))])
    key = signer().key
    own = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - DAY, NOW + DAY).sign(
        key, hashes.SHA256()
    )
    raw = pack(signature=signed_by(SigningKey(key, own)))

    assert quarantine(raw).code == "trust.unknown_anchor"
    anchored = Trust(anchors=(own.public_bytes(Encoding.DER),))
    assert opened(raw, trust=anchored).verdict.chain is True


def test_certificate_signed_with_sha1_is_refused() -> None:
    der = certificate_with_sha1(signer().der)
    weak = Holder(signer().key, x509.load_der_x509_certificate(der))

    assert quarantine(pack(signature=making(weak))).code == "trust.path"


def test_intermediate_certificate_from_signature_or_trust_completes_the_path() -> None:
    middle = intermediate()

    def bring(data: cms.SignedData) -> None:
        data["certificates"].append(asn1_x509.Certificate.load(middle.der))

    lists = replace(trusted(), lists=(*trusted().lists, middle.revocations))
    alone = pack(signature=making(middle.leaf))

    assert quarantine(alone).code == "trust.unknown_anchor"
    brought = pack(signature=making(middle.leaf, edit=bring))
    assert opened(brought, trust=lists).verdict.revocation is True
    assert opened(alone, trust=replace(lists, intermediates=(middle.der,))).verdict.chain is True


def test_cached_certificate_path_is_rechecked_for_validity_and_anchors() -> None:
    raw = genuine()
    assert opened(raw).verdict.chain is True

    assert quarantine(raw, now=NOW + timedelta(days=3650)).code == "trust.expired"
    assert quarantine(raw, now=NOW - timedelta(days=3650)).code == "trust.not_yet_valid"
    assert quarantine(raw, trust=replace(trusted(), anchors=())).code == "trust.unknown_anchor"
    assert opened(raw).verdict.chain is True


def test_intermediate_certificate_needs_a_revocation_list_too() -> None:
    middle = intermediate()
    only_leaf = replace(trusted(), intermediates=(middle.der,), lists=(middle.revocations,))

    with pytest.raises(Unavailable):
        opened(pack(signature=making(middle.leaf)), trust=only_leaf)


def test_leaf_certificate_cannot_issue_another_certificate() -> None:
    """A leaf that issues another leaf: no path may go through it."""
    leaf = signer(STRANGER)
    name = x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, str(SENDER))])
    forged = x509.CertificateBuilder(
        leaf.certificate.subject, name, signer().key.public_key(), 9, NOW - DAY, NOW + DAY
    ).sign(leaf.key, hashes.SHA256())
    with_leaf = replace(trusted(), intermediates=(leaf.der,))
    raw = pack(signature=making(Holder(signer().key, forged)))

    assert quarantine(raw, trust=with_leaf).code in {"trust.path", "trust.unknown_anchor"}


@pytest.mark.parametrize("allowed", ["digital_signature", "content_commitment"])
def test_key_usage_may_be_digital_signature_or_content_commitment(allowed: str) -> None:
    who = holder(extensions=[(usage(**{allowed: True}), True)])

    assert opened(pack(signature=making(who))).verdict.chain is True


def test_sha1_signature_is_refused_from_the_configured_date() -> None:
    until = expecting(legacy_sha1_until=date(2026, 11, 21))
    before_midnight = datetime(2026, 11, 20, 22, 59, tzinfo=UTC)

    assert opened(genuine(), expected=until, now=before_midnight).verdict.code is None
    late = quarantine(genuine(), expected=until, now=before_midnight + timedelta(minutes=1))
    assert late.code == "trust.legacy_sha1"
    modern = pack(signature=signed_by(signer(), profile=Profile.SHA256))
    assert opened(modern, expected=until, now=NOW + DAY).verdict.code is None


def test_package_with_two_problems_needs_a_waiver_for_each() -> None:
    raw = pack(signature=signed_by(authority().expired(STRANGER, now=NOW)))

    assert quarantine(raw).code == "trust.expired"
    assert quarantine(raw, waivers=["trust.expired"]).code == "signer.not_sender"
    verdict = opened(raw, waivers=["trust.expired", "signer.not_sender"]).verdict
    assert verdict.waived == ("trust.expired", "signer.not_sender")
    assert (verdict.chain, verdict.revocation) == (False, False)


@pytest.mark.parametrize("anchors", [(b"not a certificate",), (b"",)])
def test_invalid_anchor_or_revocation_list_raises_configuration_error(
    anchors: tuple[bytes, ...],
) -> None:
    with pytest.raises(ConfigurationError):
        opened(pack(), trust=Trust(anchors=anchors))
    with pytest.raises(ConfigurationError):
        read_revocation_list(b"not a list", fetched_at=NOW)


def test_inspect_reports_integrity_without_any_trust() -> None:
    verdict = inspect(BytesIO(genuine()), limits=Limits())

    assert (verdict.integrity, verdict.chain, verdict.signer_is) == (True, None, None)
    assert verdict.signers[0].org_number == SENDER


@pytest.mark.parametrize(
    ("permitted", "also_named"),
    [
        (x509.IPAddress(ip_network("10.0.0.0/8")), x509.IPAddress(ip_address("10.1.2.3"))),
        (x509.IPAddress(ip_network("10.0.0.0/8")), x509.IPAddress(ip_address("192.0.2.1"))),
        (x509.RegisteredID(x509.ObjectIdentifier("1.2.3")), x509.DNSName("kommune.example")),
        (
            x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
            x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
        ),
        (
            x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x0c\x01a"),
            x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x0c\x01a"),
        ),
    ],
)
def test_name_constraint_that_the_library_cannot_check_gives_a_verdict(
    permitted: x509.GeneralName, also_named: x509.GeneralName
) -> None:
    constraint = x509.NameConstraints(permitted_subtrees=[permitted], excluded_subtrees=None)
    named = x509.SubjectAlternativeName([also_named])
    middle = intermediate(constraints=[constraint], leaf_extensions=[named])
    raw = pack(signature=making(middle.leaf))
    trust = replace(trusted(), intermediates=(middle.der,))

    refused = quarantine(raw, trust=trust, stale_is=StaleList.REJECT)

    assert refused.code in {"trust.path", "revocation-unknown"}
    assert refused.verdict.integrity is True


@pytest.mark.parametrize("raised", [NotImplementedError, RecursionError, ZeroDivisionError])
def test_unexpected_error_of_a_library_is_refused_as_trust_path(raised: type[Exception]) -> None:
    findings = VerdictBuilder()

    def attempt() -> None:
        with _verdict_on_failure(findings):
            raise raised

    assert refusal(attempt) == "trust.path"
    assert findings.chain is False


@pytest.mark.parametrize("ours", [Unavailable("trust.stale_list"), ConfigurationError("trust.x")])
def test_errors_of_our_own_pass_through_the_trust_check_unchanged(ours: InboxError) -> None:
    with pytest.raises(type(ours)) as seen, _verdict_on_failure(VerdictBuilder()):
        raise ours

    assert seen.value is ours


class Waiting:
    def __await__(self) -> Generator[None]:
        yield


def test_path_building_that_would_wait_is_refused_as_trust_path() -> None:
    async def wait() -> None:
        await Waiting()

    assert refusal(lambda: _run_without_waiting(wait())) == "trust.path"
