"""Routing rules as sentences in three languages, and a digest that no language changes."""

import pytest

from inbox.language import TextLanguage
from inbox.routing.conditions import CLOSED_FIELD_VALUES, ConditionField
from inbox.routing.diff import diff_rule_books
from inbox.routing.diff_text import acknowledgement_digest, render_diff
from inbox.routing.route import explain_route
from inbox.routing.rule_book import SAME_UNIT, Release
from inbox.routing.sentences import FOR_DIGEST, RoutingSentences
from tests.routing.rule_books import SCHOOL, TODAY, a_book, rule, some_metadata

NB, NN, EN = (RoutingSentences(language=each) for each in TextLanguage)
POLICE = rule("politi", '{ sender = "group:politi" }')


@pytest.mark.parametrize("said", [NB, NN, EN], ids=["nb", "nn", "en"])
def test_every_condition_release_and_target_can_be_said(said: RoutingSentences) -> None:
    for field in ConditionField:
        value = min(CLOSED_FIELD_VALUES.get(field, {"ord"}))
        assert said.field(field, [value])
        if value != "false":
            assert said.field(field, [value]) != said.negated_field(field, [value])
    assert {said.release(each) for each in Release}.isdisjoint(Release)
    assert said.target(SAME_UNIT) != SAME_UNIT.value


def test_route_explanation_is_said_in_nynorsk_and_english() -> None:
    book = a_book(rule("en", '{ sender = "group:politi" }', more='except = { channel = "altinn" }'))
    found = explain_route(some_metadata(sender=SCHOOL), book, TODAY)

    assert NN.explanation(found).splitlines() == [
        "Ingen regel passar: meldinga må fordelast av ein person.",
        "en: passar ikkje",
        "  nei – avsendaren er gruppa politi",
        "  unntak: nei – kanalen er «altinn»",
    ]
    assert EN.explanation(found).splitlines() == [
        "No rule matches: a person must place the message.",
        "en: does not match",
        "  no – the sender is the group politi",
        "  exception: no – the channel is “altinn”",
    ]


def test_routing_difference_is_said_in_each_language() -> None:
    found = diff_rule_books(a_book(POLICE), a_book(POLICE.replace("by a person", "at once")))

    nb, nn, en = (render_diff(found, said).splitlines() for said in (NB, NN, EN))

    assert nb[3] == "  regelen «politi» er endret: hvordan posten slippes videre"
    assert nn[3] == "  regelen «politi» er endra: korleis posten blir sleppt vidare"
    assert en[4:] == [
        "  bv (released by a person; “politi”) → bv (released at once; “politi”)",
        "    when the sender is the group politi",
    ]


def test_digest_of_a_routing_difference_stays_what_it_was() -> None:
    found = diff_rule_books(
        a_book(POLICE), a_book(POLICE.replace("by a person", "at once") + "urgent = true")
    )
    one, other = found.old_book.digest, found.new_book.digest

    assert (
        render_diff(found)
        == render_diff(found, FOR_DIGEST)
        == (
            "910075918\n"
            f"  før {one}\n"
            f"  nå  {other}\n"
            "  regelen «politi» er endret: release, urgent\n"
            "  bv (by a person; «politi») → bv (at once, haster; «politi»)\n"
            "    når avsenderen er gruppen politi\n"
        )
    )
    assert len(acknowledgement_digest(render_diff(found))) == 64
