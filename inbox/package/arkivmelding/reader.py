"""Reads arkivmelding.xml: strict about XML, lenient about missing elements.

The problem: two published schemas share one namespace, a newer shape uses it too, and what is made
from SvarInn mail fits none of them (reference §5.2, §5.6). A missing date must not refuse a
message, and a word must not be read where the sender meant something else by it.

The method: one descent over the tree (recursive descent), with a table of what both schemas require
of each element. Elements that are there are read; each required child that is missing is noted once
for each kind of element. An entry counts only in a folder or at the top, so that foreign metadata
with the same element name is not read as an entry.

An example, in which an entry has a title and nothing else:

    >>> entry = "<basisregistrering><tittel>Brev</tittel></basisregistrering>"
    >>> text = f'<arkivmelding xmlns="{NAMESPACE}"><mappe>{entry}</mappe></arkivmelding>'
    >>> read = archive_message_of(parse_arkivmelding(text.encode(), Limits()))
    >>> read.registry_entries[0].title, read.shape.value
    ('Brev', 'ordinary')
    >>> read.missing[:2], len(read.missing)
    (('arkivmelding/system', 'arkivmelding/meldingId'), 12)

Not done here: `grading` reads the security grade, before this module; `documents` compares the
documents with the files; `xsd` compares the XML with the published schemas, for information only.
No value is corrected.
"""

from collections.abc import Iterator, Sequence

from inbox.errors import PackageRejected
from inbox.package.arkivmelding.model import (
    ArchiveMessage,
    CaseFile,
    Correspondent,
    DocumentDescription,
    FileReference,
    RegistryEntry,
    Screening,
)
from inbox.package.inputs import Limits
from inbox.package.times import read_date, read_instant
from inbox.package.verdict import Shape
from inbox.package.xml import Element, parse_xml

NAMESPACE = "http://www.arkivverket.no/standarder/noark5/arkivmelding"
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_OWN = f"{{{NAMESPACE}}}"
_SVARINN = "Integrasjonspunkt"
_FOLDER = f"{_OWN}mappe"
_ENTRIES = (f"{_OWN}basisregistrering", f"{_OWN}registrering")
_NEWER_WORDS = {
    f"{_OWN}registrering": {_FOLDER},
    f"{_OWN}part": {_FOLDER, *_ENTRIES},
    f"{_OWN}klasse": {_FOLDER, *_ENTRIES},
    f"{_OWN}format": {f"{_OWN}dokumentobjekt"},
}
"""Elements of the newer shapes, each with the parents under which no published schema has it.
`registrering` at the top is no sign of a newer shape, because one published schema has it there."""
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
    word: {_OWN + wanted: f"{word}/{wanted}" for wanted in names}
    for word, names in _REQUIRED.items()
}
_WORDS = {_OWN + word: word for word in _REQUIRED} | {f"{_OWN}basisregistrering": "registrering"}
_NO_FOLDER = "arkivmelding/mappe"
_NO_PARENT = "registrering/referanseForelderMappe"
_PARENTS = {f"{_OWN}referanse{parent}" for parent in ("ForelderMappe", "Arkivdel", "Klasse")}
_MAX_DIGITS = 9
_XML_SPACE = " \t\r\n"

Children = dict[str, list[Element]]


def parse_arkivmelding(raw: bytes, limits: Limits) -> Element:
    """Parse the XML safely and return its root, whatever element it is.

    Raises `PackageRejected` (`arkivmelding.*`).
    """
    most = limits.max_arkivmelding_bytes
    return parse_xml(raw, area="arkivmelding", max_bytes=most, limits=limits)


def archive_message_of(root: Element) -> ArchiveMessage:
    """The content of an arkivmelding and its missing elements; the case is the first entry's.

    Raises `PackageRejected`, with codes that can be waived.

    Grading is not looked at here: ask `grading.grading_of` first.
    """
    if root.tag != f"{_OWN}arkivmelding":
        # A later edition of the standard has another code than XML that is not Noark at all.
        later = str(root.tag).startswith(f"{{{NAMESPACE}/")
        raise PackageRejected(f"arkivmelding.{'newer_namespace' if later else 'not_noark'}")
    # Noark 5: virksomhetsspesifikkeMetadata may hold any XML, also elements of this name.
    entries = [each for each in root.iter(*_ENTRIES) if _is_entry(each)]
    if not entries:
        raise PackageRejected("arkivmelding.no_registration")
    parent = entries[0].getparent()
    folder = parent if parent is not None and parent.tag == _FOLDER else None
    reader = _Reader()
    top = reader.children(root)
    system = _text(top, "system")
    return ArchiveMessage(
        shape=Shape.SVARINN if system == _SVARINN else _shape_of(root),
        system=system,
        message_id=_text(top, "meldingId"),
        made_at=read_instant(_text(top, "tidspunkt")),
        case_file=None if folder is None else reader.case_file(folder),
        registry_entries=tuple(reader.registry_entry(each) for each in entries),
        missing=tuple(reader.missing if folder is not None else (_NO_FOLDER, *reader.missing)),
    )


def _shape_of(root: Element) -> Shape:
    for element in root.iter(*_NEWER_WORDS):
        parent = element.getparent()
        if parent is not None and parent.tag in _NEWER_WORDS[str(element.tag)]:
            return Shape.NEWER
    return Shape.ORDINARY


def _is_entry(element: Element) -> bool:
    """A registration in a folder or at the top, not something of that name in foreign metadata."""
    parent = element.getparent()
    return parent is not None and parent.tag in {_FOLDER, f"{_OWN}arkivmelding"}


class _Reader:
    """Reads elements, and notes which of the required children are missing."""

    def __init__(self) -> None:
        self.missing: dict[str, None] = {}
        self._not_yet_missing = {word: dict(required) for word, required in _REQUIRED_TAGS.items()}
        """By element name: the required children not noted as missing so far, tag to path."""

    def children(self, element: Element) -> Children:
        """The children by tag, in order; one that is there but empty is not missing."""
        children: Children = {}
        for child in element:
            children.setdefault(str(child.tag), []).append(child)
        # `xsi:type="saksmappe"`: a subtype requires elements of its own beside those of its base.
        as_type = element.get(_XSI_TYPE)
        self._note_missing(_WORDS.get(str(element.tag)), children)
        if as_type:
            self._note_missing(as_type.rpartition(":")[2], children)
        return children

    def _note_missing(self, word: str | None, children: Children) -> None:
        asked = self._not_yet_missing.get(word or "")
        if not asked or asked.keys() <= children.keys():
            return
        for tag in [each for each in asked if each not in children]:
            self.missing[asked.pop(tag)] = None

    def case_file(self, folder: Element) -> CaseFile:
        """The case that a folder describes."""
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
        """One entry with its correspondents and documents."""
        children = self.children(element)
        # A registration belongs to a folder, a class or a series: one of the references is enough.
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
            correspondents=tuple(
                map(self._correspondent, _children_named(children, "korrespondansepart"))
            ),
            documents=tuple(
                map(self._description, _children_named(children, "dokumentbeskrivelse"))
            ),
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
            files=tuple(self._files(children)),
            screening=self._screening(children),
        )

    def _files(self, description: Children) -> Iterator[FileReference]:
        for element in _children_named(description, "dokumentobjekt"):
            children = self.children(element)
            name = _file_name(children)
            if name:
                yield FileReference(
                    name=name,
                    variant=_text(children, "variantformat"),
                    version=_text(children, "versjonsnummer"),
                )

    def _screening(self, children: Children) -> Screening | None:
        screening = _children_named(children, "skjerming")
        if not screening:
            return None
        inner = self.children(screening[0])
        return Screening(
            access_restriction=_text(inner, "tilgangsrestriksjon"),
            authority=_text(inner, "skjermingshjemmel"),
        )


def _children_named(children: Children, name: str) -> Sequence[Element]:
    return children.get(_OWN + name, ())


def _file_name(children: Children) -> str | None:
    """A file's name as it is written, also with spaces around it.

    If it has a line break or a tab, the white space around it is layout and is removed.
    """
    found = _children_named(children, "referanseDokumentfil")
    written = (found[0].text or "") if found else ""
    if not written.strip(_XML_SPACE):
        return None
    return written.strip(_XML_SPACE) if set(written) & {"\n", "\t", "\r"} else written


def _text(children: Children, name: str) -> str | None:
    """The text of the first child of that name; of a code with children, the description."""
    found = children.get(_OWN + name)
    if found is None:
        return None
    # The newer shapes write a value of a code list as the children `kode` and `beskrivelse`.
    first = found[0]
    text = first.text or ""
    if len(first):
        words = first.findtext(f"{_OWN}beskrivelse") or first.findtext(f"{_OWN}kode")
        text = words or "".join(map(str, first.itertext()))
    return text.strip() or None
