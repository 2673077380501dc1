"""Every condition is read, compared, put into words and may be tried; one row here for each."""

import inspect

import pytest

from inbox.cli.route.mail import explain
from inbox.routing.conditions import ConditionField
from inbox.routing.diff import diff_rule_books
from inbox.routing.diff_text import render_diff
from inbox.routing.rule_cases import METADATA_READERS, run_cases
from tests.routing.rule_books import STRANGER, a_book, rule

EXAMPLES = {
    "sender": ('sender = "group:politi"', 'sender = "312100010"'),
    "sender_known": ("sender_known = false", "sender_known = false"),
    "signer": ('signer = "312100010"', 'signer = "312100010"'),
    "on_behalf_of": ('on_behalf_of = "312100010"', 'on_behalf_of = "312100010"'),
    "service": ('service = "DPF"', 'service = "DPF"'),
    "channel": ('channel = "altinn"', 'channel = "altinn"'),
    "process": (
        'process = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0"',
        'process = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0"',
    ),
    "document_type": ('document_type = "avtalt"', 'document_type = "avtalt"'),
    "known_reference": ("known_reference = true", 'known_unit = "ppt"'),
    "administrative_unit": ('administrative_unit = "bv"', 'administrative_unit = "Barnevern"'),
    "screening_authority": (
        'screening_authority = "fvl. § 13"',
        'screening_authority = "fvl. § 13"',
    ),
    "access_restriction": ('access_restriction = "13"', 'access_restriction = "13"'),
    "public_title_has": ('public_title_has = "klage"', 'public_title = "En klage"'),
}
"""How a rule writes the condition, and how a case writes a message for which it holds.

It must not hold for the message that a case describes by its sender alone.
"""


def test_every_condition_has_an_example() -> None:
    assert set(EXAMPLES) == {field.value for field in ConditionField}


@pytest.mark.parametrize("field", EXAMPLES)
def test_condition_holds_for_the_metadata_of_its_case_and_not_for_ordinary_mail(field: str) -> None:
    when, holds = EXAMPLES[field]
    sender = "" if field == "sender" else f'sender = "{STRANGER}", '
    book = a_book(rule("en", f"{{ {when} }}"))
    cases = f"""
        receiver = "910075918"
        on = 2026-11-24
        [[case]]
        name = "passer"
        metadata = {{ {sender}{holds} }}
        expect = {{ unit = "bv", rule = "en", release = "by a person" }}
        [[case]]
        name = "passer ikke"
        metadata = {{ sender = "{STRANGER}" }}
        expect = "unrouted"
    """

    results = run_cases(book, cases.encode())

    assert [(r.name, r.got) for r in results if not r.passed] == []


@pytest.mark.parametrize("field", EXAMPLES)
def test_diff_says_in_words_that_a_condition_holds_or_not(field: str) -> None:
    when, _ = EXAMPLES[field]
    also = "sender_known = true" if field == "channel" else 'channel = "en"'
    without, narrower = (
        a_book(rule("en", f"{{ {also} }}")),
        a_book(rule("en", f"{{ {also}, {when} }}")),
    )

    fewer = render_diff(diff_rule_books(without, narrower))
    other = render_diff(diff_rule_books(narrower, a_book(rule("to", f"{{ {when} }}", to="ppt"))))

    assert "bv (by a person; «en») → ingen regel" in fewer
    assert "bv (by a person; «en») → ppt (by a person; «to»)" in other


def test_everything_that_a_case_may_give_is_an_option_of_explain() -> None:
    assert METADATA_READERS.keys() - inspect.signature(explain).parameters.keys() == set()
