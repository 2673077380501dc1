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
def test_known_texts(the_policy: Policy, text: str, code: str) -> None:
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
def test_what_is_not_understood_to_the_last_word_is_shielded_hardest(
    the_policy: Policy, text: str
) -> None:
    assert the_policy.shielding_code(text) == "?"


@pytest.mark.parametrize("text", [None, "", "  "])
def test_nothing_said_is_nothing_shielded(the_policy: Policy, text: str | None) -> None:
    assert the_policy.shielding_code(text) is None


def test_restriction_and_authority_count_together(the_policy: Policy) -> None:
    assert the_policy.shielding_code("UO", "Offl. § 13 jf. fvl. § 13") == "13"
    assert the_policy.shielding_code(None, "Offl. § 14") == "14"
    assert the_policy.shielding_code("13", "ukjent") == "?"


def test_what_is_blank_beside_a_text_says_nothing(the_policy: Policy) -> None:
    for text in ("13,", ", 13", "13 , , 13", "13;\u00a0", "/13/"):
        assert the_policy.shielding_code(text) == "13", text
    assert the_policy.shielding_code(", ;") == "?"


def test_of_more_than_five_hundred_characters_nothing_is_understood(the_policy: Policy) -> None:
    assert the_policy.shielding_code("13".ljust(500)) == "13"
    assert the_policy.shielding_code("13".ljust(501)) == "?"


def test_a_policy_without_codes_understands_nothing() -> None:
    assert Policy.deny_all("d").shielding_code("13") == "?"


@given(st.text(min_size=1))
def test_any_text_has_a_code_unless_it_is_blank(the_policy: Policy, text: str) -> None:
    assert (the_policy.shielding_code(text) is None) is (not text.strip())
