"""From free text in mail to the clearance it takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.access import Policy


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("13", "13"),
        ("UO", "UO"),
        ("uo", "UO"),
        ("Offl. § 13 jf. fvl. § 13", "13"),
        ("Offl. §13, jf. fvl. §13 første ledd nr. 1", "13"),
        ("offl § 13 1. ledd", "13"),
        ("Offl. § 13 jf. barnevernsloven § 13-1", "13"),
        ("Offl. § 14", "14"),
        ("offentleglova § 26", "26"),
        ("UO, offl. § 14", "14"),
        ("§§ 13 og 26", "13"),
        ("Unntatt offentlighet / Offl. § 23", "23"),
        ("Strengt fortrolig adresse", "6"),
        ("13; kode 6", "6"),
    ],
)
def test_shielding_text_that_is_known_has_its_code(
    the_policy: Policy, text: str, code: str
) -> None:
    assert the_policy.shielding_code(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "hemmelig",
        "?",
        ",",
        "§",
        "§ 131",
        "§ 13-1",
        "barnevernsloven § 13-1",
        "Offl. § 13 jf. det vi avtalte",
        "jf. § 13",
        "UO, hemmelig",
        "13 14",
        "Offl. § 13" + " " * 600,
    ],
)
def test_shielding_text_with_any_unknown_part_has_the_unknown_code(
    the_policy: Policy, text: str
) -> None:
    assert the_policy.shielding_code(text) == "?"


@pytest.mark.parametrize("text", [None, "", "  "])
def test_empty_shielding_text_has_no_code(the_policy: Policy, text: str | None) -> None:
    assert the_policy.shielding_code(text) is None


def test_shielding_code_considers_restriction_and_authority_together(the_policy: Policy) -> None:
    assert the_policy.shielding_code("UO", "Offl. § 13 jf. fvl. § 13") == "13"
    assert the_policy.shielding_code(None, "Offl. § 14") == "14"
    assert the_policy.shielding_code("13", "ukjent") == "?"


def test_blank_parts_of_a_shielding_text_are_ignored(the_policy: Policy) -> None:
    for text in ("13,", ", 13", "13 , , 13", "13;\u00a0", "/13/"):
        assert the_policy.shielding_code(text) == "13", text
    assert the_policy.shielding_code(", ;") == "?"


def test_shielding_text_over_500_characters_has_the_unknown_code(the_policy: Policy) -> None:
    assert the_policy.shielding_code("13".ljust(500)) == "13"
    assert the_policy.shielding_code("13".ljust(501)) == "?"


def test_policy_without_shielding_codes_gives_the_unknown_code() -> None:
    assert Policy.deny_all("d").shielding_code("13") == "?"


@given(st.text(min_size=1))
def test_every_shielding_text_that_is_not_blank_has_a_code(the_policy: Policy, text: str) -> None:
    assert (the_policy.shielding_code(text) is None) is (not text.strip())
