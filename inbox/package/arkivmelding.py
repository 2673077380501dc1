"""Reads arkivmelding.xml: strict about XML and grading, lenient about all that is only missing."""

from collections.abc import Iterator, Mapping

from inbox.errors import PackageRejected
from inbox.package.archive import (
    ArchiveMessage,
    CaseFile,
    Correspondent,
    DocumentDescription,
    FileReference,
    RegistryEntry,
    Screening,
    Shape,
)
from inbox.package.terms import Limits
from inbox.package.times import read_date, read_instant
from inbox.package.xml import Element, local_name, parse_xml

NAMESPACE = "http://www.arkivverket.no/standarder/noark5/arkivmelding"
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_OWN = f"{{{NAMESPACE}}}"
_SVARINN = "Integrasjonspunkt"
_FOLDER = f"{_OWN}mappe"
_ENTRIES = (f"{_OWN}basisregistrering", f"{_OWN}registrering")
_PROTECTIVE = frozenset(
    {
        "fortrolig (beskyttelsesgrad)",
        "strengt fortrolig (beskyttelsesgrad)",
        "fortrolig",
        "strengt fortrolig",
        "f",
        "sf",
    }
)
_UNGRADED = "ugradert"

_DOCUMENTED = "opprettetDato", "opprettetAv"
_REQUIRED: dict[str, tuple[str, ...]] = {
    "arkivmelding": ("system", "meldingId", "tidspunkt", "antallFiler"),
    "mappe": ("systemID", "tittel", *_DOCUMENTED),
    "saksmappe": ("saksdato", "administrativEnhet", "saksansvarlig", "saksstatus"),
    "registrering": ("systemID", *_DOCUMENTED, "tittel"),
    "journalpost": ("journalposttype", "journalstatus", "journaldato"),
    "korrespondansepart": ("korrespondanseparttype", "korrespondansepartNavn"),
    "dokumentbeskrivelse": (
        "systemID",
        "dokumenttype",
        "dokumentstatus",
        "tittel",
        *_DOCUMENTED,
        "tilknyttetRegistreringSom",
        "dokumentnummer",
        "tilknyttetDato",
        "tilknyttetAv",
    ),
    "dokumentobjekt": ("versjonsnummer", "variantformat", *_DOCUMENTED, "referanseDokumentfil"),
    "skjerming": ("tilgangsrestriksjon", "skjermingshjemmel", "skjermingMetadata"),
}
"""What both published schemas require; the archive date is required by one of them only."""
_REQUIRED_TAGS = {
    word: tuple((_OWN + wanted, f"{word}/{wanted}") for wanted in names)
    for word, names in _REQUIRED.items()
}
_WORDS = {_OWN + word: word for word in _REQUIRED} | {f"{_OWN}basisregistrering": "registrering"}
_NO_FOLDER = "arkivmelding/mappe"
_NO_PARENT = "registrering/referanseForelderMappe"
_PARENTS = {f"{_OWN}referanse{parent}" for parent in ("ForelderMappe", "Arkivdel", "Klasse")}
_MAX_DIGITS = 9


def parse_arkivmelding(raw: bytes, limits: Limits) -> Element:
    """The root, safely parsed, whatever it is; raises `PackageRejected` (`arkivmelding.*`)."""
    most = limits.max_arkivmelding_bytes
    return parse_xml(raw, area="arkivmelding", max_bytes=most, limits=limits)


def grading_of(root: Element) -> str | None:
    """The code of the worst grading anywhere in it, whatever the namespace; None without any.

    A grade we do not know, and a grading without a grade, count as a security grade.
    """
    worst = None
    for element in root.iter("{*}gradering"):
        if any(local_name(child) == "gradering" for child in element):
            continue
        parent = element.getparent()
        inner = parent is not None and local_name(parent) == "gradering"
        grade = " ".join("".join(map(str, element.itertext())).lower().split())
        if grade == _UNGRADED or (not grade and not inner and not len(element)):
            continue
        if len(element) or grade not in _PROTECTIVE:
            return "arkivmelding.security_grade"
        worst = "arkivmelding.protective_grade"
    return worst


def archive_message_of(root: Element) -> ArchiveMessage:
    """What it says and what it lacks; raises `PackageRejected`, both codes waivable.

    Grading is not looked at here: ask `grading_of` first.
    """
    if root.tag != f"{_OWN}arkivmelding":
        raise PackageRejected("arkivmelding.not_noark")
    entries = [each for each in root.iter(*_ENTRIES) if _is_entry(each)]
    if not entries:
        raise PackageRejected("arkivmelding.no_registration")
    parent = entries[0].getparent()
    folder = parent if parent is not None and parent.tag == _FOLDER else None
    reader = _Reader()
    top = reader.children(root)
    system = _text(top, "system")
    newer = any(each.tag == f"{_OWN}registrering" for each in entries)
    shape = Shape.NEWER if newer else Shape.ORDINARY
    return ArchiveMessage(
        shape=Shape.SVARINN if system == _SVARINN else shape,
        system=system,
        message_id=_text(top, "meldingId"),
        made_at=read_instant(_text(top, "tidspunkt")),
        case_file=None if folder is None else reader.case_file(folder),
        registry_entries=tuple(reader.registry_entry(each) for each in entries),
        missing=tuple(reader.missing if folder is not None else (_NO_FOLDER, *reader.missing)),
    )


def _is_entry(element: Element) -> bool:
    """A registration in a folder or at the top, not something of that name in foreign metadata."""
    parent = element.getparent()
    return parent is not None and parent.tag in {_FOLDER, f"{_OWN}arkivmelding"}


class _Reader:
    """Reads elements, and notes on the way what the schemas require of them and is not there."""

    def __init__(self) -> None:
        self.missing: dict[str, None] = {}

    def children(self, element: Element) -> dict[str, Element]:
        """The first child of each name; one that is there but empty is not missing."""
        children: dict[str, Element] = {}
        for child in element:
            children.setdefault(str(child.tag), child)
        as_type = (element.get(_XSI_TYPE) or "").rpartition(":")[2]
        for word in (_WORDS.get(str(element.tag), ""), as_type):
            for tag, path in _REQUIRED_TAGS.get(word, ()):
                if tag not in children:
                    self.missing[path] = None
        return children

    def case_file(self, folder: Element) -> CaseFile:
        """The case that the entries stand in."""
        children = self.children(folder)
        year, number = _text(children, "saksaar"), _text(children, "sakssekvensnummer")
        numbered = f"{year}/{number}" if year and number else None
        return CaseFile(
            system_id=_text(children, "systemID"),
            case_id=_text(children, "mappeID") or numbered,
            title=_text(children, "tittel"),
            public_title=_text(children, "offentligTittel"),
            administrative_unit=_text(children, "administrativEnhet"),
            screening=self._screening(children),
        )

    def registry_entry(self, element: Element) -> RegistryEntry:
        """One entry with all it holds."""
        children = self.children(element)
        if not _PARENTS & children.keys():
            self.missing[_NO_PARENT] = None
        return RegistryEntry(
            system_id=_text(children, "systemID"),
            title=_text(children, "tittel"),
            public_title=_text(children, "offentligTittel"),
            type=_text(children, "journalposttype"),
            status=_text(children, "journalstatus"),
            registered_on=read_date(_text(children, "journaldato")),
            document_date=read_date(_text(children, "dokumentetsDato")),
            sent_on=read_date(_text(children, "sendtDato")),
            screening=self._screening(children),
            correspondents=tuple(map(self._correspondent, _all(element, "korrespondansepart"))),
            documents=tuple(map(self._description, _all(element, "dokumentbeskrivelse"))),
        )

    def _correspondent(self, element: Element) -> Correspondent:
        children = self.children(element)
        return Correspondent(
            kind=_text(children, "korrespondanseparttype"),
            name=_text(children, "korrespondansepartNavn"),
            administrative_unit=_text(children, "administrativEnhet"),
            case_handler=_text(children, "saksbehandler"),
        )

    def _description(self, element: Element) -> DocumentDescription:
        children = self.children(element)
        number = _text(children, "dokumentnummer") or ""
        is_number = number.isdecimal() and len(number) <= _MAX_DIGITS
        return DocumentDescription(
            title=_text(children, "tittel"),
            number=int(number) if is_number else None,
            role=_text(children, "tilknyttetRegistreringSom"),
            files=tuple(self._files(element)),
            screening=self._screening(children),
        )

    def _files(self, description: Element) -> Iterator[FileReference]:
        for element in _all(description, "dokumentobjekt"):
            children = self.children(element)
            name = _text(children, "referanseDokumentfil")
            if name:
                yield FileReference(
                    name=name,
                    variant=_text(children, "variantformat"),
                    version=_text(children, "versjonsnummer"),
                )

    def _screening(self, children: Mapping[str, Element]) -> Screening | None:
        screening = children.get(f"{_OWN}skjerming")
        if screening is None:
            return None
        inner = self.children(screening)
        return Screening(
            access_restriction=_text(inner, "tilgangsrestriksjon"),
            authority=_text(inner, "skjermingshjemmel"),
        )


def _all(element: Element, name: str) -> Iterator[Element]:
    return element.iterchildren(f"{_OWN}{name}")


def _text(children: Mapping[str, Element], name: str) -> str | None:
    child = children.get(f"{_OWN}{name}")
    if child is None:
        return None
    text = "".join(map(str, child.itertext())) if len(child) else child.text or ""
    return text.strip() or None
