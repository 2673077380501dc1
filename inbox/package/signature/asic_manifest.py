"""Reads the ASiCManifest files: which files the signatures cover (reference §4.4, §13)."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from inbox.errors import PackageRejected
from inbox.package.inputs import Limits
from inbox.package.xml import Element, parse_xml
from inbox.package.zip.names import CONTROL, METADATA_FOLDER
from inbox.package.zip.reader import Container

_NAMESPACES = (
    "http://uri.etsi.org/02918/v1.2.1#",
    "http://uri.etsi.org/02918/v1.1.1#",
    "http://uri.etsi.org/2918/v1.2.1#",
)
_DSIG = "http://www.w3.org/2000/09/xmldsig#"
_WRONG_DIGEST_URI = "http://www.w3.org/2000/09/xmldsig#sha256"
"""Written by older senders; no standard has it, but what it means is plain."""
_DIGESTS = {
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    _WRONG_DIGEST_URI: "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}
_DIGEST_BYTES = {"sha256": 32, "sha384": 48, "sha512": 64}
_ATTRIBUTES = {
    "ASiCManifest": frozenset[str](),
    "SigReference": frozenset({"URI", "MimeType"}),
    "DataObjectReference": frozenset({"URI", "MimeType", "Rootfile"}),
    "DigestMethod": frozenset({"Algorithm"}),
    "DigestValue": frozenset[str](),
}
_METADATA_KINDS = (
    ("odf", re.compile(r"manifest\.xml")),
    ("manifest", re.compile(r"[^/]*asicmanifest[^/]*\.xml")),
    ("signature", re.compile(r"[^/]*signature[^/]*\.p7s")),
    ("xades", re.compile(r"[^/]*signatures[^/]*\.xml")),
)
"""In lower case. Anything may stand before and after the words: writers number them."""
_MARKUP = re.compile(r"<!|&#|<\?(?!xml )")
_PADDING = re.compile(r"\s{41}")
_NAME = re.compile(r"""\sURI\s*=\s*(?:"[^"]*"|'[^']*')""")
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
"""What no file name in readable text has. Spoilt letters and direction marks are in names of
genuine senders, and give a forger no more room than all other letters of Unicode do."""
_MAX_PREFIX = 16
_MAX_MEDIA_TYPE = 127


@dataclass(frozen=True, kw_only=True)
class DataObjectReference:
    """One signed file in a manifest: its digest, and the media type that the sender gives."""

    name: str
    algorithm: str
    digest: bytes
    media_type: str | None


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One ASiCManifest and the name of its signature."""

    raw: bytes
    signature: str
    """The name of the entry with the signature over `raw`."""
    files: tuple[DataObjectReference, ...]
    notes: tuple[str, ...]
    resists_collisions: bool
    """Whether there is nowhere to hide the bytes of a collision: what SHA-1 is accepted for."""


MetadataNames = Mapping[str, list[str]]
"""The names under META-INF, by kind."""


def read_manifests(
    container: Container, kinds: MetadataNames, limits: Limits
) -> tuple[Manifest, ...]:
    """Read every manifest; each must have its own signature and cover every file exactly once."""
    if not kinds["manifest"]:
        raise PackageRejected("manifest.none")
    manifests = tuple(_read(container, name, limits) for name in kinds["manifest"])
    used = [manifest.signature for manifest in manifests]
    if len(set(used)) != len(used):
        raise PackageRejected("signature.shared")
    if set(used) != set(kinds["signature"]):
        raise PackageRejected("signature.unreferenced")
    return manifests


def find_metadata(container: Container) -> MetadataNames:
    """The names under META-INF by kind. XAdES signatures and unknown files are refused."""
    kinds: dict[str, list[str]] = {kind: [] for kind in (*dict(_METADATA_KINDS), "stray")}
    for entry in container.entries:
        if not entry.name.startswith(METADATA_FOLDER):
            continue
        rest = entry.name.removeprefix(METADATA_FOLDER).lower()
        fits = [kind for kind, pattern in _METADATA_KINDS if pattern.fullmatch(rest)]
        kinds[fits[0] if fits else "stray"].append(entry.name)
    if kinds["xades"]:
        raise PackageRejected("signature.xades")
    if kinds["stray"]:
        raise PackageRejected("container.stray_metadata")
    return kinds


def is_xades_signature(name: str) -> bool:
    """Whether an entry of this name is where XAdES puts its signature."""
    folder, rest = name[: len(METADATA_FOLDER)], name[len(METADATA_FOLDER) :].lower()
    kinds = [kind for kind, pattern in _METADATA_KINDS if pattern.fullmatch(rest)]
    return folder.upper() == METADATA_FOLDER and kinds[:1] == ["xades"]


def _read(container: Container, name: str, limits: Limits) -> Manifest:
    if container.entry(name).size > limits.max_manifest_bytes:
        raise PackageRejected("manifest.too_large")
    raw = container.read(name, limits.max_manifest_bytes)
    root = parse_xml(raw, area="manifest", max_bytes=limits.max_manifest_bytes, limits=limits)
    namespace, signature, references = _check_structure(root)
    if not references:
        raise PackageRejected("manifest.covers_nothing")
    entry = _resolve(container, signature)
    if entry is None or not entry.startswith(METADATA_FOLDER):
        raise PackageRejected("signature.missing")
    files = tuple(_read_reference(container, reference) for reference in references)
    _check_coverage(container, files)
    wrong_uri = any(
        method.get("Algorithm") == _WRONG_DIGEST_URI
        for method in root.iter(f"{{{_DSIG}}}DigestMethod")
    )
    return Manifest(
        raw=raw,
        signature=entry,
        files=files,
        notes=("wrong_digest_uri",) if wrong_uri else (),
        resists_collisions=_resists_collisions(raw, root, namespace),
    )


def _check_structure(root: Element) -> tuple[str, Element, list[Element]]:
    """Namespace, signature reference and data references; nothing else may be there."""
    namespace = next((ns for ns in _NAMESPACES if root.tag == f"{{{ns}}}ASiCManifest"), None)
    if namespace is None:
        raise PackageRejected("manifest.malformed", "root")
    own = f"{{{namespace}}}"
    signatures = root.findall(f"{own}SigReference")
    references = root.findall(f"{own}DataObjectReference")
    known = {f"{own}{name}" for name in ("ASiCManifest", "SigReference", "DataObjectReference")}
    known |= {f"{{{_DSIG}}}DigestMethod", f"{{{_DSIG}}}DigestValue"}
    for element in root.iter():
        if element.tag not in known:
            raise PackageRejected("manifest.malformed", "unknown element")
        if not set(element.attrib) <= _ATTRIBUTES[str(element.tag).rpartition("}")[2]]:
            raise PackageRejected("manifest.malformed", "unknown attribute")
    if len(signatures) != 1 or len(root) != 1 + len(references) or len(signatures[0]):
        raise PackageRejected("manifest.malformed", "structure")
    return namespace, signatures[0], references


def _read_reference(container: Container, reference: Element) -> DataObjectReference:
    children = [str(child.tag) for child in reference]
    if children != [f"{{{_DSIG}}}DigestMethod", f"{{{_DSIG}}}DigestValue"]:
        raise PackageRejected("manifest.malformed", "structure of a reference")
    method, value = reference
    name = _resolve(container, reference)
    if name is None:
        raise PackageRejected("manifest.absent_file")
    if name.startswith(METADATA_FOLDER):
        raise PackageRejected("manifest.metadata_listed")
    algorithm = _DIGESTS.get(str(method.get("Algorithm")))
    if algorithm is None:
        raise PackageRejected("manifest.weak_digest")
    try:
        digest = base64.b64decode("".join((value.text or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise PackageRejected("manifest.malformed", "digest value") from error
    if len(digest) != _DIGEST_BYTES[algorithm] or len(method) or len(value):
        raise PackageRejected("manifest.malformed", "digest length")
    media_type = reference.get("MimeType")
    return DataObjectReference(name=name, algorithm=algorithm, digest=digest, media_type=media_type)


def _resolve(container: Container, reference: Element) -> str | None:
    """The entry that the URI names: the raw name first, else percent-decoded; never one of two."""
    uri = reference.get("URI")
    if uri is None:
        raise PackageRejected("manifest.malformed", "no URI")
    try:
        decoded = unquote_to_bytes(uri).decode()
    except UnicodeDecodeError:
        decoded = uri
    fits = [name for name in dict.fromkeys((uri, decoded)) if name in container]
    if len(fits) > 1:
        raise PackageRejected("manifest.ambiguous_uri")
    return fits[0] if fits else None


def _check_coverage(container: Container, files: tuple[DataObjectReference, ...]) -> None:
    names = [listed.name for listed in files]
    if len(set(names)) != len(names):
        raise PackageRejected("manifest.listed_twice")
    wanted = {entry.name for entry in container.entries if not entry.is_metadata}
    if wanted - set(names):
        raise PackageRejected("manifest.uncovered", f"{len(wanted - set(names))} files")


def _resists_collisions(raw: bytes, root: Element, namespace: str) -> bool:
    """Known elements and attributes only, printable text, nothing between them but short space.

    A collision of SHA-1 needs a block of bytes that the forger does not choose; here it would
    have to be a file name in readable text.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    around_names = _NAME.sub("", text).translate({ord(space): None for space in "\t\r\n"})
    if (
        CONTROL.search(around_names)
        or _NO_TEXT.search(text)
        or _PADDING.search(text)
        or _MARKUP.search(text)
    ):
        return False
    for element in root.iter():
        named = {prefix or "": uri for prefix, uri in element.nsmap.items()}
        if not set(named.values()) <= {namespace, _DSIG} or max(map(len, named)) > _MAX_PREFIX:
            return False
        between = (element.tail or "") + ("" if _is_value(element) else element.text or "")
        if between.strip() or len(element.get("MimeType", "")) > _MAX_MEDIA_TYPE:
            return False
        if element.get("Rootfile", "true") not in {"true", "false"}:
            return False
    return True


def _is_value(element: Element) -> bool:
    return element.tag == f"{{{_DSIG}}}DigestValue"
