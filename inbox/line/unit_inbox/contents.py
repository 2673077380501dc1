"""The content of a message as people read it: case, entry, parties, documents, what is missing.

Made of what `moves.content.read` has permitted, and audited, to be read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from pydantic import TypeAdapter

from inbox.line.desk.message.file_kinds import kind_of
from inbox.line.moves.content import ReadMessage
from inbox.line.sealed_content import MissingElement, missing_elements, unseal_json
from inbox.package.arkivmelding.model import (
    ArchiveMessage,
    CaseFile,
    Correspondent,
    DocumentDescription,
    RegistryEntry,
    Screening,
)

_ARCHIVE: Final[TypeAdapter[ArchiveMessage | None]] = TypeAdapter(ArchiveMessage | None)


@dataclass(frozen=True, kw_only=True)
class ShownDocument:
    """A file of the package, and what the arkivmelding says of it."""

    number: int
    """From 1, in the order of the container: it is downloaded by it."""
    title: str = field(repr=False)
    """As described; its file name where it is not."""
    role: str | None
    kind: str
    """Such as PDF."""
    size: int


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a person reads on the page of a message."""

    documents: tuple[ShownDocument, ...]
    entry: RegistryEntry | None
    case_file: CaseFile | None
    more_entries: int
    """How many entries the message has beside the first."""
    parties: tuple[Correspondent, ...] = field(repr=False)
    screening: Screening | None
    missing: tuple[MissingElement, ...]
    shielding: str | None
    """The code of the shielding that our policy reads out of the screening."""
    written_on: date | None
    """The date of the document, else of the entry."""


def contents_of(found: ReadMessage) -> Contents:
    """What is in it. Raises `IntegrityError` if a sealed value is damaged."""
    message, key = found.message, found.key
    archive = _ARCHIVE.validate_python(unseal_json(message, key, "sealed_archive"))
    listed = unseal_json(message, key, "sealed_documents") or []
    entry = None if archive is None else archive.registry_entry
    return Contents(
        documents=_documents(listed, archive),
        entry=entry,
        case_file=None if archive is None else archive.case_file,
        more_entries=0 if archive is None else len(archive.registry_entries) - 1,
        parties=() if entry is None else entry.correspondents,
        screening=None if archive is None else archive.screening,
        missing=missing_elements(message),
        shielding=message.shielding,
        written_on=None if entry is None else entry.document_date or entry.registered_on,
    )


def _documents(
    listed: Sequence[dict[str, Any]], archive: ArchiveMessage | None
) -> tuple[ShownDocument, ...]:
    descriptions = () if archive is None else archive.descriptions
    described: dict[str, DocumentDescription] = {
        file.name: each for each in descriptions for file in each.files
    }
    return tuple(
        _document(number, each, described.get(each["name"]))
        for number, each in enumerate(listed, start=1)
    )


def _document(
    number: int, listed: dict[str, Any], described: DocumentDescription | None
) -> ShownDocument:
    return ShownDocument(
        number=number,
        title=(described and described.title) or listed["name"],
        role=described.role if described else None,
        kind=kind_of(str(listed["media_type"])),
        size=listed["size"],
    )
