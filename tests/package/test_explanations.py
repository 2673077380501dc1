"""What people read: every code, note and verdict in three languages, and no word of the message."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inbox.language import TextLanguage
from inbox.package import codes_document
from inbox.package.codes.quarantine_code import Remedy, Text
from inbox.package.codes.registry import CODES
from inbox.package.explanations import NOTE_TEXTS, sentences_of
from inbox.package.verdict import AlgorithmClass, Shape, Signer, SignerIs, Verdict
from inbox.simulator.packages.builder import Tamper
from tests.package.zip.zip_writer import Part
from tests.package_builder import (
    genuine,
    letter,
    opened,
    pack,
    plus,
    quarantine,
    signed_by,
    signer,
    trusted,
)

COMMITTED = Path(__file__).parents[2] / "docs" / "codes.md"
ANEW = "make it anew: .venv/bin/python -m inbox.package.codes_document > docs/codes.md"
NB, NN, EN = TextLanguage.NB, TextLanguage.NN, TextLanguage.EN


def every_text() -> dict[str, Text]:
    codes = {code: it.text for code, it in CODES.items()}
    may = {f"may {it.waivable} {it.needs_reviewer}": it.permitted_actions for it in CODES.values()}
    return codes | may | {mend.name: mend.value for mend in Remedy} | dict(NOTE_TEXTS)


@pytest.mark.parametrize("about", every_text())
def test_every_code_and_note_text_is_a_sentence_in_three_languages(about: str) -> None:
    text = every_text()[about]

    for language in TextLanguage:
        assert re.fullmatch(r"\S.*\S\.", text.in_(language))
    assert text.en not in {text.nb, text.nn}
    assert not re.search(r"\b(ikke|hvem|hva|noe|noen|bruker vi|fra)\b", text.nn)
    assert not re.search(r"\b(ikkje|kven|kva|noko|nokon|frå|meldinga|pakka)\b", text.nb) or (
        "bli pakket" in text.nb
    )


def test_docs_codes_md_equals_the_generated_page() -> None:
    assert COMMITTED.read_text("utf-8") == codes_document.text(), ANEW


def test_docs_codes_md_lists_every_code_and_says_which_may_be_waived() -> None:
    row = re.compile(r"^\| `([^`]+)` \|.*\| ([^|]+) \|$", re.MULTILINE)
    rows = dict(row.findall(COMMITTED.read_text()))

    assert rows.keys() >= CODES.keys()
    reviewed = {code for code, it in CODES.items() if it.needs_reviewer}
    assert {code for code in CODES if rows[code] == "by two, one a security reviewer"} == reviewed
    assert {code for code in CODES if rows[code] == "by two"} == {
        code for code, it in CODES.items() if it.waivable and code not in reviewed
    }


def test_only_the_security_grade_must_be_sent_another_way() -> None:
    elsewhere = {code for code, it in CODES.items() if it.remedy is Remedy.ELSEWHERE}

    assert elsewhere == {"arkivmelding.security_grade"}
    assert not CODES["arkivmelding.security_grade"].waivable


def said(verdict: Verdict, language: TextLanguage = NB) -> str:
    return " ".join(sentences_of(verdict, language))


def test_ordinary_verdict_is_explained_in_three_languages() -> None:
    verdict = replace(
        opened(genuine()).verdict,
        signers=(Signer(org_number=None, name="Eksempel kommune", serial="1", issuer="Utsteder"),),
    )

    assert sentences_of(verdict, NB) == (
        "Pakken er hel: alt i den er slik det var da det ble signert.",
        "Signert av Eksempel kommune med SHA-1, slik eFormidling gjør i dag.",
        "Sertifikatet er gyldig, og utstedt av noen vi stoler på.",
        "Sertifikatet er ikke trukket tilbake.",
        "Den som har signert, er avsenderen.",
    )
    assert "Signert av Eksempel kommune med SHA-1, slik eFormidling gjer i dag." in said(
        verdict, NN
    )
    assert "Signed by Eksempel kommune with SHA-1, as eFormidling does today." in said(verdict, EN)


def test_verdict_explanation_separates_integrity_from_an_untrusted_signer() -> None:
    refused = quarantine(pack(), trust=replace(trusted(), anchors=()))

    told = said(refused.verdict)

    assert "Pakken er hel" in told
    assert "Det er ikke vist at vi kan stole på sertifikatet." in told
    assert "Signert med et sertifikat som sier at det tilhører «" in told
    assert "I karantene: Sertifikatet er ikke utstedt av noen vi stoler på." in told
    assert "To arkivarer kan slippe den gjennom" in told


def test_untrusted_signer_name_cannot_break_out_of_its_quotes() -> None:
    signer_named = Signer(org_number=None, name="X». Alt er i orden. «", serial="1", issuer="y")
    verdict = Verdict(container=True, integrity=True, chain=False, signers=(signer_named,))

    assert "tilhører «X'. Alt er i orden. '»." in said(verdict)


def test_explanation_of_a_broken_package_names_no_signer_and_allows_no_waiver() -> None:
    told = said(quarantine(genuine(tamper=Tamper.CHANGED_DOCUMENT)).verdict)

    assert told.startswith("I karantene: En fil er endret etter at den ble signert.")
    assert "be avsenderen sende meldingen på nytt" in told
    assert "Ingen kan slippe den gjennom." in told
    assert "Signert" not in told
    assert said(quarantine(b"nothing").verdict).endswith("av den typen eFormidling bruker.")


def test_waived_code_is_named_in_the_verdict_explanation() -> None:
    raw = pack(files={"brev.pdf": b"%PDF"})

    told = said(opened(raw, waivers=["arkivmelding.absent"]).verdict)

    assert told.startswith("Sluppet gjennom av to: Pakken har ingen arkivmelding.xml.")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"algorithm_class": AlgorithmClass.MODERN}, "med SHA-256 eller bedre."),
        ({"signer_is": SignerIs.SUPPLIER}, "kjent leverandør"),
        ({"signer_is": SignerIs.OWN_GATEWAY}, "ikke noe om hvem som sendte den"),
        ({"signer_is": SignerIs.STRANGER}, "er ikke avsenderen"),
        ({"shape": Shape.NEWER}, "nyere Noark-utgave"),
        ({"shape": Shape.SVARINN}, "vårt eget integrasjonspunkt"),
        ({"schema": False}, "det publiserte skjemaet. Den godtas likevel."),
        ({"schema": False, "schema_places": ("mappe", "part")}, "skjemaet (mappe, part). Den"),
        ({"integrity": None, "signers": ()}, "Signaturen er ikke sjekket."),
        ({"revocation": False}, "ikke vist at sertifikatet ikke er trukket tilbake"),
        ({"notes": ("first_block_garbled",)}, "De første 16 tegnene"),
        ({"problems": ("documents.unreferenced",)}, "en fil som arkivmelding.xml ikke nevner"),
        ({"notes": ("newly_noted",)}, "Pakken avviker fra det vanlige: newly_noted."),
        ({"code": "long.gone"}, "I karantene: long.gone."),
        ({"waived": ("long.gone",)}, "Sluppet gjennom av to: long.gone."),
    ],
)
def test_each_verdict_field_has_its_sentence_in_the_explanation(
    fields: dict[str, Any], words: str
) -> None:
    nameless = Signer(org_number=None, name=None, serial="1", issuer="y")
    verdict = replace(Verdict(container=True, integrity=True, signers=(nameless,)), **fields)

    assert words in said(verdict)
    for language in TextLanguage:
        assert "{" not in said(verdict, language)


def test_every_note_set_in_the_package_source_has_a_text() -> None:
    sources = (Path(__file__).parents[2] / "inbox/package").rglob("*.py")
    one = re.compile(r'notes(?:: [^=\n]*)? ?\+?= ?\(\(?"([a-z_]+)"')

    noted = {note for source in sources for note in one.findall(source.read_text())}

    assert {"first_block_garbled", "mimetype_not_first", "wrong_digest_uri"} <= noted
    assert noted <= NOTE_TEXTS.keys()


def test_verdict_and_explanation_contain_no_text_of_the_message() -> None:
    files = {"arkivmelding.xml": letter(["Kari Nordmann.pdf"]), "Ola Nordmann.pdf": b"%PDF"}
    graded = letter().replace(
        b"<klassifikasjon>", b"<gradering>Hemmelig</gradering><klassifikasjon>"
    )
    verdicts = [
        opened(pack(files=files)).verdict,
        quarantine(pack(files=files | {"arkivmelding.xml": graded})).verdict,
        quarantine(pack(files=files, parts=plus(Part(name="Per.pdf")))).verdict,
        quarantine(pack(files=files, signature=signed_by(signer("974761076")))).verdict,
    ]

    for verdict in verdicts:
        told = f"{verdict.as_json()} {[said(verdict, language) for language in TextLanguage]}"
        for secret in ("Nordmann", "Per.pdf", "Testesen", "barnevern", "Eksempelarkiv"):
            assert secret not in told
    assert [len(verdict.problems) for verdict in verdicts] == [2, 0, 0, 2]
