"""The written cases of a set of rules."""

import pytest

from inbox.errors import PolicyError
from inbox.routing.rule_cases import run_cases
from inbox.routing.sentences import BOKMAAL
from tests.routing.rule_books import POLICIES, a_book, rule, the_book

BOOK = a_book(rule("politi", '{ sender = "group:politi" }', more="from = 2026-01-01"))
HEAD = 'receiver = "910075918"\non = 2026-11-24\n'


def a_case(metadata: str, expect: str, more: str = "") -> bytes:
    text = f'[[case]]\nname = "en"\nmetadata = {metadata}\nexpect = {expect}\n{more}'
    return (HEAD + text).encode()


POLICE = '{ sender = "312100010" }'
BV = '{ unit = "bv", rule = "politi", release = "by a person" }'


def test_shipped_routing_cases_pass_and_cover_every_rule() -> None:
    book = the_book()

    results = run_cases(book, (POLICIES / "tests" / "routing.toml").read_bytes())

    assert [r for r in results if not r.passed] == []
    assert len(results) == 18
    assert [r.id for r in book.rules if not any(f", {r.id}, " in c.got for c in results)] == []


def test_routing_case_that_routes_as_expected_passes() -> None:
    (result,) = run_cases(BOOK, a_case(POLICE, BV))

    assert (result.name, result.passed) == ("en", True)


@pytest.mark.parametrize(
    ("expect", "more"),
    [
        ('"unrouted"', ""),
        ('{ unit = "ppt", rule = "politi", release = "by a person" }', ""),
        ('{ unit = "bv", rule = "skole", release = "by a person" }', ""),
        ('{ unit = "bv", rule = "politi", release = "at once" }', ""),
        (BV, "on = 2025-12-31"),
    ],
)
def test_routing_case_that_routes_elsewhere_fails_with_an_explanation(
    expect: str, more: str
) -> None:
    (result,) = run_cases(BOOK, a_case(POLICE, expect, more))

    assert not result.passed
    assert result.expected != result.got
    assert "politi: passer" in BOKMAAL.explanation(result.explanation)


def test_routing_case_may_set_every_field_that_rules_read() -> None:
    book = a_book(
        rule(
            "alt",
            """{ sender = "312100010", sender_known = false, signer = "312103419",
                 on_behalf_of = "312101718", service = "DPF", channel = "svarut",
                 process = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0",
                 document_type = "avtalt", known_reference = true, administrative_unit = "bv",
                 screening_authority = "fvl. § 13", access_restriction = "13",
                 public_title_has = "klage" }""".replace("\n", " "),
        )
    )
    metadata = """{ sender = "312100010", sender_known = false, signer = "312103419",
                 on_behalf_of = "312101718", service = "DPF", channel = "svarut",
                 process = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0",
                 document_type = "avtalt", known_unit = "ppt", administrative_unit = "barnevern",
                 screening_authority = "fvl. § 13", access_restriction = "13",
                 public_title = "En klage" }""".replace("\n", " ")

    (result,) = run_cases(book, a_case(metadata, BV.replace("politi", "alt")))

    assert result.passed, BOKMAAL.explanation(result.explanation)


@pytest.mark.parametrize(
    ("code", "raw"),
    [
        ("other_organisation", a_case(POLICE, BV).replace(b"910075918", b"910077473")),
        ("empty", (HEAD + "case = []").encode()),
        ("missing_field", HEAD.encode()),
        ("missing_field", a_case('{ service = "DPO" }', BV)),
        ("unknown_field", a_case('{ sender = "312100010", title = "x" }', BV)),
        ("unknown_field", a_case(POLICE, BV, "note = 1")),
        ("unknown_word", a_case('{ sender = "312100010", service = "X" }', BV)),
        ("org_number", a_case('{ sender = "1" }', BV)),
        ("missing_field", a_case(POLICE, '{ unit = "bv" }')),
        ("release", a_case(POLICE, BV.replace("by a person", "later"))),
        ("wrong_type", a_case(POLICE, '"elsewhere"')),
        ("wrong_type", a_case(POLICE, BV, 'on = "i dag"')),
        ("toml", b"="),
    ],
)
def test_invalid_file_of_routing_cases_is_refused_with_its_code(code: str, raw: bytes) -> None:
    with pytest.raises(PolicyError) as caught:
        run_cases(BOOK, raw)

    assert caught.value.code == f"routing.{code}"
