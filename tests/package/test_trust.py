"""Trust: whose certificate, is it good, and what is the signer to the sender?"""

from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import pytest
from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from inbox.domain import OrgNumber, Service
from inbox.errors import ConfigurationError, Unavailable
from inbox.package import inspect
from inbox.package.inputs import Limits, Trust
from inbox.package.signature.path import _run_without_waiting
from inbox.package.signature.revocation import read_revocation_list
from inbox.package.verdict import SignerIs
from inbox.simulator.packages.certificates import OrgStyle, SigningKey
from inbox.simulator.packages.cms import Profile
from tests.package.signatures import (
    Holder,
    certificate_with_sha1,
    holder,
    intermediate,
    making,
    usage,
)
from tests.packages import (
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


def test_a_trusted_sender_gets_a_full_verdict() -> None:
    verdict = opened(genuine()).verdict

    assert (verdict.integrity, verdict.chain, verdict.revocation) == (True, True, True)
    assert verdict.signer_is is SignerIs.SENDER
    assert verdict.signers[0].name == "Test kommune"
    assert verdict.signers[0].issuer == "Test Root CA"


@pytest.mark.parametrize("style", OrgStyle)
def test_the_organisation_number_is_found_where_certificates_have_it(style: OrgStyle) -> None:
    raw = pack(signature=signed_by(authority().issue(SENDER, style=style)))

    assert opened(raw).verdict.signers[0].org_number == SENDER


def test_two_organisation_numbers_in_one_certificate_are_none() -> None:
    subject = [
        (NameOID.SERIAL_NUMBER, str(SENDER)),
        (NameOID.ORGANIZATION_IDENTIFIER, f"NTRNO-{STRANGER}"),
    ]

    refused = quarantine(pack(signature=making(holder(subject=subject))))

    assert refused.code == "signer.no_org_number"
    assert refused.verdict.signers[0].name is None


def test_a_listed_supplier_may_sign() -> None:
    listed = expecting(on_behalf_of=frozenset({(SUPPLIER, SENDER)}))

    verdict = opened(by(SUPPLIER), expected=listed).verdict

    assert verdict.signer_is is SignerIs.SUPPLIER
    assert quarantine(by(SUPPLIER)).code == "signer.not_sender"


def test_a_supplier_that_only_names_itself_is_not_known() -> None:
    claiming = envelope_of(sender=f"{SUPPLIER}:{SENDER}")
    listed = expecting(on_behalf_of=frozenset({(SUPPLIER, SENDER)}))

    assert quarantine(by(SUPPLIER), envelope=claiming).code == "signer.supplier_unknown"
    assert opened(by(SUPPLIER), envelope=claiming, expected=listed).verdict.signer_is == "supplier"
    assert opened(by(SENDER), envelope=claiming).verdict.signer_is == "sender"
    assert quarantine(by(STRANGER), envelope=claiming).code == "signer.not_sender"


def test_our_own_gateway_signs_on_dpf_only() -> None:
    on_dpf = expecting(service=Service.DPF)
    other = expecting(service=Service.DPF, own=frozenset({OrgNumber(STRANGER)}))

    assert opened(by(RECEIVER), expected=on_dpf).verdict.signer_is is SignerIs.OWN_GATEWAY
    assert opened(by(STRANGER), expected=other).verdict.signer_is is SignerIs.OWN_GATEWAY
    assert quarantine(by(RECEIVER)).code == "signer.not_sender"
    assert quarantine(by(STRANGER), expected=on_dpf).code == "signer.not_sender"


def test_on_dpf_the_signer_says_nothing_about_whom_the_envelope_names() -> None:
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
def test_the_number_may_stand_in_either_place_or_in_both(
    subject: list[tuple[x509.ObjectIdentifier, str]],
) -> None:
    assert opened(pack(signature=making(holder(subject=subject)))).verdict.signer_is == "sender"


@pytest.mark.parametrize("number", ["NTRSE-910077473", "VATNO-910077473", "910077474", "91007747"])
def test_what_is_no_norwegian_organisation_number_is_none(number: str) -> None:
    who = holder(subject=[(NameOID.ORGANIZATION_IDENTIFIER, number)])

    assert quarantine(pack(signature=making(who))).code == "signer.no_org_number"


def test_a_refusal_of_the_signer_says_what_was_seen() -> None:
    verdict = quarantine(by(STRANGER)).verdict

    assert (verdict.integrity, verdict.chain, verdict.revocation) == (True, True, True)
    assert (verdict.signers[0].org_number, verdict.signer_is) == (STRANGER, "stranger")


def test_a_certificate_of_another_authority_is_not_believed_under_the_same_name() -> None:
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


def test_a_self_signed_certificate_is_believed_only_as_an_anchor() -> None:
    name = x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, str(SENDER))])
    key = signer().key
    own = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - DAY, NOW + DAY).sign(
        key, hashes.SHA256()
    )
    raw = pack(signature=signed_by(SigningKey(key, own)))

    assert quarantine(raw).code == "trust.unknown_anchor"
    anchored = Trust(anchors=(own.public_bytes(Encoding.DER),))
    assert opened(raw, trust=anchored).verdict.chain is True


def test_a_certificate_signed_with_sha1_is_not_believed() -> None:
    der = certificate_with_sha1(signer().der)
    weak = Holder(signer().key, x509.load_der_x509_certificate(der))

    assert quarantine(pack(signature=making(weak))).code == "trust.path"


def test_certificates_that_came_along_complete_the_path() -> None:
    middle = intermediate()

    def bring(data: cms.SignedData) -> None:
        data["certificates"].append(asn1_x509.Certificate.load(middle.der))

    lists = replace(trusted(), lists=(*trusted().lists, middle.revocations))
    alone = pack(signature=making(middle.leaf))

    assert quarantine(alone).code == "trust.unknown_anchor"
    brought = pack(signature=making(middle.leaf, edit=bring))
    assert opened(brought, trust=lists).verdict.revocation is True
    assert opened(alone, trust=replace(lists, intermediates=(middle.der,))).verdict.chain is True


def test_a_path_that_was_built_before_holds_only_while_it_is_valid_and_its_anchors_stand() -> None:
    raw = genuine()
    assert opened(raw).verdict.chain is True

    assert quarantine(raw, now=NOW + timedelta(days=3650)).code == "trust.expired"
    assert quarantine(raw, now=NOW - timedelta(days=3650)).code == "trust.not_yet_valid"
    assert quarantine(raw, trust=replace(trusted(), anchors=())).code == "trust.unknown_anchor"
    assert opened(raw).verdict.chain is True


def test_the_certificate_in_the_middle_must_be_shown_good_too() -> None:
    middle = intermediate()
    only_leaf = replace(trusted(), intermediates=(middle.der,), lists=(middle.revocations,))

    with pytest.raises(Unavailable):
        opened(pack(signature=making(middle.leaf)), trust=only_leaf)


def test_a_signer_may_not_be_its_own_authority() -> None:
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
def test_either_use_of_a_key_that_means_signing_will_do(allowed: str) -> None:
    who = holder(extensions=[(usage(**{allowed: True}), True)])

    assert opened(pack(signature=making(who))).verdict.chain is True


def test_sha1_is_refused_from_the_date_that_is_set() -> None:
    until = expecting(legacy_sha1_until=date(2026, 11, 21))
    before_midnight = datetime(2026, 11, 20, 22, 59, tzinfo=UTC)

    assert opened(genuine(), expected=until, now=before_midnight).verdict.code is None
    late = quarantine(genuine(), expected=until, now=before_midnight + timedelta(minutes=1))
    assert late.code == "trust.legacy_sha1"
    modern = pack(signature=signed_by(signer(), profile=Profile.SHA256))
    assert opened(modern, expected=until, now=NOW + DAY).verdict.code is None


def test_several_problems_need_several_waivers() -> None:
    raw = pack(signature=signed_by(authority().expired(STRANGER, now=NOW)))

    assert quarantine(raw).code == "trust.expired"
    assert quarantine(raw, waivers=["trust.expired"]).code == "signer.not_sender"
    verdict = opened(raw, waivers=["trust.expired", "signer.not_sender"]).verdict
    assert verdict.waived == ("trust.expired", "signer.not_sender")
    assert (verdict.chain, verdict.revocation) == (False, False)


@pytest.mark.parametrize("anchors", [(b"not a certificate",), (b"",)])
def test_an_anchor_that_is_none_is_a_fault_of_ours(anchors: tuple[bytes, ...]) -> None:
    with pytest.raises(ConfigurationError):
        opened(pack(), trust=Trust(anchors=anchors))
    with pytest.raises(ConfigurationError):
        read_revocation_list(b"not a list", fetched_at=NOW)


def test_integrity_is_told_without_any_trust() -> None:
    verdict = inspect(BytesIO(genuine()), limits=Limits())

    assert (verdict.integrity, verdict.chain, verdict.signer_is) == (True, None, None)
    assert verdict.signers[0].org_number == SENDER


class Waiting:
    def __await__(self) -> Generator[None]:
        yield


def test_building_a_path_never_waits_for_anything() -> None:
    async def wait() -> None:
        await Waiting()

    assert refusal(lambda: _run_without_waiting(wait())) == "trust.path"
