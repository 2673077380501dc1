"""Reads the content of a verified container: arkivmelding.xml, and the documents it refers to."""

from dataclasses import dataclass

from inbox.errors import PackageRejected
from inbox.package.arkivmelding.addressing import MANIFEST_XML, Addressing
from inbox.package.arkivmelding.documents import PackageDocument, match_documents
from inbox.package.arkivmelding.grading import grading_of, unreadable_code
from inbox.package.arkivmelding.model import ArchiveMessage
from inbox.package.arkivmelding.reader import archive_message_of, parse_arkivmelding
from inbox.package.arkivmelding.xsd import Schemas
from inbox.package.character_sets import UNUSUAL_ENCODING, has_unusual_encoding
from inbox.package.inputs import Limits
from inbox.package.signature.integrity import VerifiedContainer
from inbox.package.verdict import VerdictBuilder
from inbox.package.xml import Element

ARKIVMELDING_XML = "arkivmelding.xml"


@dataclass(frozen=True, kw_only=True)
class Content:
    """The arkivmelding and the documents of a package."""

    archive: ArchiveMessage | None
    """None only where a waiver lets a message without readable arkivmelding.xml pass."""
    documents: tuple[PackageDocument, ...]


def read_content(
    verified: VerifiedContainer,
    addressing: Addressing | None,
    limits: Limits,
    findings: VerdictBuilder,
    *,
    main_document: str | None = None,
    schemas: Schemas | None = None,
) -> Content:
    """Read the content of a verified container.

    `main_document` is the envelope's hint on which document is the main one, and is used last.

    What does not fit between files and arkivmelding.xml, or the schemas, goes to the findings.

    Raises `PackageRejected` (`arkivmelding.*`, `documents.none`) unless waived.
    """
    name = _arkivmelding_name(verified, limits, findings)
    archive = None if name is None else _read_archive(verified, name, limits, schemas, findings)
    apart = {name, MANIFEST_XML if addressing else None}
    documents, findings.problems = match_documents(
        (file for file in verified.files if file.name not in apart),
        archive,
        hints=(addressing.main_document if addressing else None, main_document),
    )
    if not documents:
        findings.reject_unless_waived("documents.none")
    return Content(archive=archive, documents=documents)


def _arkivmelding_name(
    verified: VerifiedContainer, limits: Limits, findings: VerdictBuilder
) -> str | None:
    """The entry that is arkivmelding.xml; in another case of letters if it is the only such one.

    Of several, some reader could take another than we do: none may be graded, and two decide.
    """
    fits = [file.name for file in verified.files if file.name.lower() == ARKIVMELDING_XML]
    if len(fits) == 1:
        return fits[0]
    for name in fits:
        _read_root(verified, name, limits, findings)
    findings.reject_unless_waived(f"arkivmelding.{'several' if fits else 'absent'}")
    return None


def _read_root(
    verified: VerifiedContainer, name: str, limits: Limits, findings: VerdictBuilder
) -> tuple[bytes, Element | None]:
    """The bytes and the root of one arkivmelding.xml; no root where a waiver lets nonsense pass."""
    if verified.container.entry(name).size > limits.max_arkivmelding_bytes:
        findings.reject_unless_waived("arkivmelding.too_large")
        return b"", None
    raw = verified.container.read(name, limits.max_arkivmelding_bytes)
    try:
        root = parse_arkivmelding(raw, limits)
    except PackageRejected as error:
        findings.reject_unless_waived(unreadable_code(raw, error.code), error.reason)
        return raw, None
    grading = grading_of(root)
    if grading:
        findings.reject_unless_waived(grading)
    return raw, root


def _read_archive(
    verified: VerifiedContainer,
    name: str,
    limits: Limits,
    schemas: Schemas | None,
    findings: VerdictBuilder,
) -> ArchiveMessage | None:
    """What arkivmelding.xml says; None where a waiver lets nonsense pass."""
    raw, root = _read_root(verified, name, limits, findings)
    if root is None:
        return None
    try:
        archive = archive_message_of(root)
    except PackageRejected as error:
        findings.reject_unless_waived(error.code, error.reason)
        return None
    if has_unusual_encoding(raw):
        findings.notes.append(UNUSUAL_ENCODING)
    findings.shape = archive.shape
    if schemas is not None and not findings.objections:
        fit = schemas.validate(raw)
        findings.schema, findings.schema_places = fit.fits, fit.places
    return archive
