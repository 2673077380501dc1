"""Integrity: which manifests and signatures are right, and that nothing near them is."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.errors import PackageRejected
from inbox.package.cms import verify_signature
from inbox.package.verdict import AlgorithmClass
from inbox.simulator.cms import Profile
from inbox.simulator.packages import Dialect, Document, Namespace, Tamper
from tests.package.signatures import Attributes, holder, making
from tests.package.zips import Part
from tests.packages import (
    MANIFEST,
    STRANGER,
    genuine,
    letter,
    manifest_xml,
    opened,
    pack,
    plus,
    quarantine,
    refusal,
    signed_by,
    signer,
)

FILES = {"arkivmelding.xml": letter(["brev ÆØÅ.pdf"]), "brev ÆØÅ.pdf": b"%PDF"}


@pytest.mark.parametrize("namespace", Namespace)
@pytest.mark.parametrize(
    ("dialect", "expected"),
    [(Dialect.GENUINE, AlgorithmClass.LEGACY_SHA1), (Dialect.MODERN, AlgorithmClass.MODERN)],
)
def test_both_dialects_of_the_country_are_whole(
    dialect: Dialect, namespace: Namespace, expected: AlgorithmClass
) -> None:
    documents = (Document("brev ÆØÅ.pdf", "application/pdf", b"%PDF"),)
    raw = genuine(dialect=dialect, namespace=namespace, documents=documents)

    verdict = opened(raw).verdict

    assert (verdict.container, verdict.integrity) == (True, True)
    assert verdict.algorithm_class is expected


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        (Tamper.BROKEN_SIGNATURE, "signature.wrong"),
        (Tamper.CHANGED_DOCUMENT, "manifest.digest"),
        (Tamper.UNSIGNED_FILE, "manifest.uncovered"),
        (Tamper.MISSING_SIGNATURE, "manifest.none"),
    ],
)
def test_what_the_gateway_hands_over_unchecked_is_refused(tamper: Tamper, code: str) -> None:
    refused = quarantine(genuine(tamper=tamper))

    assert refused.code == refused.verdict.code == code
    assert (refused.verdict.container, refused.verdict.integrity) == (True, False)
    assert refused.verdict.signers == ()


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("bare", [False, True])
def test_stronger_digests_are_modern(*, digest: str, bare: bool) -> None:
    algorithm = "rsassa_pkcs1v15" if bare else f"{digest}_rsa"

    verdict = opened(pack(signature=making(digest=digest, algorithm=algorithm))).verdict

    assert verdict.algorithm_class is AlgorithmClass.MODERN


def pss(digest: str, mask: str) -> algos.RSASSAPSSParams:
    return algos.RSASSAPSSParams(
        {
            "hash_algorithm": {"algorithm": digest},
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": mask}},
            "salt_length": 32,
        }
    )


def test_pss_and_elliptic_curves_are_verified() -> None:
    curve = holder(key=ec.generate_private_key(ec.SECP256R1()))

    on_curve = pack(signature=making(curve, algorithm="sha256_ecdsa"))
    filled = pack(signature=making(algorithm="rsassa_pss", parameters=pss("sha256", "sha256")))

    assert opened(on_curve).verdict.integrity is True
    assert opened(filled).verdict.integrity is True


@pytest.mark.parametrize(
    "faults",
    [
        {"algorithm": "sha512_rsa"},
        {"algorithm": "rsassa_pss", "parameters": pss("sha512", "sha512")},
        {"algorithm": "rsassa_pss", "parameters": pss("sha256", "sha1")},
        {"digest": "md5", "algorithm": "md5_rsa"},
        {"digest": "sha224", "algorithm": "sha224_rsa"},
    ],
)
def test_algorithms_that_disagree_are_refused(faults: dict[str, Any]) -> None:
    made = making(**{key: value for key, value in faults.items() if key != "digest"})
    digest = faults.get("digest")

    def sign(content: bytes) -> bytes:
        info = cms.ContentInfo.load(made(content))
        if digest:
            data = info["content"]
            data["digest_algorithms"] = [{"algorithm": digest}]
            data["signer_infos"][0]["digest_algorithm"] = {"algorithm": digest}
        encoded: bytes = info.dump(force=True)
        return encoded

    assert quarantine(pack(signature=sign)).code == "signature.algorithm"


def twice(attributes: Attributes) -> Attributes:
    return [*attributes, attributes[-1]]


def other_type(attributes: Attributes) -> Attributes:
    return [("content_type", "signed_data"), attributes[1]]


def without_digest(attributes: Attributes) -> Attributes:
    return attributes[:1]


@pytest.mark.parametrize("change", [twice, other_type, without_digest])
def test_signed_attributes_must_be_the_two_once_each(
    change: Callable[[Attributes], Attributes],
) -> None:
    assert quarantine(pack(signature=making(attributes=change))).code == "signature.attributes"


def protecting(digest: str) -> Callable[[Attributes], Attributes]:
    protection = cms.CMSAlgorithmProtection(
        {
            "digest_algorithm": {"algorithm": digest},
            "signature_algorithm": {"algorithm": "sha256_rsa"},
        }
    )
    return lambda attributes: [*attributes, ("cms_algorithm_protection", protection)]


def test_protected_algorithms_must_be_the_ones_used() -> None:
    assert opened(pack(signature=making(attributes=protecting("sha256")))).verdict.integrity

    raw = pack(signature=making(attributes=protecting("sha512")))

    assert quarantine(raw).code == "signature.algorithm"


def test_a_signature_that_names_another_certificate_is_refused() -> None:
    def naming(der: bytes) -> Callable[[Attributes], Attributes]:
        named = tsp.SigningCertificateV2({"certs": [{"cert_hash": hashlib.sha256(der).digest()}]})
        return lambda attributes: [*attributes, ("signing_certificate_v2", named)]

    own = holder()

    assert opened(pack(signature=making(own, attributes=naming(own.der)))).verdict.integrity
    other = making(own, attributes=naming(signer(STRANGER).der))
    assert quarantine(pack(signature=other)).code == "signature.signer_certificate"


def remove_all(data: cms.SignedData) -> None:
    data["certificates"] = []


def double(data: cms.SignedData) -> None:
    data["signer_infos"] = [*data["signer_infos"], *data["signer_infos"]]


def too_many(data: cms.SignedData) -> None:
    data["certificates"] = [*data["certificates"]] * 11


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (remove_all, "signature.signer_certificate"),
        (too_many, "signature.signer_certificate"),
        (double, "signature.signer_count"),
    ],
)
def test_one_signer_with_one_certificate(edit: Callable[[cms.SignedData], None], code: str) -> None:
    assert quarantine(pack(signature=making(edit=edit))).code == code


def test_bytes_after_the_signature_are_refused() -> None:
    raw = pack(signature=lambda content: making()(content) + b"\0")

    assert quarantine(raw).code == "signature.malformed"


def legacy(**faults: Any) -> Callable[[bytes], bytes]:
    return making(digest="sha1", algorithm="rsassa_pkcs1v15", **faults)


def unsigned(data: cms.SignedData) -> None:
    extra = cms.CMSAttribute({"type": "1.2.3.4", "values": [core.OctetString(b"x" * 200)]})
    data["signer_infos"][0]["unsigned_attrs"] = [extra]


def unusual(attributes: Attributes) -> Attributes:
    return [*attributes, ("1.2.3.4", core.OctetString(b"x" * 200))]


@pytest.mark.parametrize("faults", [{"edit": unsigned}, {"attributes": unusual}])
def test_sha1_is_taken_only_from_plain_signatures(faults: dict[str, Any]) -> None:
    assert opened(pack(signature=legacy())).verdict.algorithm_class == "legacy-sha1"
    assert quarantine(pack(signature=legacy(**faults))).code == "signature.legacy_shape"
    assert opened(pack(signature=making(**faults))).verdict.algorithm_class == "modern"


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
def test_sha1_is_taken_only_over_a_manifest_with_no_place_for_a_collision(
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
def test_a_manifest_of_another_shape_is_refused(change: Callable[[str], str]) -> None:
    assert quarantine(pack(manifest=change)).code == "manifest.malformed"


@pytest.mark.parametrize("uri", ["brev ÆØÅ.pdf", "brev%20%C3%86%C3%98%C3%85.pdf"])
def test_raw_and_encoded_uris_both_find_their_file(uri: str) -> None:
    raw = pack(files=FILES, manifest=lambda text: text.replace("brev ÆØÅ.pdf", uri))

    assert opened(raw).documents[0].name == "brev ÆØÅ.pdf"


def test_a_composed_uri_does_not_find_a_decomposed_name() -> None:
    decomposed = {"brev A\u030a.pdf": b"%PDF"}
    raw = pack(files=decomposed, manifest=lambda text: text.replace("A\u030a", "Å"))

    assert quarantine(raw).code == "manifest.absent_file"


def test_the_wrong_digest_uri_of_older_senders_is_noted() -> None:
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


def test_every_pair_of_manifest_and_signature_must_be_right() -> None:
    both = opened(countersigned(signed_by(signer(STRANGER)))).verdict

    assert {each.org_number for each in both.signers} == {"910077473", "974761076"}
    assert both.signer_is == "sender"
    assert quarantine(countersigned(lambda _: making()(b"x"))).code == "signature.other_bytes"


def test_a_second_manifest_must_cover_everything_too() -> None:
    only = manifest_xml({"brev.pdf": b"%PDF"}, signature="META-INF/signature-2.p7s")

    raw = countersigned(signed_by(signer()), manifest=only)

    assert quarantine(raw).code == "manifest.uncovered"


def test_names_in_meta_inf_are_read_in_any_case() -> None:
    def older(parts: list[Part]) -> list[Part]:
        names = {MANIFEST: "META-INF/asicmanifest.xml"}
        return [replace(part, name=names.get(part.name, part.name)) for part in parts]

    assert opened(pack(parts=older)).verdict.integrity is True


def test_the_odf_manifest_is_not_trusted_but_its_bytes_are_checked() -> None:
    odf = Part(name="META-INF/manifest.xml", content=b"<anything>")

    assert opened(pack(parts=plus(odf))).verdict.integrity is True
    broken = replace(odf, crc=1)
    assert quarantine(pack(parts=plus(broken))).code == "container.crc"


CONTENT = b"manifest"


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_changed_bit_of_a_signature_is_accepted_for_another_signer(data: st.DataObject) -> None:
    good = signed_by(signer(), profile=Profile.SHA1)(CONTENT)
    position = data.draw(st.integers(min_value=0, max_value=len(good) - 1))
    bit = 1 << data.draw(st.integers(min_value=0, max_value=7))
    changed = bytearray(good)
    changed[position] ^= bit

    try:
        signed = verify_signature(bytes(changed), CONTENT)
    except PackageRejected:
        return

    key = asn1_x509.Certificate.load(signed.certificate).public_key.native
    assert key == asn1_x509.Certificate.load(signer().der).public_key.native


@given(raw=st.binary(max_size=200))
def test_no_bytes_make_reading_a_signature_fail_in_another_way(raw: bytes) -> None:
    assert refusal(lambda: verify_signature(raw, CONTENT)).startswith("signature.")
