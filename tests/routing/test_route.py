"""Routing by metadata alone, and saying why."""

import dataclasses
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.domain import ARKIVMELDING_DOCUMENT_TYPE, Metadata, OrgNumber, Service, UnitId
from inbox.errors import Invalid
from inbox.routing.route import explain_route, route
from inbox.routing.rule_book import Release
from inbox.routing.sentences import BOKMAAL
from tests.routing.rule_books import (
    BV,
    POLICE,
    PPT,
    SCHOOL,
    STRANGER,
    TODAY,
    a_book,
    rule,
    some_metadata,
    the_book,
)


def test_routing_metadata_has_exactly_the_allowlisted_fields() -> None:
    assert {field.name for field in dataclasses.fields(Metadata)} == {
        "channel",
        "service",
        "sender",
        "sender_known",
        "signer",
        "on_behalf_of",
        "receiver",
        "process",
        "document_type",
        "conversation_id",
        "references",
        "known_unit",
        "administrative_unit",
        "screening_authority",
        "access_restriction",
        "public_title",
        "sent_at",
        "received_at",
        "document_count",
        "total_bytes",
    }


def test_route_returns_none_without_a_matching_rule() -> None:
    book = a_book(rule("politi", '{ sender = "group:politi" }'))

    assert route(some_metadata(sender=STRANGER), book, TODAY) is None


def test_route_has_unit_rule_release_urgency_and_reason() -> None:
    book = a_book(rule("politi", '{ sender = "group:politi" }', more="urgent = true"))

    found = route(some_metadata(sender=POLICE), book, TODAY)

    assert found is not None
    assert (found.unit, found.rule, found.urgent) == (BV, "politi", True)
    assert (found.release, found.because) == (Release.BY_A_PERSON, "Fordi")


def test_route_follows_the_first_matching_rule() -> None:
    book = a_book(
        rule("en", '{ sender = "group:politi", service = "DPO" }', more='before = ["to"]'),
        rule("to", '{ sender = "group:politi" }', to="ppt"),
    )

    found = [
        route(some_metadata(sender=POLICE, service=s), book, TODAY)
        for s in (Service.DPO, Service.DPF)
    ]

    assert [f and f.rule for f in found] == ["en", "to"]


def test_route_sends_an_answer_to_the_unit_that_has_the_case() -> None:
    book = a_book(rule("svar", "{ known_reference = true }", to="same unit"))

    answer = route(some_metadata(known_unit=UnitId("utenfor")), book, TODAY)

    assert answer is not None
    assert answer.unit == "utenfor"
    assert route(some_metadata(known_unit=None), book, TODAY) is None


@pytest.mark.parametrize(
    ("when", "fits", "other"),
    [
        ('sender = ["312100010", "group:skoler"]', {"sender": SCHOOL}, {"sender": STRANGER}),
        ("sender_known = false", {"sender_known": False}, {"sender_known": True}),
        ('signer = "group:politi"', {"signer": POLICE}, {"signer": None}),
        ('on_behalf_of = "312100010"', {"on_behalf_of": POLICE}, {"on_behalf_of": None}),
        ('service = ["DPO", "DPF"]', {"service": Service.DPF}, {"service": Service.DPV}),
        ('channel = "altinn"', {"channel": "altinn"}, {"channel": "altinn-2"}),
        (
            'process = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0"',
            {"process": "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0"},
            {"process": "urn:no:difi:profile:arkivmelding:Administrasjon:ver1.0"},
        ),
        (
            'document_type = "arkivmelding"',
            {"document_type": ARKIVMELDING_DOCUMENT_TYPE},
            {"document_type": "urn:no:difi:arkivmelding:xsd::arkivmelding_kvittering"},
        ),
        (
            'document_type = "arkivmelding"',
            {"document_type": "arkivmelding"},
            {"document_type": "avtalt"},
        ),
        ("known_reference = false", {"known_unit": None}, {"known_unit": BV}),
        (
            'administrative_unit = "bv"',
            {"administrative_unit": " BARNEVERN\n"},
            {"administrative_unit": "Barnevern Øst"},
        ),
        (
            'administrative_unit = "bv"',
            {"administrative_unit": "barneverntjenesten"},
            {"administrative_unit": "bv"},
        ),
        (
            'screening_authority = "Offl. § 13"',
            {"screening_authority": "offl.  § 13"},
            {"screening_authority": "Offl. § 13 jf. fvl. § 13"},
        ),
        (
            'access_restriction = ["13", "UO"]',
            {"access_restriction": "uo"},
            {"access_restriction": None},
        ),
    ],
)
def test_routing_condition_matches_only_its_values(
    when: str, fits: dict[str, object], other: dict[str, object]
) -> None:
    book = a_book(rule("en", f"{{ {when} }}"))

    assert route(some_metadata(**fits), book, TODAY) is not None
    assert route(some_metadata(**other), book, TODAY) is None


@pytest.mark.parametrize(
    ("word", "title", "fits"),
    [
        ("barnevern", "Sak om barnevern", True),
        ("Barnevern", "BARNEVERN.", True),
        ("barnevern", "Barnevernssak", False),
        ("barnevern-", "Barnevernssak", True),
        ("barnevern-", "barnevern", True),
        ("barnevern-", "Kommunebarnevern", False),
        ("barnevern", "Barnevern-sak", True),
        ("vern", "barnevern", False),
        ("ærlig", "A\u030aret 2026, Ærlig talt", True),
        ("året", "A\u030aret 2026", True),
        ("mánáidsuodjalus-", "MÁNÁIDSUODJALUSÁŠŠI", True),
        ("mánáidsuodjalus", "Ma\u0301na\u0301idsuodjalus", True),
        ("ma\u0301na\u0301idsuodjalus", "mánáidsuodjalus", True),
        ("čŋđŧž", "ČŊĐŦŽ", True),
        ("mánáid", "manaid", False),
        ("barnevern", "*****", False),
        ("barnevern", "", False),
        ("barnevern", None, False),
    ],
)
def test_public_title_condition_matches_whole_words_or_marked_prefixes(
    word: str, title: str | None, *, fits: bool
) -> None:
    book = a_book(rule("en", f'{{ public_title_has = "{word}" }}'))

    assert (route(some_metadata(public_title=title), book, TODAY) is not None) is fits


@pytest.mark.parametrize(
    "field", ["public_title", "administrative_unit", "screening_authority", "access_restriction"]
)
def test_routing_condition_reads_only_its_own_field(field: str) -> None:
    value = "bv" if field == "administrative_unit" else "barnevern"
    name = "public_title_has" if field == "public_title" else field
    book = a_book(rule("en", f'{{ {name} = "{value}" }}'))
    everywhere: dict[str, object] = {
        "public_title": "barnevern",
        "administrative_unit": "barnevern",
        "screening_authority": "barnevern",
        "access_restriction": "barnevern",
        "conversation_id": "barnevern",
        "references": ("barnevern",),
    }

    assert route(some_metadata(**everywhere), book, TODAY) is not None
    assert route(some_metadata(**{**everywhere, field: None}), book, TODAY) is None


def test_routing_conditions_of_a_rule_or_exception_must_all_match() -> None:
    book = a_book(
        rule(
            "en",
            '{ sender = "group:politi", sender_known = true }',
            more='except = { service = "DPF", channel = "altinn" }',
        )
    )

    def goes(**changes: object) -> bool:
        return route(some_metadata(**{"sender": POLICE, **changes}), book, TODAY) is not None

    assert goes()
    assert not goes(sender_known=False)
    assert goes(service=Service.DPF)
    assert not goes(service=Service.DPF, channel="altinn")


@pytest.mark.parametrize(
    ("day", "fits"),
    [
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2026, 3, 31), True),
        (date(2026, 4, 1), False),
    ],
)
def test_routing_rule_matches_from_its_first_day_to_its_last_day(day: date, *, fits: bool) -> None:
    book = a_book(
        rule("en", "{ sender_known = true }", more="from = 2026-01-01\nuntil = 2026-03-31")
    )

    assert (route(some_metadata(), book, day) is not None) is fits


def test_route_refuses_rules_of_another_organisation() -> None:
    book = a_book(rule("en", "{ sender_known = true }"))

    with pytest.raises(Invalid, match=r"route\.other_organisation"):
        route(some_metadata(receiver=OrgNumber("910077473")), book, TODAY)


def test_route_explanation_lists_every_rule_with_every_condition() -> None:
    book = a_book(
        rule("en", '{ sender = "group:politi", service = ["DPO", "DPF"] }', more='before = ["to"]'),
        rule("to", "{ sender_known = true }", to="ppt", more='except = { channel = "altinn" }'),
    )

    explanation = explain_route(some_metadata(sender=SCHOOL, service=Service.DPF), book, TODAY)

    assert explanation.route == route(some_metadata(sender=SCHOOL), book, TODAY)
    assert [
        (
            a.rule,
            a.matched,
            [(BOKMAAL.condition(c.condition), c.holds) for c in (*a.when, *a.except_)],
        )
        for a in explanation.rules
    ] == [
        (
            "en",
            False,
            [("avsenderen er gruppen politi", False), ("tjenesten er «DPO» eller «DPF»", True)],
        ),
        ("to", True, [("avsenderen er kjent", True), ("kanalen er «altinn»", False)]),
    ]
    assert BOKMAAL.explanation(explanation) == (
        "Til ppt etter regel «to»: Fordi.\n"
        "en: passer ikke\n"
        "  nei – avsenderen er gruppen politi\n"
        "  ja – tjenesten er «DPO» eller «DPF»\n"
        "to: passer\n"
        "  ja – avsenderen er kjent\n"
        "  unntak: nei – kanalen er «altinn»"
    )


def test_route_explanation_without_a_match_mentions_a_rule_outside_its_period() -> None:
    book = a_book(rule("en", "{ sender_known = true }", more="until = 2026-01-01"))

    text = BOKMAAL.explanation(explain_route(some_metadata(), book, TODAY))

    assert text.startswith("Ingen regel passer: meldingen må fordeles av en person.")
    assert "gjelder ikke denne dagen" in text


def test_route_explanation_orders_nearest_rules_by_unmatched_conditions() -> None:
    book = a_book(
        rule(
            "unntatt", '{ channel = "integrasjonspunkt" }', more="except = { sender_known = true }"
        ),
        rule("tre-feil", '{ sender = "group:politi", service = "DPV", channel = "altinn" }'),
        rule("to-feil", '{ sender = "group:politi", service = "DPV" }'),
        rule("en-feil", '{ sender = "group:skoler", service = "DPO" }'),
    )

    assert explain_route(some_metadata(), book, TODAY).nearest == ("unntatt", "en-feil", "to-feil")


@given(words=st.sampled_from(["", "Bekymringsmelding om ", "Klagesak, "]), name=st.text())
def test_route_explanation_never_contains_the_title_of_the_message(words: str, name: str) -> None:
    title = f"{words}¤{name}"
    metadata = some_metadata(
        public_title=title, administrative_unit=title, access_restriction=title
    )

    found = explain_route(metadata, the_book(), TODAY)
    assert "¤" not in BOKMAAL.explanation(found)
    assert "¤" not in repr(found)


SENDERS = [STRANGER, *(org for group in the_book().groups.values() for org in group)]


@given(
    sender=st.sampled_from(SENDERS),
    known_unit=st.sampled_from([None, BV, PPT]),
    sender_known=st.booleans(),
    title=st.sampled_from([None, "bekymringsmelding", "pasient elev ppt", "klagesak"]),
    unit=st.sampled_from([None, "Barnevern"]),
)
def test_explain_and_route_agree_on_the_shipped_rules(
    sender: OrgNumber,
    known_unit: UnitId | None,
    title: str | None,
    unit: str | None,
    *,
    sender_known: bool,
) -> None:
    metadata = some_metadata(
        sender=sender,
        known_unit=known_unit,
        sender_known=sender_known,
        public_title=title,
        administrative_unit=unit,
    )

    explanation = explain_route(metadata, the_book(), TODAY)

    found = route(metadata, the_book(), TODAY)
    assert explanation.route == found
    assert next((a.rule for a in explanation.rules if a.matched), None) == (found and found.rule)
