"""Paths and revocation against the public PKITS vectors, of which `make test` takes some."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from functools import cache
from pathlib import Path

import cryptography_vectors
import pytest
from asn1crypto import cms

from inbox.errors import PackageRejected, Unavailable
from inbox.package.inputs import RevocationList, StaleList, Trust
from inbox.package.signature.certificate_path import check_certificate_path
from inbox.package.signature.cms import verify_signature
from inbox.package.signature.revocation import read_revocation_list
from inbox.package.verdict import VerdictBuilder

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""Within the lives of the vectors, which end in 2030."""
FOLDER = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
WAITS = "trust.stale_list"
RSA_OR_EC_ONLY = dict.fromkeys(
    (
        "ValidDSASignaturesTest4",
        "ValidDSAParameterInheritanceTest5",
        "InvalidDSASignatureTest6",
    ),
    "signature.algorithm",
)
"""DSA: nobody's enterprise certificate has it."""
LISTS_THAT_NO_ISSUER_HERE_MAKES = dict.fromkeys(
    (
        # Made by another authority for this one (indirect).
        "ValidIDPwithindirectCRLTest22",
        "ValidIDPwithindirectCRLTest24",
        "ValidIDPwithindirectCRLTest25",
        "ValidcRLIssuerTest28",
        "ValidcRLIssuerTest29",
        "ValidcRLIssuerTest30",
        "ValidcRLIssuerTest33",
        # Cut in parts by the reason of the revocation.
        "ValidonlySomeReasonsTest18",
        "ValidonlySomeReasonsTest19",
        # Published at a place that is named relative to the issuer's name, in a directory.
        "ValiddistributionPointTest4",
        "ValiddistributionPointTest5",
        "ValiddistributionPointTest7",
        # Signed by a key whose certificate is not in the path, and came with the sender only.
        "ValidBasicSelfIssuedCRLSigningKeyTest6",
        "ValidBasicSelfIssuedNewWithOldTest4",
        "ValidSeparateCertificateandCRLKeysTest19",
    ),
    WAITS,
)
"""They show nothing: mail under them waits. It is never taken for good."""
COMPLETE_LISTS_ONLY = {
    "InvaliddeltaCRLTest4": None,  # The newest complete list, still fresh, does not have it yet.
    "ValiddeltaCRLTest5": "trust.revoked",  # It still has what only the delta takes back.
}
"""Lists of differences (delta) are not read: the complete list of the day is."""
DEPARTS = RSA_OR_EC_ONLY | LISTS_THAT_NO_ISSUER_HERE_MAKES | COMPLETE_LISTS_ONLY
UNNAMED = {
    # With any policy acceptable at first: what these certificates themselves demand is not met.
    **dict.fromkeys((f"DifferentPoliciesTest{n}" for n in (4, 5, 7, 8, 9, 12)), "trust.path"),
    "MissingCRLTest1": WAITS,
}
"""Vectors whose names do not say what is expected, and that are not valid."""


@cache
def vectors() -> dict[str, Path]:
    return {p.stem.removeprefix("Signed"): p for p in (FOLDER / "smime").glob("*.eml")}


def read(path: Path) -> tuple[bytes, bytes]:
    """What was signed, and the signature."""
    raw = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    boundary = re.search(rb'boundary="([^"]+)"', raw)
    assert boundary is not None
    _, content, signature, _ = raw.split(b"--" + boundary[1])
    decoded = message_from_bytes(signature[2:]).get_payload(decode=True)
    assert isinstance(decoded, bytes)
    return content[2:-2], decoded


def lists_of(raw: bytes) -> Iterator[RevocationList]:
    for choice in cms.ContentInfo.load(raw)["content"]["crls"] or ():
        yield read_revocation_list(choice.chosen.dump(), fetched_at=NOW)


def verdict(path: Path) -> str | None:
    """The code with which a vector is refused or waits; None if it is good."""
    anchor = (FOLDER / "certs" / "TrustAnchorRootCertificate.crt").read_bytes()
    content, raw = read(path)
    findings = VerdictBuilder()
    try:
        signed = verify_signature(raw, content)
        trust = Trust(anchors=(anchor,), lists=tuple(lists_of(raw)))
        with findings.quarantine_on_rejection():
            check_certificate_path(
                signed, trust, now=NOW, stale_is=StaleList.WAIT, findings=findings
            )
    except (PackageRejected, Unavailable) as error:
        return error.code
    return None


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.parametrize("one_in", [8, pytest.param(1, marks=pytest.mark.long)])
def test_pkits_vectors_are_accepted_refused_or_wait_as_expected(one_in: int) -> None:
    wrong = {}
    for name, path in sorted(vectors().items())[::one_in]:
        code = verdict(path)
        if name in DEPARTS | UNNAMED:
            right = code == (DEPARTS | UNNAMED)[name]
        else:
            right = (code is not None) == name.startswith("Invalid")
        if not right:
            wrong[name] = code

    assert len(vectors()) == 224
    assert set(DEPARTS | UNNAMED) <= set(vectors())
    assert wrong == {}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("InvalidRevokedCATest2", "trust.revoked"),
        ("InvalidOldCRLnextUpdateTest11", WAITS),
        ("InvalidCAnotBeforeDateTest1", "trust.not_yet_valid"),
        ("InvalidEEnotAfterDateTest6", "trust.expired"),
        ("InvalidNameChainingEETest1", "trust.unknown_anchor"),
        ("InvalidpathLenConstraintTest5", "trust.path"),
        ("InvalidRequireExplicitPolicyTest3", "trust.path"),
        ("InvalidUnknownCRLExtensionTest9", "trust.revoked"),
        ("InvalidonlySomeReasonsTest15", "trust.revoked"),
        ("ValidNameChainingCapitalizationTest5", None),
        ("ValidBasicSelfIssuedOldWithNewTest1", None),
    ],
)
def test_pkits_path_gets_the_expected_rejection_code(name: str, code: str | None) -> None:
    assert verdict(vectors()[name]) == code
