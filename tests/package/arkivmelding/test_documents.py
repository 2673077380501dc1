"""Files against arkivmelding.xml: what is said, which is the main document, what does not fit."""

import hashlib
import json
import unicodedata
from dataclasses import asdict
from typing import Any

import pytest

from inbox.package.arkivmelding.documents import media_type_of
from inbox.simulator.packages.arkivmelding import minimal_arkivmelding_xml
from inbox.simulator.packages.builder import ParcelDocument, Tamper
from inbox.simulator.packages.cms import Profile
from tests.package_builder import (
    envelope_of,
    genuine,
    letter,
    opened,
    pack,
    quarantine,
    signed_by,
    signer,
)

PDF = b"%PDF"


def files(*names: str, arkivmelding: bytes | None = None) -> bytes:
    described = letter(names) if arkivmelding is None else arkivmelding
    return pack(files={"arkivmelding.xml": described, **dict.fromkeys(names, PDF)})


def main_of(raw: bytes, **terms: Any) -> list[str]:
    return [each.name for each in opened(raw, **terms).documents if each.is_main]


def test_document_has_title_size_digest_and_media_type_of_the_signed_file() -> None:
    package = opened(files("brev.pdf", "vedlegg.docx"))

    first, second = package.documents
    assert (first.name, first.title) == ("brev.pdf", "Bekymringsmelding om Test Testesen")
    assert (first.media_type, first.size) == ("application/pdf", 4)
    assert first.sha256 == hashlib.sha256(PDF).hexdigest()
    assert (first.is_main, second.is_main) == (True, False)
    assert second.media_type.startswith("application/vnd.openxmlformats-officedocument.word")
    assert package.problems == ()
    assert package.total_bytes == 8 + len(letter(["brev.pdf", "vedlegg.docx"]))


def test_file_not_mentioned_in_arkivmelding_is_kept_and_reported_as_unreferenced() -> None:
    package = opened(files("brev.pdf", "sbd.json", arkivmelding=letter(["brev.pdf"])))

    assert [each.referenced for each in package.documents] == [True, False]
    assert package.problems == ("documents.unreferenced",)


def test_referenced_file_that_is_absent_is_reported_without_its_name() -> None:
    package = opened(files("brev.pdf", arkivmelding=letter(["brev.pdf", "Kari.pdf"])))

    assert package.problems == ("documents.referenced_absent",)


def test_file_referenced_by_two_documents_is_reported() -> None:
    package = opened(files("brev.pdf", arkivmelding=letter(["brev.pdf", "brev.pdf"])))

    assert package.problems == ("documents.referenced_twice",)


def test_document_reference_finds_a_file_name_in_another_unicode_normalization() -> None:
    decomposed = unicodedata.normalize("NFD", "brev Å.pdf")

    package = opened(files(decomposed, arkivmelding=letter(["brev Å.pdf"])))

    assert package.documents[0].name == decomposed
    assert package.documents[0].referenced


def test_main_document_is_the_document_with_role_hoveddokument() -> None:
    turned = letter(["a.pdf", "b.pdf"]).replace(b">Hoveddokument<", b">x<")
    turned = turned.replace(b">Vedlegg<", b">Hoveddokument<")

    assert main_of(files("a.pdf", "b.pdf", arkivmelding=turned)) == ["b.pdf"]


def test_main_document_without_a_role_is_the_lowest_document_number() -> None:
    numbered = letter(["a.pdf", "b.pdf"]).replace(b">Hoveddokument<", b">x<")
    numbered = numbered.replace(b"nummer>1<", b"nummer>7<")

    assert main_of(files("a.pdf", "b.pdf", arkivmelding=numbered)) == ["b.pdf"]


def test_main_document_falls_back_to_the_envelope_or_the_gateway_manifest() -> None:
    bare = minimal_arkivmelding_xml()
    saying = envelope_of(body={"hoveddokument": "b.pdf"})

    assert main_of(files("a.pdf", "b.pdf", arkivmelding=bare), envelope=saying) == ["b.pdf"]
    assert main_of(files("a.pdf", "b.pdf", arkivmelding=bare)) == []
    documents = (ParcelDocument("a.pdf", "application/pdf", PDF),)
    packed = genuine(documents=documents, tamper=Tamper.MISSING_ARKIVMELDING)
    assert main_of(packed, waivers=["arkivmelding.absent"]) == ["a.pdf"]


@pytest.mark.parametrize(
    "role", [b"H", b"<kode>H</kode>", b"<kode>H</kode><beskrivelse>Hoveddokument</beskrivelse>"]
)
def test_main_document_role_may_be_a_letter_or_a_code_list_value(
    role: bytes,
) -> None:
    turned = letter(["a.pdf", "b.pdf"]).replace(b">Hoveddokument<", b">V<")
    turned = turned.replace(b">Vedlegg<", b">" + role + b"<")

    assert main_of(files("a.pdf", "b.pdf", arkivmelding=turned)) == ["b.pdf"]


def test_main_document_with_two_formats_is_the_archive_format() -> None:
    other = (
        b"<dokumentobjekt><variantformat>Produksjonsformat</variantformat>"
        b"<referanseDokumentfil>brev.docx</referanseDokumentfil></dokumentobjekt>"
    )
    both = letter(["brev.pdf"]).replace(b"<dokumentobjekt>", other + b"<dokumentobjekt>", 1)

    package = opened(files("brev.docx", "brev.pdf", arkivmelding=both))

    assert [each.name for each in package.documents if each.is_main] == ["brev.pdf"]
    assert package.problems == ()
    assert len({each.title for each in package.documents}) == 1


def test_gateway_manifest_xml_is_not_listed_as_a_document() -> None:
    assert [each.name for each in opened(genuine()).documents] == ["brev.pdf"]


@pytest.mark.parametrize("content", [b"<manifest", b"<other/>", b"<!DOCTYPE x><x/>"])
def test_manifest_xml_that_is_the_sender_s_own_file_is_listed_as_a_document(content: bytes) -> None:
    raw = pack(
        files={"arkivmelding.xml": letter(), "brev.pdf": PDF, "manifest.xml": content},
    )

    assert [each.name for each in opened(raw).documents] == ["brev.pdf", "manifest.xml"]


def test_unreadable_addresses_in_manifest_xml_do_not_refuse_the_package() -> None:
    strange = b"<manifest><avsender><organisasjon>hvem?</organisasjon></avsender></manifest>"
    raw = pack(files={"arkivmelding.xml": letter(), "brev.pdf": PDF, "manifest.xml": strange})

    assert opened(raw).verdict.code is None


def test_signed_sender_address_may_be_the_supplier_that_the_envelope_names() -> None:
    acting = envelope_of(sender="991825827:910077473")

    assert opened(genuine(sender="991825827:910077473")).verdict.code is None
    assert opened(genuine(sender="991825827"), envelope=acting).verdict.code is None
    assert quarantine(genuine(sender="991825827")).code == "envelope.other_sender"


def test_arkivmelding_xml_is_found_in_any_letter_case() -> None:
    raw = pack(files={"Arkivmelding.XML": letter(), "brev.pdf": PDF})

    assert opened(raw).archive is not None


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.PDF", "application/pdf"),
        ("a.b.txt", "text/plain"),
        ("a", "application/octet-stream"),
        ("pdf", "application/octet-stream"),
        ("a.exe", "application/octet-stream"),
    ],
)
def test_media_type_is_derived_from_the_file_extension(name: str, media_type: str) -> None:
    assert media_type_of(name) == media_type


def test_file_names_and_titles_stay_out_of_package_repr_and_verdict() -> None:
    package = opened(files("Kari Nordmann.pdf"))
    refused = quarantine(files("Kari Nordmann.pdf", arkivmelding=b"<Kari/>"))

    assert "Nordmann" not in repr(package)
    assert "Testesen" not in repr(package)
    assert "Kari" not in f"{refused} {refused.__cause__} {asdict(refused.verdict)}"


def test_verdict_as_json_is_plain_json_with_stable_names() -> None:
    verdict = json.loads(json.dumps(opened(genuine()).verdict.as_json()))

    assert verdict["algorithm_class"] == "legacy-sha1"
    assert verdict["signer_is"] == "sender"
    assert verdict["signers"][0]["org_number"] == "910077473"
    assert verdict["code"] is None


def test_reference_is_matched_byte_for_byte_before_any_other_spelling() -> None:
    names = ("Å.pdf", "A\u030a.pdf", "brev.pdf", "BREV.pdf", "\u00c3\u0085rsak.pdf")
    given = {"arkivmelding.xml": letter(names), **{name: name.encode() for name in names}}

    package = opened(pack(files=given))

    assert package.problems == ()
    assert all(document.referenced for document in package.documents)


def test_reference_that_fits_two_files_only_by_composition_is_matched_with_neither() -> None:
    one, other = "\u1e69.pdf", "s\u0323\u0307.pdf"
    given = {"arkivmelding.xml": letter(["s\u0307\u0323.pdf"]), one: b"1", other: b"2"}

    package = opened(pack(files=given))

    assert [document.referenced for document in package.documents] == [False, False]


@pytest.mark.parametrize("graded", ["arkivmelding.xml", "Arkivmelding.XML"])
def test_second_arkivmelding_in_other_letters_waits_for_two_unless_graded(graded: str) -> None:
    given = {"arkivmelding.xml": letter(), "Arkivmelding.XML": letter(), "brev.pdf": b"%PDF"}
    secret = letter().replace(b"<klassifikasjon>", b"<gradering>H</gradering><klassifikasjon>", 1)

    held = opened(pack(files=given), waivers=["arkivmelding.several"])
    refused = quarantine(pack(files=given | {graded: secret}), waivers=["arkivmelding.several"])

    assert (held.archive, len(held.documents)) == (None, 3)
    assert refused.code == "arkivmelding.security_grade"


@pytest.mark.parametrize("profile", [Profile.SHA1, Profile.SHA256])
@pytest.mark.parametrize("name", ["\u00c3\u0085r.pdf", "sist \u200e24.pdf", "A: notat.pdf", "a\\b"])
def test_letter_with_an_odd_file_name_is_read_whatever_its_signature(
    name: str, profile: Profile
) -> None:
    given = {"arkivmelding.xml": letter([name]), name: b"%PDF"}

    package = opened(pack(files=given, signature=signed_by(signer(), profile=profile)))

    assert package.verdict.notes == ("odd_name",)
    assert [document.referenced for document in package.documents] == [True]
