"""A security grade stops the message, a protective one waits for two; what is unknown is worse."""

import pytest

from inbox.package.arkivmelding.reader import grading_of, parse_arkivmelding
from inbox.package.inputs import Limits
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_grade_in_malformed_arkivmelding_is_refused_even_when_malformed_is_waived(
    encoding: str,
) -> None:
    broken = one_entry_xml("<x:gradering>Hemmelig").encode(encoding)
    files = {"arkivmelding.xml": broken, "brev.pdf": b"%PDF"}

    assert quarantine(pack(files=files)).code == "arkivmelding.malformed"
    refused = quarantine(pack(files=files), waivers=["arkivmelding.malformed"])
    assert refused.code == "arkivmelding.security_grade"


def test_arkivmelding_with_a_waived_protective_grade_is_read() -> None:
    graded = letter().replace(b"<klassifikasjon>", b"<gradering>F</gradering><klassifikasjon>", 1)
    raw = pack(files={"arkivmelding.xml": graded, "brev.pdf": b"%PDF"})

    package = opened(raw, waivers=["arkivmelding.protective_grade"])

    assert package.archive is not None
    assert package.verdict.waived == ("arkivmelding.protective_grade",)
