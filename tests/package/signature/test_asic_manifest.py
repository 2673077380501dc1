"""What is signed: the shape of manifests, their names for files, and several of them."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from inbox.package.verdict import AlgorithmClass
from inbox.simulator.packages.cms import Profile
from tests.package.signature.signatures import making
from tests.package.zip.zip_writer import Part
from tests.package_builder import (
    MANIFEST,
    SHA256,
    SIGNATURE,
    STRANGER,
    letter,
    manifest_xml,
    opened,
    pack,
    plus,
    quarantine,
    signed_by,
    signer,
    with_part,
)

FILES = {"arkivmelding.xml": letter(["brev ÆØÅ.pdf"]), "brev ÆØÅ.pdf": b"%PDF"}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("?>", "?><!-- x -->"),
        lambda text: text.replace("?>", "?><?x y?>"),
        lambda text: text.replace("<SigReference", " " * 60 + "<SigReference"),
        lambda text: text.replace("<SigReference", "hidden<SigReference"),
        lambda text: text.replace("<ds:DigestValue>", "<ds:DigestValue><![CDATA[").replace(
            "</ds:DigestValue>", "]]></ds:DigestValue>"
        ),
        lambda text: text.replace('URI="brev', 'URI="&#98;rev'),
        lambda text: text.replace("octet-stream", "octet-stream" + "x" * 200),
        lambda text: text.replace("xmlns:ds=", 'xmlns:evil="urn:x" xmlns:ds='),
        lambda text: text.replace("octet-stream", "octet\u0085stream"),
    ],
)
def test_sha1_signature_is_accepted_only_over_a_manifest_without_room_for_a_collision(
    change: Callable[[str], str],
) -> None:
    sign = signed_by(signer(), profile=Profile.SHA1)

    assert quarantine(pack(manifest=change, signature=sign)).code == "signature.legacy_shape"
    assert opened(pack(manifest=change)).verdict.algorithm_class is AlgorithmClass.MODERN


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(' URI="META-INF/signature-1.p7s"', ""),
        lambda text: text.replace("<SigReference", '<SigReference Evil="1"'),
        lambda text: text.replace("</ASiCManifest>", "<Extension/></ASiCManifest>"),
        lambda text: text.replace("</ds:DigestValue>", "!</ds:DigestValue>"),
        lambda text: text.replace("<ds:DigestValue>", "<ds:DigestValue>AAAA"),
        lambda text: text.replace("http://uri.etsi.org/02918/v1.2.1#", "urn:other"),
        lambda text: text.replace("</ASiCManifest>", '<SigReference URI="x"/></ASiCManifest>'),
        lambda text: text[:-3],
    ],
)
def test_manifest_of_another_shape_is_refused_as_malformed(change: Callable[[str], str]) -> None:
    assert quarantine(pack(manifest=change)).code == "manifest.malformed"


@pytest.mark.parametrize("uri", ["brev ÆØÅ.pdf", "brev%20%C3%86%C3%98%C3%85.pdf"])
def test_manifest_uri_raw_or_percent_encoded_finds_its_file(uri: str) -> None:
    raw = pack(files=FILES, manifest=lambda text: text.replace("brev ÆØÅ.pdf", uri))

    assert opened(raw).documents[0].name == "brev ÆØÅ.pdf"


def test_composed_manifest_uri_does_not_find_a_decomposed_file_name() -> None:
    decomposed = {"brev A\u030a.pdf": b"%PDF"}
    raw = pack(files=decomposed, manifest=lambda text: text.replace("A\u030a", "Å"))

    assert quarantine(raw).code == "manifest.absent_file"


def test_manifest_with_the_wrong_digest_uri_of_older_senders_is_noted() -> None:
    raw = pack(manifest=lambda text: text.replace("2001/04/xmlenc#", "2000/09/xmldsig#"))

    assert opened(raw).verdict.notes == ("wrong_digest_uri",)


def countersigned(second: Callable[[bytes], bytes], *, manifest: str | None = None) -> bytes:
    files = {"arkivmelding.xml": letter(), "brev.pdf": b"%PDF"}
    name = "META-INF/signature-2.p7s"
    text = (manifest or manifest_xml(files, signature=name)).encode()
    return pack(
        files=files,
        parts=plus(
            Part(name="META-INF/ASiCManifest2.xml", content=text),
            Part(name=name, content=second(text)),
        ),
    )


def test_every_manifest_and_signature_pair_must_verify() -> None:
    both = opened(countersigned(signed_by(signer(STRANGER)))).verdict

    assert {each.org_number for each in both.signers} == {"910077473", "974761076"}
    assert both.signer_is == "sender"
    assert quarantine(countersigned(lambda _: making()(b"x"))).code == "signature.other_bytes"


def test_second_manifest_must_cover_every_file_of_the_package() -> None:
    only = manifest_xml({"brev.pdf": b"%PDF"}, signature="META-INF/signature-2.p7s")

    raw = countersigned(signed_by(signer()), manifest=only)

    assert quarantine(raw).code == "manifest.uncovered"


def test_manifest_name_in_meta_inf_is_matched_in_any_letter_case() -> None:
    def older(parts: list[Part]) -> list[Part]:
        names = {MANIFEST: "META-INF/asicmanifest.xml"}
        return [replace(part, name=names.get(part.name, part.name)) for part in parts]

    assert opened(pack(parts=older)).verdict.integrity is True


@pytest.mark.parametrize(
    ("manifest", "signature"),
    [
        ("META-INF/ASiCManifest001.xml", "META-INF/signature001.p7s"),
        ("META-INF/asicmanifest.xml", "META-INF/SIGNATURE.P7S"),
        ("META-INF/0-ASiCManifest-æ.xml", "META-INF/0-signature-æ.p7s"),
        ("META-INF/ASiCManifest2.xml", "META-INF/signature-1.p7s"),
    ],
)
def test_manifest_and_signature_may_be_named_and_numbered_in_any_way(
    manifest: str, signature: str
) -> None:
    names = {MANIFEST: manifest, SIGNATURE: signature}

    def named(parts: list[Part]) -> list[Part]:
        return [replace(part, name=names.get(part.name, part.name)) for part in parts]

    raw = pack(parts=named, manifest=lambda text: text.replace(SIGNATURE, signature))

    assert opened(raw).verdict.integrity is True


@pytest.mark.parametrize(
    "name",
    [
        "META-INF/ASiCArchiveManifest.xml",
        "META-INF/ASiCEvidenceRecordManifest.xml",
        "META-INF/timestamp.tst",
        "META-INF/ASiCManifest.xml.bak",
        "META-INF/manifest.xml/x",
        "META-INF/sub/ASiCManifest.xml",
        "META-INF/signature-1.p7m",
        "META-INF/brev.pdf",
    ],
)
def test_other_files_in_meta_inf_are_refused_as_stray_metadata(name: str) -> None:
    assert quarantine(pack(parts=plus(Part(name=name)))).code == "container.stray_metadata"


@pytest.mark.parametrize("namespace", ["02918/v1.2.1", "02918/v1.1.1", "2918/v1.2.1"])
@pytest.mark.parametrize(
    "media_type", ["application/x-pkcs7-signature", "application/pkcs7-signature", None]
)
def test_known_manifest_namespaces_and_signature_media_types_are_read(
    namespace: str, media_type: str | None
) -> None:
    said = "" if media_type is None else f' MimeType="{media_type}"'

    def change(text: str) -> str:
        text = text.replace("02918/v1.2.1", namespace)
        return text.replace(' MimeType="application/x-pkcs7-signature"', said)

    assert opened(pack(manifest=change)).verdict.integrity is True


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [
        ("sha256", "http://www.w3.org/2001/04/xmlenc#sha256"),
        ("sha384", "http://www.w3.org/2001/04/xmldsig-more#sha384"),
        ("sha384", "http://www.w3.org/2001/04/xmlenc#sha384"),
        ("sha512", "http://www.w3.org/2001/04/xmlenc#sha512"),
    ],
)
def test_manifest_digests_from_sha256_to_sha512_are_verified(algorithm: str, name: str) -> None:
    short = base64.b64encode(hashlib.sha256(b"%PDF").digest()).decode()
    long = base64.b64encode(hashlib.new(algorithm, b"%PDF").digest()).decode()

    def change(text: str) -> str:
        head, last = text.rsplit("<DataObjectReference", 1)
        return f"{head}<DataObjectReference{last.replace(SHA256, name).replace(short, long)}"

    assert opened(pack(manifest=change)).verdict.integrity is True
    other = ("A" if long[0] != "A" else "B") + long[1:]
    wrong = pack(manifest=lambda text: change(text).replace(long, other))
    assert quarantine(wrong).code == "manifest.digest"


def test_manifest_uri_is_matched_raw_before_decoded_and_refused_when_ambiguous() -> None:
    encoded = {"arkivmelding.xml": letter(["a%20b.pdf"]), "a%20b.pdf": b"%PDF"}

    assert opened(pack(files=encoded)).documents[0].name == "a%20b.pdf"
    both = pack(files=encoded | {"a b.pdf": b"other"})
    assert quarantine(both).code == "manifest.ambiguous_uri"


def test_odf_manifest_may_have_any_content_but_its_crc_is_checked() -> None:
    odf = Part(name="META-INF/manifest.xml", content=b"<anything>")

    assert opened(pack(parts=plus(odf))).verdict.integrity is True
    broken = replace(odf, crc=1)
    assert quarantine(pack(parts=plus(broken))).code == "container.crc"


@pytest.mark.parametrize("stray", [(), (Part(name="META-INF/annet.bin"),)])
def test_xades_signature_is_the_code_before_stray_metadata(stray: tuple[Part, ...]) -> None:
    xades = Part(name="META-INF/signatures0.xml", comment=b"LIB DigiDoc4j")

    assert quarantine(pack(parts=plus(*stray, xades))).code == "signature.xades"


def test_odd_comment_on_a_signed_document_is_noted() -> None:
    raw = pack(parts=with_part("brev.pdf", comment=b"qdigidoc4/4.2"))

    assert opened(raw).verdict.notes == ("comment",)
