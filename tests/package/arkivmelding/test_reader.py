"""arkivmelding.xml: all that is only missing is accepted and said; XML and grading are not."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.errors import PackageRejected
from inbox.package.arkivmelding.model import ArchiveMessage, Screening
from inbox.package.arkivmelding.reader import archive_message_of, parse_arkivmelding
from inbox.package.inputs import Limits
from inbox.package.verdict import Shape
from inbox.simulator.packages.arkivmelding import (
    ArkivmeldingLetter,
    arkivmelding_xml,
    minimal_arkivmelding_xml,
)
from tests.package.arkivmelding.tiny_arkivmelding import (
    NAMESPACE,
    arkivmelding_around,
    one_entry_xml,
)
from tests.package_builder import letter, opened, pack, refusal


def read(raw: bytes | str) -> ArchiveMessage:
    encoded = raw.encode() if isinstance(raw, str) else raw
    return archive_message_of(parse_arkivmelding(encoded, Limits()))


def test_full_arkivmelding_is_read_with_no_missing_elements() -> None:
    archive = read(letter(["brev.pdf", "vedlegg.pdf"]))

    assert (archive.shape, archive.system, archive.missing) == (
        Shape.ORDINARY,
        "Eksempelarkiv",
        (),
    )
    assert archive.made_at == datetime(2026, 8, 20, 9, 5, tzinfo=UTC)
    case, journal = archive.case_file, archive.registry_entry
    assert case is not None
    assert (case.case_id, case.title) == ("2026/77", "Bekymring for Test Testesen")
    assert (case.public_title, case.administrative_unit) == ("Bekymring for *****", "Oppvekst")
    assert journal.title == "Bekymringsmelding om Test Testesen"
    assert (journal.type, journal.status) == ("Utgående dokument", "Ekspedert")
    assert (journal.registered_on, journal.sent_on) == (date(2026, 8, 20), None)
    assert [each.number for each in journal.documents] == [1, 2]
    assert [each.role for each in journal.documents] == ["Hoveddokument", "Vedlegg"]
    assert [each.name for each in journal.documents[1].files] == ["vedlegg.pdf"]
    assert [each.kind for each in journal.correspondents] == ["Avsender", "Mottaker"]


def test_public_title_prefers_entry_to_case_file_and_unit_is_only_the_receiver_s() -> None:
    archive = read(letter())
    without = read(letter(public_title=None))

    assert archive.public_title == "Henvendelse til barneverntjenesten"
    assert without.public_title == "Bekymring for *****"
    assert archive.screening == Screening(
        access_restriction="13", authority="Offl. § 13 jf. fvl. § 13"
    )
    assert read(letter(authority=None)).screening is None
    assert archive.administrative_unit == "Barneverntjenesten"
    assert read(letter(receiver_unit=None)).administrative_unit is None


def test_svarinn_arkivmelding_is_accepted_and_lists_its_missing_elements() -> None:
    raw = pack(files={"arkivmelding.xml": minimal_arkivmelding_xml(), "brev.pdf": b"%PDF"})

    archive = opened(raw).archive

    assert archive is not None
    assert archive.shape is Shape.SVARINN
    assert archive.registry_entry.registered_on == date(2026, 8, 20)
    assert archive.registry_entry.documents[0].number is None
    assert {"mappe/tittel", "saksmappe/saksdato", "dokumentobjekt/variantformat"} < set(
        archive.missing
    )


def test_newer_noark_shape_is_read_with_registrering_as_its_entry() -> None:
    archive = read(
        arkivmelding_around(
            "<mappe><tittel>a</tittel><part><foedselsnummer>1</foedselsnummer></part>"
            "<registrering><tittel>b</tittel></registrering></mappe>"
        )
    )

    assert (archive.shape, archive.registry_entry.title) == (Shape.NEWER, "b")
    assert "mappe/systemID" in archive.missing


@pytest.mark.parametrize(
    ("inner", "shape"),
    [
        ("<registrering/>", Shape.ORDINARY),
        ("<mappe><registrering/></mappe>", Shape.NEWER),
        ("<mappe><part/><basisregistrering/></mappe>", Shape.NEWER),
        ("<mappe><basisregistrering><part/></basisregistrering></mappe>", Shape.NEWER),
        ("<mappe><klasse/><basisregistrering/></mappe>", Shape.NEWER),
        (
            "<mappe><basisregistrering/><merknad><part/></merknad></mappe>",
            Shape.ORDINARY,
        ),
    ],
)
def test_arkivmelding_shape_is_detected_from_its_element_names(inner: str, shape: Shape) -> None:
    assert read(arkivmelding_around(inner)).shape is shape


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("<kode>I</kode><beskrivelse>Inngående dokument</beskrivelse>", "Inngående dokument"),
        ("<kode>I</kode>", "I"),
        ("<annet>Inn</annet>gående", "Inngående"),
    ],
)
def test_journalposttype_is_read_from_beskrivelse_else_kode_else_plain_text(
    value: str, text: str
) -> None:
    typed = one_entry_xml(f"<journalposttype>{value}</journalposttype>")

    assert read(typed).registry_entry.type == text


def test_newer_arkivmelding_namespace_is_refused_with_its_own_code() -> None:
    raw = arkivmelding_around("<mappe><registrering/></mappe>")

    assert refusal(lambda: read(raw.replace(NAMESPACE, NAMESPACE + "/v2"))) == (
        "arkivmelding.newer_namespace"
    )
    assert refusal(lambda: read(raw.replace(NAMESPACE, NAMESPACE + "2"))) == (
        "arkivmelding.not_noark"
    )


def test_missing_elements_are_listed_once_in_reading_order() -> None:
    twice = "<dokumentbeskrivelse><tittel>a</tittel></dokumentbeskrivelse>" * 2

    missing = [each for each in read(one_entry_xml(twice)).missing if each.startswith("dokument")]

    assert missing == [
        "dokumentbeskrivelse/systemID",
        "dokumentbeskrivelse/dokumenttype",
        "dokumentbeskrivelse/dokumentstatus",
        "dokumentbeskrivelse/opprettetDato",
        "dokumentbeskrivelse/opprettetAv",
        "dokumentbeskrivelse/tilknyttetRegistreringSom",
        "dokumentbeskrivelse/dokumentnummer",
        "dokumentbeskrivelse/tilknyttetDato",
        "dokumentbeskrivelse/tilknyttetAv",
    ]


def test_missing_elements_include_those_that_only_a_later_document_lacks() -> None:
    full = "<skjerming><tilgangsrestriksjon/><skjermingshjemmel/><skjermingMetadata/></skjerming>"
    described = f"<dokumentbeskrivelse>{full}</dokumentbeskrivelse>"

    assert "skjerming/skjermingMetadata" not in read(one_entry_xml(described)).missing
    lacking = described + described.replace("<skjermingMetadata/>", "")
    assert "skjerming/skjermingMetadata" in read(one_entry_xml(lacking)).missing


def test_arkivmelding_with_two_entries_keeps_both_and_the_first_is_the_main_entry() -> None:
    def one(title: str) -> str:
        return (
            f"<mappe><tittel>case {title}</tittel><basisregistrering><tittel>{title}</tittel>"
            "<dokumentbeskrivelse/></basisregistrering></mappe>"
        )

    archive = read(arkivmelding_around(one("a") + one("b")))

    assert [each.title for each in archive.registry_entries] == ["a", "b"]
    assert archive.registry_entry.title == "a"
    assert archive.case_file is not None
    assert archive.case_file.title == "case a"
    assert len(archive.descriptions) == 2


def test_entry_outside_a_case_is_read_and_mappe_is_listed_as_missing() -> None:
    archive = read(arkivmelding_around("<basisregistrering><tittel>a</tittel></basisregistrering>"))

    assert archive.case_file is None
    assert archive.public_title is None
    assert "arkivmelding/mappe" in archive.missing


def test_registrering_inside_virksomhetsspesifikke_metadata_is_not_an_entry() -> None:
    raw = arkivmelding_around(
        "<mappe><virksomhetsspesifikkeMetadata><registrering/></virksomhetsspesifikkeMetadata>"
        "</mappe>"
    )

    assert refusal(lambda: read(raw)) == "arkivmelding.no_registration"


def test_title_with_a_comment_or_processing_instruction_is_read_whole() -> None:
    assert read(
        one_entry_xml("<tittel>Svar<!-- x --> fra <?y z?>Ola</tittel>")
    ).registry_entry.title == ("Svar fra Ola")


def test_case_id_falls_back_to_case_year_and_sequence_number() -> None:
    numbered = "<mappe><saksaar>2026</saksaar><sakssekvensnummer>7</sakssekvensnummer>"

    archive = read(arkivmelding_around(numbered + "<basisregistrering/></mappe>"))

    assert archive.case_file is not None
    assert archive.case_file.case_id == "2026/7"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-24T22:30:00Z", 24),
        ("2026-11-24T23:30:00Z", 25),
        ("2026-07-24T21:30:00Z", 24),
        ("2026-07-24T22:30:00Z", 25),
        ("2026-11-24T23:30:00+01:00", 24),
        ("2026-11-24T23:30:00", 24),
        ("2026-11-24Z", 24),
        ("2026-11-24-05:00", 24),
    ],
)
def test_journaldato_with_a_time_and_a_zone_is_the_day_in_norway(text: str, day: int) -> None:
    dated = one_entry_xml(f"<journaldato>{text}</journaldato>")

    registered_on = read(dated).registry_entry.registered_on
    assert registered_on is not None
    assert registered_on.day == day


@pytest.mark.parametrize("number", ["", "one", "-1", "9" * 40, "²"])
def test_invalid_document_number_in_arkivmelding_is_left_out(number: str) -> None:
    described = (
        f"<dokumentbeskrivelse><dokumentnummer>{number}</dokumentnummer></dokumentbeskrivelse>"
    )

    assert read(one_entry_xml(described)).registry_entry.documents[0].number is None


@pytest.mark.parametrize("text", ["2026-08-20", "2026-08-20+01:00", "2026-08-20T09:00:00Z"])
def test_journaldato_is_read_with_time_or_zone_and_left_out_when_invalid(text: str) -> None:
    dated = one_entry_xml(f"<journaldato>{text}</journaldato>")

    assert read(dated).registry_entry.registered_on == date(2026, 8, 20)
    assert (
        read(one_entry_xml("<journaldato>2026-13-40</journaldato>")).registry_entry.registered_on
        is None
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_arkivmelding_is_read_in_utf_8_and_utf_16(encoding: str) -> None:
    assert (
        read(one_entry_xml("<tittel>Ærlig</tittel>").encode(encoding)).registry_entry.title
        == "Ærlig"
    )


def test_xinclude_in_arkivmelding_is_never_followed() -> None:
    include = '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/hostname"/>'

    assert read(one_entry_xml(f"<tittel>a{include}</tittel>")).registry_entry.title == "a"


def test_arkivmelding_model_repr_contains_no_confidential_fields() -> None:
    shown = repr(read(letter(["Kari Nordmann.pdf"], receiver_person="Mona Mottaker")))

    for secret in ("Test Testesen", "Kari Nordmann", "Mona", "barnevern", "kommune"):
        assert secret not in shown


def test_time_to_read_grows_with_the_number_of_documents_and_not_with_its_square() -> None:
    one = (
        "<dokumentbeskrivelse><tittel>x</tittel><dokumentobjekt>"
        "<referanseDokumentfil>a</referanseDokumentfil></dokumentobjekt></dokumentbeskrivelse>"
    )

    def seconds(number: int) -> float:
        raw = one_entry_xml(one * number)
        started = time.process_time()
        assert len(read(raw).descriptions) == number
        return time.process_time() - started

    few = min(seconds(2_500) for _ in range(3))

    assert seconds(25_000) < 30 * few, "ten times as many: in the square, a hundred times"


@given(
    st.text(alphabet="<>/abg &;\"'=!-[]?", max_size=60),
    st.sampled_from(["mappe", "basisregistrering", "gradering", "dokumentbeskrivelse"]),
)
def test_arbitrary_text_in_arkivmelding_raises_only_package_rejected(text: str, name: str) -> None:
    raw = arkivmelding_around(f"<{name}>{text}</{name}>")

    try:
        read(raw)
    except PackageRejected as error:
        code = error.code
    else:
        code = "arkivmelding."

    assert code.startswith("arkivmelding.")


def test_simulator_letter_without_class_id_has_no_missing_elements() -> None:
    changed = replace(ArkivmeldingLetter(), case_title="Ny sak", class_id=None)

    assert read(arkivmelding_xml(changed)).missing == ()
