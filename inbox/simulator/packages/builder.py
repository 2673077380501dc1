"""Writes containers (ASiC-E, dokumentpakke) as the real producers do, and broken ones."""

import base64
import hashlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from html import escape
from io import BytesIO
from typing import BinaryIO
from urllib.parse import quote

from inbox.simulator.packages.certificates import SigningKey
from inbox.simulator.packages.cms import Profile, sign
from inbox.simulator.packages.envelopes import OSLO_WINTER
from inbox.simulator.packages.zipwriter import ZipWriter

MIMETYPE = "application/vnd.etsi.asic-e+zip"
COMMENT = f"mimetype={MIMETYPE}"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
ARKIVMELDING_XML = "arkivmelding.xml"


class Dialect(StrEnum):
    """Whose habits the container has."""

    GENUINE = "genuine"
    """An integrasjonspunkt's: raw URIs, SHA-1 CMS, media type as comment, ODF manifest (§11.3)."""
    MODERN = "modern"
    """DSS's: percent-encoded URIs, numbered names, SHA-256 CMS, no ODF manifest (§13)."""


class Namespace(StrEnum):
    """The namespace of the ASiCManifest; readers must know both."""

    CURRENT = "http://uri.etsi.org/02918/v1.2.1#"
    OLDER = "http://uri.etsi.org/2918/v1.2.1#"


class Tamper(StrEnum):
    """One deliberate defect."""

    BROKEN_SIGNATURE = "broken signature"
    """One bit of the signature value is flipped."""
    CHANGED_DOCUMENT = "changed document"
    """The last document has grown by a byte after signing."""
    UNSIGNED_FILE = "unsigned file"
    """One more file, which the manifest does not cover."""
    MISSING_SIGNATURE = "missing signature"
    """Neither signature nor ASiCManifest."""
    MISSING_ARKIVMELDING = "missing arkivmelding"
    """arkivmelding.xml left out, everything else right and signed."""


@dataclass(frozen=True)
class ParcelDocument:
    """One file; large ones are given as a callable that makes an iterator of chunks, used once."""

    name: str
    media_type: str
    content: bytes | Callable[[], Iterator[bytes]]

    def chunks(self) -> Iterator[bytes]:
        """The bytes, in pieces."""
        if isinstance(self.content, bytes):
            yield self.content
        else:
            yield from self.content()


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """What goes into one container. `sender` and `receiver` are organisation numbers."""

    sender: str
    receiver: str
    signer: SigningKey
    documents: tuple[ParcelDocument, ...] = ()
    arkivmelding: bytes | None = None
    dialect: Dialect = Dialect.GENUINE
    namespace: Namespace = Namespace.CURRENT
    tamper: Tamper | None = None
    signed_at: datetime | None = None
    """Now, unless another time is given."""

    def files(self) -> tuple[ParcelDocument, ...]:
        """Everything that is signed except manifest.xml, in the order in which it is written."""
        if self.arkivmelding is None or self.tamper is Tamper.MISSING_ARKIVMELDING:
            return self.documents
        media_type = {Dialect.GENUINE: "application/xml", Dialect.MODERN: "text/xml"}[self.dialect]
        return (ParcelDocument(ARKIVMELDING_XML, media_type, self.arkivmelding), *self.documents)


@dataclass(frozen=True)
class _Signed:
    name: str
    media_type: str
    digest: str


def package_bytes(parcel: Parcel) -> bytes:
    """The container in memory."""
    out = BytesIO()
    write_package(out, parcel)
    return out.getvalue()


def write_package(out: BinaryIO, parcel: Parcel) -> None:
    """Write the container; memory does not grow with the documents, and `out` is never sought."""
    at = parcel.signed_at or datetime.now(UTC)
    archive = ZipWriter(out, at.astimezone(OSLO_WINTER))
    genuine = parcel.dialect is Dialect.GENUINE
    archive.store("mimetype", MIMETYPE.encode(), comment=COMMENT if genuine else "")
    files = parcel.files()
    if genuine:
        files = (
            ParcelDocument("manifest.xml", "application/xml", _transport_manifest(parcel)),
            *files,
        )
    signed = [_write(archive, file, _grown(parcel, file)) for file in files]
    if parcel.tamper is Tamper.UNSIGNED_FILE:
        archive.deflate("ekstra.txt", [b"Ikke dekket av signaturen.\n"])
    if parcel.tamper is not Tamper.MISSING_SIGNATURE:
        for name, content in _seal(parcel, signed, at):
            archive.deflate(name, [content])
    if genuine:
        archive.deflate("META-INF/manifest.xml", [_odf_manifest(signed)])
    archive.finish(COMMENT if genuine else "")


def _grown(parcel: Parcel, file: ParcelDocument) -> bytes:
    changed = parcel.tamper is Tamper.CHANGED_DOCUMENT and file in parcel.files()[-1:]
    return b"\n" if changed else b""


def _write(archive: ZipWriter, file: ParcelDocument, extra: bytes) -> _Signed:
    """Write one file, with bytes after it that the digest does not know."""
    digest = hashlib.sha256()

    def chunks() -> Iterator[bytes]:
        for chunk in file.chunks():
            digest.update(chunk)
            yield chunk
        yield extra

    archive.deflate(file.name, chunks())
    return _Signed(file.name, file.media_type, base64.b64encode(digest.digest()).decode())


def _seal(parcel: Parcel, signed: list[_Signed], at: datetime) -> list[tuple[str, bytes]]:
    """Manifest and signature, in the order of the dialect."""
    if parcel.dialect is Dialect.GENUINE:
        name = f"META-INF/signature-{uuid.uuid4()}.p7s"
        manifest = _genuine_manifest(parcel.namespace, name, signed)
        signature = _signature(parcel, manifest, Profile.SHA1, at)
        return [("META-INF/ASiCManifest.xml", manifest), (name, signature)]
    name = "META-INF/signature001.p7s"
    manifest = _modern_manifest(parcel.namespace, name, signed)
    signature = _signature(parcel, manifest, Profile.SHA256, at)
    return [(name, signature), ("META-INF/ASiCManifest001.xml", manifest)]


def _signature(parcel: Parcel, manifest: bytes, profile: Profile, at: datetime) -> bytes:
    """The signature value stands last, so that its last bit is the last bit of all."""
    signature = sign(manifest, parcel.signer, profile=profile, at=at)
    if parcel.tamper is Tamper.BROKEN_SIGNATURE:
        return signature[:-1] + bytes([signature[-1] ^ 1])
    return signature


def _transport_manifest(parcel: Parcel) -> bytes:
    """manifest.xml: its `hoveddokument` is simply the first file sent (§11.3)."""
    main = next(iter(parcel.files()), None)
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<manifest>
   <mottaker>
      <organisasjon authority="iso6523-actorid-upis">0192:{escape(parcel.receiver)}</organisasjon>
   </mottaker>
   <avsender>
      <organisasjon authority="iso6523-actorid-upis">0192:{escape(parcel.sender)}</organisasjon>
   </avsender>
"""
    if main is not None:
        text += f"""   <hoveddokument href="{_value(main.name)}" mime="{main.media_type}">
      <tittel lang="no">Hoveddokument</tittel>
   </hoveddokument>
"""
    return (text + "</manifest>\n").encode()


def _genuine_manifest(namespace: Namespace, signature: str, signed: list[_Signed]) -> bytes:
    references = "".join(
        f"""    <DataObjectReference URI="{_value(file.name)}" MimeType="{_value(file.media_type)}">
        <ns2:DigestMethod Algorithm="{SHA256}"/>
        <ns2:DigestValue>{file.digest}</ns2:DigestValue>
    </DataObjectReference>
"""
        for file in signed
    )
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<ASiCManifest xmlns="{namespace}" xmlns:ns2="{XMLDSIG}">
    <SigReference URI="{signature}" MimeType="application/x-pkcs7-signature"/>
{references}</ASiCManifest>
""".encode()


def _modern_manifest(namespace: Namespace, signature: str, signed: list[_Signed]) -> bytes:
    references = "".join(
        f'<asic:DataObjectReference MimeType="{_value(file.media_type)}" URI="{quote(file.name)}">'
        f'<ds:DigestMethod Algorithm="{SHA256}" xmlns:ds="{XMLDSIG}"/>'
        f'<ds:DigestValue xmlns:ds="{XMLDSIG}">{file.digest}</ds:DigestValue>'
        "</asic:DataObjectReference>"
        for file in signed
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>'
        f'<asic:ASiCManifest xmlns:asic="{namespace}">'
        f'<asic:SigReference MimeType="application/pkcs7-signature" URI="{signature}"/>'
        f"{references}</asic:ASiCManifest>"
    ).encode()


def _value(text: str) -> str:
    """Text in an attribute, as Java writes it: an apostrophe stands as it is."""
    return escape(text, quote=False).replace('"', "&quot;")


def _odf_manifest(signed: list[_Signed]) -> bytes:
    rows = "".join(
        f'    <ns1:file-entry ns1:full-path="{_value(name)}"'
        f' ns1:media-type="{_value(media_type)}"/>\n'
        for name, media_type in [("/", MIMETYPE), *((f.name, f.media_type) for f in signed)]
    )
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<ns1:manifest xmlns:ns1="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">
{rows}</ns1:manifest>
""".encode()
