"""The worked examples in the docstrings of the signature modules are what the code does."""

from dataclasses import replace
from datetime import timedelta

import pytest
from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding

from inbox.package.inputs import RevocationList, Trust
from inbox.package.signature.revocation import (
    RevocationStatus,
    read_revocation_list,
    revocation_status,
)
from inbox.simulator.packages.certificates import TestAuthority
from tests.package.signature.signatures import intermediate, making
from tests.package_builder import NOW, authority, opened, pack, quarantine, signer, trusted

YESTERDAY, LONG_AGO = NOW - timedelta(days=1), NOW - timedelta(days=60)
ROOT = authority().root.public_bytes(Encoding.DER)
SIGNER = signer().certificate.public_bytes(Encoding.DER)


def _list(*, names: bool, made_at: object = YESTERDAY, by: TestAuthority | None = None) -> Trust:
    """Trust in the authority, and one list at hand, which names the signer or another."""
    assert made_at in (YESTERDAY, LONG_AGO)
    at = YESTERDAY if made_at == YESTERDAY else LONG_AGO
    crl = (by or authority()).crl(at, [signer()] if names else [9])
    read: RevocationList = read_revocation_list(crl, fetched_at=at)
    return Trust(anchors=(ROOT,), lists=(read,))


def _status(trust: Trust) -> RevocationStatus:
    return revocation_status(SIGNER, (ROOT,), trust, NOW)


def test_revocation_example_gives_the_status_of_each_row() -> None:
    other = TestAuthority(valid_from=NOW - timedelta(days=30), name="Other Root CA")

    assert _status(_list(names=False)) is RevocationStatus.GOOD
    assert _status(_list(names=False, made_at=LONG_AGO)) is RevocationStatus.UNKNOWN
    assert _status(_list(names=True, made_at=LONG_AGO)) is RevocationStatus.REVOKED
    assert _status(_list(names=True, by=other)) is RevocationStatus.UNKNOWN
    unpublished = Trust(anchors=(ROOT,), without_lists=frozenset({ROOT}))
    assert _status(unpublished) is RevocationStatus.NOT_PUBLISHED
    assert _status(Trust(anchors=(ROOT,))) is RevocationStatus.UNKNOWN


def test_path_example_holds_with_the_issuer_and_is_an_unknown_anchor_without() -> None:
    middle = intermediate()

    def bring(data: cms.SignedData) -> None:
        data["certificates"].append(asn1_x509.Certificate.load(middle.der))

    trust = replace(trusted(), lists=(*trusted().lists, middle.revocations))
    without_issuer = pack(signature=making(middle.leaf))

    assert opened(pack(signature=making(middle.leaf, edit=bring)), trust=trust).verdict.chain
    assert quarantine(without_issuer, trust=trust).code == "trust.unknown_anchor"
    in_folder = replace(trust, intermediates=(middle.der,))
    assert opened(without_issuer, trust=in_folder).verdict.chain


def test_cms_example_has_the_fields_that_the_docstring_shows() -> None:
    seen: list[cms.SignedData] = []

    opened(pack(signature=making(edit=seen.append)))

    (signed,) = seen
    (info,) = signed["signer_infos"]
    assert [each["algorithm"].native for each in signed["digest_algorithms"]] == ["sha256"]
    assert signed["encap_content_info"]["content"].native is None
    assert {"content_type", "message_digest"} <= {
        each["type"].native for each in info["signed_attrs"]
    }
    assert isinstance(info["sid"].chosen, cms.IssuerAndSerialNumber)


@pytest.mark.parametrize("path", ["revocation", "certificate_path", "cms"])
def test_signature_module_still_has_the_example_that_is_tried_here(path: str) -> None:
    module = __import__(f"inbox.package.signature.{path}", fromlist=["__doc__"])

    assert "An example" in (module.__doc__ or "")
