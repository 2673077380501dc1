"""Good and bad packages, one change at a time, and everything that is needed to open them."""

import base64
import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from inbox.domain import OrgNumber, Service
from inbox.errors import PackageRejected
from inbox.package import Package, open_package
from inbox.package.arkivmelding.xsd import Schemas
from inbox.package.envelope import Envelope, read_envelope
from inbox.package.inputs import Expectations, Limits, StaleList, Trust
from inbox.package.signature.revocation import read_revocation_list
from inbox.package.verdict import PackageQuarantined
from inbox.simulator.packages.arkivmelding import ArkivmeldingLetter, arkivmelding_xml
from inbox.simulator.packages.builder import Parcel, ParcelDocument, package_bytes
from inbox.simulator.packages.certificates import SigningKey, TestAuthority
from inbox.simulator.packages.cms import Profile, sign
from inbox.simulator.packages.envelopes import sbd_json
from tests.package.zip.zip_writer import Part, zip_bytes

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SENDER = OrgNumber("910077473")
RECEIVER = OrgNumber("910075918")
SUPPLIER = OrgNumber("991825827")
STRANGER = OrgNumber("974761076")
SIGNATURE = "META-INF/signature-1.p7s"
MANIFEST = "META-INF/ASiCManifest.xml"
MIMETYPE = Part(name="mimetype", content=b"application/vnd.etsi.asic-e+zip", stored=True)
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"


@functools.cache
def authority() -> TestAuthority:
    return TestAuthority(valid_from=NOW - timedelta(days=30))


@functools.cache
def signer(org_number: str = SENDER) -> SigningKey:
    return authority().issue(org_number)


def parcel(**changes: Any) -> Parcel:
    """What the simulated gateway packs, signed by the sender."""
    usual = Parcel(
        sender=SENDER,
        receiver=RECEIVER,
        signer=signer(),
        documents=(ParcelDocument("brev.pdf", "application/pdf", b"%PDF-1.7 brev"),),
        arkivmelding=arkivmelding_xml(),
        signed_at=NOW,
    )
    return replace(usual, **changes)


def genuine(**changes: Any) -> bytes:
    """A package as the simulated gateway writes it."""
    return package_bytes(parcel(**changes))


def trusted(*, revoked: Iterable[int | SigningKey] = (), listed_at: datetime = NOW) -> Trust:
    """Trust in the test authority, with a revocation list made at that time."""
    crl = authority().crl(listed_at, revoked)
    return Trust(
        anchors=(authority().root.public_bytes(Encoding.DER),),
        lists=(read_revocation_list(crl, fetched_at=listed_at),),
    )


def expecting(**changes: Any) -> Expectations:
    return replace(Expectations(service=Service.DPO, organisation=RECEIVER), **changes)


def envelope_of(**changes: Any) -> Envelope:
    fields: dict[str, Any] = {"sender": SENDER, "receiver": RECEIVER, "created_at": NOW} | changes
    return read_envelope(json.dumps(sbd_json(**fields)).encode())


def opened(
    raw: bytes,
    *,
    envelope: Envelope | None = None,
    expected: Expectations | None = None,
    trust: Trust | None = None,
    limits: Limits | None = None,
    waivers: Iterable[str] = (),
    now: datetime = NOW,
    stale_is: StaleList = StaleList.WAIT,
    schemas: Schemas | None = None,
) -> Package:
    """Open it; all that is not given is as it should be."""
    return open_package(
        BytesIO(raw),
        envelope or envelope_of(),
        expected=expected or expecting(),
        trust=trust or trusted(),
        limits=limits or Limits(),
        waivers=frozenset(waivers),
        now=now,
        stale_is=stale_is,
        schemas=schemas,
    )


def quarantine(raw: bytes, **terms: Any) -> PackageQuarantined:
    """The refusal that the package earns."""
    with pytest.raises(PackageQuarantined) as refused:
        opened(raw, **terms)
    return refused.value


def refusal(attempt: Callable[[], object]) -> str:
    """The code with which an attempt is refused."""
    with pytest.raises(PackageRejected) as refused:
        attempt()
    return refused.value.code


def _same(text: str) -> str:
    return text


def _all(parts: list[Part]) -> list[Part]:
    return parts


@dataclass(frozen=True, kw_only=True)
class Pack:
    """A signed package made by hand; each field is one way to go wrong."""

    files: Mapping[str, bytes] = field(
        default_factory=lambda: {"arkivmelding.xml": arkivmelding_xml(), "brev.pdf": b"%PDF"}
    )
    listed: Mapping[str, bytes] | None = None
    """What the manifest lists, if not the files."""
    manifest: Callable[[str], str] = _same
    signature: Callable[[bytes], bytes] | None = None
    """Makes the signature over the manifest; a SHA-256 one of the sender's if not given."""
    parts: Callable[[list[Part]], list[Part]] = _all
    """Changes the entries when everything is signed."""
    writing: Mapping[str, Any] = field(default_factory=dict)
    """What `zip_bytes` is told."""

    def bytes(self) -> bytes:
        listed = self.files if self.listed is None else self.listed
        manifest = self.manifest(manifest_xml(listed)).encode()
        make = self.signature or signed_by(signer())
        parts = [
            MIMETYPE,
            *(Part(name=name, content=content) for name, content in self.files.items()),
            Part(name=MANIFEST, content=manifest),
            Part(name=SIGNATURE, content=make(manifest)),
        ]
        return zip_bytes(self.parts(parts), **self.writing)


def pack(**changes: Any) -> bytes:
    return Pack(**changes).bytes()


def signed_by(who: SigningKey, *, profile: Profile = Profile.SHA256) -> Callable[[bytes], bytes]:
    return lambda content: sign(content, who, profile=profile, at=NOW)


def manifest_xml(files: Mapping[str, bytes], *, signature: str = SIGNATURE) -> str:
    references = "".join(reference_xml(name, content) for name, content in files.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<ASiCManifest xmlns="http://uri.etsi.org/02918/v1.2.1#" xmlns:ds="{XMLDSIG}">'
        f'<SigReference URI="{signature}" MimeType="application/x-pkcs7-signature"/>'
        f"{references}</ASiCManifest>"
    )


def reference_xml(uri: str, content: bytes) -> str:
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    return (
        f'<DataObjectReference URI="{uri}" MimeType="application/octet-stream">'
        f'<ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue>{digest}</ds:DigestValue>'
        "</DataObjectReference>"
    )


def with_part(name: str, **changes: Any) -> Callable[[list[Part]], list[Part]]:
    """Change the entry of that name, after signing."""
    return lambda parts: [replace(p, **changes) if p.name == name else p for p in parts]


def plus(*more: Part) -> Callable[[list[Part]], list[Part]]:
    """Add entries that nobody signed."""
    return lambda parts: [*parts, *more]


def without(*names: str) -> Callable[[list[Part]], list[Part]]:
    return lambda parts: [part for part in parts if part.name not in names]


def letter(names: Sequence[str] = ("brev.pdf",), **changes: Any) -> bytes:
    """An arkivmelding.xml that refers to these files."""
    return arkivmelding_xml(replace(ArkivmeldingLetter(file_names=tuple(names)), **changes))
