"""The arkivmelding writer, held against the schemas."""

import pytest
from lxml import etree

from inbox.simulator.packages.arkivmelding import (
    ArkivmeldingLetter,
    arkivmelding_xml,
    minimal_arkivmelding_xml,
)
from tests.simulator.conftest import Sample

LETTERS = [
    ArkivmeldingLetter(),
    ArkivmeldingLetter(
        file_names=("brev.pdf", "vedlegg æøå.txt", "tredje & siste.xml"), receiver_person="M M"
    ),
    ArkivmeldingLetter(public_title=None, case_public_title=None, authority=None, class_id=None),
    ArkivmeldingLetter(receiver_unit=None),
]


@pytest.mark.samples
@pytest.mark.parametrize("schema", ["arkivmelding.xsd", "arkivmelding.docs.xsd"])
@pytest.mark.parametrize("letter", LETTERS)
def test_full_arkivmelding_of_the_simulator_is_schema_valid(
    sample: Sample, schema: str, letter: ArkivmeldingLetter
) -> None:
    sample("xsd/metadatakatalog.xsd")
    xsd = etree.XMLSchema(etree.parse(str(sample(f"xsd/{schema}"))))

    xsd.assertValid(etree.fromstring(arkivmelding_xml(letter)))


@pytest.mark.samples
def test_minimal_arkivmelding_has_only_svarinn_sample_elements_and_is_schema_invalid(
    sample: Sample,
) -> None:
    xsd = etree.XMLSchema(etree.parse(str(sample("xsd/arkivmelding.xsd"))))
    theirs = etree.parse(str(sample("composed/arkivmelding_svarinn_like.xml")))

    ours = etree.fromstring(minimal_arkivmelding_xml())

    assert not xsd.validate(ours)
    assert {each.tag for each in ours.iter()} <= {each.tag for each in theirs.iter()}


def test_minimal_arkivmelding_names_no_main_document() -> None:
    assert b"tilknyttetRegistreringSom" in arkivmelding_xml()
    assert b"tilknyttetRegistreringSom" not in minimal_arkivmelding_xml()
