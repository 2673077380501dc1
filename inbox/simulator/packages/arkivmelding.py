"""Lifelike arkivmelding.xml (Noark 5 v3.1): in full, and as SvarInn makes it, legal but bare."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

NAMESPACE = "http://www.arkivverket.no/standarder/noark5/arkivmelding"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_IDS = uuid.UUID("6d1f3a52-9a53-4be1-8f9c-0f5f4f5c2a11")

Tree = tuple[str, "str | Sequence[Tree]"]
"""An element: its name (`name:type` gives it an xsi:type) and its text or children."""


@dataclass(frozen=True, kw_only=True)
class ArkivmeldingLetter:
    """One letter with its attachments, in a case; its titles and names are made up."""

    message_id: str = "0b6c2f2e-6c1f-4a53-9a54-6f0a3c1d8e11"
    file_names: tuple[str, ...] = ("brev.pdf",)
    """The main document first; each gets a document description that refers to it."""
    title: str = "Bekymringsmelding om Test Testesen"
    public_title: str | None = "Henvendelse til barneverntjenesten"
    case_title: str = "Bekymring for Test Testesen"
    case_public_title: str | None = "Bekymring for *****"
    case_year: int = 2026
    case_sequence: int = 77
    sender_name: str = "Eksempel kommune"
    receiver_name: str = "Mottak kommune"
    receiver_unit: str | None = "Barneverntjenesten"
    receiver_person: str | None = None
    authority: str | None = "Offl. § 13 jf. fvl. § 13"
    """The skjermingshjemmel; None leaves the whole skjerming out."""
    access_restriction: str = "13"
    class_id: str | None = "F47"
    class_title: str = "Barnevern"
    at: datetime = datetime(2026, 8, 20, 9, 5, tzinfo=UTC)


def arkivmelding_xml(letter: ArkivmeldingLetter | None = None) -> bytes:
    """In full: valid against the schema that the integrasjonspunkt uses."""
    return _document(_full(letter or ArkivmeldingLetter()))


def minimal_arkivmelding_xml(letter: ArkivmeldingLetter | None = None) -> bytes:
    """As the SvarInn conversion makes it: no dates, parents or main document; invalid by design."""
    return _document(_minimal(letter or ArkivmeldingLetter()))


def _document(tree: Tree) -> bytes:
    root = _element(tree, None)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _root() -> etree._Element:
    return etree.fromstring(f'<arkivmelding xmlns="{NAMESPACE}" xmlns:xsi="{XSI}"/>')


def _element(tree: Tree, parent: etree._Element | None) -> etree._Element:
    name, _, kind = tree[0].partition(":")
    tag = f"{{{NAMESPACE}}}{name}"
    element = _root() if parent is None else etree.SubElement(parent, tag)
    if kind:
        element.set(f"{{{XSI}}}type", kind)
    if isinstance(tree[1], str):
        element.text = tree[1]
    else:
        for child in tree[1]:
            _element(child, element)
    return element


def _id(letter: ArkivmeldingLetter, of: str) -> str:
    return str(uuid.uuid5(_IDS, f"{letter.message_id}/{of}"))


def _made(letter: ArkivmeldingLetter) -> list[Tree]:
    return [("opprettetDato", letter.at.isoformat()), ("opprettetAv", "Sak Behandler")]


def _titles(title: str, public: str | None) -> list[Tree]:
    return [("tittel", title), *([("offentligTittel", public)] if public is not None else [])]


def _full(letter: ArkivmeldingLetter) -> Tree:
    case_number = f"{letter.case_year}/{letter.case_sequence}"
    case: list[Tree] = [
        ("systemID", _id(letter, "case")),
        ("mappeID", case_number),
        *_titles(letter.case_title, letter.case_public_title),
        *_made(letter),
        *_screening(letter),
        *_classification(letter),
        ("basisregistrering:journalpost", list(_entry(letter))),
        ("saksaar", str(letter.case_year)),
        ("sakssekvensnummer", str(letter.case_sequence)),
        ("saksdato", letter.at.date().isoformat()),
        ("administrativEnhet", "Oppvekst"),
        ("saksansvarlig", "Sak Behandler"),
        ("saksstatus", "Under behandling"),
    ]
    return (
        "arkivmelding",
        [
            ("system", "Eksempelarkiv"),
            ("meldingId", letter.message_id),
            ("tidspunkt", letter.at.isoformat()),
            ("antallFiler", str(len(letter.file_names))),
            ("mappe:saksmappe", case),
        ],
    )


def _screening(letter: ArkivmeldingLetter) -> list[Tree]:
    if letter.authority is None:
        return []
    return [
        (
            "skjerming",
            [
                ("tilgangsrestriksjon", letter.access_restriction),
                ("skjermingshjemmel", letter.authority),
                ("skjermingMetadata", "Skjerming tittel mappe - unntatt første linje"),
                ("skjermingDokument", "Skjerming av hele dokumentet"),
            ],
        )
    ]


def _classification(letter: ArkivmeldingLetter) -> list[Tree]:
    if letter.class_id is None:
        return []
    parts: list[Tree] = [
        ("referanseKlassifikasjonssystem", "Funksjoner"),
        ("klasseID", letter.class_id),
        ("tittel", letter.class_title),
    ]
    return [("klassifikasjon", parts)]


def _entry(letter: ArkivmeldingLetter) -> Iterator[Tree]:
    """The journalpost, in schema order."""
    yield ("systemID", _id(letter, "entry"))
    yield from _made(letter)
    yield ("arkivertDato", letter.at.isoformat())
    yield ("arkivertAv", "Sak Behandler")
    yield ("referanseForelderMappe", _id(letter, "case"))
    yield from _screening(letter)
    for number, name in enumerate(letter.file_names, start=1):
        yield ("dokumentbeskrivelse", list(_description(letter, number, name)))
    yield from _titles(letter.title, letter.public_title)
    yield ("journalaar", str(letter.case_year))
    yield ("journalsekvensnummer", "1234")
    yield ("journalpostnummer", "1")
    yield ("journalposttype", "Utgående dokument")
    yield ("journalstatus", "Ekspedert")
    yield ("journaldato", letter.at.date().isoformat())
    yield ("dokumentetsDato", letter.at.date().isoformat())
    yield ("korrespondansepart", _party("Avsender", letter.sender_name))
    receiver = _party("Mottaker", letter.receiver_name)
    if letter.receiver_unit is not None:
        receiver.append(("administrativEnhet", letter.receiver_unit))
    if letter.receiver_person is not None:
        receiver.append(("saksbehandler", letter.receiver_person))
    yield ("korrespondansepart", receiver)


def _party(role: str, name: str) -> list[Tree]:
    return [("korrespondanseparttype", role), ("korrespondansepartNavn", name)]


def _description(letter: ArkivmeldingLetter, number: int, name: str) -> Iterator[Tree]:
    yield ("systemID", _id(letter, f"document {number}"))
    yield ("dokumenttype", "Brev")
    yield ("dokumentstatus", "Dokumentet er ferdigstilt")
    yield ("tittel", letter.title if number == 1 else f"Vedlegg {number - 1}")
    yield from _made(letter)
    yield ("tilknyttetRegistreringSom", "Hoveddokument" if number == 1 else "Vedlegg")
    yield ("dokumentnummer", str(number))
    yield ("tilknyttetDato", letter.at.isoformat())
    yield ("tilknyttetAv", "Sak Behandler")
    described: list[Tree] = [
        ("versjonsnummer", "1"),
        ("variantformat", "Arkivformat"),
        *_made(letter),
        ("referanseDokumentfil", name),
    ]
    yield ("dokumentobjekt", described)


def _minimal(letter: ArkivmeldingLetter) -> Tree:
    entry: list[Tree] = [("systemID", _id(letter, "entry"))]
    for number, name in enumerate(letter.file_names, start=1):
        description: list[Tree] = [
            ("systemID", _id(letter, f"document {number}")),
            ("tittel", name),
            ("dokumentobjekt", [("referanseDokumentfil", name)]),
        ]
        entry.append(("dokumentbeskrivelse", description))
    entry += [
        *_titles(letter.title, letter.public_title),
        ("journalposttype", "Inngående dokument"),
        ("journalstatus", "Ferdigstilt fra saksbehandler"),
        ("journaldato", letter.at.date().isoformat() + "+01:00"),
        ("korrespondansepart", _party("Avsender", letter.sender_name)),
    ]
    case: list[Tree] = [
        ("systemID", _id(letter, "case")),
        ("basisregistrering:journalpost", entry),
        ("saksaar", "0"),
        ("sakssekvensnummer", "0"),
    ]
    return (
        "arkivmelding",
        [
            ("system", "Integrasjonspunkt"),
            ("meldingId", letter.message_id),
            ("tidspunkt", letter.at.isoformat()),
            ("antallFiler", "0"),
            ("mappe:saksmappe", case),
        ],
    )
