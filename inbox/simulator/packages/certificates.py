"""A test authority with its revocation list; it issues enterprise certificates."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
CRL_URL = "http://crl.test.invalid/simulator.crl"
"""The distribution point in the certificates; `.invalid` so that nobody ever fetches it."""


class OrgStyle(StrEnum):
    """Where the subject has the organisation number (§10.6)."""

    SERIAL_NUMBER = "serialNumber"
    ORGANIZATION_IDENTIFIER = "organizationIdentifier"


@dataclass(frozen=True)
class SigningKey:
    """A private key with its certificate."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        """The certificate as it goes into a CMS."""
        return self.certificate.public_bytes(serialization.Encoding.DER)


@functools.cache
def _key(number: int) -> rsa.RSAPrivateKey:
    """Keys are slow to make: each is made once per process, `number` tells them apart."""
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class TestAuthority:
    """A root that issues enterprise certificates directly; two made in one process share a key.

    `valid_from` moves everything in time; a certificate lives three years if nothing else is given.
    """

    __test__ = False

    def __init__(
        self,
        *,
        valid_from: datetime | None = None,
        name: str = "Test Root CA",
        anchor: SigningKey | None = None,
    ) -> None:
        start = valid_from or datetime.now(UTC) - 30 * DAY
        self._valid_from = start.replace(microsecond=0)
        self._key = anchor.key if anchor else _key(0)
        self._certificate = anchor.certificate if anchor else self._root(name)
        self._issued = 0

    def root_pem(self) -> bytes:
        """The trust anchor."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def root(self) -> x509.Certificate:
        """The trust anchor as a certificate."""
        return self._certificate

    def issue(
        self,
        org_number: str,
        *,
        name: str = "Test kommune",
        style: OrgStyle = OrgStyle.SERIAL_NUMBER,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
    ) -> SigningKey:
        """A certificate (virksomhetssertifikat). Keys take turns: two in a row differ."""
        self._issued += 1
        key = _key(1 + self._issued % 3)
        start = valid_from or self._valid_from
        org = {
            OrgStyle.SERIAL_NUMBER: (NameOID.SERIAL_NUMBER, org_number),
            OrgStyle.ORGANIZATION_IDENTIFIER: (
                NameOID.ORGANIZATION_IDENTIFIER,
                f"NTRNO-{org_number}",
            ),
        }[style]
        subject = _name((NameOID.COUNTRY_NAME, "NO"), (NameOID.ORGANIZATION_NAME, name), org)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(valid_until or start + 3 * 365 * DAY)
        )
        for extension, critical in _extensions(key.public_key(), self._key.public_key()):
            builder = builder.add_extension(extension, critical=critical)
        return SigningKey(key, builder.sign(self._key, hashes.SHA256()))

    def expired(self, org_number: str, *, now: datetime, name: str = "Test kommune") -> SigningKey:
        """A certificate that ran out the day before `now`."""
        return self.issue(org_number, name=name, valid_from=now - 400 * DAY, valid_until=now - DAY)

    def crl(self, now: datetime, revoked: Iterable[int | SigningKey] = ()) -> bytes:
        """The revocation list in DER, good for a week from an hour before `now`."""
        issued = now.replace(microsecond=0) - timedelta(hours=1)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._certificate.subject)
            .last_update(issued)
            .next_update(issued + 7 * DAY)
            .add_extension(x509.CRLNumber(int(issued.timestamp())), critical=False)
            .add_extension(_authority_id(self._key.public_key()), critical=False)
        )
        for each in revoked:
            serial = each.certificate.serial_number if isinstance(each, SigningKey) else each
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(issued)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def _root(self, name: str) -> x509.Certificate:
        subject = _name(
            (NameOID.COUNTRY_NAME, "NO"),
            (NameOID.ORGANIZATION_NAME, "Simulator"),
            (NameOID.COMMON_NAME, name),
        )
        public = self._key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._valid_from - 365 * DAY)
            .not_valid_after(self._valid_from + 10 * 365 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(signs="certificates"), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _name(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])


def _authority_id(public: rsa.RSAPublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(public)


def _usage(*, signs: str) -> x509.KeyUsage:
    documents = signs == "documents"
    return x509.KeyUsage(
        digital_signature=documents,
        content_commitment=documents,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not documents,
        crl_sign=not documents,
        encipher_only=False,
        decipher_only=False,
    )


def _extensions(
    public: rsa.RSAPublicKey, issuer: rsa.RSAPublicKey
) -> list[tuple[x509.ExtensionType, bool]]:
    """What an enterprise certificate carries, each with whether it is critical."""
    point = x509.DistributionPoint(
        full_name=[x509.UniformResourceIdentifier(CRL_URL)],
        relative_name=None,
        reasons=None,
        crl_issuer=None,
    )
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(signs="documents"), True),
        (x509.CRLDistributionPoints([point]), False),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (_authority_id(issuer), False),
    ]
