"""Matches the files in a package with the references in arkivmelding.xml (reference §5.7)."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from inbox.package.arkivmelding.model import ArchiveMessage, DocumentDescription
from inbox.package.signature.integrity import SignedFile

REFERENCED_ABSENT = "documents.referenced_absent"
UNREFERENCED = "documents.unreferenced"
REFERENCED_TWICE = "documents.referenced_twice"

_MEDIA_TYPES = {
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "eml": "message/rfc822",
    "gif": "image/gif",
    "htm": "text/html",
    "html": "text/html",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "msg": "application/vnd.ms-outlook",
    "odt": "application/vnd.oasis.opendocument.text",
    "pdf": "application/pdf",
    "png": "image/png",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "rtf": "application/rtf",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "txt": "text/plain",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": "application/xml",
    "zip": "application/zip",
}
_UNKNOWN = "application/octet-stream"
_MAIN_ROLES = frozenset({"hoveddokument", "h"})
_VARIANTS: Mapping[str, int] = {"arkivformat": 0, "a": 0, "produksjonsformat": 1, "p": 1}
"""Best first; the letters are those of the older exchange."""


@dataclass(frozen=True, kw_only=True)
class PackageDocument:
    """One signed file that is neither arkivmelding.xml nor the gateway's manifest.xml."""

    name: str = field(repr=False)
    """The sender's file name: confidential, and never a path of ours."""
    media_type: str
    """By the ending of the name; what the sender declares is often wrong."""
    size: int
    sha256: str
    title: str | None = field(repr=False)
    is_main: bool
    referenced: bool
    """Whether arkivmelding.xml mentions it; if not, it is shown all the same."""


def match_documents(
    files: Iterable[SignedFile], archive: ArchiveMessage | None, *, hints: Iterable[str | None]
) -> tuple[tuple[PackageDocument, ...], tuple[str, ...]]:
    """The documents in the container's order, and the mismatches, as codes without names.

    `hints` are names of main documents from elsewhere, best first, used when arkivmelding.xml
    points to none.
    """
    listed = tuple(files)
    found = _FileIndex(file.name for file in listed)
    described: dict[str, list[DocumentDescription]] = {}
    absent = False
    for description in archive.descriptions if archive else ():
        for name in dict.fromkeys(reference.name for reference in description.files):
            file = found.name_of(name)
            absent = absent or file is None
            described.setdefault(file or "", []).append(description)
    described.pop("", None)
    main = _main_document(archive, found, hints)
    documents = tuple(
        PackageDocument(
            name=file.name,
            media_type=media_type_of(file.name),
            size=file.size,
            sha256=file.sha256,
            title=described[file.name][0].title if file.name in described else None,
            is_main=file.name == main,
            referenced=file.name in described,
        )
        for file in listed
    )
    problems = {
        REFERENCED_ABSENT: absent,
        UNREFERENCED: archive is not None and any(not each.referenced for each in documents),
        REFERENCED_TWICE: any(len(each) > 1 for each in described.values()),
    }
    return documents, tuple(code for code, is_so in problems.items() if is_so)


def media_type_of(name: str) -> str:
    """The media type by the file's ending; `application/octet-stream` if the ending is unknown."""
    _, dot, ending = name.rpartition(".")
    return _MEDIA_TYPES.get(ending.lower(), _UNKNOWN) if dot else _UNKNOWN


class _FileIndex:
    """Finds files by the name a reference uses: byte for byte, else by NFC if only one fits."""

    def __init__(self, names: Iterable[str]) -> None:
        self._exact = frozenset(names)
        self._composed: dict[str, list[str]] = {}
        for name in self._exact:
            self._composed.setdefault(_nfc(name), []).append(name)

    def name_of(self, reference: str) -> str | None:
        for written in (reference, reference.strip()):
            if written in self._exact:
                return written
        fits = self._composed.get(_nfc(reference.strip()), [])
        return fits[0] if len(fits) == 1 else None


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _main_document(
    archive: ArchiveMessage | None, found: _FileIndex, hints: Iterable[str | None]
) -> str | None:
    """The first Hoveddokument, else the lowest number, else the first hint that is a document."""
    descriptions = archive.registry_entry.documents if archive else ()
    by_role = [each for each in descriptions if (each.role or "").lower() in _MAIN_ROLES]
    numbered = [each for each in descriptions if each.number is not None]
    by_number = sorted(numbered, key=lambda each: each.number or 0)
    names = (
        *(name for each in (by_role[:1] or by_number[:1]) for name in _best_first(each)),
        *(hint for hint in hints if hint),
    )
    return next((file for name in names if (file := found.name_of(name))), None)


def _best_first(description: DocumentDescription) -> Iterator[str]:
    """The files of one document, archive format before production format before the others."""
    ordered = sorted(
        description.files,
        key=lambda file: _VARIANTS.get((file.variant or "").lower(), len(_VARIANTS)),
    )
    return (file.name for file in ordered)
