"""For every rejection code, the smallest package that is refused with it."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from inbox.domain import OrgNumber
from inbox.package.inputs import StaleList, Trust
from inbox.simulator.packages.cms import Profile
from tests.package.attempts import (
    Later,
    Opening,
    adding,
    brev,
    limited,
    listing,
    opening,
    packed,
    reading,
    signing,
    telling,
)
from tests.package.signature.signatures import holder, usage
from tests.package.zip.zip_writer import Part
from tests.package_builder import (
    MANIFEST,
    MIMETYPE,
    NOW,
    SENDER,
    SIGNATURE,
    STRANGER,
    SUPPLIER,
    authority,
    envelope_of,
    expecting,
    genuine,
    letter,
    manifest_xml,
    pack,
    reference_xml,
    signed_by,
    signer,
    trusted,
    with_part,
    without,
)

BREV = Part(name="brev.pdf", content=b"%PDF")
FILES = {"arkivmelding.xml": letter(), "brev.pdf": b"%PDF"}


def _header(sbd: dict[str, Any]) -> Any:
    return sbd["standardBusinessDocumentHeader"]


def letter_with_grade(grade: str) -> bytes:
    inner = f"<gradering><gradering>{grade}</gradering></gradering>".encode()
    return letter().replace(b"<klassifikasjon>", inner + b"<klassifikasjon>", 1)


def _embed(data: cms.SignedData) -> None:
    data["encap_content_info"] = {"content_type": "data", "content": b"inside"}


def _no_signers(data: cms.SignedData) -> None:
    data["signer_infos"] = []


def _other_certificate(data: cms.SignedData) -> None:
    data["certificates"] = [asn1_x509.Certificate.load(signer(STRANGER).der)]


def _other_digest(data: cms.SignedData) -> None:
    data["digest_algorithms"] = [{"algorithm": "sha512"}]


def _flip(content: bytes) -> bytes:
    raw = signed_by(signer())(content)
    return raw[:-1] + bytes([raw[-1] ^ 1])


_WEAK_BITS = 1024
_WEAK_KEY = Later(lambda: holder(key=rsa.generate_private_key(65537, _WEAK_BITS)))
_UNKNOWN_CRITICAL = Later(
    lambda: holder(
        extensions=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), True)]
    )
)
_ONLY_ENCRYPTS = Later(lambda: holder(extensions=[(usage(key_encipherment=True), True)]))

EARNED: dict[str, Opening | Callable[[], object]] = {
    "container.not_zip": opening(lambda: b"nothing"),
    "container.truncated": opening(lambda: pack()[:-22]),
    "container.too_large": limited(max_container_bytes=10),
    "container.trailing_bytes": packed(writing={"trailing": b"x"}),
    "container.comment": packed(writing={"comment": b"hei PK\x01\x02"}),
    "container.zip64": packed(writing={"end": {"here": 0xFFFF, "entries": 0xFFFF}}),
    "container.directory": packed(writing={"end": {"here": 1, "entries": 1}}),
    "container.too_many_entries": limited(max_entries=3),
    "container.gap": packed(writing={"before": b"MZ"}),
    "container.local_header": brev(local={"crc": 1}),
    "container.descriptor": brev(flags=0x808, after=bytes(16)),
    "container.encrypted": brev(flags=0x801),
    "container.flags": brev(flags=0x2800),
    "container.method": brev(local={"method": 12}, central={"method": 12}),
    "container.special_file": brev(central={"attributes": 0xA1FF << 16}),
    "container.extra_field": brev(central_extra=b"\x75\x70\x01\x00\x01"),
    "container.name": adding(Part(name="../brev.pdf")),
    "container.name_collision": adding(Part(name="brev.pdf")),
    "container.inflated_too_large": limited(max_inflated_bytes=10),
    "container.deflate": brev(packed=b"\xff\xff"),
    "container.size": brev(stored=True, local={"size": 99}, central={"size": 99}),
    "container.crc": brev(crc=1),
    "container.mimetype_missing": packed(parts=without("mimetype")),
    "container.mimetype_wrong": packed(parts=with_part("mimetype", content=b"application/zip")),
    "container.asic_s": packed(
        parts=with_part("mimetype", content=MIMETYPE.content.replace(b"asic-e", b"asic-s"))
    ),
    "container.stray_metadata": adding(Part(name="META-INF/signature.malformed")),
    "manifest.none": packed(parts=without(MANIFEST, SIGNATURE)),
    "manifest.too_large": limited(max_manifest_bytes=10),
    "manifest.encoding": listing(lambda text: text.replace("UTF-8", "UTF-7")),
    "manifest.unsafe_xml": listing(lambda text: text.replace("?>", "?><!DOCTYPE ASiCManifest>")),
    "manifest.too_complex": limited(max_elements=3),
    "manifest.malformed": listing(lambda text: text.replace("ASiCManifest", "AsicManifest")),
    "manifest.covers_nothing": packed(listed={}),
    "manifest.ambiguous_uri": packed(files=FILES | {"a b": b"1", "a%20b": b"2"}),
    "manifest.metadata_listed": packed(listed=FILES | {MANIFEST: b""}),
    "manifest.listed_twice": listing(
        lambda text: text.replace("</ASiC", reference_xml("brev.pdf", b"%PDF") + "</ASiC")
    ),
    "manifest.absent_file": packed(listed=FILES | {"mangler.pdf": b""}),
    "manifest.uncovered": adding(Part(name="ekstra.pdf")),
    "manifest.weak_digest": listing(
        lambda text: text.replace("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1")
    ),
    "manifest.digest": brev(content=b"%PDF changed"),
    "signature.xades": adding(Part(name="META-INF/signatures0.xml")),
    "signature.missing": packed(parts=without(SIGNATURE)),
    "signature.shared": adding(
        Part(name="META-INF/ASiCManifest2.xml", content=manifest_xml(FILES).encode())
    ),
    "signature.unreferenced": adding(Part(name="META-INF/signature-2.p7s")),
    "signature.too_large": limited(max_signature_bytes=10),
    "signature.malformed": packed(signature=lambda _: b"nonsense"),
    "signature.embedded_content": signing(edit=_embed),
    "signature.signer_count": signing(edit=_no_signers),
    "signature.signer_certificate": signing(edit=_other_certificate),
    "signature.attributes": signing(attributes=lambda attributes: attributes[1:]),
    "signature.algorithm": signing(edit=_other_digest),
    "signature.weak_key": signing(who=_WEAK_KEY),
    "signature.other_bytes": packed(signature=lambda _: signed_by(signer())(b"other bytes")),
    "signature.wrong": packed(signature=_flip),
    "signature.legacy_shape": packed(
        manifest=lambda text: text.replace("?>", "?><!-- collision -->"),
        signature=Later(lambda: signed_by(signer(), profile=Profile.SHA1)),
    ),
    "trust.legacy_sha1": opening(genuine, expected=expecting(legacy_sha1_until=date(2026, 1, 1))),
    "trust.unknown_anchor": opening(trust=Trust()),
    "trust.expired": packed(
        signature=Later(lambda: signed_by(authority().expired(SENDER, now=NOW)))
    ),
    "trust.not_yet_valid": packed(
        signature=Later(
            lambda: signed_by(authority().issue(SENDER, valid_from=NOW + timedelta(days=1)))
        )
    ),
    "trust.path": signing(who=_UNKNOWN_CRITICAL),
    "trust.usage": signing(who=_ONLY_ENCRYPTS),
    "trust.revoked": opening(trust=Later(lambda: trusted(revoked=[signer()]))),
    "revocation-unknown": opening(
        trust=Later(lambda: trusted(listed_at=NOW - timedelta(days=10))),
        stale_is=StaleList.REJECT,
    ),
    "signer.no_org_number": packed(
        signature=Later(lambda: signed_by(authority().issue("9578-4050")))
    ),
    "signer.not_sender": packed(signature=Later(lambda: signed_by(signer(STRANGER)))),
    "signer.supplier_unknown": opening(
        lambda: pack(signature=signed_by(signer(SUPPLIER))),
        envelope=envelope_of(sender=f"{SUPPLIER}:{SENDER}"),
    ),
    "envelope.too_large": reading(lambda _: bytes(2 << 20)),
    "envelope.not_json": reading(lambda _: b"<StandardBusinessDocument/>"),
    "envelope.not_sbd": reading(lambda _: b"{}"),
    "envelope.not_arkivmelding": reading(
        lambda sbd: _header(sbd)["documentIdentification"].update(type="arkivmelding_kvittering")
    ),
    "envelope.sender": reading(lambda sbd: _header(sbd).pop("sender")),
    "envelope.receiver": reading(lambda sbd: _header(sbd).pop("receiver")),
    "envelope.message_id": reading(
        lambda sbd: _header(sbd)["documentIdentification"].pop("instanceIdentifier")
    ),
    "envelope.process": reading(lambda sbd: _header(sbd).pop("businessScope")),
    "envelope.not_ours": opening(expected=expecting(organisation=OrgNumber(STRANGER))),
    "envelope.other_sender": opening(lambda: genuine(sender=STRANGER)),
    "envelope.other_receiver": opening(lambda: genuine(receiver=STRANGER)),
    "arkivmelding.absent": packed(files={"brev.pdf": b"%PDF"}),
    "arkivmelding.several": packed(files=FILES | {"Arkivmelding.xml": letter()}),
    "arkivmelding.too_large": limited(max_arkivmelding_bytes=10),
    "arkivmelding.encoding": telling(letter().replace(b"UTF-8", b"UTF-7")),
    "arkivmelding.unsafe_xml": telling(b"<!DOCTYPE a><a/>"),
    "arkivmelding.too_complex": telling(b"<a>" * 300 + b"</a>" * 300),
    "arkivmelding.malformed": telling(letter()[:-5]),
    "arkivmelding.not_noark": telling(b"<arkivmelding/>"),
    "arkivmelding.newer_namespace": telling(
        letter().replace(b'arkivmelding"', b'arkivmelding/v2"')
    ),
    "arkivmelding.no_registration": telling(letter().replace(b"basisregistrering", b"annet")),
    "arkivmelding.grade_unreadable": telling(letter_with_grade("Ugradert")[:-5]),
    "arkivmelding.security_grade": telling(letter_with_grade("Begrenset (sikkerhetsgrad)")),
    "arkivmelding.protective_grade": telling(letter_with_grade("Fortrolig (beskyttelsesgrad)")),
    "documents.none": packed(files={"arkivmelding.xml": letter()}),
}
