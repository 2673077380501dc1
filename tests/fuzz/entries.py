"""The doors that hostile bytes come in by, each with genuine bytes to begin from."""

import hashlib
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

from cryptography.hazmat.primitives.serialization import Encoding

from inbox.errors import PackageRejected
from inbox.package.arkivmelding.documents import match_documents
from inbox.package.arkivmelding.grading import grading_of
from inbox.package.arkivmelding.reader import archive_message_of, parse_arkivmelding
from inbox.package.codes.registry import CODES
from inbox.package.envelope import read_envelope
from inbox.package.inputs import Limits, StaleList, Trust
from inbox.package.signature.asic_manifest import find_metadata, read_manifests
from inbox.package.signature.certificate_path import check_certificate_path
from inbox.package.signature.cms import verify_signature
from inbox.package.signature.integrity import SignedFile
from inbox.package.signature.revocation import read_revocation_list
from inbox.package.signature.signer import signer_of
from inbox.package.verdict import VerdictBuilder
from inbox.package.zip.reader import Container
from inbox.simulator.packages.arkivmelding import arkivmelding_xml, minimal_arkivmelding_xml
from inbox.simulator.packages.builder import Dialect, Parcel, ParcelDocument, package_bytes
from inbox.simulator.packages.certificates import SigningKey, TestAuthority
from inbox.simulator.packages.cms import Profile, sign
from inbox.simulator.packages.envelopes import sbd_json
from tests.package.zip.zip_writer import Part, zip_bytes

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SENDER, RECEIVER = "910077473", "910075918"
LIMITS = Limits()
SIGNED = b"<what is signed/>"
FILES = {"arkivmelding.xml": b"<a/>", "brev å.pdf": b"%PDF", "mappe/a%20b.txt": b""}
_SIGNATURE = "META-INF/signature-1.p7s"
_MANIFEST = "META-INF/ASiCManifest.xml"
_MIMETYPE = Part(name="mimetype", content=b"application/vnd.etsi.asic-e+zip", stored=True)
_ALL_MAY_PASS = frozenset(CODES)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One door. Trying raises `PackageRejected` with a known code, or whatever is a finding."""

    attempt: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]
    tokens: tuple[bytes, ...] = ()
    """What is worth putting anywhere."""

    def attempted(self, raw: bytes) -> str | None:
        """The code of the refusal, None where the bytes were taken."""
        code = None
        try:
            self.attempt(raw)
        except PackageRejected as refused:
            code = refused.code
        assert code is None or code in CODES, code
        return code


def container(raw: bytes) -> None:
    """What is read must be what another reader reads of the same archive."""
    whole = Container(BytesIO(raw), LIMITS)
    read = {entry.name: _digest(whole.stream(entry.name)) for entry in whole.entries}
    if "first_block_garbled" in whole.notes:
        return  # put right from the directory, which no other reader does
    try:
        again = _read_otherwise(raw)
    except NotImplementedError:
        return  # the other reader knows less; that it reads the same is not in question
    assert again == read, "two readings differ"


def manifest(raw: bytes) -> None:
    """A manifest that is taken covers every file, with a digest that can be compared."""
    parts = [_MIMETYPE, *(Part(name=name, content=content) for name, content in FILES.items())]
    parts += [Part(name=_MANIFEST, content=raw), Part(name=_SIGNATURE)]
    container = Container(BytesIO(zip_bytes(parts)), LIMITS)
    (taken,) = read_manifests(container, find_metadata(container), LIMITS)
    assert {listed.name for listed in taken.files} == set(FILES)
    assert len(taken.files) == len(FILES)
    assert taken.signature == _SIGNATURE


def cms(raw: bytes) -> None:
    """Only the certificate that was issued may come to be believed."""
    signed = verify_signature(raw, SIGNED)
    signer_of(signed)
    findings = VerdictBuilder(waivers=_ALL_MAY_PASS)
    check_certificate_path(signed, _trust(), now=NOW, stale_is=StaleList.REJECT, findings=findings)
    believed = findings.chain and findings.revocation
    found, issued = signed.certificate.hex(), _signer().der.hex()
    assert not believed or found == issued, f"{found} is believed, issued was {issued}"


def envelope(raw: bytes) -> None:
    """Whoever is named is an organisation, and what goes into columns is text."""
    taken = read_envelope(raw)
    for number in (taken.sender, taken.receiver, taken.main or taken.sender):
        assert re.fullmatch(r"[0-9]{9}", number)
    for text in (taken.wire_id, taken.conversation_id, taken.process, taken.document_type):
        assert text is None or not re.search(r"[\x00-\x1f]", text)
        (text or "").encode()


def arkivmelding(raw: bytes) -> None:
    """All that is read can be stored and matched with files."""
    root = parse_arkivmelding(raw, LIMITS)
    grading_of(root)
    message = archive_message_of(root)
    files = [SignedFile(name=name, size=1, sha256="", media_type=None) for name in FILES]
    documents, _ = match_documents(files, message, hints=())
    assert len(documents) == len(FILES)
    json.dumps([message.public_title, message.administrative_unit, message.missing]).encode()


def _read_otherwise(raw: bytes) -> dict[str, tuple[int, bytes]]:
    with zipfile.ZipFile(BytesIO(raw)) as other:
        return {name: _digest(iter([other.read(name)])) for name in other.namelist()}


def _digest(chunks: Iterator[bytes]) -> tuple[int, bytes]:
    size, digest = 0, hashlib.sha256()
    for chunk in chunks:
        size += len(chunk)
        digest.update(chunk)
    return size, digest.digest()


@cache
def _authority() -> TestAuthority:
    return TestAuthority(valid_from=NOW - timedelta(days=30))


@cache
def _signer() -> SigningKey:
    return _authority().issue(SENDER)


@cache
def _trust() -> Trust:
    listed = read_revocation_list(_authority().crl(NOW), fetched_at=NOW)
    return Trust(anchors=(_authority().root.public_bytes(Encoding.DER),), lists=(listed,))


def _samples(pattern: str) -> Iterator[bytes]:
    """Public sample files, where INBOX_SAMPLES names them."""
    folder = os.environ.get("INBOX_SAMPLES")
    for path in sorted(Path(folder).glob(pattern)) if folder else ():
        if path.stat().st_size < 1 << 16:
            yield path.read_bytes()


def _packages() -> Iterator[bytes]:
    for dialect in Dialect:
        yield package_bytes(
            Parcel(
                sender=SENDER,
                receiver=RECEIVER,
                signer=_signer(),
                documents=(ParcelDocument("brev å.pdf", "application/pdf", b"%PDF"),),
                arkivmelding=minimal_arkivmelding_xml(),
                dialect=dialect,
                signed_at=NOW,
            )
        )
    yield zip_bytes([_MIMETYPE, Part(name="a", content=b"a", stored=True)], wide_end={})
    for pattern in ("asic/*.*", "asic/produced/*"):
        yield from _samples(pattern)


def _manifests() -> Iterator[bytes]:
    """In both forms, with the files of `manifest`; and those of samples, whose files are others."""
    for prefix, uri in (("", "brev å.pdf"), ("a:", "brev%20%C3%A5.pdf")):
        references = "".join(
            f'<{prefix}DataObjectReference URI="{uri if name.startswith("brev") else name}">'
            '<d:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
            f"<d:DigestValue>{'A' * 43}=</d:DigestValue></{prefix}DataObjectReference>"
            for name in FILES
        )
        yield (
            f'<{prefix}ASiCManifest xmlns{":a" if prefix else ""}="http://uri.etsi.org/02918/v1.2.1#"'
            f' xmlns:d="http://www.w3.org/2000/09/xmldsig#"><{prefix}SigReference'
            f' URI="{_SIGNATURE}"/>{references}</{prefix}ASiCManifest>'
        ).encode()


def _signatures() -> Iterator[bytes]:
    for profile in Profile:
        yield sign(SIGNED, _signer(), profile=profile, at=NOW)


def _envelopes() -> Iterator[bytes]:
    for sender in (SENDER, f"991825827:{SENDER}"):
        yield json.dumps(sbd_json(sender=sender)).encode()
    yield from _samples("sbd/*.json")


def _arkivmeldinger() -> Iterator[bytes]:
    yield arkivmelding_xml()
    yield minimal_arkivmelding_xml()
    for pattern in ("arkivmelding/*.xml", "composed/*.xml", "bestedu/*.xml"):
        yield from _samples(pattern)


_XML = (
    *(b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"<!--", b"-->", b"<?a b?>", b"<![CDATA[", b"]]>"),
    *(b"&amp;", b"&b;", b"&#0;", b"&#x10FFFF;", b"xmlns=''", b"\xef\xbb\xbf", b"\xff\xfe"),
    *(b'<?xml version="1.0" encoding="UTF-16"?>', b"xsi:type='journalpost'", b"\xed\xa0\x80"),
)
ENTRIES: Mapping[str, Entry] = MappingProxyType(
    {
        "container": Entry(
            attempt=container,
            seeds=_packages,
            tokens=(
                *(b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"),
                *(b"PK\x07\x08", b"../", b"META-INF/", b"\x01\x00\x10\x00", b"\xff\xff\xff\xff"),
            ),
        ),
        "manifest": Entry(
            attempt=manifest,
            seeds=_manifests,
            tokens=(*_XML, b"%2e%2e/", b"%00", b"META-INF/", b"Rootfile='true'", b"xmldsig#sha256"),
        ),
        "cms": Entry(attempt=cms, seeds=_signatures),
        "envelope": Entry(
            attempt=envelope,
            seeds=_envelopes,
            tokens=(b"NaN", b"1e999", b"\\ud800", b"\\u0000", b"[[[[", b'{"a":', b"0192:", b"null"),
        ),
        "arkivmelding": Entry(
            attempt=arkivmelding,
            seeds=_arkivmeldinger,
            tokens=(*_XML, b"<gradering>F</gradering>", b"<registrering/>", b"2026-13-40"),
        ),
    }
)
