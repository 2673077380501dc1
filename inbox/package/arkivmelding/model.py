"""The content of an arkivmelding as values: case file, entries, documents.

Most of it is confidential.

Fields that may hold a title, a name or a document name stay out of `repr`.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from inbox.package.verdict import Shape


@dataclass(frozen=True, kw_only=True)
class Screening:
    """Why something is kept from the public (skjerming)."""

    access_restriction: str | None = None
    """Tilgangsrestriksjon, as the sender writes it: a code or free text."""
    authority: str | None = None
    """Skjermingshjemmel."""


@dataclass(frozen=True, kw_only=True)
class CaseFile:
    """The sender's case (mappe, saksmappe)."""

    system_id: str | None
    case_id: str | None
    """MappeID, else year and number joined by `/`."""
    title: str | None = field(repr=False)
    public_title: str | None = field(repr=False)
    administrative_unit: str | None
    """The sender's own unit."""
    screening: Screening | None


@dataclass(frozen=True, kw_only=True)
class Correspondent:
    """A party to the correspondence (korrespondansepart)."""

    kind: str | None
    name: str | None = field(repr=False)
    administrative_unit: str | None
    case_handler: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class FileReference:
    """A file that a document description points to (dokumentobjekt)."""

    name: str = field(repr=False)
    variant: str | None
    version: str | None


@dataclass(frozen=True, kw_only=True)
class DocumentDescription:
    """One document as the archive knows it (dokumentbeskrivelse); it may have several files."""

    title: str | None = field(repr=False)
    number: int | None
    role: str | None
    """Hoveddokument or Vedlegg, as written."""
    files: tuple[FileReference, ...]
    screening: Screening | None


@dataclass(frozen=True, kw_only=True)
class RegistryEntry:
    """One journalpost (registrering, basisregistrering)."""

    system_id: str | None
    title: str | None = field(repr=False)
    public_title: str | None = field(repr=False)
    type: str | None
    status: str | None
    registered_on: date | None
    """Journaldato."""
    document_date: date | None
    sent_on: date | None
    screening: Screening | None
    correspondents: tuple[Correspondent, ...]
    documents: tuple[DocumentDescription, ...]


@dataclass(frozen=True, kw_only=True)
class ArchiveMessage:
    """One arkivmelding.xml, read; the original bytes stay in the package as they came."""

    shape: Shape
    system: str | None
    message_id: str | None
    made_at: datetime | None
    case_file: CaseFile | None
    """The one that the first registry entry stands in."""
    registry_entries: tuple[RegistryEntry, ...]
    """At least one; a sender's gateway looks at the first only."""
    missing: tuple[str, ...]
    """Required elements that are lacking, as `parent/child`, each once."""

    @property
    def registry_entry(self) -> RegistryEntry:
        """The entry that the message is about: the first."""
        return self.registry_entries[0]

    @property
    def public_title(self) -> str | None:
        """Meant to be public and not always is: the entry's, else the case file's."""
        of_case = self.case_file.public_title if self.case_file else None
        return self.registry_entry.public_title or of_case

    @property
    def screening(self) -> Screening | None:
        """The nearest that says anything: entry, case file, documents."""
        entry = self.registry_entry
        of_case = self.case_file.screening if self.case_file else None
        places = (entry.screening, of_case, *(each.screening for each in entry.documents))
        return next((screening for screening in places if screening), None)

    @property
    def administrative_unit(self) -> str | None:
        """The unit of the receiver that the sender names, if any; never the sender's own."""
        receivers = (each for each in self.registry_entry.correspondents if _is_receiver(each))
        return next(
            (each.administrative_unit for each in receivers if each.administrative_unit), None
        )

    @property
    def descriptions(self) -> tuple[DocumentDescription, ...]:
        """The documents of all registry entries."""
        return tuple(each for entry in self.registry_entries for each in entry.documents)


def _is_receiver(correspondent: Correspondent) -> bool:
    return "mottaker" in (correspondent.kind or "").lower()
