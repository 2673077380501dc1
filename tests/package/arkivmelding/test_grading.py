"""A security grade stops the message, a protective one waits for two; what is unknown is worse."""

import pytest

from inbox.package.arkivmelding.grading import grading_of
from inbox.package.arkivmelding.reader import parse_arkivmelding
from inbox.package.inputs import Limits
from inbox.package.verdict import CODES
from tests.package.arkivmelding.tiny_arkivmelding import one_entry_xml
from tests.package_builder import letter, opened, pack, quarantine


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        ("<gradering/>", None),
        ("<gradering><gradering>Ugradert</gradering></gradering>", None),
        (
            "<gradering><gradering>Fortrolig (beskyttelsesgrad)</gradering></gradering>",
            "protective",
        ),
        ("<gradering><gradering>SF</gradering><gradertAv>x</gradertAv></gradering>", "protective"),
        ("<gradering>strengt  fortrolig</gradering>", "protective"),
        ("<gradering><gradering>Hemmelig (sikkerhetsgrad)</gradering></gradering>", "security"),
        ("<gradering><gradering>K</gradering></gradering>", "security"),
        ("<gradering><gradering>noe annet</gradering></gradering>", "security"),
        ("<gradering><gradering/><graderingsdato>2026</graderingsdato></gradering>", "security"),
        ("<gradering><graderingsdato>2026-01-01</graderingsdato></gradering>", "security"),
        ('<x:gradering xmlns:x="urn:other">Begrenset</x:gradering>', "security"),
        ("<gradering>F</gradering><gradering>B</gradering>", "security"),
        ("<gradering><gradering>U</gradering><gradertAv>x</gradertAv></gradering>", None),
        ("<gradering>Hemmelig<gradering>Ugradert</gradering></gradering>", "security"),
        ("<gradering><gradering>Ugradert</gradering>Hemmelig</gradering>", "security"),
        ("<gradering><gradering>F</gradering><annet>Hemmelig</annet></gradering>", "security"),
        ("<gradering><grad>Fortrolig</grad><gradertAv>x</gradertAv></gradering>", "protective"),
        ("<gradering><grad><kode>SF</kode></grad></gradering>", "protective"),
        (
            "<gradering><grad><kode>F</kode><beskrivelse>Hemmelig</beskrivelse></grad></gradering>",
            "security",
        ),
        ("<gradering><grad/></gradering>", "security"),
        ("<merknad><grad>Hemmelig</grad></merknad>", None),
        ('<gradering kode="H"/>', "security"),
        ('<gradering kode="U"/>', None),
        ('<gradering grad="SF"/>', "protective"),
        ('<gradering kode=""/>', "security"),
        ('<gradering annet="U"/>', "security"),
        ('<gradering x:kode="K" xmlns:x="urn:x"/>', "security"),
        ('<gradering><grad kode="B">U</grad></gradering>', "security"),
        ('<gradering><gradering verdi="H">Ugradert</gradering></gradering>', "security"),
        ('<gradering><kode verdi="H">U</kode></gradering>', "security"),
        ("<gradering><kode>U<x>H</x></kode></gradering>", "security"),
        ('<gradering graderingsdato="2026-01-01">U</gradering>', None),
        ('<gradering graderingsdato="2026-01-01"/>', "security"),
        (
            '<gradering n:nil="true" xmlns:n="http://www.w3.org/2001/XMLSchema-instance"/>',
            None,
        ),
        ('<merknad gradering="Hemmelig"/>', "security"),
        ('<merknad x:Sikkerhetsgrad="B" xmlns:x="urn:x"/>', "security"),
        ('<merknad gradering="U"/>', None),
        ("<Gradering>Hemmelig</Gradering>", "security"),
        ("<sikkerhetsgradering>K</sikkerhetsgradering>", "security"),
        ('<merknad grad="master"/>', None),
        ('<merknad xml:gradering="H"/>', "security"),
        ('<gradering xml:kode="H"/>', "security"),
        (
            '<merknad n:Gradering="H" xmlns:n="http://www.w3.org/2001/XMLSchema-instance"/>',
            "security",
        ),
        ('<gradering xml:lang="nb">U</gradering>', None),
        ("<gradering><![CDATA[Hemmelig]]></gradering>", "security"),
        ('<gradering kode="&#72;"/>', "security"),
        ('<GRADERING KODE="h"/>', "security"),
    ],
)
def test_grading_of_finds_each_grade_and_counts_unknown_as_security_grade(
    xml: str, code: str | None
) -> None:
    root = parse_arkivmelding(one_entry_xml(xml).encode(), Limits())

    assert grading_of(root) == (f"arkivmelding.{code}_grade" if code else None)


def test_security_grade_is_refused_even_when_not_noark_is_waived() -> None:
    files = {"arkivmelding.xml": b"<x><gradering>Hemmelig</gradering></x>", "brev.pdf": b"%PDF"}

    refused = quarantine(pack(files=files), waivers=["arkivmelding.not_noark"])

    assert refused.code == "arkivmelding.security_grade"


UNREADABLE = {
    "malformed": one_entry_xml("<x:gradering>Hemmelig").encode(),
    "malformed, ungraded": one_entry_xml(
        "<tittel>A & B</tittel><gradering>Ugradert</gradering>"
    ).encode(),
    "malformed, in an attribute": one_entry_xml('& <merknad gradering="U"/>').encode(),
    "malformed utf-16": one_entry_xml("<gradering>").encode("utf-16"),
    "mark against declaration": (
        '<?xml version="1.0" encoding="UTF-8"?>' + one_entry_xml("<gradering>H</gradering>")
    ).encode("utf-16"),
    "declaration against bytes": (
        '<?xml version="1.0" encoding="UTF-16"?>' + one_entry_xml("<gradering>H</gradering>")
    ).encode(),
    "utf-7": (
        b'<?xml version="1.0" encoding="UTF-7"?><a>+ADw-gradering+AD4-H+ADw-/gradering+AD4-</a>'
    ),
    "shifted letters": (
        b'<?xml version="1.0" encoding="ISO-2022-JP"?><a><gra\x1b(Bdering>H</gra\x1b(Bdering></a>'
    ),
    "ebcdic": one_entry_xml("<gradering>H</gradering>").encode("cp037", errors="ignore"),
    "entity": b"<!DOCTYPE a [<!ENTITY g '&#60;gradering>H&#60;/gradering>'>]><a>&g;</a>",
    "outside entity": b'<!DOCTYPE a SYSTEM "a.dtd"><a>&g;</a>',
    "too deep": b"<a>" * 300 + b"<gradering>H</gradering>" + b"</a>" * 300,
}


@pytest.mark.parametrize("xml", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_arkivmelding_that_may_be_graded_has_a_code_of_its_own(xml: bytes) -> None:
    raw = pack(files={"arkivmelding.xml": xml, "brev.pdf": b"%PDF"})

    assert quarantine(raw).code == "arkivmelding.grade_unreadable"
    others = [code for code in CODES if code != "arkivmelding.grade_unreadable"]
    assert quarantine(raw, waivers=others).code == "arkivmelding.grade_unreadable"
    let_pass = opened(raw, waivers=["arkivmelding.grade_unreadable"])
    assert let_pass.archive is None
    assert let_pass.verdict.waived == ("arkivmelding.grade_unreadable",)


def test_only_what_may_be_graded_and_is_not_read_needs_a_security_reviewer() -> None:
    needing = {code for code, it in CODES.items() if it.needs_reviewer}

    assert needing == {"arkivmelding.grade_unreadable", "arkivmelding.too_large"}
    assert all(CODES[code].waivable for code in needing)


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (one_entry_xml("<tittel>A & B, gradering av hus</tittel>").encode(), "malformed"),
        (
            ('<?xml version="1.0" encoding="UTF-8"?>' + one_entry_xml("")).encode("utf-16"),
            "encoding",
        ),
        (b"<!DOCTYPE a><a/>", "unsafe_xml"),
        (b"<a>" * 300 + b"</a>" * 300, "too_complex"),
    ],
)
def test_unreadable_arkivmelding_without_a_grade_is_waivable_by_two(xml: bytes, code: str) -> None:
    raw = pack(files={"arkivmelding.xml": xml, "brev.pdf": b"%PDF"})

    assert quarantine(raw).code == f"arkivmelding.{code}"
    assert CODES[f"arkivmelding.{code}"].waivable
    assert opened(raw, waivers=[f"arkivmelding.{code}"]).archive is None


@pytest.mark.parametrize("name", ["ISO-8859-1", "UTF-16", "windows-1252"])
def test_arkivmelding_in_an_unusual_character_set_is_read_and_noted(name: str) -> None:
    xml = letter().decode().replace("UTF-8", name).encode(name)

    package = opened(pack(files={"arkivmelding.xml": xml, "brev.pdf": b"%PDF"}))

    assert package.archive is not None
    assert package.verdict.notes == ("unusual_encoding",)


def test_arkivmelding_with_a_waived_protective_grade_is_read() -> None:
    graded = letter().replace(b"<klassifikasjon>", b"<gradering>F</gradering><klassifikasjon>", 1)
    raw = pack(files={"arkivmelding.xml": graded, "brev.pdf": b"%PDF"})

    package = opened(raw, waivers=["arkivmelding.protective_grade"])

    assert package.archive is not None
    assert package.verdict.waived == ("arkivmelding.protective_grade",)
