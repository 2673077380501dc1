"""The test authority."""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from inbox.simulator.packages.certificates import CRL_URL, OrgStyle, TestAuthority

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def test_enterprise_certificate_names_its_organisation_key_usage_and_crl_url() -> None:
    authority = TestAuthority(valid_from=NOW)

    certificate = authority.issue("910077473").certificate

    certificate.verify_directly_issued_by(authority.root)
    (number,) = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    (point,) = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert number.value == "910077473"
    assert (usage.digital_signature, usage.content_commitment, usage.key_cert_sign) == (
        True,
        True,
        False,
    )
    assert point.full_name is not None
    assert point.full_name[0].value == CRL_URL


def test_newer_certificate_style_has_the_number_in_organization_identifier() -> None:
    signer = TestAuthority().issue("910077473", style=OrgStyle.ORGANIZATION_IDENTIFIER)

    subject = signer.certificate.subject

    assert subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER) == []
    (name,) = subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)
    assert name.value == "NTRNO-910077473"


def test_two_certificates_of_the_test_authority_have_different_keys() -> None:
    authority = TestAuthority()

    first, second = authority.issue("910077473"), authority.issue("910077473")

    assert first.key.public_key() != second.key.public_key()


def test_expired_certificate_of_the_test_authority_ended_the_day_before() -> None:
    signer = TestAuthority(valid_from=NOW).expired("910077473", now=NOW)

    assert (NOW - signer.certificate.not_valid_after_utc).days == 1


def test_revocation_list_of_the_test_authority_is_signed_and_lists_the_revoked() -> None:
    authority = TestAuthority(valid_from=NOW)
    good, bad = authority.issue("910077473"), authority.issue("910077473")

    revoked = x509.load_der_x509_crl(authority.crl(NOW, revoked=[bad]))

    public = authority.root.public_key()
    assert revoked.is_signature_valid(public)  # type: ignore[arg-type]  # an RSA key
    assert [each.serial_number for each in revoked] == [bad.certificate.serial_number]
    assert good.certificate.serial_number != bad.certificate.serial_number
    assert revoked.next_update_utc is not None
    assert revoked.last_update_utc < NOW < revoked.next_update_utc
