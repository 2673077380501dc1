"""Integrity: which manifests and signatures are right, and that nothing near them is."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.errors import PackageRejected
from inbox.package.signature.cms import verify_signature
from inbox.package.verdict import AlgorithmClass
from inbox.simulator.packages.builder import Dialect, Namespace, ParcelDocument, Tamper
from inbox.simulator.packages.cms import Profile
from tests.package.signature.signatures import Attributes, holder, making
from tests.package_builder import (
    STRANGER,
    genuine,
    opened,
    pack,
    quarantine,
    refusal,
    signed_by,
    signer,
)


@pytest.mark.parametrize("namespace", Namespace)
@pytest.mark.parametrize(
    ("dialect", "expected"),
    [(Dialect.GENUINE, AlgorithmClass.LEGACY_SHA1), (Dialect.MODERN, AlgorithmClass.MODERN)],
)
def test_genuine_and_modern_packages_verify_in_every_manifest_namespace(
    dialect: Dialect, namespace: Namespace, expected: AlgorithmClass
) -> None:
    documents = (ParcelDocument("brev ÆØÅ.pdf", "application/pdf", b"%PDF"),)
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
def test_tampered_package_is_refused_with_integrity_false_and_no_signers(
    tamper: Tamper, code: str
) -> None:
    refused = quarantine(genuine(tamper=tamper))

    assert refused.code == refused.verdict.code == code
    assert (refused.verdict.container, refused.verdict.integrity) == (True, False)
    assert refused.verdict.signers == ()


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("bare", [False, True])
def test_signature_digests_from_sha256_up_are_classed_as_modern(*, digest: str, bare: bool) -> None:
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
def test_signature_algorithms_that_disagree_or_are_weak_are_refused(faults: dict[str, Any]) -> None:
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
def test_signed_attributes_must_have_content_type_and_digest_once_each(
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


def test_cms_algorithm_protection_must_match_the_algorithms_used() -> None:
    assert opened(pack(signature=making(attributes=protecting("sha256")))).verdict.integrity

    raw = pack(signature=making(attributes=protecting("sha512")))

    assert quarantine(raw).code == "signature.algorithm"


def test_signing_certificate_attribute_must_name_the_signer_s_certificate() -> None:
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


def other_content(data: cms.SignedData) -> None:
    data["encap_content_info"] = {"content_type": "1.2.3.4"}


def other_kind(data: cms.SignedData) -> None:
    strange = {"other_cert_format": "1.2.3.4", "other_cert": core.Null()}
    choice = cms.CertificateChoices(name="other", value=cms.OtherCertificateFormat(strange))
    data["certificates"] = [*data["certificates"], choice]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (other_content, "signature.attributes"),
        (other_kind, "signature.signer_certificate"),
        (remove_all, "signature.signer_certificate"),
        (too_many, "signature.signer_certificate"),
        (double, "signature.signer_count"),
    ],
)
def test_signature_with_wrong_signer_count_certificates_or_content_type_is_refused(
    edit: Callable[[cms.SignedData], None], code: str
) -> None:
    assert quarantine(pack(signature=making(edit=edit))).code == code


def test_signature_by_an_ed25519_key_is_refused() -> None:
    edwards = holder(key=ed25519.Ed25519PrivateKey.generate())

    assert quarantine(pack(signature=making(edwards))).code == "signature.algorithm"


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
def test_sha1_signature_with_extra_attributes_is_refused(faults: dict[str, Any]) -> None:
    assert opened(pack(signature=legacy())).verdict.algorithm_class == "legacy-sha1"
    assert quarantine(pack(signature=legacy(**faults))).code == "signature.legacy_shape"
    assert opened(pack(signature=making(**faults))).verdict.algorithm_class == "modern"


CONTENT = b"manifest"


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_signature_with_one_flipped_bit_is_refused_or_keeps_the_same_signer_key(
    data: st.DataObject,
) -> None:
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
def test_arbitrary_bytes_as_a_signature_raise_only_package_rejected(raw: bytes) -> None:
    assert refusal(lambda: verify_signature(raw, CONTENT)).startswith("signature.")
