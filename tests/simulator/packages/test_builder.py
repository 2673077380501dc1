"""The package writer, held against containers that real producers made."""

import base64
import hashlib
import io
import re
import subprocess
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import pytest
from asn1crypto import cms
from lxml import etree

from inbox.simulator.packages.arkivmelding import ArkivmeldingLetter, arkivmelding_xml
from inbox.simulator.packages.builder import (
    Dialect,
    Namespace,
    Parcel,
    ParcelDocument,
    Tamper,
    package_bytes,
    write_package,
)
from inbox.simulator.packages.certificates import SigningKey, TestAuthority
from tests.simulator.conftest import Sample

NAME = "brev ÆØÅ.pdf"
AT = datetime(2026, 11, 23, 21, 31, 26, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> TestAuthority:
    return TestAuthority()


@pytest.fixture(scope="module")
def signer(authority: TestAuthority) -> SigningKey:
    return authority.issue("910077473")


def parcel(signer: SigningKey, **changes: object) -> Parcel:
    usual: dict[str, object] = {
        "sender": "910077473",
        "receiver": "910075918",
        "signer": signer,
        "documents": (ParcelDocument(NAME, "application/pdf", b"%PDF-1.4 hei"),),
        "arkivmelding": arkivmelding_xml(ArkivmeldingLetter(file_names=(NAME,))),
        "signed_at": AT,
    }
    return Parcel(**{**usual, **changes})  # type: ignore[arg-type]  # the tests choose by name


def opened(container: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(container))


def without_id(name: str) -> str:
    return re.sub(r"signature-[0-9a-f-]{36}", "signature-ID", name)


def entries(archive: zipfile.ZipFile) -> list[tuple[object, ...]]:
    return [
        (
            without_id(each.filename),
            each.flag_bits,
            each.compress_type,
            each.create_version,
            each.create_system,
            each.extract_version,
            each.comment,
            each.extra,
            each.external_attr,
            each.internal_attr,
            each.date_time,
        )
        for each in archive.infolist()
    ]


def one(archive: zipfile.ZipFile, ending: str) -> bytes:
    (name,) = [each for each in archive.namelist() if each.endswith(ending)]
    return archive.read(name)


def manifest_of(archive: zipfile.ZipFile) -> bytes:
    (name,) = [each for each in archive.namelist() if "ASiCManifest" in each]
    return archive.read(name)


def shape(xml: bytes) -> str:
    """The text with digests, ids and the line break at the end left out."""
    text = re.sub(r"(DigestValue[^>]*>)[^<]*", r"\1", xml.decode())
    return without_id(text).strip()


def signature_shape(der: bytes) -> tuple[object, ...]:
    info = cms.ContentInfo.load(der)["content"]
    (signed,) = info["signer_infos"]
    attributes = {each["type"].native: each["values"] for each in signed["signed_attrs"]}
    protection = attributes["cms_algorithm_protection"].contents
    return (
        info["version"].native,
        info["encap_content_info"].dump(),
        [each.dump() for each in info["digest_algorithms"]],
        len(info["certificates"]),
        signed["sid"].name,
        signed["digest_algorithm"].dump(),
        signed["signature_algorithm"].dump(),
        sorted(set(attributes) - {"0.4.0.1733.2.1"}),  # DSS also says the content's media type
        protection,
        bool(signed["unsigned_attrs"]),
    )


@pytest.mark.samples
def test_genuine_dialect_package_matches_a_running_integrasjonspunkt(
    sample: Sample, signer: SigningKey
) -> None:
    path = sample("asic/produced/integrasjonspunkt-v4.asice")

    ours = opened(package_bytes(parcel(signer)))

    with zipfile.ZipFile(path) as theirs:
        assert entries(ours) == entries(theirs)
        assert ours.comment == theirs.comment
        assert ours.read("manifest.xml") == theirs.read("manifest.xml")
        assert one(ours, "META-INF/manifest.xml") == one(theirs, "META-INF/manifest.xml")
        assert shape(manifest_of(ours)) == shape(manifest_of(theirs))
        assert signature_shape(one(ours, ".p7s")) == signature_shape(one(theirs, ".p7s"))


@pytest.mark.samples
def test_genuine_dialect_local_headers_match_a_running_integrasjonspunkt(
    sample: Sample, signer: SigningKey
) -> None:
    theirs = sample("asic/produced/integrasjonspunkt-v4.asice").read_bytes()

    ours = package_bytes(parcel(signer))

    assert ours[:69] == theirs[:69]
    for each, also in zip(opened(ours).infolist(), opened(theirs).infolist(), strict=True):
        head = slice(each.header_offset, each.header_offset + 26)
        their_head = slice(also.header_offset, also.header_offset + 26)
        assert ours[head] == theirs[their_head]


@pytest.mark.samples
def test_modern_dialect_package_matches_dss(sample: Sample, signer: SigningKey) -> None:
    path = sample("asic/produced/out-dss-SHA256.asice")
    at = datetime(2026, 11, 23, 20, 53, 38, tzinfo=UTC)

    ours = opened(package_bytes(parcel(signer, dialect=Dialect.MODERN, signed_at=at)))

    with zipfile.ZipFile(path) as theirs:
        assert entries(ours) == entries(theirs)
        assert ours.comment == theirs.comment
        assert shape(manifest_of(ours)) == shape(manifest_of(theirs))
        assert signature_shape(one(ours, ".p7s")) == signature_shape(one(theirs, ".p7s"))


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("namespace", Namespace)
def test_openssl_verifies_the_signature_of_a_simulated_package(
    dialect: Dialect,
    namespace: Namespace,
    authority: TestAuthority,
    signer: SigningKey,
    tmp_path: Path,
) -> None:
    archive = opened(package_bytes(parcel(signer, dialect=dialect, namespace=namespace)))

    assert verified(archive, authority, tmp_path)
    assert namespace.encode() in manifest_of(archive)


def verified(archive: zipfile.ZipFile, authority: TestAuthority, folder: Path) -> bool:
    (folder / "signature").write_bytes(one(archive, ".p7s"))
    (folder / "manifest").write_bytes(manifest_of(archive))
    (folder / "root.pem").write_bytes(authority.root_pem())
    command = "openssl cms -verify -binary -inform DER -purpose any -out out -in signature"
    arguments = [*command.split(), "-content", "manifest", "-CAfile", "root.pem"]
    return subprocess.run(arguments, cwd=folder, capture_output=True, check=False).returncode == 0


def digests(archive: zipfile.ZipFile) -> dict[str, bool]:
    """Per file that the manifest covers: whether its digest is right."""
    root = etree.fromstring(manifest_of(archive))
    answers = {}
    for reference in root.iter("{*}DataObjectReference"):
        name = unquote(reference.get("URI", ""))
        (wanted,) = [each.text for each in reference.iter("{*}DigestValue")]
        found = base64.b64encode(hashlib.sha256(archive.read(name)).digest()).decode()
        answers[name] = found == wanted
    return answers


@pytest.mark.parametrize("dialect", Dialect)
def test_manifest_of_a_simulated_package_covers_every_content_file(
    dialect: Dialect, signer: SigningKey
) -> None:
    archive = opened(package_bytes(parcel(signer, dialect=dialect)))

    assert archive.testzip() is None
    files = {n for n in archive.namelist() if n != "mimetype" and not n.startswith("META-INF/")}
    assert digests(archive) == dict.fromkeys(files, True)


def test_tamper_changed_document_gives_a_wrong_digest(signer: SigningKey) -> None:
    archive = opened(package_bytes(parcel(signer, tamper=Tamper.CHANGED_DOCUMENT)))

    assert digests(archive) == {"manifest.xml": True, "arkivmelding.xml": True, NAME: False}


def test_tamper_broken_signature_does_not_verify(
    authority: TestAuthority, signer: SigningKey, tmp_path: Path
) -> None:
    archive = opened(package_bytes(parcel(signer, tamper=Tamper.BROKEN_SIGNATURE)))

    assert not verified(archive, authority, tmp_path)


def test_tamper_unsigned_file_is_in_the_zip_but_not_in_the_manifest(signer: SigningKey) -> None:
    archive = opened(package_bytes(parcel(signer, tamper=Tamper.UNSIGNED_FILE)))

    assert "ekstra.txt" in archive.namelist()
    assert "ekstra.txt" not in digests(archive)


def test_tamper_missing_signature_removes_the_manifest_too(signer: SigningKey) -> None:
    names = opened(package_bytes(parcel(signer, tamper=Tamper.MISSING_SIGNATURE))).namelist()

    assert names == ["mimetype", "manifest.xml", "arkivmelding.xml", NAME, "META-INF/manifest.xml"]


def test_tamper_missing_arkivmelding_is_missing_from_the_manifests_too(signer: SigningKey) -> None:
    archive = opened(package_bytes(parcel(signer, tamper=Tamper.MISSING_ARKIVMELDING)))

    assert digests(archive) == {"manifest.xml": True, NAME: True}
    assert b"arkivmelding.xml" not in archive.read("META-INF/manifest.xml")


def test_write_package_streams_a_large_document_in_little_memory(signer: SigningKey) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(64):
            yield bytes(1024 * 1024)

    large = parcel(
        signer, documents=(ParcelDocument("stor.bin", "application/octet-stream", chunks),)
    )
    out = io.BytesIO()
    tracemalloc.start()
    try:
        write_package(out, large)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert opened(out.getvalue()).getinfo("stor.bin").file_size == 64 * 1024 * 1024
    assert peak < 8 * 1024 * 1024
