"""A comparison of rule books in words, and its acknowledgement."""

import hashlib
from collections.abc import Sequence

import pytest

from inbox.routing.diff import diff_rule_books
from inbox.routing.diff_text import acknowledgement_digest, piece_text, render_diff, reroute_text
from inbox.routing.rule_reader import read_rules
from tests.routing.rule_books import NAME, a_book, a_file, rule

POLICE = rule("politi", '{ sender = "group:politi" }')


def told(was: Sequence[str], now: Sequence[str]) -> list[tuple[str, list[str]]]:
    one, other = a_book(*was), a_book(*now)
    found = diff_rule_books(one, other)
    assert found.complete
    return [
        (reroute_text(m), [piece_text(p, one, other) for p in m.pieces]) for m in found.rerouted
    ]


@pytest.mark.parametrize(
    ("was", "now", "moved"),
    [
        (
            POLICE,
            POLICE.replace('"bv"', '"ppt"'),
            ("bv (by a person; «politi») → ppt (by a person; «politi»)", "gruppen politi"),
        ),
        (
            POLICE,
            POLICE.replace("by a person", "at once"),
            ("bv (by a person; «politi») → bv (at once; «politi»)", "gruppen politi"),
        ),
        (
            POLICE,
            POLICE + "urgent = true",
            ("bv (by a person; «politi») → bv (by a person, haster; «politi»)", "gruppen politi"),
        ),
        (
            POLICE,
            POLICE.replace('"group:politi"', '"312100010"'),
            ("bv (by a person; «politi») → ingen regel", "«312101718»"),
        ),
        (
            POLICE,
            POLICE.replace('"group:politi"', '["group:politi", "group:skoler"]'),
            ("ingen regel → bv (by a person; «politi»)", "gruppen skoler"),
        ),
    ],
)
def test_routing_diff_text_describes_rerouted_messages_in_the_words_of_the_file(
    was: str, now: str, moved: tuple[str, str]
) -> None:
    assert told([was], [now]) == [(moved[0], [f"avsenderen er {moved[1]}"])]


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        (
            POLICE,
            POLICE + 'except = { public_title_has = ["klage-", "sak"] }',
            (
                "avsenderen er gruppen politi og den offentlige tittelen har ordet "
                "«klage-» eller «sak»"
            ),
        ),
        (
            POLICE + "from = 2026-01-01\nuntil = 2026-12-31",
            POLICE + "from = 2026-01-01\nuntil = 2027-12-31",
            "avsenderen er gruppen politi og fra og med 2027-01-01 og til og med 2027-12-31",
        ),
        (
            POLICE + "from = 2026-01-01",
            POLICE,
            "avsenderen er gruppen politi og til og med 2025-12-31",
        ),
        (
            rule("en", '{ administrative_unit = "bv" }', more='except = { signer = "312100010" }'),
            POLICE.replace('sender = "group:politi"', 'channel = "ingen"'),
            (
                "pakken er ikke signert av «312100010» og kanalen er ikke «ingen» "
                "og adressert til enheten «bv»"
            ),
        ),
        (
            rule("en", "{ sender_known = true }"),
            rule("en", "{ sender_known = true, known_reference = false }"),
            "avsenderen er kjent og svarer på en sak vi har med denne avsenderen",
        ),
    ],
)
def test_routing_diff_text_describes_conditions_exceptions_and_days(
    was: str, now: str, words: str
) -> None:
    assert words in [one for _, where in told([was], [now]) for one in where]


def test_routing_diff_text_of_equivalent_rules_says_that_no_message_moves() -> None:
    one = a_book(POLICE)
    other = a_book(rule("politiet", '{ sender = ["312101718", "312100010"] }'))

    found = diff_rule_books(one, other)

    assert not found.has_changes
    assert "ingen melding går et annet sted" in render_diff(found)
    assert "ny regel «politiet»" in render_diff(found)
    assert "regelen «politi» er borte" in render_diff(found)


def test_routing_diff_text_reports_a_changed_rule_order() -> None:
    other = rule("skoler", '{ sender = "group:skoler" }', to="ppt")

    text = render_diff(diff_rule_books(a_book(POLICE, other), a_book(other, POLICE)))

    assert "rekkefølgen er endret: skoler, politi" in text
    assert "ingen melding går et annet sted" in text


def test_routing_diff_text_reports_a_changed_desk() -> None:
    raw = a_file(POLICE)
    other = read_rules(NAME, raw.replace(b'unit = "desk"', b'unit = "ppt"'))

    found = diff_rule_books(a_book(POLICE), other)

    assert found.has_changes
    assert "det ingen regel tar: fra desk til ppt" in render_diff(found)


def test_acknowledgement_digest_belongs_to_one_printed_routing_diff() -> None:
    one, other = a_book(POLICE), a_book(POLICE + 'except = { service = "DPF" }')
    commented = read_rules(NAME, a_file(POLICE) + b"# a word\n")

    texts = [
        render_diff(diff_rule_books(*both))
        for both in ((one, other), (other, one), (one, commented))
    ]

    assert len({acknowledgement_digest(text) for text in texts}) == 3
    assert acknowledgement_digest(texts[0]) == hashlib.sha256(texts[0].encode()).hexdigest()
    assert acknowledgement_digest(
        render_diff(diff_rule_books(one, other))
    ) == acknowledgement_digest(texts[0])
    assert one.digest in texts[0]
    assert other.digest in texts[0]


def test_routing_diff_beyond_the_step_limit_is_marked_incomplete() -> None:
    many = [
        rule(f"r{n}", f'{{ public_title_has = "ord{"abcdefghijklmnop"[n]}", channel = "k{n}" }}')
        for n in range(16)
    ]
    last = rule("sist", "{ sender_known = true }")

    found = diff_rule_books(
        a_book(*many, last), a_book(*many, last.replace("by a person", "at once"))
    )

    assert not found.complete
    assert found.has_changes
    assert "UFULLSTENDIG" in render_diff(found)
