"""Of several reasons against a package, the one that matters most is told."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from itertools import combinations, permutations, product
from typing import Any

import pytest

from inbox.domain import OrgNumber
from inbox.errors import Unavailable
from inbox.package import inspect
from inbox.package.codes.importance import by_importance, most_important
from inbox.package.codes.registry import CODES
from inbox.package.inputs import Limits, Trust
from inbox.package.verdict import PackageQuarantined
from inbox.simulator.packages.cms import Profile
from tests.package.attempts import Later, made_now
from tests.package.refused_packages import letter_with_grade
from tests.package.signature.signatures import holder, making, usage
from tests.package.zip.zip_writer import Part
from tests.package_builder import (
    NOW,
    SENDER,
    STRANGER,
    authority,
    expecting,
    letter,
    opened,
    pack,
    plus,
    quarantine,
    signed_by,
    signer,
    trusted,
)

XADES = Part(name="META-INF/signatures0.xml", content=b"<XAdESSignatures/>")
Change = Mapping[str, Any]


def test_every_pair_of_codes_has_one_that_matters_more_whatever_comes_first() -> None:
    for one, other in combinations(CODES, 2):
        told = most_important((one, other))

        assert most_important((other, one)) == told
        assert told in {one, other}
        if CODES[one].waivable is not CODES[other].waivable:
            assert not CODES[told].waivable


def test_importance_of_three_codes_agrees_with_each_pair() -> None:
    names = tuple(CODES)[::4]
    for three in permutations(names, 3):
        first, second, third = by_importance(three)

        assert most_important((first, second)) == most_important((first, third)) == first
        assert most_important((second, third)) == second


@pytest.mark.parametrize(
    ("told", "beside"),
    [
        ("signature.xades", "container.comment"),
        ("signature.xades", "container.descriptor"),
        ("signature.xades", "container.name"),
        ("signature.xades", "container.encrypted"),
        ("signature.xades", "manifest.none"),
        ("container.asic_s", "container.extra_field"),
        ("container.encrypted", "container.gap"),
        ("signature.wrong", "container.crc"),
        ("trust.revoked", "arkivmelding.security_grade"),
        ("envelope.not_ours", "container.gap"),
        ("container.crc", "arkivmelding.security_grade"),
        ("arkivmelding.security_grade", "trust.expired"),
        ("arkivmelding.security_grade", "arkivmelding.several"),
        ("trust.expired", "signer.not_sender"),
        ("trust.unknown_anchor", "arkivmelding.grade_unreadable"),
        ("signer.not_sender", "arkivmelding.protective_grade"),
        ("arkivmelding.grade_unreadable", "arkivmelding.protective_grade"),
        ("arkivmelding.protective_grade", "arkivmelding.not_noark"),
        ("arkivmelding.malformed", "documents.none"),
    ],
)
def test_code_comes_before_one_that_matters_less(told: str, beside: str) -> None:
    assert most_important([beside, told]) == told


ODD: Mapping[str, Change | Callable[[list[Part]], list[Part]]] = {
    "container.comment": {"comment": b"LIB hei PK\x01\x02"},
    "container.gap": {"before": b"MZ"},
    "container.descriptor": lambda parts: changed(parts, flags=0x808, after=bytes(16)),
    "container.extra_field": lambda parts: changed(parts, central_extra=b"\x99\x99\x01\x00\x01"),
    "container.local_header": lambda parts: changed(parts, local={"crc": 1}),
    "container.special_file": lambda parts: changed(parts, central={"attributes": 0xA1FF << 16}),
    "container.flags": lambda parts: changed(parts, flags=0x2800),
    "container.method": lambda parts: changed(parts, local={"method": 12}, central={"method": 12}),
    "container.name": plus(Part(name="../brev.pdf")),
    "container.name_collision": plus(Part(name="brev.pdf")),
    "container.mimetype_missing": lambda parts: [p for p in parts if p.name != "mimetype"],
}
"""Ways in which a container is odd, each refused with its code where nothing else stands."""
KINDS: Mapping[str, Callable[[list[Part]], list[Part]]] = {
    "signature.xades": plus(XADES),
    "container.encrypted": plus(Part(name="laast.pdf", flags=0x801)),
    "container.asic_s": lambda parts: [
        replace(p, content=p.content.replace(b"asic-e", b"asic-s")) if p.name == "mimetype" else p
        for p in parts
    ],
}
"""Containers of another kind than eFormidling uses."""


def changed(parts: list[Part], **changes: Any) -> list[Part]:
    return [replace(p, **changes) if p.name == "brev.pdf" else p for p in parts]


def odd_pack(odd: str, kind: Callable[[list[Part]], list[Part]] = list) -> bytes:
    flaw = ODD[odd]
    if callable(flaw):
        return pack(parts=lambda parts: kind(flaw(parts)))
    return pack(parts=kind, writing=flaw)


@pytest.mark.parametrize("odd", ODD)
def test_odd_container_of_the_usual_kind_is_refused_for_what_is_odd(odd: str) -> None:
    assert quarantine(odd_pack(odd)).code == odd


@pytest.mark.parametrize(
    ("odd", "kind"),
    [
        pair
        for pair in product(ODD, KINDS)
        if pair != ("container.mimetype_missing", "container.asic_s")  # It says of no kind.
    ],
)
def test_container_of_another_kind_is_refused_for_that_and_not_for_what_is_odd(
    odd: str, kind: str
) -> None:
    refused = quarantine(odd_pack(odd, KINDS[kind]))

    assert refused.code == kind == refused.verdict.code


@pytest.mark.parametrize(("one", "other"), list(permutations(KINDS, 2)))
def test_container_of_two_other_kinds_is_refused_for_the_one_that_matters_more(
    one: str, other: str
) -> None:
    raw = pack(parts=lambda parts: KINDS[one](KINDS[other](parts)))

    assert quarantine(raw).code == most_important((one, other))


def test_xades_container_inside_a_document_says_nothing_of_the_package_itself() -> None:
    inner = pack(parts=plus(XADES))
    stored = Part(name="vedlegg.asice", content=inner, stored=True, local={"crc": 1})

    assert quarantine(pack(parts=plus(stored))).code == "container.local_header"


STANDING: Mapping[str, Change] = {
    "trust.unknown_anchor": {"trust": Later(lambda: replace(trusted(), anchors=()))},
    "trust.revoked": {"trust": Later(lambda: trusted(revoked=[signer()]))},
    "envelope.not_ours": {"expected": expecting(organisation=OrgNumber(STRANGER))},
    "trust.expired": {"signature": Later(lambda: signed_by(authority().expired(SENDER, now=NOW)))},
    "trust.usage": {
        "signature": Later(
            lambda: making(who=holder(extensions=[(usage(key_encipherment=True), True)]))
        )
    },
    "signer.not_sender": {"signature": Later(lambda: signed_by(signer(STRANGER)))},
    "arkivmelding.absent": {"files": {"brev.pdf": b"%PDF"}},
    "arkivmelding.malformed": {
        "files": {"arkivmelding.xml": letter()[:-5], "brev.pdf": b"%PDF"},
    },
    "arkivmelding.grade_unreadable": {
        "files": {"arkivmelding.xml": letter_with_grade("U")[:-5], "brev.pdf": b"%PDF"},
    },
    "arkivmelding.protective_grade": {
        "files": {"arkivmelding.xml": letter_with_grade("F"), "brev.pdf": b"%PDF"},
    },
    "arkivmelding.security_grade": {
        "files": {"arkivmelding.xml": letter_with_grade("H"), "brev.pdf": b"%PDF"},
    },
    "documents.none": {"files": {"arkivmelding.xml": letter()}},
}
"""How each code comes to stand alone; two stand at once if they change different things."""
_OF_THE_PACKAGE = {"signature", "files"}
NOT_TOGETHER = {
    frozenset({"trust.revoked", "trust.expired"}),
    frozenset({"trust.revoked", "trust.usage"}),
    frozenset({"trust.revoked", "signer.not_sender"}),
    frozenset({"trust.unknown_anchor", "trust.expired"}),
}
"""Of another certificate, or of one that leads to nobody, the first is not known."""


def refused_for(changes: Change, **more: Any) -> str:
    made = {name: made_now(value) for name, value in changes.items()}
    raw = pack(**{name: made[name] for name in made if name in _OF_THE_PACKAGE})
    terms = {name: made[name] for name in made if name not in _OF_THE_PACKAGE}
    return quarantine(raw, **terms, **more).code


PAIRS = [
    (one, other)
    for one, other in combinations(STANDING, 2)
    if not STANDING[one].keys() & STANDING[other].keys()
    and frozenset({one, other}) not in NOT_TOGETHER
]


@pytest.mark.parametrize("code", STANDING)
def test_package_with_one_fault_is_refused_for_that_fault(code: str) -> None:
    assert refused_for(STANDING[code]) == code


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_package_with_two_faults_is_refused_for_the_one_that_matters_more(
    one: str, other: str
) -> None:
    assert refused_for({**STANDING[one], **STANDING[other]}) == most_important((one, other))


def test_package_with_two_faults_is_held_for_the_second_once_the_first_is_waived() -> None:
    changes = {**STANDING["signer.not_sender"], **STANDING["documents.none"]}
    assert refused_for(changes) == "signer.not_sender"

    assert refused_for(changes, waivers=["signer.not_sender"]) == "documents.none"


@pytest.mark.parametrize("first", [letter()[:-5], b"<arkivmelding/>", b"<!DOCTYPE a><a/>"])
def test_grade_in_a_second_arkivmelding_matters_more_than_a_fault_of_the_first(
    first: bytes,
) -> None:
    graded = {"Arkivmelding.xml": letter_with_grade("F"), "brev.pdf": b"%PDF"}

    refused = quarantine(pack(files={"arkivmelding.xml": first, **graded}))

    assert refused.code == "arkivmelding.protective_grade"


def test_inspection_lists_the_more_important_objection_first_and_says_nothing_is_waived() -> None:
    changes = {
        **STANDING["signer.not_sender"],
        "files": {"arkivmelding.xml": letter_with_grade("F"), "brev.pdf": b"%PDF"},
    }
    raw = pack(**{name: made_now(value) for name, value in changes.items()})
    graded = {**changes, **STANDING["arkivmelding.security_grade"]}
    worse = pack(**{name: made_now(value) for name, value in graded.items()})

    seen = inspect(BytesIO(raw), limits=Limits(), trust=Trust(), now=NOW)
    with pytest.raises(PackageQuarantined) as refused:
        inspect(BytesIO(worse), limits=Limits(), trust=Trust(), now=NOW)

    assert seen.objections == ("trust.unknown_anchor", "arkivmelding.protective_grade")
    assert seen.code == "trust.unknown_anchor"
    assert refused.value.code == "arkivmelding.security_grade"
    assert refused.value.verdict.waived == ()


def test_package_that_is_held_in_any_case_waits_for_no_revocation_list() -> None:
    stale = trusted(listed_at=NOW - timedelta(days=30))
    legacy = expecting(legacy_sha1_until=NOW.date())
    old = pack(signature=signed_by(signer(), profile=Profile.SHA1))
    with pytest.raises(Unavailable):
        opened(old, trust=stale)

    assert quarantine(old, trust=stale, expected=legacy).code == "trust.legacy_sha1"


def test_odd_container_without_an_end_is_looked_at_no_further() -> None:
    assert quarantine(b"PK\x03\x04" + bytes(100)).code == "container.truncated"
    assert quarantine(pack(parts=plus(XADES))[:-30]).code == "container.truncated"
