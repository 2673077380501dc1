"""The public samples of other producers: which are whole, and why the others are refused."""

import json
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest

from inbox.errors import PackageRejected
from inbox.package import inspect
from inbox.package.arkivmelding.reader import archive_message_of, parse_arkivmelding
from inbox.package.envelope import read_envelope
from inbox.package.inputs import Limits
from inbox.package.verdict import PackageQuarantined
from inbox.package.zip.reader import Container
from tests.package_builder import refusal

pytestmark = pytest.mark.samples

WHOLE = {
    "asic/messageIP2.zip": ("legacy-sha1", ()),
    "asic/asic-cades-test-valid.asice": ("legacy-sha1", ("wrong_digest_uri",)),
    "asic/buggyAsic.asic": ("legacy-sha1", ("first_block_garbled",)),
    "asic/produced/integrasjonspunkt-v4.asice": ("legacy-sha1", ()),
    "asic/produced/out-commons-CAdES.asice": ("legacy-sha1", ()),
    "asic/produced/out-dss-SHA256.asice": ("modern", ()),
}
REFUSED = {
    "asic/asic-cades-test-invalid-manifest.asice": "manifest.malformed",
    "asic/asic-cades-test-invalid-metadata-file.asice": "container.stray_metadata",
    "asic/asic-cades-test-invalid-signature.asice": "manifest.covers_nothing",
    "asic/asic-cades-test-invalid-sigreference.asice": "signature.missing",
    "asic/asic-general-test-invalid-mime.asice": "container.asic_s",
    "asic/asic-xades-external-digidoc4j.asice": "signature.xades",
    "asic/asic-xades-external-dss.asice": "signature.xades",
    "asic/produced/out-commons-XAdES.asice": "signature.xades",
}
METADATA = {
    "arkivmelding/arkivmelding_docs.xml": ("ordinary", 0),
    "arkivmelding/arkivmelding_error.xml": ("ordinary", 1),
    "arkivmelding/arkivmelding_ok.xml": ("ordinary", 0),
    "arkivmelding/arkivmelding_sakarkiv_mock.xml": ("ordinary", 0),
    "arkivmelding/avtaltmelding_nav_v2.xml": ("newer", 4),
    "composed/arkivmelding_taushetsbelagt.xml": ("ordinary", 0),
    "composed/arkivmelding_svarinn_like.xml": ("svarinn", 22),
}
ENVELOPES = {
    "sbd/StandardBusinessDocument.json": None,
    "sbd/StandardBusinessDocument-unordered.json": None,
    "composed/sbd_taushetsbelagt.json": None,
    "sbd/StandardBusinessDocument.xml": "envelope.not_json",
    "sbd/sample-sbdh.xml": "envelope.not_json",
    "sbd/sbd_docs.json": "envelope.not_arkivmelding",
    "sbd/dpi_feil-sbd.json": "envelope.not_sbd",
    "composed/sbd_kvittering_OK.json": "envelope.not_arkivmelding",
    "composed/sbd_kvittering_WARNING.json": "envelope.not_arkivmelding",
    "composed/sbd_kvittering_ERROR.json": "envelope.not_arkivmelding",
    "composed/sbd_kvittering_NOTSUPPORTED.json": "envelope.not_arkivmelding",
}


def of(samples: Path, folder: str, *patterns: str) -> set[str]:
    found = (path for pattern in patterns for path in (samples / folder).rglob(pattern))
    return {path.relative_to(samples).as_posix() for path in found}


def contents(raw: bytearray) -> dict[str, bytes]:
    container = Container(BytesIO(raw), Limits())
    return {entry.name: container.read(entry.name, 1 << 20) for entry in container.entries}


def test_every_sample_file_has_an_expected_result(samples: Path) -> None:
    assert of(samples, "asic", "*.asic*", "*.zip") == set(WHOLE) | set(REFUSED)
    assert of(samples, "arkivmelding", "*.xml") | of(
        samples, "composed", "arkivmelding*.xml"
    ) == set(METADATA)
    assert of(samples, "sbd", "*") | of(samples, "composed", "sbd_*.json") == set(ENVELOPES)


@pytest.mark.parametrize("name", WHOLE)
def test_genuine_sample_container_is_inspected_as_whole(samples: Path, name: str) -> None:
    with (samples / name).open("rb") as source:
        verdict = inspect(source, limits=Limits())

    assert (verdict.container, verdict.integrity) == (True, True)
    assert (verdict.algorithm_class, verdict.notes) == WHOLE[name]
    assert verdict.signers[0].org_number is not None


@pytest.mark.parametrize("name", WHOLE)
def test_changed_byte_in_a_sample_container_is_refused_or_changes_no_content(
    samples: Path, name: str
) -> None:
    raw = bytearray((samples / name).read_bytes())
    content = contents(raw)

    for position in range(16, len(raw), 11):
        raw[position] ^= 0x41
        with suppress(PackageQuarantined):
            inspect(BytesIO(raw), limits=Limits())
            assert contents(raw) == content
        raw[position] ^= 0x41


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_sample_container_is_refused_with_its_own_code(samples: Path, name: str) -> None:
    with (samples / name).open("rb") as source:
        assert refusal(lambda: inspect(source, limits=Limits())) == REFUSED[name]


@pytest.mark.parametrize("name", METADATA)
def test_sample_arkivmelding_is_read_with_its_shape_and_missing_elements(
    samples: Path, name: str
) -> None:
    archive = archive_message_of(parse_arkivmelding((samples / name).read_bytes(), Limits()))

    assert (archive.shape, len(archive.missing)) == METADATA[name]
    assert archive.registry_entry.documents[0].files


def test_bestedu_samples_are_refused_as_not_noark(samples: Path) -> None:
    found = sorted((samples / "bestedu").glob("*.xml"))

    roots = [parse_arkivmelding(path.read_bytes(), Limits()) for path in found]
    codes = {refusal(partial(archive_message_of, root)) for root in roots}

    assert (len(found), codes) == (4, {"arkivmelding.not_noark"})


@pytest.mark.parametrize("name", ENVELOPES)
def test_sample_envelope_is_read_or_refused_with_its_own_code(samples: Path, name: str) -> None:
    raw = (samples / name).read_bytes()

    try:
        code = None if read_envelope(raw).receiver == "910075918" else "another receiver"
    except PackageRejected as error:
        code = error.code

    assert code == ENVELOPES[name]


def test_old_sample_envelope_with_the_retired_9908_prefix_is_read(samples: Path) -> None:
    raw = (samples / "sbd/StandardBusinessDocument.json").read_bytes()

    assert "9908:910077473" in json.dumps(json.loads(raw))
    assert read_envelope(raw).sender == "910077473"
